"""The week as the calendar shows it: chairs by days, closures, wishes, and the load of the nurses."""

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import url_for

from clinic.core import formats, times
from clinic.core.permissions import Role
from clinic.scheduling import queries, queries_rooms
from clinic.scheduling.chart_load import HalfHour, LoadChart, load_chart
from clinic.scheduling.limit_rules import most_on
from clinic.scheduling.models import Appointment, Chair, ChairClosure, NurseLimit, Shift
from clinic.scheduling.queries import CourseFacts
from clinic.scheduling.rules import (
    HOLDING,
    AppointmentStatus,
    Stretch,
    fewest_at_once,
    most_at_once,
    nurses_needed,
    week_of,
)

OPENS, CLOSES = 8, 17  # the hours that a week shows at least; what lies outside widens them
_WORKDAYS, _ALL_DAYS = 5, 7


@dataclass(frozen=True, slots=True)
class Ghost:
    """A time that is only wished yet: which session of whom, in which chair."""

    session_number: int
    name: str
    chair_id: uuid.UUID
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Week:
    """What the component `week_grid` needs, and the neighbours of the week."""

    monday: date
    title: str
    days: list[dict[str, Any]]
    chairs: list[dict[str, Any]]
    minutes: int
    load: list[LoadChart]
    load_label: str

    @property
    def before(self) -> date:
        """The Monday before."""
        return self.monday - timedelta(days=7)

    @property
    def after(self) -> date:
        """The Monday after."""
        return self.monday + timedelta(days=7)


