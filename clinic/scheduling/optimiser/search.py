"""Plans a whole period: place the courses one by one, then again and again take some away and place them anew.

Which ones go together decides what can be found: courses that meet on a day, that cost much, or that stand in the way
of one that is not placed. A worse plan is accepted for a while, the less the later; the best plan is kept.
"""

import math
import random
from collections.abc import Callable
from functools import partial

from clinic.scheduling.optimiser.plan import Plan, Snapshot
from clinic.scheduling.optimiser.problem import Problem

# By how much a plan may be worse at the beginning and still be accepted more often than not.
HEAT = 8
# How many courses are taken away together, each number as often as it stands here.
TAKEN = (1, 2, 2, 3, 3, 4, 5, 7)
# How many at most where a course is not placed.
MOST_TAKEN = 24
OVER = 1_000_000
Share = Callable[[int], int]
"""How much of the time is over after so many rounds, in millionths."""


def solve(problem: Problem, share: Share, seed: int = 0) -> Snapshot:
    """The best plan that is found in the time; the same seed and number of rounds give the same plan."""
    plan = Plan(problem)
    for number in sorted(range(len(plan.places)), key=partial(_urgency, problem)):
        if share(0) >= OVER:
            break
        plan.insert(number)
    return _improve(plan, share, random.Random(seed))  # noqa: S311 no secret


def _urgency(problem: Problem, number: int) -> tuple[bool, bool, int, int, int]:
    """What cannot stand elsewhere comes first, then what is booked, then by priority, then the longest."""
    course = problem.courses[number]
    is_fixed = any(session.is_fixed for session in course.sessions)
    is_booked = any(session.booked for session in course.sessions)
    work = sum(session.shape.length * session.shape.load for session in course.sessions)
    return not is_fixed, not is_booked, -course.priority, -work, number


def _improve(plan: Plan, share: Share, rng: random.Random) -> Snapshot:
    best = plan.snapshot()
    rounds = 0
    while plan.places and (done := share(rounds)) < OVER:
        rounds += 1
        before = plan.cost
        taken = _related(plan, rng)
        was = [plan.places[number] for number in taken]
        is_unplaced = len(was[0]) < len(plan.problem.courses[taken[0]].sessions)
        plan.move(taken, [()] * len(taken))
        noise = _some_days(plan, rng) if _happens(rng, 40) else None
        first = taken[:1] if is_unplaced else []
        for number in [*first, *_order(plan.problem, taken[len(first) :], rng)]:
            plan.insert(number, noise)
        if plan.cost - before > -HEAT * (1 - done / OVER) ** 2 * math.log(1 - rng.random()):
            plan.move(taken, was)
        elif plan.cost < best.cost:
            best = plan.snapshot()
    return best


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


def _related(plan: Plan, rng: random.Random) -> list[int]:
    """A course and others that meet it."""
    count = len(plan.places)
    first = rng.randrange(count)
    if _happens(rng, 50):
        first = max((rng.randrange(count) for _ in range(4)), key=plan.cost_of)
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
