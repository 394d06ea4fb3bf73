"""What the panel "Book a course" shows: the sessions to book, how long each takes, how far apart they stand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from clinic.accounts.models import Staff
from clinic.core import formats, times
from clinic.courses.models import Course
from clinic.protocols.models import Terms
from clinic.protocols.spacing_rules import IsOpen, SpacingKind, due_dates, due_window
from clinic.protocols.spacing_words import spacing_text, weekdays_text, window_note, window_text
from clinic.scheduling import queries
from clinic.scheduling.forms import BookingForm, instant_of, refuse
from clinic.scheduling.models import Appointment, Chair
from clinic.scheduling.operations import Clash, Slot
from clinic.scheduling.rules import (
    HOLDING,
    Spacing,
    Stretch,
    sessions_to_book,
    slot_minutes,
    spacing,
    spacing_note,
    week_of,
)
from clinic.scheduling.week import Ghost

_DAYS_AHEAD = 400
_PARTS = ("pre-check", "infusion", "recovery", "turnaround")


@dataclass(frozen=True, slots=True)
class Plan:
    """A course as the desk places it. No word of it is clinical."""

    course: Course
    planned: int | None
    numbers: list[int]
    length_min: int | None
    missing: list[str]
    terms: Terms | None
    valid_from: date | None
    valid_until: date | None
    standing: list[Appointment]
    refusal: str | None = None

    @property
    def apart(self) -> str:
        """`every 28 days, up to 3 days late`, as the order has it; empty where it says nothing."""
        return spacing_text(self.terms) if self.terms else ""


def plan_of(course: Course) -> Plan:
    """What is to book of a course by the order in force."""
    version = course.order.current
    terms = version.terms if version else None
    parts = (
        (terms.precheck_slot_min, terms.duration_min, terms.recovery_slot_min, terms.turnaround_min)
        if terms
        else (None,) * len(_PARTS)
    )
    standing = [each for each in queries.of_course(course.id) if each.status in HOLDING]
    planned = (terms.sessions_planned or version.sessions_allowed) if terms and version else None
    return Plan(
        course=course,
        planned=planned,
        numbers=sessions_to_book(planned, {each.session_number for each in standing}),
        length_min=slot_minutes(*parts),
        missing=[name for name, part in zip(_PARTS, parts, strict=True) if part is None],
        terms=terms,
        valid_from=version.valid_from if version else None,
        valid_until=version.valid_until if version else None,
        standing=standing,
    )


# --- from rows to slots ----------------------------------------------------------------------------------------------


def wished_slots(
    form: BookingForm, plan: Plan, chairs: Iterable[Chair], nurses: Iterable[Staff]
) -> tuple[list[Slot], bool]:
    """The slots of the filled rows, and whether every row can be used; what cannot is refused at its field."""
    chair_by_key = {str(chair.id): chair for chair in chairs}
    nurse_by_key = {str(nurse.id): nurse for nurse in nurses}
    length = plan.length_min or (form.length.data if form.length else None)
    slots, is_whole = [], True
    for row in form.rows:
        if row.is_empty:
            continue
        has_gap = row.refuse_gaps()
        start = instant_of(row.day, row.clock)
        chair = chair_by_key.get(str(row.chair.data))
        if has_gap or start is None or chair is None or not length:
            is_whole = False
            continue
        end = start + timedelta(minutes=int(length))
        slots.append(Slot(row.number, chair, start, end, nurse_by_key.get(str(row.nurse.data))))
    return slots, is_whole


def show_clashes(form: BookingForm, clashes: Iterable[Clash]) -> None:
    """Say beside each row what stands in its way: whose appointment, when."""
    rows = {row.number: row for row in form.rows}
    for clash in clashes:
        refuse(rows[clash.slot.session_number].clock, clash_words(clash))


def clash_words(clash: Clash) -> str:
    """Why a wish was refused, with who and when: `Chair 5 is taken at that time: KIM, Jae-won, 09:00 to 12:20`."""
    standing = "; ".join(f"{each.what}, {_span_words(each.starts_at, each.ends_at)}" for each in clash.standing)
    return f"{clash.text[:-1]}: {standing}." if standing else clash.text


def slot_words(slot: Slot) -> str:
    """When and where: `Thu 27-Nov 10:00, chair 3`."""
    when = f"{formats.weekday(slot.starts_at)} {formats.short_day(slot.starts_at)} {formats.clock(slot.starts_at)}"
    return f"{when}, chair {slot.chair.name}"


def wished_words(slot: Slot) -> str:
    """A wish as the panel offers it: `session 2: Thu 27-Nov 10:00, chair 3`."""
    return f"session {slot.session_number}: {slot_words(slot)}"


def change_words(appointment: Appointment, slot: Slot) -> str:
    """What another place changes: `2 days later, same time, same chair, nurse N. Quill RN`."""
    days = (_day(slot.starts_at) - _day(appointment.starts_at)).days
    clocks = formats.clock(appointment.starts_at), formats.clock(slot.starts_at)
    parts = (
        [f"{'1 day' if abs(days) == 1 else f'{abs(days)} days'} {'later' if days > 0 else 'earlier'}"] if days else []
    )
    parts.append("same time" if clocks[0] == clocks[1] else f"{clocks[1]} instead of {clocks[0]}")
    is_same = slot.chair.id == appointment.chair_id
    parts.append("same chair" if is_same else f"chair {slot.chair.name} instead of {appointment.chair.name}")
    if (slot.nurse.id if slot.nurse else None) != appointment.nurse_id:
        parts.append(f"nurse {slot.nurse.name}" if slot.nurse else "no nurse yet")
    return ", ".join(parts)


def _span_words(start: datetime, end: datetime) -> str:
    if _day(start) == _day(end):
        return f"{formats.clock(start)} to {formats.clock(end)}"
    return f"{formats.short_day(start)} {formats.clock(start)} to {formats.short_day(end)} {formats.clock(end)}"


def ghosts(plan: Plan, slots: Iterable[Slot]) -> list[Ghost]:
    """The wished times as the week shows them."""
    name = plan.course.patient.family_name
    return [Ghost(slot.session_number, name, slot.chair.id, slot.starts_at, slot.ends_at) for slot in slots]


# --- what is said beside a row ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Remark:
    """The weekday, how far a session stands from the one before, and what does not fit. Nothing in it refuses."""

    spacing: str
    notes: tuple[str, ...] = ()

    @property
    def gap(self) -> str:
        """The spacing without the weekday."""
        return self.spacing.partition(", ")[2]


def remarks(plan: Plan, slots: Sequence[Slot]) -> dict[int, Remark]:
    """By session number, what to know about each wished time."""
    if not slots:
        return {}
    duty = _duty(slots)
    wished = {slot.session_number: _day(slot.starts_at) for slot in slots}
    standing = [_day(each.starts_at) for each in plan.standing]
    known = {each.session_number: _day(each.starts_at) for each in plan.standing} | wished
    is_open = _open_days(plan, min(known.values()))
    found = {}
    for slot in slots:
        day = wished[slot.session_number]
        others = [other for number, other in wished.items() if number != slot.session_number]
        gap = spacing(day, [*standing, *others])
        notes = [
            _spacing_note(plan, slot.session_number, known, gap, is_open),
            f"after the order ends, {formats.day(plan.valid_until)}"
            if plan.valid_until and day > plan.valid_until
            else None,
            _off_duty(slot, duty),
        ]
        found[slot.session_number] = Remark(
            f"{formats.weekday(day)}, {gap.words}", tuple(note for note in notes if note)
        )
    return found


def _spacing_note(plan: Plan, number: int, known: Mapping[int, date], gap: Spacing, is_open: IsOpen) -> str | None:
    """What does not fit of a day: its window after the session before, else how near and far its neighbours stand."""
    day, previous, terms = known[number], known.get(number - 1), plan.terms
    if terms is None:
        return None
    if terms.weekdays and number == 1 and day.isoweekday() not in terms.weekdays:
        return f"not on {weekdays_text(terms.weekdays)}"
    if terms.spacing is None or previous is None or previous > day:
        return spacing_note(gap, terms.apart_min_days, terms.apart_max_days)
    return window_note(due_window(terms, number, previous, is_open=is_open), day)


def due_days(plan: Plan, first: date) -> list[date]:
    """The days on which the order expects the sessions to book when the first of them is on `first`."""
    return due_dates(plan.terms, first, plan.numbers, is_open=_open_days(plan, first)) if plan.terms else [first]


def next_due(plan: Plan) -> str:
    """When the next session to book is expected, in words; empty where nothing says so."""
    known = {each.session_number: _day(each.starts_at) for each in plan.standing}
    number = plan.numbers[0] if plan.numbers else 0
    if plan.terms is None or number - 1 not in known:
        return ""
    previous = known[number - 1]
    said = window_text(due_window(plan.terms, number, previous, is_open=clinic_days(previous)))
    return f"session {number} expected {said}" if said else ""


def _open_days(plan: Plan, first: date) -> IsOpen:
    """What `clinic_days` says; read only for the one spacing that asks."""
    is_asked = plan.terms is not None and plan.terms.spacing is SpacingKind.CONSECUTIVE
    return clinic_days(first) if is_asked else lambda _: True


def clinic_days(first: date) -> IsOpen:
    """Whether the clinic works on a day, from `first` on: somebody is on duty.

    Shifts are planned for some weeks ahead. In a week without any, the weekdays of the shifts that stand count; where
    no shift stands at all, nobody knows of a closed day.
    """
    days = queries.duty_days(first, first + timedelta(days=_DAYS_AHEAD), formats.zone.get())
    weeks, weekdays = {week_of(day) for day in days}, {day.weekday() for day in days}

    def is_open(day: date) -> bool:
        return day in days if week_of(day) in weeks else not weekdays or day.weekday() in weekdays

    return is_open


def _day(instant: datetime) -> date:
    return times.local(instant, formats.zone.get()).date()


def _duty(slots: Sequence[Slot]) -> Mapping[object, list[Stretch]]:
    duty: dict[object, list[Stretch]] = {}
    if any(slot.nurse for slot in slots):
        first, last = min(slot.starts_at for slot in slots), max(slot.ends_at for slot in slots)
        for shift in queries.shifts_between(first, last):
            duty.setdefault(shift.staff_id, []).append(Stretch(shift.starts_at, shift.ends_at))
    return duty


def _off_duty(slot: Slot, duty: Mapping[object, list[Stretch]]) -> str | None:
    if slot.nurse is None:
        return None
    covered = any(
        shift.starts_at <= slot.starts_at and slot.ends_at <= shift.ends_at for shift in duty.get(slot.nurse.id, [])
    )
    return None if covered else f"{slot.nurse.name} is not on duty for all of it"
