"""Decisions about courses on plain values."""

from enum import StrEnum


class CourseStatus(StrEnum):
    """States of a course."""

    DRAFT = "draft"
    ACTIVE = "active"
    ON_HOLD = "on-hold"
    COMPLETED = "completed"
    REVOKED = "revoked"
    ENTERED_IN_ERROR = "entered-in-error"


class CourseDecision(StrEnum):
    """What a physician decides on reviewing a course."""

    CONTINUE = "continue"
    ADJUST = "adjust"
    HOLD = "hold"
    RESUME = "resume"
    DISCONTINUE = "discontinue"
    COMPLETE = "complete"


_NEXT: dict[CourseStatus, frozenset[CourseStatus]] = {
    CourseStatus.DRAFT: frozenset({CourseStatus.ACTIVE, CourseStatus.ENTERED_IN_ERROR}),
    CourseStatus.ACTIVE: frozenset(
        {CourseStatus.ON_HOLD, CourseStatus.COMPLETED, CourseStatus.REVOKED, CourseStatus.ENTERED_IN_ERROR}
    ),
    CourseStatus.ON_HOLD: frozenset({CourseStatus.ACTIVE, CourseStatus.REVOKED, CourseStatus.ENTERED_IN_ERROR}),
    CourseStatus.COMPLETED: frozenset({CourseStatus.ENTERED_IN_ERROR}),
    CourseStatus.REVOKED: frozenset({CourseStatus.ENTERED_IN_ERROR}),
    CourseStatus.ENTERED_IN_ERROR: frozenset(),
}


def may_become(now: CourseStatus, then: CourseStatus) -> bool:
    """Whether the state table of the domain reference (7.2) has this transition."""
    return then in _NEXT[now]


_DECIDED: dict[CourseDecision, dict[CourseStatus, CourseStatus]] = {
    CourseDecision.CONTINUE: {CourseStatus.ACTIVE: CourseStatus.ACTIVE},
    CourseDecision.ADJUST: {
        CourseStatus.ACTIVE: CourseStatus.ACTIVE,
        CourseStatus.ON_HOLD: CourseStatus.ON_HOLD,
    },
    CourseDecision.HOLD: {CourseStatus.ACTIVE: CourseStatus.ON_HOLD},
    CourseDecision.RESUME: {CourseStatus.ON_HOLD: CourseStatus.ACTIVE},
    CourseDecision.DISCONTINUE: {
        CourseStatus.ACTIVE: CourseStatus.REVOKED,
        CourseStatus.ON_HOLD: CourseStatus.REVOKED,
    },
    CourseDecision.COMPLETE: {CourseStatus.ACTIVE: CourseStatus.COMPLETED},
}


class Bookings(StrEnum):
    """What becomes of the booked sessions of a course."""

    KEEP = "keep"
    FREE = "free"


def bookings_after(decision: CourseDecision) -> Bookings | None:
    """What a decision does to the booked sessions; None leaves it to the physician.

    A course that is over needs no place. One on hold may go on before the next session, or not.
    """
    if decision is CourseDecision.HOLD:
        return None
    return Bookings.FREE if decision in {CourseDecision.DISCONTINUE, CourseDecision.COMPLETE} else Bookings.KEEP


def status_after(decision: CourseDecision, now: CourseStatus) -> CourseStatus | None:
    """How a course stands after a decision, or None when the decision cannot be made as it stands now."""
    return _DECIDED[decision].get(now)
