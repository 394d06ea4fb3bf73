"""Many waiting courses as one problem of the optimiser, and its plan as chairs, nurses and instants again.

Everything is read first; after that nothing here touches the database, so that the search can take its time.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from clinic.core import formats, times
from clinic.courses import queries as courses
from clinic.courses.models import Course
from clinic.scheduling import queries_availability, queries_waiting, resources
from clinic.scheduling.course_request import Ask, Request, Standing, request
from clinic.scheduling.frame import Frame
from clinic.scheduling.models import Appointment
from clinic.scheduling.optimiser import search
from clinic.scheduling.optimiser.calendar import Calendar, calendar_of
from clinic.scheduling.optimiser.obstacles import WORDS, obstacle
from clinic.scheduling.optimiser.plan import Snapshot
from clinic.scheduling.optimiser.problem import Course as OptimisersCourse
from clinic.scheduling.optimiser.problem import Place
from clinic.scheduling.rules import sessions_to_book, slot_minutes
from clinic.scheduling.situation import COMFORT, Situation
from clinic.scheduling.skills import able_of

# A plan of many also shares the work out between the nurses of a week.
_WEIGHTS: Final = replace(COMFORT, fairness=1)
_MOST_DAYS_SAID: Final = 14
_WAITS: Final = "Waits for the one before."


@dataclass(frozen=True, slots=True)
class Waiting:
    """A course with sessions that hold no time: which, and how long one takes; None where the order does not say."""

    course: Course
    numbers: tuple[int, ...]
    minutes: int | None


def waiting_courses() -> list[Waiting]:
    """The active courses with sessions to place, the longest waiting first."""
    found = []
    active = courses.bookable_courses()
    held = queries_waiting.held_by(course.id for course in active)
    for course in active:
        version = course.order.current
        terms = version.terms if version else None
        if version is None or terms is None:
            continue
        taken = {each.session_number for each in held.get(course.id, ())}
        numbers = sessions_to_book(terms.sessions_planned or version.sessions_allowed, taken)
        minutes = slot_minutes(
            terms.precheck_slot_min, terms.duration_min, terms.recovery_slot_min, terms.turnaround_min
        )
        if numbers:
            found.append(Waiting(course, tuple(numbers), minutes))
    return found


@dataclass(frozen=True, slots=True)
class Found:
    """Where a session stands in a plan, or what is in its way."""

    chair_id: uuid.UUID | None = None
    nurse_id: uuid.UUID | None = None
    starts_at: datetime | None = None
    in_the_way: str | None = None


Key = tuple[uuid.UUID, int]
"""A session: its course and its number."""


class Planning:
    """The calendar of a period and the courses that wait for places in it."""

    def __init__(
        self,
        wanted: Mapping[uuid.UUID, Collection[int]],
        minutes: Mapping[uuid.UUID, int],
        *,
        last: date,
        at: datetime,
    ) -> None:
        zone = formats.zone.get()
        today = times.local(at, zone).date()
        self.frame = Frame(today, max((last - today).days, 0) + 1, zone)
        self._at = at
        active = [course for course in courses.bookable_courses() if course.id in wanted]
        held = queries_waiting.held_by(course.id for course in active)
        self._said = queries_availability.hours_of({course.patient_id for course in active})
        later = {each.id for course in active for each in self._later(wanted[course.id], held.get(course.id, ()))}
        rows = resources.read(today, max(last, today), zone, without=later)
        self.situation = Situation(rows, self.frame, today=today, weights=_WEIGHTS)
        self._minutes = minutes
        self._able = able_of(self.situation, [course.id for course in active])
        self._asked = [
            (course.id, self._request(course, wanted[course.id], held.get(course.id, ()), minutes[course.id]))
            for course in active
        ]
        self.problem = replace(
            self.situation.problem,
            courses=tuple(replace(asked.course, name=str(key)) for key, asked in self._asked),
        )

    def _later(self, numbers: Collection[int], held: Iterable[Appointment]) -> list[Appointment]:
        """What stands after the first session to place: it keeps its time, and the plan goes around it."""
        first = min(numbers)
        return [each for each in held if each.session_number >= first and each.starts_at >= self._at]

    def _request(self, course: Course, numbers: Collection[int], held: Iterable[Appointment], minutes: int) -> Request:
        version = course.order.current
        ask = Ask(
            version.terms if version else None,
            minutes,
            first=version.valid_from if version else None,
            last=version.valid_until if version else None,
            said=self._said.get(course.patient_id, ()),
            site_id=self._home(held),
        )
        chain = sorted(numbers)
        # Without the days between two sessions only the first of them has a place to be looked for.
        placeable = [number for index, number in enumerate(chain) if index == 0 or ask.gap(number)]
        standing = [
            Standing(
                each.session_number,
                each.starts_at,
                self.situation.place_at(each.chair_id, each.nurse_id, each.starts_at),
            )
            for each in held
        ]
        asked = request(str(course.patient_id), ask, placeable, standing, self.frame, at=self._at)
        return replace(
            asked,
            course=replace(
                asked.course, exceptions=self._days_off(ask.last, asked.course), able=self._able.get(course.id, {})
            ),
        )

    def _home(self, held: Iterable[Appointment]) -> uuid.UUID | None:
        """The site at which a course goes on; one that has been nowhere begins where the most chairs are."""
        latest = max(held, key=lambda each: each.starts_at, default=None)
        site_of = {chair.id: chair.site_id for chair in self.situation.resources.chairs}
        return site_of[latest.chair_id] if latest else next(iter(self.situation.homes()), None)

    def _days_off(self, last: date | None, course: OptimisersCourse) -> dict[int, tuple[tuple[int, int], ...]]:
        """Not today, for the patients have to be told, and no day after the order's last; what stands there stays."""
        closed = {
            0,
            *range(max((last - self.frame.first).days + 1, 0) if last else self.frame.length, self.frame.length),
        }
        standing = {each.booked.day for each in course.sessions if each.booked}
        return course.exceptions | dict.fromkeys(closed - standing, ())

    # --- the search ---

    def solve(self, share: Callable[[int], int], notice: Callable[[Snapshot], object]) -> Snapshot:
        """The best plan that is found in the time."""
        return search.solve(self.problem, share, notice=notice)

    def places(self, best: Snapshot) -> dict[Key, Found]:
        """By session, where it stands in a plan; nothing is said of those without a place."""
        found: dict[Key, Found] = {}
        for (key, asked), places in zip(self._asked, best.places, strict=True):
            for number, place in zip(asked.numbers, places, strict=False):
                if number in asked.wanted:
                    slot = self.situation.slot(number, place, self._minutes[key])
                    nurse_id = slot.nurse.id if slot.nurse else None
                    found[key, number] = Found(slot.chair.id, nurse_id, slot.starts_at)
        return found

    def in_the_way(self, best: Snapshot) -> dict[Key, Found]:
        """What keeps the sessions that have no place: day by day for the first of each course."""
        calendar = calendar_of(self.problem, best.places)
        found: dict[Key, Found] = {}
        for (key, asked), places in zip(self._asked, best.places, strict=True):
            left = [number for number in asked.numbers[len(places) :] if number in asked.wanted]
            for number in left:
                words = self._obstacles(asked, places, calendar) if number == left[0] else _WAITS
                found[key, number] = Found(in_the_way=words)
        return found

    def _obstacles(self, asked: Request, places: Sequence[Place], calendar: Calendar) -> str:
        course, index = asked.course, len(places)
        gap = course.sessions[index].gap
        before = places[-1].day if places else course.last_done.day if course.last_done else None
        if before is not None and gap is not None:
            days = range(max(before + gap.least, 0), before + gap.most + 1)
        else:
            days = range(course.release, course.release + _MOST_DAYS_SAID)
        by_obstacle: dict[str, list[int]] = defaultdict(list)
        for day in days[:_MOST_DAYS_SAID]:
            if what := obstacle(self.problem, calendar, course, index, day):
                by_obstacle[WORDS[what]].append(day)
        lines = [f"{self._days(numbers)}: {words}" for words, numbers in by_obstacle.items()]
        return f"{'; '.join(lines)}." if lines else "Another session of the plan would have to leave."

    def _days(self, numbers: Sequence[int]) -> str:
        first, last = self.problem.date(numbers[0]), self.problem.date(numbers[-1])
        words = formats.short_day(first)
        if len(numbers) == 1:
            return words
        return f"{len(numbers)} days from {words} to {formats.short_day(last)}"
