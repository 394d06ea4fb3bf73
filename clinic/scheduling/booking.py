"""What the panel "Book a course" shows: the sessions to book, how long each takes, how far apart they stand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from clinic.accounts.models import Staff
from clinic.core import formats, times
from clinic.courses.models import Course
from clinic.scheduling import queries
from clinic.scheduling.forms import BookingForm, instant_of, refuse
from clinic.scheduling.models import Appointment, Chair
from clinic.scheduling.operations import Clash, Slot
from clinic.scheduling.rules import HOLDING, Stretch, days, sessions_to_book, slot_minutes, spacing, spacing_note
from clinic.scheduling.week import Ghost

_PARTS = ("pre-check", "infusion", "recovery", "turnaround")


@dataclass(frozen=True, slots=True)
class Plan:
    """A course as the desk places it. No word of it is clinical."""

    course: Course
    planned: int | None
    numbers: list[int]
    length_min: int | None
    missing: list[str]
    apart_min: int | None
    apart_max: int | None
    valid_until: date | None
    standing: list[Appointment]

    @property
    def apart(self) -> str:
        """`2 to 7 days apart`, as the order has it; empty where it says nothing."""
        low, high = self.apart_min, self.apart_max
        if low is None and high is None:
            return ""
        if low is None or high is None:
            return f"at least {days(low)} apart" if low is not None else f"at most {days(high or 0)} apart"
        return f"{days(low)} apart" if low == high else f"{low} to {days(high)} apart"


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
        apart_min=terms.apart_min_days if terms else None,
        apart_max=terms.apart_max_days if terms else None,
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


def remarks(plan: Plan, slots: Sequence[Slot]) -> dict[int, Remark]:
    """By session number, what to know about each wished time."""
    if not slots:
        return {}
    duty = _duty(slots)
    wished = {slot.session_number: _day(slot.starts_at) for slot in slots}
    standing = [_day(each.starts_at) for each in plan.standing]
    found = {}
    for slot in slots:
        day = wished[slot.session_number]
        others = [other for number, other in wished.items() if number != slot.session_number]
        gap = spacing(day, [*standing, *others])
        notes = [
            spacing_note(gap, plan.apart_min, plan.apart_max),
            f"after the order ends, {formats.day(plan.valid_until)}"
            if plan.valid_until and day > plan.valid_until
            else None,
            _off_duty(slot, duty),
        ]
        found[slot.session_number] = Remark(
            f"{formats.weekday(day)}, {gap.words}", tuple(note for note in notes if note)
        )
    return found


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
