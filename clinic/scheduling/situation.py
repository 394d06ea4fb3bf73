"""The clinic as it stands, in the words of the optimiser, and the optimiser's places as times and names again.

Two steps, so that "what if" can stand between them: `read` asks the database, always the same few questions however
long the time; `Situation` turns the answers into slots of the clinic's wall clock. A slot is named by the wall, so a
course keeps its clock time when the clocks change. Several sites share the nurses: here they are one clinic, and where
a site is closed its chairs are.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from clinic.accounts.models import Staff
from clinic.core import times
from clinic.scheduling import queries_planning as queries
from clinic.scheduling.models import Chair
from clinic.scheduling.operations import Slot
from clinic.scheduling.optimiser.problem import Clinic, DayRecord, Nurse, Place, Problem, Shape, Weights
from clinic.scheduling.queries_planning import Duty, Held, Shut
from clinic.scheduling.rules import week_of

SLOT: Final = 5  # minutes
DAY: Final = 24 * 60 // SLOT
# The week that the calendar shows before anybody has entered hours or shifts.
_USUAL: Final = (8 * 60 // SLOT, 17 * 60 // SLOT)
_WORKDAYS: Final = range(5)
_LEVEL: Final = 70  # per cent of the nurses' capacity above which a slot counts as uneven

# What makes one course more comfortable than another. Nothing here is about medicine.
COMFORT: Final = Weights(
    unplaced=100_000,
    delay=10,
    gap=60,
    preference=5,
    continuity=15,
    level=1,
    fairness=0,
    move_day=240,
    move_time=60,
    move_slot=4,
    nurse_change=20,
    chair_change=12,
)
NOBODY: Final = 0  # stands for the nurse of an appointment that has none, and begins nothing
_UNPLANNED: Final = 1  # stands for the nurses of a week whose shifts nobody has planned yet


@dataclass(frozen=True, slots=True)
class Resources:
    """What was read: everything that a time is made of."""

    chairs: Sequence[Chair]
    shut: Sequence[Shut]
    duties: Sequence[Duty]
    held: Sequence[Held]


@dataclass(frozen=True, slots=True)
class Frame:
    """The days that are looked at, on the clinic's wall."""

    first: date
    length: int
    zone: ZoneInfo

    def instant(self, day: int, slot: int) -> datetime:
        """When a slot begins."""
        wall = datetime.combine(self.first + timedelta(days=day), time()) + timedelta(minutes=slot * SLOT)
        return wall.replace(tzinfo=self.zone).astimezone(UTC)

    def offset(self, day: int) -> int:
        """Minutes east of UTC at noon."""
        noon = datetime.combine(self.first + timedelta(days=day), time(12), tzinfo=self.zone)
        return int((noon.utcoffset() or timedelta()).total_seconds()) // 60

    def day(self, instant: datetime) -> int:
        """The number of the day that an instant lies in."""
        return (times.local(instant, self.zone).date() - self.first).days

    def spans(self, start: datetime, end: datetime, *, is_inward: bool = False) -> Iterator[tuple[int, int, int]]:
        """The slots of each day that a time touches, or with `is_inward` fills."""
        from_wall, to_wall = times.local(start, self.zone), times.local(end, self.zone)
        first, last = (from_wall.date() - self.first).days, (to_wall.date() - self.first).days
        early, late = (SLOT - 1, 0) if is_inward else (0, SLOT - 1)
        for day in range(max(first, 0), min(last, self.length - 1) + 1):
            begin = (from_wall.hour * 60 + from_wall.minute + early) // SLOT if day == first else 0
            until = (to_wall.hour * 60 + to_wall.minute + late) // SLOT if day == last else DAY
            if begin < until:
                yield day, begin, until


