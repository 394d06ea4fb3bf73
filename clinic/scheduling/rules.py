"""Decisions about appointments on plain values."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from clinic.protocols.spacing_words import days


class ChairKind(StrEnum):
    """What a patient is treated in."""

    CHAIR = "chair"
    BED = "bed"
    ROOM = "room"


class AppointmentStatus(StrEnum):
    """States of an appointment."""

    PROPOSED = "proposed"
    BOOKED = "booked"
    ARRIVED = "arrived"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    NO_SHOW = "noshow"
    WAITLIST = "waitlist"


class BookingRule(StrEnum):
    """A rule of the database that a clinic may let its people override by name, with a reason.

    Two patients in one chair, one patient in two places, a pump at two patients and a closed chair are not among them:
    no reason makes those true. The values are the names of the guards that refuse (docs/resources.md).
    """

    CHAIR_IS_CLEAN = "chair_is_clean"
    NURSE_HAS_ROOM = "nurse_has_room"
    NURSE_HAS_ROOM_IN_PHASE = "nurse_has_room_in_phase"
    NURSE_MAY_START = "nurse_may_start"
    NURSE_IS_ON_DUTY = "nurse_is_on_duty"
    NURSE_HAS_NO_BREAK = "nurse_has_no_break"
    SITE_IS_OPEN = "site_is_open"
    DAY_IS_OPEN = "day_is_open"
    CLINICIAN_IS_PRESENT = "clinician_is_present"
    PATIENT_CAN_COME = "patient_can_come"
    NURSE_HAS_SKILL = "nurse_has_skill"


NURSE_RULES = frozenset(
    {
        BookingRule.NURSE_HAS_ROOM,
        BookingRule.NURSE_MAY_START,
        BookingRule.NURSE_IS_ON_DUTY,
        BookingRule.NURSE_HAS_NO_BREAK,
        BookingRule.NURSE_HAS_SKILL,
        BookingRule.NURSE_HAS_ROOM_IN_PHASE,
    }
)

TAKE_OVER_RULES = frozenset({BookingRule.NURSE_HAS_ROOM, BookingRule.NURSE_HAS_ROOM_IN_PHASE})
"""What is asked of a nurse who takes over a patient who is there: how many she has. A hand-over goes beyond it."""

_OVERRIDE_WORDS = {
    BookingRule.CHAIR_IS_CLEAN: "no time to clean the chair",
    BookingRule.NURSE_HAS_ROOM: "more patients at once for a nurse",
    BookingRule.NURSE_MAY_START: "more starts for a nurse in a quarter of an hour",
    BookingRule.NURSE_IS_ON_DUTY: "a nurse who is not on duty",
    BookingRule.NURSE_HAS_NO_BREAK: "a start in a nurse's break",
    BookingRule.SITE_IS_OPEN: "outside opening hours",
    BookingRule.DAY_IS_OPEN: "on a closed day",
    BookingRule.CLINICIAN_IS_PRESENT: "without a supervising clinician on site",
    BookingRule.PATIENT_CAN_COME: "when the patient has said not to come",
    BookingRule.NURSE_HAS_SKILL: "a nurse who is not written down for the drug",
    BookingRule.NURSE_HAS_ROOM_IN_PHASE: "more patients for a nurse in one phase",
}


def override_words(rule: BookingRule) -> str:
    """Say what a booking against a rule is: "outside opening hours"."""
    return _OVERRIDE_WORDS[rule]


def rules_in(text: str | None) -> frozenset[BookingRule]:
    """Return the rules that an appointment names as overridden."""
    return frozenset(BookingRule(name) for name in (text or "").split())


def clash_text(constraint: str, *, nurse_name: str = "The nurse", chair_name: str = "", pump_name: str = "") -> str:
    """The friendly text of a constraint that refused an appointment."""
    chair = f"Chair {chair_name}" if chair_name else "The chair"
    pump = f"Pump {pump_name}" if pump_name else "The pump"
    texts = {
        "no_overlap_for_chair": f"{chair} is taken at that time.",
        "no_overlap_for_patient": "The patient has another appointment at that time.",
        "no_overlap_for_pump": f"{pump} is taken at that time.",
        "pump_is_in_service": f"{pump} is out of service at that time.",
        "chair_is_open": f"{chair} is closed at that time.",
        "chair_is_clean": f"{chair} needs its time for cleaning then.",
        "nurse_has_room": f"{nurse_name} has as many patients at that time as the clinic allows.",
        "nurse_has_room_in_phase": f"{nurse_name} has as many patients in that phase as the clinic allows.",
        "nurse_may_start": f"{nurse_name} begins with as many patients in that quarter hour as the clinic allows.",
        "nurse_is_on_duty": f"{nurse_name} is not on duty for all of that time.",
        "nurse_has_no_break": f"{nurse_name} has a break when it would begin.",
        "site_is_open": "The clinic is not open for all of that time.",
        "day_is_open": "The clinic is closed then.",
        "clinician_is_present": "No supervising clinician is on site for all of that time.",
        "nurse_has_skill": f"{nurse_name} is not written down for the drug of this order.",
        "patient_can_come": "The patient cannot come for all of that time.",
        "uq_appointment_one_per_session": "This session has a time already.",
        # SQLite names the columns of a unique index.
        "appointment.course_id, appointment.session_number": "This session has a time already.",
    }
    return texts.get(constraint, "This time cannot be booked.")


class LossKind(StrEnum):
    """How an appointment is lost; the states of the same names."""

    CANCELLED = "cancelled"
    NO_SHOW = "noshow"


class DayPart(StrEnum):
    """The half of a day that a waiting patient can come in, by the clinic's clock; noon parts them."""

    MORNING = "morning"
    AFTERNOON = "afternoon"