@dataclass(slots=True)
class _Frame:
    """The days and hours that are shown."""

    zone: ZoneInfo
    now: datetime
    days: list[date]
    first_hour: int = OPENS
    last_hour: int = CLOSES

    @property
    def minutes(self) -> int:
        return (self.last_hour - self.first_hour) * 60

    def instant(self, day: date, minute: int) -> datetime:
        """The instant so many minutes after the shown day begins; on the day of a clock change the wall decides."""
        wall = datetime.combine(day, time(self.first_hour)) + timedelta(minutes=minute)
        return wall.replace(tzinfo=self.zone).astimezone(UTC)

    def minute(self, day: date, instant: datetime) -> int:
        """Where an instant stands on a day's axis, kept inside it."""
        wall = times.local(instant, self.zone).replace(tzinfo=None)
        passed = wall - datetime.combine(day, time(self.first_hour))
        return max(0, min(self.minutes, int(passed.total_seconds()) // 60))


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a day of the clinic begins."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def show_week(
    day: date,
    *,
    now: datetime,
    sees_drugs: bool,
    ghosts: Sequence[Ghost] = (),
    leaving: Collection[uuid.UUID] = (),
    chosen_id: uuid.UUID | None = None,
) -> Week:
    """The week that a day lies in. Without `sees_drugs` nothing of what is given reaches the page.

    `ghosts` are wished times, `leaving` the appointments that would leave theirs for one of them.
    """
    zone = formats.zone.get()
    monday = week_of(day)
    span = start_of_day(monday, zone), start_of_day(monday + timedelta(days=_ALL_DAYS), zone)
    appointments = queries.appointments_between(*span)
    closures = queries.closures_between(*span)
    shifts = queries.shifts_between(*span)
    shown = [ghost for ghost in ghosts if span[0] <= ghost.starts_at < span[1]]
    frame = _frame(monday, zone, now, [*appointments, *shown], [*appointments, *shown, *shifts])
    facts = queries.course_facts(each.course_id for each in appointments)
    words = _Words(_names(appointments), facts, sees_drugs=sees_drugs, chosen_id=chosen_id)
    content = _Content(appointments, closures, shown)
    there = _there(content, shifts, leaving, queries_rooms.nurse_limits())
    return Week(
        monday=monday,
        title=_title(frame.days),
        days=[_day(frame, each) for each in frame.days],
        chairs=[_row(frame, chair, content, words) for chair in queries.chairs()],
        minutes=frame.minutes,
        load=_load(frame, there),
        load_label=_load_label(frame, shifts, there),
    )


# --- days and hours --------------------------------------------------------------------------------------------------


def _frame(
    monday: date,
    zone: ZoneInfo,
    now: datetime,
    patients: Iterable[Appointment | Ghost],
    anything: Iterable[Appointment | Ghost | Shift],
) -> _Frame:
    used = {times.local(each.starts_at, zone).date() for each in anything}
    count = max([_WORKDAYS, *((day - monday).days + 1 for day in used if day < monday + timedelta(days=_ALL_DAYS))])
    frame = _Frame(zone, now, [monday + timedelta(days=step) for step in range(count)])
    for each in patients:
        start, end = times.local(each.starts_at, zone), times.local(each.ends_at, zone)
        frame.first_hour = min(frame.first_hour, start.hour)
        ends_later = end.date() > start.date()
        frame.last_hour = max(frame.last_hour, 24 if ends_later else end.hour + (end.minute > 0))
    return frame


def _day(frame: _Frame, day: date) -> dict[str, Any]:
    middle = (frame.first_hour + frame.last_hour) // 2
    return {
        "label": f"{formats.weekday(day)} {day.day}",
        "today": times.local(frame.now, frame.zone).date() == day,
        "hours": [f"{hour:02d}" for hour in (frame.first_hour, middle, frame.last_hour)],
    }


def _title(days: Sequence[date]) -> str:
    first, last = days[0], days[-1]
    if first.month == last.month:
        return f"{first.day} to {formats.day(last)}"
    return f"{formats.short_day(first)} to {formats.day(last)}"


# --- what stands in a cell -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Words:
    """How an appointment reads."""

    names: dict[uuid.UUID, str]
    facts: dict[uuid.UUID, CourseFacts]
    sees_drugs: bool
    chosen_id: uuid.UUID | None

    def detail(self, appointment: Appointment) -> str:
        """`ket 4/6`, for the desk `4/6`."""
        if appointment.status is AppointmentStatus.NO_SHOW:
            return "no-show"
        facts = self.facts.get(appointment.course_id)
        of = f"/{facts.planned}" if facts and facts.planned else ""
        drug = f"{facts.drug_name[:3].lower()} " if facts and self.sees_drugs else ""
        return f"{drug}{appointment.session_number}{of}"


def _names(appointments: Iterable[Appointment]) -> dict[uuid.UUID, str]:
    """Family names; where two patients of the week share one, an initial tells them apart."""
    patients = {each.patient_id: each.patient for each in appointments}
    shared = Counter(patient.family_name.casefold() for patient in patients.values())
    return {
        key: f"{patient.family_name} {patient.given_name[:1]}"
        if shared[patient.family_name.casefold()] > 1
        else patient.family_name
        for key, patient in patients.items()
    }


@dataclass(frozen=True, slots=True)
class _Content:
    """Everything that stands in some chairs."""

    appointments: Sequence[Appointment]
    closures: Sequence[ChairClosure]
    ghosts: Sequence[Ghost]
    chair_id: uuid.UUID | None = None

    def of(self, chair: Chair) -> "_Content":
        return _Content(
            [each for each in self.appointments if each.chair_id == chair.id],
            [each for each in self.closures if each.chair_id == chair.id],
            [each for each in self.ghosts if each.chair_id == chair.id],
            chair.id,
        )


@dataclass(frozen=True, slots=True)
class _Item:
    """One line of a cell with its bar, in minutes of the shown day."""

    start: int
    end: int
    event: dict[str, Any]
    has_bar: bool = True

    @property
    def bar(self) -> tuple[str, int, int]:
        return self.event["look"], self.start, self.end - self.start


def _row(frame: _Frame, chair: Chair, content: _Content, words: _Words) -> dict[str, Any]:
    mine = content.of(chair)
    return {"label": chair.name, "cells": [_cell(frame, day, mine, words) for day in frame.days]}


def _cell(frame: _Frame, day: date, content: _Content, words: _Words) -> dict[str, Any]:
    opens, closes = frame.instant(day, 0), frame.instant(day, frame.minutes)
    items = []
    stretches: list[ChairClosure | Appointment | Ghost] = [*content.closures, *content.appointments, *content.ghosts]
    for stretch in stretches:
        if stretch.starts_at < closes and stretch.ends_at > opens:
            start, end = frame.minute(day, stretch.starts_at), frame.minute(day, stretch.ends_at)
            has_bar = not isinstance(stretch, Appointment) or stretch.status in HOLDING
            items.append(_Item(start, end, _event(stretch, frame.now, max(stretch.starts_at, opens), words), has_bar))
    items.sort(key=lambda item: item.start)
    return {
        "bars": [item.bar for item in items if item.has_bar],
        "events": [item.event for item in items],
        "attrs": {"data-day": day.isoformat(), "data-chair": str(content.chair_id)},
    }


def _event(
    stretch: ChairClosure | Appointment | Ghost, now: datetime, shown_from: datetime, words: _Words
) -> dict[str, Any]:
    match stretch:
        case ChairClosure():
            clock = formats.clock(shown_from)
            until = f"closed until {formats.weekday_day(stretch.ends_at)} {formats.clock(stretch.ends_at)}"
            attributes = {"title": f"{until}: {stretch.reason}"}
            return {"time": clock, "name": "closed", "detail": stretch.reason, "look": "off", "attrs": attributes}
        case Ghost():
            clock, number = formats.clock(stretch.starts_at), str(stretch.session_number)
            return {"time": clock, "name": stretch.name, "badge": number, "look": "ghost"}
        case Appointment():
            return _appointment(stretch, now, words)


def _look(appointment: Appointment, now: datetime) -> str:
    if appointment.status is AppointmentStatus.ARRIVED:
        return "run"
    is_over = appointment.status in {AppointmentStatus.FULFILLED, AppointmentStatus.NO_SHOW}
    return "past" if is_over or appointment.ends_at <= now else "plan"


def _appointment(appointment: Appointment, now: datetime, words: _Words) -> dict[str, Any]:
    until = formats.clock(appointment.ends_at)
    nurse = f", {appointment.nurse.name}" if appointment.nurse else ""
    attributes = {"title": f"{appointment.patient.name}, {formats.clock(appointment.starts_at)} to {until}{nurse}"}
    if appointment.id == words.chosen_id:
        attributes["aria-current"] = "true"
    if appointment.status is AppointmentStatus.BOOKED and appointment.starts_at > now:
        attributes |= {"data-patient": str(appointment.patient_id), "data-version": str(appointment.version)}
    return {
        "time": formats.clock(appointment.starts_at),
        "name": words.names[appointment.patient_id],
        "detail": words.detail(appointment),
        "look": _look(appointment, now),
        "href": url_for("scheduling.show_appointment", appointment_id=appointment.id),
        "attrs": attributes,
    }


# --- load ------------------------------------------------------------------------------------------------------------


def _load(frame: _Frame, there: "_There") -> list[LoadChart]:
    days = [_half_hours(frame, day, there) for day in frame.days]
    top = max(max(step.height, step.on_duty) for steps in days for step in steps)
    return [
        load_chart(f"{formats.weekday(day)} {day.day}", f"load-{day}", steps, top)
        for day, steps in zip(frame.days, days, strict=True)
    ]


def _stretches(spans: Iterable[Appointment | Ghost | Shift]) -> list[Stretch]:
    return [Stretch(each.starts_at, each.ends_at) for each in spans]


@dataclass(frozen=True, slots=True)
class _There:
    """Who is there now, and who would be with what is wished."""

    patients: Sequence[Stretch]
    wished: Sequence[Stretch]
    nurses: Sequence[Stretch]
    limits: Sequence[NurseLimit]

    def per_nurse(self, day: date) -> int | None:
        """How many patients one nurse may have at once on a day."""
        return most_on(self.limits, day).at_once


def _there(
    content: _Content, shifts: Iterable[Shift], leaving: Collection[uuid.UUID], limits: Sequence[NurseLimit]
) -> _There:
    """Who holds a place now and with the wished times, and which nurses are on duty."""
    holding = [each for each in content.appointments if each.status in HOLDING]
    return _There(
        _stretches(holding),
        _stretches([*(each for each in holding if each.id not in leaving), *content.ghosts]),
        _stretches(each for each in shifts if Role.NURSE in each.staff.roles),
        limits,
    )


def _half_hours(frame: _Frame, day: date, there: _There) -> list[HalfHour]:
    per_nurse = there.per_nurse(day)
    steps = []
    for minute in range(0, frame.minutes, 30):
        window = Stretch(frame.instant(day, minute), frame.instant(day, minute + 30))
        before = most_at_once(there.patients, window)
        most = most_at_once(there.wished, window)
        hour, rest = divmod(frame.first_hour * 60 + minute, 60)
        needed = None if per_nurse is None else nurses_needed(most, per_nurse)
        rise = most - before if needed is None else needed - nurses_needed(before, per_nurse or 1)
        steps.append(
            HalfHour(f"{hour:02d}:{rest:02d}", most, needed, fewest_at_once(there.nurses, window), max(0, rise))
        )
    return steps


def _load_label(frame: _Frame, shifts: Sequence[Shift], there: _There) -> str:
    if any(there.per_nurse(day) is None for day in frame.days):
        return "patients, nurses"
    return f"nurses of {len({each.staff_id for each in shifts if Role.NURSE in each.staff.roles})}"