def read(first: date, last: date, zone: ZoneInfo, *, without: Collection[uuid.UUID] = ()) -> Resources:
    """What stands from one day to another; appointments of `without` are left out."""
    start = datetime.combine(first, time(), tzinfo=zone).astimezone(UTC)
    end = datetime.combine(last + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
    left_out = set(without)
    return Resources(
        chairs=queries.every_chair(),
        shut=queries.chairs_shut(start, end),
        duties=queries.duties(start, end),
        held=[each for each in queries.held(start, end) if each.id not in left_out],
    )


class _NurseOfDay(NamedTuple):
    nurse: int
    start: int
    end: int


class Situation:
    """The problem of the optimiser that stands for some resources, and the way back from its places."""

    def __init__(
        self, resources: Resources, frame: Frame, *, today: date, per_nurse: int | None, weights: Weights = COMFORT
    ) -> None:
        self.resources, self.frame, self.per_nurse = resources, frame, per_nurse
        self._today, self._weights = today, weights
        self._chair_of = {chair.id: number for number, chair in enumerate(resources.chairs)}
        self._staff: list[Staff | None] = [None, None]
        self._on_day: dict[int, list[_NurseOfDay]] = defaultdict(list)
        self._nurses: dict[int, list[Nurse]] = defaultdict(list)
        self._take_duties()
        self.hours = self._hours()
        self.problem = self._problem()

    # --- from rows to slots ---

    def _take_duties(self) -> None:
        """A second shift on one day is a nurse of its own: their times never meet."""
        numbers: dict[tuple[uuid.UUID, int], int] = {}
        people = {duty.staff.id: duty.staff for duty in self.resources.duties}
        many = max(len(self.resources.chairs), 1)
        for duty in self.resources.duties:
            capacity = duty.at_once or self.per_nurse or many
            for day, start, end in self.frame.spans(duty.starts_at, duty.ends_at, is_inward=True):
                key = duty.staff.id, sum(self._is(each, duty.staff.id) for each in self._on_day[day])
                if key not in numbers:
                    numbers[key] = len(self._staff)
                    self._staff.append(people[duty.staff.id])
                self._on_day[day].append(_NurseOfDay(numbers[key], start, end))
                rests = tuple(
                    (begin, until) for rest in duty.breaks for on, begin, until in self.frame.spans(*rest) if on == day
                )
                self._nurses[day].append(Nurse(numbers[key], start, end, capacity, rests))

    def _is(self, each: _NurseOfDay, staff_id: uuid.UUID) -> bool:
        staff = self._staff[each.nurse]
        return staff is not None and staff.id == staff_id

    def _hours(self) -> dict[int, tuple[int, int]]:
        """When the clinic is open on each day, as its shifts say it; in weeks without any, as the others do."""
        found = {
            day: (min(each.start for each in there), max(each.end for each in there))
            for day, there in self._on_day.items()
            if there
        }
        dates = {day: self.frame.first + timedelta(days=day) for day in range(self.frame.length)}
        planned = {week_of(dates[day]) for day in found}
        usual = {dates[day].weekday(): hours for day, hours in sorted(found.items())}
        if not found:
            usual = dict.fromkeys(_WORKDAYS, _USUAL)
        many = max(len(self.resources.chairs), 1)
        for day, on in dates.items():
            hours = usual.get(on.weekday())
            if hours and week_of(on) not in planned:
                found[day] = hours
                self._nurses[day].append(Nurse(_UNPLANNED, *hours, many, ()))
        return found

    def _problem(self) -> Problem:
        held = list(self._held())
        reach = dict(self.hours)
        for _, shape, place in held:
            begin, end = reach.get(place.day, (place.start, place.start))
            reach[place.day] = min(begin, place.start), max(end, place.start + shape.length)
        shut = self._shut(reach)
        days = {
            day: DayRecord(
                number=day,
                open=hours[0],
                close=hours[1],
                utc_offset=self.frame.offset(day),
                physicians=(hours,),
                nurses=(Nurse(NOBODY, 0, 0, 1, ()), *self._nurses[day]),
                closed_chairs=tuple(shut[day]),
            )
            for day, hours in reach.items()
        }
        chairs = self.resources.chairs
        clinic = Clinic(
            name="clinic",
            cleaning=0,
            cover_capacity=0,
            level_target=_LEVEL,
            chairs=tuple(chair.name for chair in chairs),
            features=tuple(frozenset({chair.kind.value}) for chair in chairs),
            nurses=tuple(str(number) for number in range(len(self._staff))),
            days=days,
        )
        return Problem(
            name="clinic",
            kind="book",
            slot_minutes=SLOT,
            today=(self._today - self.frame.first).days,
            first=self.frame.first,
            length=self.frame.length,
            weights=self._weights,
            supervision_slots=0,
            notice_days=3,
            clinics=(clinic,),
            courses=(),
            held=tuple(held),
        )

    def _held(self) -> Iterator[tuple[str, Shape, Place]]:
        for each in self.resources.held:
            for day, start, end in self.frame.spans(each.starts_at, each.ends_at):
                place = Place(0, day, start, self._chair_of[each.chair_id], self._nurse_on(day, each.nurse_id, start))
                yield str(each.patient_id), shape_of(end - start), place

    def _nurse_on(self, day: int, staff_id: uuid.UUID | None, start: int) -> int:
        mine = [each for each in self._on_day[day] if staff_id and self._is(each, staff_id)]
        return next((each.nurse for each in mine if each.start <= start < each.end), NOBODY)

    def _shut(self, reach: Mapping[int, tuple[int, int]]) -> dict[int, list[tuple[int, int, int]]]:
        """By day, the chairs that cannot be used: closed, retired, or outside the hours in which the clinic is open."""
        shut: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        for each in self.resources.shut:
            for day, start, end in self.frame.spans(each.starts_at, each.ends_at):
                shut[day].append((self._chair_of[each.chair_id], start, end))
        for day, (begin, end) in reach.items():
            opens, closes = self.hours.get(day, (end, end))
            for number, chair in enumerate(self.resources.chairs):
                if chair.is_retired:
                    shut[day].append((number, 0, DAY))
                elif (begin, end) != (opens, closes):
                    shut[day] += [(number, 0, opens), (number, closes, DAY)]
        return shut

    # --- places of appointments ---

    def place_at(self, chair_id: uuid.UUID, nurse_id: uuid.UUID | None, starts_at: datetime) -> Place:
        """Where an appointment stands; its nurse is `NOBODY` where she is not on duty then."""
        wall = times.local(starts_at, self.frame.zone)
        day, start = (wall.date() - self.frame.first).days, (wall.hour * 60 + wall.minute) // SLOT
        return Place(0, day, start, self._chair_of[chair_id], self._nurse_on(day, nurse_id, start))

    def slot(self, number: int, place: Place, minutes: int) -> Slot:
        """A place as a wish that can be booked."""
        starts_at = self.frame.instant(place.day, place.start)
        chair = self.resources.chairs[place.chair]
        return Slot(number, chair, starts_at, starts_at + timedelta(minutes=minutes), self._staff[place.nurse])

    def on_duty(self, day: int, slot: int) -> int | None:
        """How many nurses are on duty in a slot; None where shifts are not planned yet."""
        there = self._nurses[day]
        if any(each.nurse == _UNPLANNED for each in there):
            return None
        return sum(each.start <= slot < each.end for each in there)


def shape_of(slots: int) -> Shape:
    """A session that holds a chair and a nurse for so many slots."""
    return Shape(prep=0, infusion=slots, recovery=0, load=1, is_first=False, needs=frozenset())


def slots_of(minutes: int) -> int:
    """Slots that so many minutes touch."""
    return -(-minutes // SLOT)
