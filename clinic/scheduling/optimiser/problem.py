"""The words of the scheduling problem, as plain values.

Time is counted in slots of `slot_minutes` from midnight of the clinic's day, and days from the first of the horizon.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Nurse:
    """A nurse's duty on one day, in slots; `nurse` is her place in the clinic's list of nurses."""

    nurse: int
    start: int
    end: int
    capacity: int
    breaks: tuple[tuple[int, int], ...]
    is_one_by_one: bool = True  # begins at most one session per slot
    # How many sessions she may have at once in prep, in infusion and in recovery; None is no limit.
    by_phase: tuple[int | None, int | None, int | None] = (None, None, None)


@dataclass(frozen=True, slots=True)
class DayRecord:
    """One clinic on one open day, in slots; `utc_offset` in minutes east of UTC."""

    number: int
    open: int
    close: int
    utc_offset: int
    physicians: tuple[tuple[int, int], ...]
    nurses: tuple[Nurse, ...]
    closed_chairs: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Clinic:
    """Chairs and nurses of a clinic by name, and its open days by number."""

    name: str
    cleaning: int
    cover_capacity: int
    level_target: int
    chairs: tuple[str, ...]
    features: tuple[frozenset[str], ...]
    nurses: tuple[str, ...]
    days: dict[int, DayRecord]


class Shape(NamedTuple):
    """What a session asks of a day: lengths in slots, weight on the nurse, needed features of the chair."""

    prep: int
    infusion: int
    recovery: int
    load: int
    is_first: bool
    needs: frozenset[str]

    @property
    def length(self) -> int:
        return self.prep + self.infusion + self.recovery

    @property
    def phases(self) -> tuple[tuple[int, int], ...]:
        """Each phase as the slots before it and its length."""
        return (0, self.prep), (self.prep, self.infusion), (self.prep + self.infusion, self.recovery)


@dataclass(frozen=True, slots=True)
class Gap:
    """Days since the session before, and true minutes from start to start."""

    least: int
    ideal: tuple[int, int]
    most: int
    least_minutes: int

    def strain(self, days: int) -> int:
        """How many days a gap lies outside the ideal."""
        return max(self.ideal[0] - days, days - self.ideal[1], 0)

    def later_by(self, days: int, offset_change: int, slot_minutes: int) -> int:
        """How many slots later in its day a session must begin, so many days after; below zero: may be earlier."""
        return -(-(self.least_minutes - days * 1440 + offset_change) // slot_minutes)


class Place(NamedTuple):
    """Where a session stands: places in the problem's lists, the day's number, the first slot."""

    clinic: int
    day: int
    start: int
    chair: int
    nurse: int


@dataclass(frozen=True, slots=True)
class Session:
    """One session of a course; `booked` where it stands now, None where a booking names what is not there any more."""

    name: str
    shape: Shape
    gap: Gap | None
    booked: Place | None = None
    is_fixed: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """The last session that a course has had."""

    day: int
    start: int
    utc_offset: int


@dataclass(frozen=True)
class Course:
    """A patient's sessions in their order, with the wishes that hold for all of them."""

    name: str
    patient: str
    priority: int
    clinics: tuple[tuple[int, int], ...]
    release: int
    last_done: Done | None
    weekly: tuple[tuple[tuple[int, int], ...], ...]
    exceptions: dict[int, tuple[tuple[int, int], ...]]
    preferred: tuple[int, int]
    sessions: tuple[Session, ...]
    # By day, the nurses who may have its sessions; every nurse may on a day that is missing.
    able: Mapping[int, frozenset[int]] = field(default_factory=dict)

    def may_have(self, day: int, nurse: int) -> bool:
        """Whether a nurse may have a session of this course on a day."""
        able = self.able.get(day)
        return able is None or nurse in able


@dataclass(frozen=True, slots=True)
class Weights:
    """What each cost term weighs; the clinic's own figures, about comfort and never about medicine."""

    unplaced: int
    delay: int
    gap: int
    preference: int
    continuity: int
    level: int
    fairness: int
    move_day: int
    move_time: int
    move_slot: int
    nurse_change: int
    chair_change: int
    most_slots: int = 8  # a move costs no more for going further in its day


@dataclass(frozen=True)
class Problem:
    """Everything that a plan is made from; `held` are sessions of the calendar that nobody moves."""

    name: str
    kind: str
    slot_minutes: int
    today: int
    first: date
    length: int
    weights: Weights
    supervision_slots: int
    notice_days: int
    clinics: tuple[Clinic, ...]
    courses: tuple[Course, ...]
    held: tuple[tuple[str, Shape, Place], ...] = ()
    requests: tuple[Course, ...] = field(default=())

    def date(self, day: int) -> date:
        """The date of a day's number."""
        return self.first + timedelta(days=day)

    @cached_property
    def weekdays(self) -> tuple[int, ...]:
        """The weekday of each day of the horizon, Monday first."""
        return tuple((self.first.weekday() + day) % 7 for day in range(self.length))

    @cached_property
    def weeks(self) -> tuple[int, ...]:
        """The number of each day's week, counted from the horizon's first Monday."""
        return tuple((self.first.weekday() + day) // 7 for day in range(self.length))