class WaitingStatus(StrEnum):
    """What became of a wish for another time."""

    WAITING = "waiting"
    PLACED = "placed"
    WITHDRAWN = "withdrawn"


HOLDING = frozenset({AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED, AppointmentStatus.FULFILLED})
"""The states in which an appointment takes its chair, its patient and its nurse."""

_NEXT: dict[AppointmentStatus, frozenset[AppointmentStatus]] = {
    AppointmentStatus.PROPOSED: frozenset({AppointmentStatus.BOOKED, AppointmentStatus.CANCELLED}),
    AppointmentStatus.WAITLIST: frozenset({AppointmentStatus.PROPOSED, AppointmentStatus.CANCELLED}),
    AppointmentStatus.BOOKED: frozenset(
        {AppointmentStatus.ARRIVED, AppointmentStatus.CANCELLED, AppointmentStatus.NO_SHOW}
    ),
    # A patient who arrived may still not be treated: the checks failed, or the patient left.
    AppointmentStatus.ARRIVED: frozenset({AppointmentStatus.FULFILLED, AppointmentStatus.CANCELLED}),
    # The discharge that ended it was undone.
    AppointmentStatus.FULFILLED: frozenset({AppointmentStatus.ARRIVED}),
    AppointmentStatus.CANCELLED: frozenset(),
    AppointmentStatus.NO_SHOW: frozenset(),
}


def may_become(now: AppointmentStatus, then: AppointmentStatus) -> bool:
    """Whether the state table of the domain reference (7.2) has this transition."""
    return then in _NEXT[now]


# --- the length and the number of sessions ---------------------------------------------------------------------------


def slot_minutes(*parts: int | None) -> int | None:
    """Return how long a chair is taken, in minutes: pre-check, infusion, recovery, turnaround (REFERENCE 1.6).

    None when the order leaves one of them open; nobody guesses it.
    """
    known = [part for part in parts if part is not None]
    return sum(known) if known and len(known) == len(parts) else None


def sessions_to_book(planned: int | None, taken: Collection[int]) -> list[int]:
    """Return the numbers of a course's sessions that hold no time yet. Where no number was planned, the next one."""
    if planned is None:
        return [max(taken, default=0) + 1]
    return [number for number in range(1, planned + 1) if number not in taken]


# --- days ------------------------------------------------------------------------------------------------------------


def every_so_many_days(first: date, apart: int, count: int) -> list[date]:
    """Return `count` dates, the first one given, each `apart` days after the one before."""
    return [first + timedelta(days=apart * step) for step in range(count)]


def week_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


@dataclass(frozen=True, slots=True)
class Spacing:
    """How far a session stands from its neighbours of the same course, in days; None where it has none."""

    after: int | None
    before: int | None

    @property
    def words(self) -> str:
        """As the slot list says it: `first`, `2 days after`."""
        if self.after is None:
            return "first"
        if self.after == 0:
            return "same day"
        return "1 day after" if self.after == 1 else f"{self.after} days after"


def spacing(day: date, others: Iterable[date]) -> Spacing:
    """Return how far a day stands from the nearest earlier (or same) and the nearest later day of the course."""
    gaps = [(day - other).days for other in others]
    return Spacing(
        after=min((gap for gap in gaps if gap >= 0), default=None),
        before=min((-gap for gap in gaps if gap < 0), default=None),
    )


def spacing_note(found: Spacing, at_least: int | None, at_most: int | None) -> str | None:
    """Return what the order asked for where a spacing is outside it. It is a note: the order's author may be asked."""
    gaps = [gap for gap in (found.after, found.before) if gap is not None]
    if at_least is not None and any(gap < at_least for gap in gaps):
        return f"closer than the order's {days(at_least)}"
    # A long gap is told once, at the session that comes after it.
    if at_most is not None and found.after is not None and found.after > at_most:
        return f"more than the order's {days(at_most)}"
    return None


# --- load ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stretch:
    """From an instant until another, which no longer belongs to it."""

    starts_at: datetime
    ends_at: datetime


def most_at_once(stretches: Sequence[Stretch], window: Stretch) -> int:
    """Return the largest number of stretches that hold at one instant of the window."""
    instants = {window.starts_at} | {each.starts_at for each in stretches if _inside(each.starts_at, window)}
    return max(_holding(stretches, instant) for instant in instants)


def fewest_at_once(stretches: Sequence[Stretch], window: Stretch) -> int:
    """Return the smallest number of stretches that hold at one instant of the window."""
    instants = {window.starts_at} | {each.ends_at for each in stretches if _inside(each.ends_at, window)}
    return min(_holding(stretches, instant) for instant in instants)


def _inside(instant: datetime, window: Stretch) -> bool:
    return window.starts_at <= instant < window.ends_at


def _holding(stretches: Sequence[Stretch], instant: datetime) -> int:
    return sum(_inside(instant, each) for each in stretches)


def nurses_needed(patients: int, per_nurse: int) -> int:
    """Return how many nurses so many patients at once need, by the clinic's own limit."""
    return -(-patients // per_nurse)


def session_words(numbers: Iterable[int]) -> str:
    """Say which sessions are meant: "session 2", "sessions 1, 2 and 4"."""
    *before, last = sorted(numbers)
    return f"sessions {', '.join(map(str, before))} and {last}" if before else f"session {last}"
