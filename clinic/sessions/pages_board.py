"""The day by chair and time, and who is next: from the board's rows to what the page shows.

The desk gets the same board without drug, vitals and what is due.
"""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from clinic.accounts.models import Staff
from clinic.core.times import clock_label, from_local, local
from clinic.scheduling.models import Appointment, Chair, ChairClosure
from clinic.scheduling.queries import CourseFacts
from clinic.scheduling.rules import AppointmentStatus
from clinic.scheduling.rules_answers import AnswerKind
from clinic.sessions.pages_next import Looks, looks_of, next_entries
from clinic.sessions.pages_words import vitals_line
from clinic.sessions.queries import BoardRow

SLOT: Final = timedelta(minutes=5)
_SLOTS_PER_HOUR: Final = 12
_FIRST_HOUR, _LAST_HOUR = 8, 17
_NOON, _MOST_HOURS = 12, 16
_HOUR: Final = timedelta(hours=1)
# A narrower block could not hold a word.
_LEAST_WIDTH: Final = 6
# Part of the day's width from which the last vitals fit beside the state.
_WIDE: Final = Decimal("0.33")


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the clinic as the board shows it: from a full hour, so many hours."""

    on: date
    starts_at: datetime
    hours: int
    zone: ZoneInfo

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(hours=self.hours)

    def slot(self, at: datetime) -> int:
        """Return the slot of an instant, kept within the day."""
        return max(0, min((at - self.starts_at) // SLOT, self.hours * _SLOTS_PER_HOUR))

    def span(self, start: datetime, end: datetime, least: int = 1) -> tuple[int, int]:
        """Return slot and width of a stretch of time, kept within the day."""
        first = min(self.slot(start), self.hours * _SLOTS_PER_HOUR - least)
        return first, max(self.slot(end) - first, least)


def midnight(on: date, zone: ZoneInfo) -> datetime:
    """Return the instant at which a day of the clinic begins; where clocks skip midnight, the hour after it."""
    try:
        return from_local(on, time(0), zone, fold=0)
    except ValueError:
        return from_local(on, time(1), zone, fold=0)


def shown_day(on: date, zone: ZoneInfo, rows: Sequence[BoardRow], now: datetime) -> Day:
    """Return the hours to show: the usual ones, and as many more as the appointments, or now, need.

    A visit across midnight is shown whole. Where that is too much for one board, what is nearest to now stays.
    """
    begins = datetime.combine(on, time(0))
    starts = [local(row.appointment.starts_at, zone) for row in rows]
    ends = [local(row.appointment.ends_at, zone) for row in rows]
    is_today = local(now, zone).date() == on
    if is_today:
        starts.append(local(now, zone))
        ends.append(local(now, zone) + SLOT)
    first = min([_FIRST_HOUR, *((at.replace(tzinfo=None) - begins) // _HOUR for at in starts)])
    last = max([_LAST_HOUR, *(-((begins - at.replace(tzinfo=None)) // _HOUR) for at in ends)])
    if last - first > _MOST_HOURS:
        middle = local(now, zone).hour if is_today else _NOON
        first = min(max(middle - _MOST_HOURS // 2, first), last - _MOST_HOURS)
        last = first + _MOST_HOURS
    wall = begins + first * _HOUR
    try:
        start = from_local(wall.date(), wall.time(), zone, fold=0)
    except ValueError:
        start = midnight(wall.date(), zone) + wall.hour * _HOUR
    return Day(on, start, last - first, zone)


@dataclass(frozen=True, slots=True)
class BoardPage:
    """What the Today page shows."""

    lanes: list[dict[str, Any]]
    hours: list[tuple[str, int]]
    day_hours: int
    now_slot: int | None
    now_text: str
    summary: str
    next: list[dict[str, Any]]
    later: list[dict[str, Any]]
    is_overdue: bool
    is_empty: bool


@dataclass(frozen=True, slots=True)
class BoardView:
    """Who looks, when, at what: everything that decides how a row looks."""

    now: datetime
    day: Day
    is_clinical: bool
    courses: Mapping[uuid.UUID, CourseFacts]
    marks: Mapping[uuid.UUID, int]
    offers: Mapping[uuid.UUID, str]
    answers: Mapping[uuid.UUID, AnswerKind]


def board_page(
    rows: Sequence[BoardRow],
    *,
    chairs: Sequence[Chair],
    closures: Sequence[ChairClosure],
    courses: Mapping[uuid.UUID, CourseFacts],
    on: date,
    zone: ZoneInfo,
    now: datetime,
    only: Staff | None = None,
    is_clinical: bool = True,
    offers: Mapping[uuid.UUID, str] | None = None,
    answers: Mapping[uuid.UUID, AnswerKind] | None = None,
    given_back: int = 0,
) -> BoardPage:
    """Return the board of a day; `only` keeps the rows of one nurse and the chairs in which they are.

    `offers` are the sessions that others offer to who looks, each with who does; `answers` what
    patients answered by mail, and `given_back` how many gave their time back.
    """
    # An arrival was taken back, whatever became of the booked time since.
    stands_again = {row.appointment.moved_from_id for row in rows}
    rows = [row for row in rows if row.appointment.status is not AppointmentStatus.CANCELLED or row.infusion]
    rows = [row for row in rows if row.appointment.id not in stands_again]
    day = shown_day(on, zone, rows, now)
    view = BoardView(now, day, is_clinical, courses, same_names(rows), offers or {}, answers or {})
    if only is not None:
        rows = [row for row in rows if _is_of(only, row, view)]
        held = {_chair_id(row) for row in rows}
        chairs = [chair for chair in chairs if chair.id in held]
    looks = {row.appointment.id: looks_of(row, now) for row in rows}
    is_today = local(now, zone).date() == on
    coming, later = next_entries(rows, looks, view) if is_today else ([], [])
    return BoardPage(
        lanes=[_lane(chair, rows, closures, looks, view) for chair in chairs],
        hours=_hours(day, now if is_today else None),
        day_hours=day.hours,
        now_slot=day.slot(now) if is_today else None,
        now_text=clock_label(now, zone) if is_today else "",
        summary=_summary(looks, given_back),
        next=coming,
        later=later,
        is_overdue=any(entry["level"] == "crit" for entry in coming),
        is_empty=not rows,
    )


def _is_of(nurse: Staff, row: BoardRow, view: BoardView) -> bool:
    infusion = row.infusion
    is_offered = infusion is not None and infusion.id in view.offers
    return is_offered or nurse.id in {row.appointment.nurse_id, infusion and infusion.nurse_id}


def same_names(rows: Sequence[BoardRow]) -> dict[uuid.UUID, int]:
    """Return the birth year of each patient who shares a family name with another of the same day."""
    patients = {row.appointment.patient_id: row.appointment.patient for row in rows}
    counts = Counter(patient.family_key for patient in patients.values())
    return {patient.id: patient.born_on.year for patient in patients.values() if counts[patient.family_key] > 1}


def _chair_id(row: BoardRow) -> uuid.UUID:
    return row.infusion.chair_id if row.infusion else row.appointment.chair_id


def _hours(day: Day, now: datetime | None) -> list[tuple[str, int]]:
    found = []
    for number in range(day.hours):
        at = day.starts_at + timedelta(hours=number)
        # The clock of now, which is centred on its line, would cover an hour so near; a long day has narrow slots.
        behind = None if now is None else day.slot(now) - number * _SLOTS_PER_HOUR
        if behind is None or not -day.hours * 2 / 5 <= behind <= day.hours:
            found.append((f"{local(at, day.zone):%H:%M}", number * _SLOTS_PER_HOUR))
    return found


def short_name(staff: Staff) -> str:
    """Return a name without its letters, for narrow places."""
    return f"{staff.given_name[:1]}. {staff.family_name}"


def _lane(
    chair: Chair,
    rows: Sequence[BoardRow],
    closures: Sequence[ChairClosure],
    looks: Mapping[uuid.UUID, Looks],
    view: BoardView,
) -> dict[str, Any]:
    here = [row for row in rows if _chair_id(row) == chair.id]
    blocks = [_closed_block(closure, view.day) for closure in closures if closure.chair_id == chair.id]
    blocks += [_block(row, looks[row.appointment.id], view) for row in here]
    return {"chair": chair.name, "nurse": _lane_nurse(here, view.now), "blocks": blocks}


def _lane_nurse(rows: Sequence[BoardRow], now: datetime) -> str:
    """Return who looks after the chair: whoever runs a session there, else who has the next one."""
    running = [row.infusion.nurse for row in rows if row.infusion and row.infusion.status.is_open]
    booked = sorted(rows, key=lambda row: (row.appointment.ends_at < now, abs(row.appointment.starts_at - now)))
    people = [*running, *(row.appointment.nurse for row in booked)]
    return next((short_name(person) for person in people if person), "")


def _closed_block(closure: ChairClosure, day: Day) -> dict[str, Any]:
    slot, width = day.span(closure.starts_at, closure.ends_at)
    return {"slot": slot, "width": width, "look": "off", "name": "Closed", "detail": closure.reason}


def _block(row: BoardRow, looks: Looks, view: BoardView) -> dict[str, Any]:
    appointment, going, day = row.appointment, row.progress, view.day
    end = max([appointment.ends_at, *_running_end(row, view.now)])
    slot, width = day.span(min([appointment.starts_at, *_early_start(row)]), end, _LEAST_WIDTH)
    block: dict[str, Any] = {
        "slot": slot,
        "width": width,
        "look": looks.look if view.is_clinical or looks.look != "crit" else "run",
        "name": appointment.patient.name,
        "detail": _detail(appointment, view),
        "state": looks.state,
        "state_text": looks.state_text,
        "mark": view.marks.get(appointment.patient_id),
        "href": looks.href(is_clinical=view.is_clinical),
        "phases": _phases(row, view, slot, width),
    }
    if view.is_clinical and going is not None:
        block |= {"due_text": looks.due_text, "due_level": looks.due_level}
        # A narrow block keeps the state and what is due; the rest is one tap away.
        is_wide = width >= day.hours * _SLOTS_PER_HOUR * _WIDE
        if looks.is_open and is_wide:
            block["vitals"] = vitals_line(going.last_observation)
        elif looks.due_text and not is_wide:
            block["detail"] = ""
    return block


def _early_start(row: BoardRow) -> list[datetime]:
    return [row.infusion.arrived_at] if row.infusion else []


def _running_end(row: BoardRow, now: datetime) -> list[datetime]:
    return [now] if row.infusion and row.infusion.status.is_open else []


def _detail(appointment: Appointment, view: BoardView) -> str:
    is_confirmed = view.answers.get(appointment.id) is AnswerKind.CONFIRMED
    is_ahead = appointment.status is AppointmentStatus.BOOKED
    return f"{_plan(appointment, view)}{', confirmed' if is_confirmed and is_ahead else ''}"


def _plan(appointment: Appointment, view: BoardView) -> str:
    if not view.is_clinical:
        return f"session {appointment.session_number}"
    course = view.courses[appointment.course_id]
    of = f" of {course.planned}" if course.planned else ""
    return f"{course.drug_name} {appointment.session_number}{of}"


def _phases(row: BoardRow, view: BoardView, slot: int, width: int) -> list[tuple[str, int, int]]:
    """Return the bar in a block: preparing, planned, infused so far, recovering."""
    infusion, going = row.infusion, row.progress
    if infusion is None or going is None or not infusion.status.is_open or going.started_at is None:
        return []
    now, day = view.now, view.day
    stop = going.stopped_at or going.planned_stop or now
    done = going.stopped_at or min(now, stop)
    recovery = timedelta(minutes=infusion.order_version.terms.recovery_min or 0)
    end = max(stop + recovery, now if going.stopped_at else stop)
    pieces = [
        ("ph1", infusion.arrived_at, going.started_at),
        ("ph2", going.started_at, stop),
        ("ph2d", going.started_at, done),
        ("ph3", stop, end),
    ]
    found = []
    for kind, start, finish in pieces:
        first, wide = day.span(start, finish, 0)
        last = min(first + wide, slot + width)
        first = max(first, slot + 1)
        if last > first:
            found.append((kind, first, last - first))
    return found


def _summary(looks: Mapping[uuid.UUID, Looks], given_back: int) -> str:
    groups = Counter(look.group for look in looks.values())
    words = (("done", "done"), ("in chairs", "in chairs"), ("to come", "to come"), ("lost", "did not attend"))
    parts = [f"{groups[key]} {text}" for key, text in words if groups[key] or key != "lost"]
    return " \N{MIDDLE DOT} ".join([*parts, *([f"{given_back} cancelled by mail"] if given_back else [])])
