"""Ranked ways to book a whole course, each with what it does to the nurses and what does not fit."""

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise
from typing import Final

from clinic.core import formats, times
from clinic.scheduling import resources
from clinic.scheduling.booking import Plan
from clinic.scheduling.course_request import Ask, Part, Request, Standing, horizon, request
from clinic.scheduling.frame import Frame, slots_of
from clinic.scheduling.operations import Slot
from clinic.scheduling.optimiser.calendar import Calendar
from clinic.scheduling.optimiser.course_cost import course_cost
from clinic.scheduling.optimiser.course_search import CourseSearch
from clinic.scheduling.optimiser.nurse_load import Peak, peaks
from clinic.scheduling.optimiser.obstacles import Obstacle, obstacle
from clinic.scheduling.optimiser.problem import Place, Problem
from clinic.scheduling.optimiser.rhythm import Anchor, RhythmSearch
from clinic.scheduling.situation import Situation
from clinic.scheduling.skills import able_of

# What another chair or another time of day than the session before costs, beside the weights of COMFORT.
_OTHER_CHAIR: Final = 12
_OTHER_TIME: Final = 25
_ONE_MORE_WEEKDAY: Final = 20
_MOST_DAYS_SAID: Final = 14
_MOST: Final = 3


class Kind(StrEnum):
    """What a proposal is good at."""

    STEADY = "steady"
    MORNINGS = "mornings"
    SOONEST = "soonest"
    CALM = "calm"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A session for which no place is left: on which days what is in its way."""

    number: int
    days: tuple[tuple[date, Obstacle], ...]
    has_no_gap: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """A whole course as it could be booked."""

    kind: Kind
    slots: tuple[Slot, ...]
    peaks: tuple[Peak, ...]
    unplaced: tuple[Unplaced, ...]
    cost: int
    number: int = 0
    site_name: str | None = None  # where it is, in a clinic with several sites

    @property
    def key(self) -> str:
        """What tells it from the other proposals."""
        return f"{self.kind.value}{self.number or ''}"


class Desk:
    """The calendar as it stands for one course, and what can be asked of it."""

    def __init__(self, plan: Plan, ask: Ask, *, at: datetime, without: Collection[uuid.UUID] = ()) -> None:
        self.plan, self.ask, self._at = plan, ask, at
        zone = formats.zone.get()
        today = times.local(at, zone).date()
        last = horizon(ask, len(plan.numbers), today)
        self.frame = Frame(today, (last - today).days + 1, zone)
        mine = {each.id for each in plan.standing} | set(without)
        rows = resources.read(today, last, zone, without=mine)
        self.situation = Situation(rows, self.frame, today=today)
        self.calendar = Calendar(self.situation.problem)
        self._able = able_of(self.situation, [plan.course.id]).get(plan.course.id, {})
        self._standing = [
            Standing(
                each.session_number,
                each.starts_at,
                self.situation.place_at(each.chair_id, each.nurse_id, each.starts_at),
            )
            for each in plan.standing
            if each.id not in set(without)
        ]

    def place_of(self, slot: Slot) -> Place:
        """Where a wish stands in the calendar."""
        return self.situation.place_at(slot.chair.id, slot.nurse.id if slot.nurse else None, slot.starts_at)

    # --- proposals ---

    def proposals(self, numbers: Collection[int] | None = None) -> list[Proposal]:
        """The best of each kind, the most comfortable first; one that another kind found too is left out."""
        wanted = self._with_gaps(list(self.plan.numbers if numbers is None else numbers))
        if not wanted:
            return []
        asks = [replace(self.ask, site_id=site_id) for site_id in self._homes()]
        requests = [(ask, self._request(wanted, ask)) for ask in asks]
        found = [
            self._proposal(kind, asked, places)
            for ask, asked in requests
            for kind, places in self._ways(asked, ask)
            if places
        ]
        if not found:
            return [self._proposal(Kind.SOONEST, requests[0][1], ())]
        fewest = min(len(each.unplaced) for each in found)
        best: dict[tuple[datetime, ...], Proposal] = {}
        for each in sorted(found, key=lambda each: each.cost):
            if len(each.unplaced) == fewest:
                best.setdefault(tuple(slot.starts_at for slot in each.slots), each)
        if len(best) < _MOST:
            for each in sorted(
                (other for _, asked in requests for other in self._others(asked)), key=lambda each: each.cost
            ):
                if len(each.unplaced) == fewest:
                    best.setdefault(tuple(slot.starts_at for slot in each.slots), each)
        return list(best.values())[:_MOST]

    def _homes(self) -> list[uuid.UUID | None]:
        """The sites that the whole course could be at: where it has been, else each of them."""
        last = max(self._standing, key=lambda each: each.starts_at, default=None)
        if last is not None:
            return [self.situation.resources.chairs[last.place.chair].site_id]
        return [*self.situation.homes()] or [None]

    def _others(self, asked: Request) -> list[Proposal]:
        """What else there is: beginning on another day or in the other half of a day."""
        found = CourseSearch(self.situation.problem, asked.course).proposals(self.calendar, _MOST)
        return [
            replace(self._proposal(Kind.OTHER, asked, each.places), number=number)
            for number, each in enumerate(found, start=1)
        ]

    def instead(self, slots: Iterable[Slot], refused: Collection[int]) -> list[Slot]:
        """The next best places for refused sessions while the other wishes keep theirs; empty where there is none."""
        wished = list(slots)
        fixed = {slot.session_number: self.place_of(slot) for slot in wished if slot.session_number not in refused}
        ask = replace(self.ask, part=None, site_id=wished[0].chair.site_id if wished else None)
        asked = self._request([*refused, *fixed], ask, fixed)
        found = CourseSearch(self.situation.problem, asked.course).best(self.calendar)
        placed = self._slots(asked, found.places)
        if not set(refused) <= {slot.session_number for slot in placed}:
            asked = self._request(sorted(refused), ask)
            placed = self._slots(asked, CourseSearch(self.situation.problem, asked.course).best(self.calendar).places)
        return [slot for slot in placed if slot.session_number in refused]

    def _with_gaps(self, numbers: list[int]) -> list[int]:
        """The sessions for which somebody said how far apart they stand; at least the first."""
        return [number for place, number in enumerate(numbers) if place == 0 or self.ask.gap(number)]

    def _request(self, numbers: Collection[int], ask: Ask, fixed: Mapping[int, Place] | None = None) -> Request:
        asked = request(
            str(self.plan.course.patient_id), ask, numbers, self._standing, self.frame, at=self._at, fixed=fixed
        )
        return replace(asked, course=replace(asked.course, able=self._able))

    def _ways(self, asked: Request, ask: Ask) -> Iterable[tuple[Kind, tuple[Place, ...]]]:
        problem, course = self.situation.problem, asked.course
        if not any(session.booked for session in course.sessions):
            yield Kind.STEADY, RhythmSearch(problem, course, self.calendar).steady(self._anchor())
        if ask.part is None:
            mornings = self._request(asked.wanted, replace(ask, part=Part.MORNINGS)).course
            yield Kind.MORNINGS, CourseSearch(problem, mornings).best(self.calendar).places
        hurried = _weighing(problem, delay=1000, gap=200, continuity=1, level=0, preference=0)
        yield Kind.SOONEST, CourseSearch(hurried, course).best(self.calendar).places
        calm = _weighing(problem, delay=4, level=40)
        yield Kind.CALM, CourseSearch(calm, course).best(self.calendar).places

    def _anchor(self) -> Anchor | None:
        last = max(self._standing, key=lambda each: each.starts_at, default=None)
        return Anchor(last.place.chair, last.place.start) if last else None

    def _proposal(self, kind: Kind, asked: Request, places: tuple[Place, ...]) -> Proposal:
        slots = self._slots(asked, places)
        placed = {slot.session_number for slot in slots}
        left = [
            (index, number)
            for index, number in enumerate(asked.numbers)
            if number in asked.wanted and number not in placed
        ]
        unplaced = [self._unplaced(asked, index, number, places) for index, number in left[:1]]
        unplaced += [Unplaced(number, ()) for _, number in left[1:]]
        without_gap = sorted(set(self.plan.numbers) - set(asked.wanted)) if self.ask.terms else []
        unplaced += [Unplaced(number, (), has_no_gap=True) for number in without_gap if not self.ask.gap(number)]
        length = slots_of(self.ask.length_min)
        mine = [place for place, number in zip(places, asked.numbers, strict=False) if number in asked.wanted]
        rises = peaks(self.calendar, mine, length, lambda day: self.situation.most(day).at_once, self.situation.on_duty)
        has_sites = len(self.situation.homes()) > 1
        site_name = slots[0].chair.site.name if has_sites and slots else None
        cost = self._cost(asked, places)
        return Proposal(kind, tuple(slots), tuple(rises), tuple(unplaced), cost, site_name=site_name)

    def _slots(self, asked: Request, places: tuple[Place, ...]) -> list[Slot]:
        return [
            self.situation.slot(number, place, self.ask.length_min)
            for number, place in zip(asked.numbers, places, strict=False)
            if number in asked.wanted
        ]

    def _cost(self, asked: Request, places: tuple[Place, ...]) -> int:
        changes = sum(
            _OTHER_CHAIR * (one.chair != other.chair) + _OTHER_TIME * (one.start != other.start)
            for one, other in pairwise(places)
        )
        weekdays = {self.situation.problem.weekdays[place.day] for place in places}
        changes += _ONE_MORE_WEEKDAY * len(weekdays)
        return changes + course_cost(self.situation.problem, asked.course, places)

    def _unplaced(self, asked: Request, index: int, number: int, places: tuple[Place, ...]) -> Unplaced:
        """What is in the way on each day on which the first unplaced session would have to be."""
        course = asked.course
        gap = course.sessions[index].gap
        before = places[index - 1].day if index and len(places) >= index else None
        if before is None and index == 0 and course.last_done:
            before = course.last_done.day
        if before is not None and gap is not None:
            days = range(max(before + gap.least, 0), before + gap.most + 1)
        else:
            days = range(course.release, course.release + _MOST_DAYS_SAID)
        said = []
        for day in list(days)[:_MOST_DAYS_SAID]:
            found = obstacle(self.situation.problem, self.calendar, course, index, day)
            if found is not None:
                said.append((self.situation.problem.date(day), found))
        return Unplaced(number, tuple(said))


def _weighing(problem: Problem, **weights: int) -> Problem:
    return replace(problem, weights=replace(problem.weights, **weights))
