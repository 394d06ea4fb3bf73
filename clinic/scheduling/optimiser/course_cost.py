"""What one course costs where its sessions stand: every term but those that courses share (level and fairness)."""

from collections import Counter
from collections.abc import Sequence

from clinic.scheduling.optimiser.problem import Course, Place, Problem, Session, Weights


def course_cost(problem: Problem, course: Course, places: Sequence[Place]) -> int:
    """The cost of a course whose first sessions stand at `places`, the rest being unplaced."""
    weights = problem.weights
    cost = weights.unplaced * course.priority * (len(course.sessions) - len(places))
    if not places:
        return cost
    cost += len(places) * dict(course.clinics)[places[0].clinic]
    before = course.last_done.day if course.last_done else None
    for session, place in zip(course.sessions, places, strict=False):
        cost += wait_cost(weights, course, session, before, place.day)
        begin, end = course.preferred
        if not begin <= place.start <= end - session.shape.length:
            cost += weights.preference
        if session.booked:
            cost += move_cost(problem, session.booked, place)
        before = place.day
    by_nurse = Counter(place.nurse for place in places)
    return cost + weights.continuity * (len(places) - max(by_nurse.values()))


def wait_cost(weights: Weights, course: Course, session: Session, before: int | None, day: int) -> int:
    """What the days cost since the session before, or since the release for a first one."""
    if before is None or session.gap is None:
        return weights.delay * course.priority * max(0, day - course.release)
    return weights.gap * session.gap.strain(day - before)


def notice_factor(problem: Problem, booked: Place) -> int:
    """A move at short notice counts twice."""
    return 2 if booked.day - problem.today < problem.notice_days else 1


def move_cost(problem: Problem, booked: Place, place: Place) -> int:
    """What it costs to have a booked session elsewhere."""
    weights, factor = problem.weights, notice_factor(problem, booked)
    if (booked.clinic, booked.day) != (place.clinic, place.day):
        return factor * weights.move_day
    cost = factor * shift_cost(weights, booked.start - place.start)
    if booked.nurse != place.nurse:
        cost += factor * weights.nurse_change
    if booked.chair != place.chair:
        cost += factor * weights.chair_change
    return cost


def shift_cost(weights: Weights, slots: int) -> int:
    """What another time on the same day costs."""
    return weights.move_time + weights.move_slot * min(abs(slots), weights.most_slots) if slots else 0
