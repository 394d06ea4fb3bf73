"""Plans a whole period: place the courses one by one, then again and again take some away and place them anew.

Which ones go together decides what can be found: mostly a course that would cost less alone and some of those that
stand where it would be then, also courses that meet on a day, and those in the way of one that is not placed. A worse
plan is accepted for a while, the less the later; the best plan is kept. A small problem is begun several times: the
first rounds decide which long courses come early, and later ones seldom change that.
"""

import gc
import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from clinic.scheduling.optimiser.course_cost import course_cost
from clinic.scheduling.optimiser.course_offers import Whim
from clinic.scheduling.optimiser.plan import Places, Plan, Snapshot
from clinic.scheduling.optimiser.problem import Problem

# By how much a plan may be worse at the beginning and still be accepted more often than not.
HEAT, SECOND_HEAT = 8, 4
# Rounds for each course from the first plan on: while there is time for it, a search begins there again and again.
BEGINNING = 100
# How many courses are taken away together, each number as often as it stands here.
TAKEN = (1, 2, 2, 3, 3, 4, 5, 7)
# How many at most where a course is not placed.
MOST_TAKEN = 24
# So many ways of a course are kept in which it would stand alone.
WISHES = 20
OVER = 1_000_000
Share = Callable[[int], int]
"""How much of the time is over after so many rounds, in millionths."""
Notice = Callable[[Snapshot], object]
"""Is told of each plan that is better than all before."""


def _unnoticed(_best: Snapshot) -> None:
    """Nobody wants to know before the end."""


