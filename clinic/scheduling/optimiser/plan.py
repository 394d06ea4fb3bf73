"""A plan in the making: where every course stands, and what all of it costs."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from clinic.scheduling.optimiser.calendar import Calendar
from clinic.scheduling.optimiser.course_cost import course_cost
from clinic.scheduling.optimiser.course_offers import NEVER, NO_WHIM, Whim
from clinic.scheduling.optimiser.course_search import CourseSearch
from clinic.scheduling.optimiser.problem import Place, Problem

# For so many states of days the answers are kept.
MOST_STATES = 10_000
Places = tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A whole plan as it was at its cost."""

    cost: int
    places: tuple[Places, ...]


class Plan:
    """The courses of a problem in a calendar; courses are named by their place in the problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.calendar = Calendar(problem, MOST_STATES)
        self.searches = [CourseSearch(problem, course) for course in problem.courses]
        self.places: list[Places] = [() for _ in problem.courses]
        self._costs = [course_cost(problem, course, ()) for course in problem.courses]
        self._sum = sum(self._costs)
        self._alone = Calendar(replace(problem, weights=replace(problem.weights, fairness=0)), MOST_STATES)
        self._least: dict[int, int] = {}
        self.on_day: dict[tuple[int, int], set[int]] = defaultdict(set)

    @property
    def cost(self) -> int:
        return self._sum + self.calendar.shared_cost

    def cost_of(self, number: int) -> int:
        """What a course costs by itself."""
        return self._costs[number]

    def wished(self, number: int, whim: Whim = NO_WHIM) -> Places:
        """Where a course would stand if no other did."""
        return self.searches[number].best(self._alone, whim).places

    def least(self, number: int) -> int:
        """What a course costs at least, wherever the others stand: its own cost and that of uneven days."""
        if number not in self._least:
            self._least[number] = self.searches[number].best(self._alone).cost
        return self._least[number]

    def meets(self, place: Place, length: int) -> set[int]:
        """The courses that have a session at the time of a place."""
        return {
            number
            for number in self.on_day.get((place.clinic, place.day), ())
            for session, other in zip(self.problem.courses[number].sessions, self.places[number], strict=False)
            if other.day == place.day
            and other.start < place.start + length
            and place.start < other.start + session.shape.length
        }

    def put(self, number: int, places: Places) -> None:
        """Let a course stand at places that are open to it, instead of where it stood."""
        course = self.problem.courses[number]
        for session, place in zip(course.sessions, self.places[number], strict=False):
            self.calendar.remove(course.patient, session.shape, place)
            self.on_day[place.clinic, place.day].discard(number)
        for session, place in zip(course.sessions, places, strict=False):
            self.calendar.add(course.patient, session.shape, place)
            self.on_day[place.clinic, place.day].add(number)
        self.places[number] = places
        cost = course_cost(self.problem, course, places)
        self._sum += cost - self._costs[number]
        self._costs[number] = cost

    def move(self, numbers: Sequence[int], places: Sequence[Places]) -> None:
        """Let several courses stand elsewhere at once: all go before the first comes."""
        for number in numbers:
            self.put(number, ())
        for number, new in zip(numbers, places, strict=True):
            self.put(number, new)

    def insert(self, number: int, whim: Whim = NO_WHIM, most: int = NEVER) -> None:
        """Let a course that stands nowhere stand where it costs least.

        Where it would cost more than `most` it stays nowhere.
        """
        if places := self.searches[number].best(self.calendar, whim, most).places:
            self.put(number, places)

    def snapshot(self) -> Snapshot:
        return Snapshot(self.cost, tuple(self.places))

    def become(self, snapshot: Snapshot) -> None:
        """Let every course stand where it stood then."""
        self.move(range(len(self.places)), snapshot.places)
