"""The clinic as it stands, in the words of the optimiser, and the optimiser's places as times and names again.

`resources.read` asks the database, always the same few questions however long the time; `Situation` turns the answers
into slots of the clinic's wall clock, and "what if" can stand between the two. A slot is named by the wall, so a course
keeps its clock time when the clocks change. Several sites share the nurses: here they are one clinic, and where a site
is closed, or has no clinician on site, its chairs are shut.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from clinic.accounts.models import Staff
from clinic.core import times
from clinic.scheduling.frame import DAY, SLOT, Frame, shape_of, site_feature, slots_of
from clinic.scheduling.limit_rules import Most, most_on
from clinic.scheduling.operations import Slot
from clinic.scheduling.optimiser.problem import Clinic, DayRecord, Nurse, Place, Problem, Shape, Weights
from clinic.scheduling.phase_rules import WHOLE
from clinic.scheduling.resources import Resources
from clinic.scheduling.rules import week_of
from clinic.scheduling.sites import Sites
from clinic.scheduling.skills_rules import able_on

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
# While a nurse has her break her patients are looked after by the others, whoever that is.
_COVERED: Final = 1000
NOBODY: Final = 0  # stands for the nurse of an appointment that has none, and begins nothing
_UNPLANNED: Final = 1  # stands for the nurses of a week whose shifts nobody has planned yet


class _NurseOfDay(NamedTuple):
    nurse: int
    start: int
    end: int


class Situation:
    """The problem of the optimiser that stands for some resources, and the way back from its places."""

    def __init__(self, resources: Resources, frame: Frame, *, today: date, weights: Weights = COMFORT) -> None:
        self.resources, self.frame = resources, frame
        self._today, self._weights = today, weights
        self._chair_of = {chair.id: number for number, chair in enumerate(resources.chairs)}
        self._staff: list[Staff | None] = [None, None]
        self._on_day: dict[int, list[_NurseOfDay]] = defaultdict(list)
        self._nurses: dict[int, list[Nurse]] = defaultdict(list)
        self._take_duties()
        self.sites = Sites(resources, frame)
        self.hours = self._hours()
        self.problem = self._problem()

    # --- from rows to slots ---

    def _take_duties(self) -> None:
        """A second shift on one day is a nurse of its own: their times never meet."""
        numbers: dict[tuple[uuid.UUID, int], int] = {}
        people = {duty.staff.id: duty.staff for duty in self.resources.duties}
        many = max(len(self.resources.chairs), 1)
        for duty in self.resources.duties:
            for day, start, end in self.frame.spans(duty.starts_at, duty.ends_at, is_inward=True):
                key = duty.staff.id, sum(self._is(each, duty.staff.id) for each in self._on_day[day])
                if key not in numbers:
                    numbers[key] = len(self._staff)
                    self._staff.append(people[duty.staff.id])
                self._on_day[day].append(_NurseOfDay(numbers[key], start, end))
                rests = tuple(
                    (begin, until) for rest in duty.breaks for on, begin, until in self.frame.spans(*rest) if on == day
                )
                most = self.most(day)
                capacity = duty.at_once or most.at_once or many
                one_by_one = bool(duty.per_quarter or most.per_quarter)
                nurse = Nurse(numbers[key], start, end, capacity, rests, one_by_one, most.by_phase)
                self._nurses[day].append(nurse)

    def _is(self, each: _NurseOfDay, staff_id: uuid.UUID) -> bool:
        staff = self._staff[each.nurse]
        return staff is not None and staff.id == staff_id

    def _hours(self) -> dict[int, tuple[int, int]]:
        """When the clinic is open on each day: its hours and closed days, and within them the shifts.

        In weeks without any shift those of the other weeks count, and nobody is named.
        """
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
            opening = self.sites.opening(on)
            is_planned = week_of(on) in planned
            unplanned = opening if self.sites.has_hours(on) else usual.get(on.weekday())
            hours = found.get(day) if is_planned else unplanned
            if opening is not None:
                hours = (max(hours[0], opening[0]), min(hours[1], opening[1])) if hours else None
            found.pop(day, None)
            if hours and hours[0] < hours[1]:
                found[day] = hours
                if not is_planned:
                    self._nurses[day].append(Nurse(_UNPLANNED, *hours, many, (), is_one_by_one=False))
        return found

    def _problem(self) -> Problem:
        held = list(self._held())
        reach = dict(self.hours)
        for _, shape, place in held:
            begin, end = reach.get(place.day, (place.start, place.start))
            reach[place.day] = min(begin, place.start), max(end, place.start + shape.length)
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
            clinics=(self._clinic(self._day_records(reach)),),
            courses=(),
            held=tuple(held),
        )

    def _day_records(self, reach: Mapping[int, tuple[int, int]]) -> dict[int, DayRecord]:
        shut = self._shut(reach)
        return {
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

    def _clinic(self, days: dict[int, DayRecord]) -> Clinic:
        chairs = self.resources.chairs
        return Clinic(
            name="clinic",
            cleaning=slots_of(max((chair.cleaning_min or 0 for chair in chairs), default=0)),
            cover_capacity=_COVERED,
            level_target=_LEVEL,
            chairs=tuple(chair.name for chair in chairs),
            features=tuple(frozenset({chair.kind.value, site_feature(chair.site_id)}) for chair in chairs),
            nurses=tuple(str(number) for number in range(len(self._staff))),
            days=days,
        )

    def _held(self) -> Iterator[tuple[str, Shape, Place]]:
        for each in self.resources.held:
            parts = self.resources.parts.get(each.course_id, WHOLE)
            days = list(self.frame.spans(each.starts_at, each.ends_at))
            for day, start, end in days:
                place = Place(0, day, start, self._chair_of[each.chair_id], self._nurse_on(day, each.nurse_id, start))
                # What goes on over midnight counts as infusion.
                yield str(each.patient_id), shape_of(end - start, parts if len(days) == 1 else WHOLE), place

    def _nurse_on(self, day: int, staff_id: uuid.UUID | None, start: int) -> int:
        mine = [each for each in self._on_day[day] if staff_id and self._is(each, staff_id)]
        return next((each.nurse for each in mine if each.start <= start < each.end), NOBODY)

    def _shut(self, reach: Mapping[int, tuple[int, int]]) -> dict[int, list[tuple[int, int, int]]]:
        """By day, the chairs that cannot be used: closed, retired, or outside the hours in which the clinic is open."""
        shut: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        for each in self.resources.shut:
            for day, start, end in self.frame.spans(each.starts_at, each.ends_at):
                shut[day].append((self._chair_of[each.chair_id], start, end))
        for each_site, day, start, end in self.sites.shut():
            shut[day] += [
                (number, start, end)
                for number, chair in enumerate(self.resources.chairs)
                if chair.site_id == each_site and day in reach
            ]
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

    def homes(self) -> list[uuid.UUID]:
        """The sites at which a chair can be booked, the one with the most chairs first."""
        sites = Counter(chair.site_id for chair in self.resources.chairs if not chair.is_retired)
        return [site_id for site_id, _ in sites.most_common()]

    def able(self, drug_name: str) -> dict[int, frozenset[int]]:
        """By day, who may look after patients of a drug; days on which every nurse may are left out."""
        found = {}
        for day in range(self.frame.length):
            who = able_on(self.resources.skills, drug_name, self.frame.first + timedelta(days=day))
            if who is not None:
                numbers = (number for number, staff in enumerate(self._staff) if staff and staff.id in who)
                found[day] = frozenset({_UNPLANNED, *numbers})
        return found

    def most(self, day: int) -> Most:
        """How many patients the clinic lets a nurse have on a day."""
        return most_on(self.resources.limits, self.frame.first + timedelta(days=day))

    def on_duty(self, day: int, slot: int) -> int | None:
        """How many nurses are on duty in a slot; None where shifts are not planned yet."""
        there = self._nurses[day]
        if any(each.nurse == _UNPLANNED for each in there):
            return None
        return sum(each.start <= slot < each.end for each in there)