@contextmanager
def uncollected() -> Iterator[None]:
    """For a process that only searches: nothing there refers to itself, and looking for it takes a third of it."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def solve(problem: Problem, share: Share, seed: int = 0, notice: Notice = _unnoticed) -> Snapshot:
    """The best plan that is found in the time; the same seed and number of rounds give the same plan."""
    plan = Plan(problem)
    for number in sorted(range(len(plan.places)), key=partial(_urgency, problem)):
        if share(0) >= OVER:
            break
        plan.insert(number)
    search = _Search(plan, share, random.Random(seed), notice)  # noqa: S311 no secret
    search.run()
    return search.best


def _urgency(problem: Problem, number: int) -> tuple[bool, bool, int, int, int]:
    """What cannot stand elsewhere comes first, then what is booked, then by priority, then the longest."""
    course = problem.courses[number]
    is_fixed = any(session.is_fixed for session in course.sessions)
    is_booked = any(session.booked for session in course.sessions)
    work = sum(session.shape.length * session.shape.load for session in course.sessions)
    return not is_fixed, not is_booked, -course.priority, -work, number


class _Search:
    """Improves a plan, in one go or in several from the same beginning, and then the best of them."""

    def __init__(self, plan: Plan, share: Share, rng: random.Random, notice: Notice) -> None:
        self._plan, self._share, self._rng, self._notice = plan, share, rng, notice
        self._choice = _Choice(plan, rng)
        self._rounds = 0
        self.best = plan.snapshot()
        notice(self.best)

    def run(self) -> None:
        """As long as there is time: half of it at most goes to further beginnings."""
        first, rounds, count = self._plan.snapshot(), BEGINNING * len(self._plan.places), 1
        self._cool(HEAT, rounds)
        while rounds and self._share(self._rounds) * (count + 1) // count <= OVER // 2:
            count += 1
            self._plan.become(first)
            self._cool(HEAT, rounds)
        self._plan.become(self.best)
        self._cool(SECOND_HEAT, rounds * OVER)

    def _cool(self, heat: int, most: int) -> None:
        """Accept a worse plan less and less often, until there were so many rounds or the time is over."""
        begun, rounds = self._share(self._rounds), 0
        while rounds < most and (done := self._share(self._rounds)) < OVER:
            left = min(1 - rounds / most, (OVER - done) / (OVER - begun))
            rounds += 1
            self._rounds += 1
            self._round(math.floor(-heat * left**2 * math.log(1 - self._rng.random())))

    def _round(self, worse: int) -> None:
        """Take some courses away and place them anew; keep that unless it is more than so much worse."""
        plan, rng, before = self._plan, self._rng, self._plan.cost
        taken, is_first_ahead = self._choice.courses()
        worst = before + worse
        was = [plan.places[number] for number in taken]
        plan.move(taken, [()] * len(taken))
        whim = Whim(_some_days(plan, rng) if _happens(rng, 40) else None, is_late=_happens(rng, 40))
        ahead = taken[:1] if is_first_ahead else []
        _place_anew(plan, [*ahead, *_order(plan.problem, taken[len(ahead) :], rng)], whim, worst)
        if plan.cost > worst:
            plan.move(taken, was)
        elif plan.cost < before:
            self._choice.praise(taken)
            if plan.cost < self.best.cost:
                self.best = plan.snapshot()
                self._notice(self.best)


def _place_anew(plan: Plan, numbers: list[int], whim: Whim, worst: int) -> None:
    """Place courses one after the other, as long as the plan can still become no worse than that."""
    to_come = sum(plan.cost_of(number) - plan.least(number) for number in numbers)
    for number in numbers:
        nowhere = plan.cost_of(number)
        to_come -= nowhere - plan.least(number)
        # Those that come later may even out a week.
        room = worst - (plan.cost - nowhere - to_come) + plan.calendar.uneven_weeks
        if room < plan.least(number):
            return
        plan.insert(number, whim, room)


class _Choice:
    """Chooses the courses of a round: one, and others that stand in its way or near it."""

    def __init__(self, plan: Plan, rng: random.Random) -> None:
        self._plan, self._rng = plan, rng
        self._least: dict[int, int] = {}
        self._wishes: list[list[Places]] = [[] for _ in plan.places]
        self._tried = [0] * len(plan.places)

    def courses(self) -> tuple[list[int], bool]:
        """A course with others, and whether it is to be placed before them."""
        first = self._first()
        self._tried[first] += 1
        course, places = self._plan.problem.courses[first], self._plan.places[first]
        if self._excess(first) > 0 and _happens(self._rng, 80):
            return self._in_its_place(first), True
        return _related(self._plan, first, self._rng), len(places) < len(course.sessions)

    def praise(self, numbers: list[int]) -> None:
        """Some courses have found a cheaper plan: they are worth another try."""
        for number in numbers:
            self._tried[number] = 0

    def _excess(self, number: int) -> int:
        """How much more a course costs than it would alone."""
        if number not in self._least:
            problem, wished = self._plan.problem, self._plan.wished(number)
            self._least[number] = course_cost(problem, problem.courses[number], wished)
        return self._plan.cost_of(number) - self._least[number]

    def _first(self) -> int:
        """Any course, or one with much to gain that was not tried in vain too often."""
        count = len(self._tried)
        if _happens(self._rng, 50):
            return self._rng.randrange(count)
        some = [self._rng.randrange(count) for _ in range(4)]
        return max(some, key=lambda number: self._excess(number) * 16 // (1 + self._tried[number]))

    def _in_its_place(self, first: int) -> list[int]:
        """A course, and some of those that stand where it would be if it were alone."""
        plan, rng = self._plan, self._rng
        wished = list(zip(plan.problem.courses[first].sessions, self._wish(first), strict=False))
        if wished and _happens(rng, 40):
            wished = [rng.choice(wished)]
        others = {number for session, place in wished for number in plan.meets(place, session.shape.length)}
        pool = sorted(others - {first})
        return [first, *rng.sample(pool, min(len(pool), rng.choice(TAKEN)))]

    def _wish(self, number: int) -> Places:
        """Where a course would stand if no other did and some days were left out: one of several ways."""
        known = self._wishes[number]
        if len(known) < WISHES:
            known.append(self._plan.wished(number, Whim(_some_days(self._plan, self._rng))))
            return known[-1]
        return self._rng.choice(known)


def _happens(rng: random.Random, per_cent: int) -> bool:
    return rng.randrange(100) < per_cent


def _order(problem: Problem, numbers: list[int], rng: random.Random) -> list[int]:
    """Mostly by chance, but fixed sessions always first."""
    if _happens(rng, 20):
        return sorted(numbers, key=partial(_urgency, problem))
    chance = {number: rng.random() for number in numbers}
    return sorted(numbers, key=lambda number: (_urgency(problem, number)[0], chance[number]))


def _some_days(plan: Plan, rng: random.Random) -> list[int]:
    """Leave out a few days, so that not the same course stands in the same place again."""
    return [0 if rng.randrange(8) else 500 for _ in range(plan.problem.length)]


def _related(plan: Plan, first: int, rng: random.Random) -> list[int]:
    """A course and others that meet it."""
    wanted = rng.choice(TAKEN)
    places = plan.places[first]
    course = plan.problem.courses[first]
    pool: set[int] = set()
    if len(places) < len(course.sessions):
        pool = _in_the_way(plan, first, rng)
        wanted = MOST_TAKEN if _happens(rng, 40) else wanted + 1
    elif places and _happens(rng, 80):
        chosen = places if _happens(rng, 40) else [rng.choice(places)]
        for place in chosen:
            pool |= plan.on_day[place.clinic, place.day]
    else:
        clinic = rng.choice(course.clinics)[0]
        day = rng.randrange(plan.problem.length)
        for near in range(day, day + 3):
            pool |= plan.on_day.get((clinic, near), set())
    pool.discard(first)
    others = sorted(pool)
    return [first, *rng.sample(others, min(wanted - 1, len(others)))]


def _in_the_way(plan: Plan, number: int, rng: random.Random) -> set[int]:
    """The courses on the days on which the first unplaced session of a course would have to be."""
    course, places = plan.problem.courses[number], plan.places[number]
    clinic = places[0].clinic if places else rng.choice(course.clinics)[0]
    session = course.sessions[len(places)]
    if session.booked and (session.is_fixed or _happens(rng, 50)):
        begin, end = session.booked.day, session.booked.day + 1
    elif session.gap and (before := _day_before(plan, number)) is not None:
        begin, end = before + session.gap.least, before + session.gap.most + 1
    else:
        begin, end = course.release, plan.problem.length
    day = rng.randrange(begin, max(begin + 1, min(end, plan.problem.length)))
    return set().union(*(plan.on_day.get((clinic, near), set()) for near in (day, day + 1)))


def _day_before(plan: Plan, number: int) -> int | None:
    """The day after which the first unplaced session of a course has to wait for its gap."""
    course, places = plan.problem.courses[number], plan.places[number]
    if places:
        return places[-1].day
    return course.last_done.day if course.last_done else None
