"""What the clinic calls a response, held against scores, and how long a benefit lasted.

Facts by the clinic's own definition: without a definition nothing is a response, and nothing is counted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from clinic.core.units import EXACT, round_half_up
from clinic.outcomes.rules import Better

Score = Decimal | int


@dataclass(frozen=True, slots=True)
class Definition:
    """What counts: a change for the better from before the course, a score that is reached, or both."""

    better: Better
    least_percent: int | None = None
    reaches: Decimal | None = None
    within: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A score and when it was answered; None where the answers came to no score."""

    at: datetime
    score: Score | None


class Response(StrEnum):
    """How a course stands to the clinic's definition."""

    RESPONDED = "responded"
    NOT = "not"
    NO_BASELINE = "no-baseline"
    NO_ANSWER = "no-answer"


def meets(definition: Definition, before: Score | None, now: Score) -> bool | None:
    """Return whether a score counts as a response, None where it cannot be said for want of a score before."""
    met = []
    if definition.reaches is not None:
        met.append(now <= definition.reaches if definition.better is Better.LOWER else now >= definition.reaches)
    if definition.least_percent is not None:
        if before is None:
            return None
        # Compared without a division: a baseline of 0 leaves nothing to improve by a share of it.
        gain = Decimal(before) - Decimal(now) if definition.better is Better.LOWER else Decimal(now) - Decimal(before)
        met.append(before > 0 and gain * 100 >= Decimal(definition.least_percent) * Decimal(before))
    return all(met)


def response(
    definition: Definition, before: Answered | None, later: Sequence[Answered], last_session: datetime | None
) -> Response:
    """Return how a course stands: by its last score after a session, within the time that the clinic set.

    `later` is in the order of time. A course without a score before it, or after a session, is missing, not "no".
    """
    until = last_session + definition.within if last_session and definition.within is not None else None
    counted = [answer.score for answer in later if answer.score is not None and (until is None or answer.at <= until)]
    start = before.score if before is not None else None
    if start is None and definition.least_percent is not None:
        return Response.NO_BASELINE
    if not counted:
        return Response.NO_ANSWER
    return Response.RESPONDED if meets(definition, start, counted[-1]) else Response.NOT


@dataclass(frozen=True, slots=True)
class Benefit:
    """How long a benefit lasted: it was there on day `held`, and no more on day `gone` where that was answered."""

    held: int
    gone: int | None


def benefit(
    definition: Definition, before: Score | None, later: Iterable[Answered], session_at: datetime
) -> Benefit | None:
    """Return how long the answers after a session met the definition without a break; None where the first did not.

    Days are counted from the session. Between two answers nobody knows: the benefit ended after `held` and by `gone`.
    """
    held = None
    for answer in later:
        if answer.score is None or answer.at < session_at:
            continue
        day = (answer.at - session_at).days
        if not meets(definition, before, answer.score):
            return None if held is None else Benefit(held, day)
        held = day
    return None if held is None else Benefit(held, None)


@dataclass
class Tally:
    """How many courses responded, with every course counted that was looked at."""

    responded: int = 0
    not_responded: int = 0
    no_baseline: int = 0
    no_answer: int = 0

    def add(self, found: Response) -> None:
        """Count one course."""
        match found:
            case Response.RESPONDED:
                self.responded += 1
            case Response.NOT:
                self.not_responded += 1
            case Response.NO_BASELINE:
                self.no_baseline += 1
            case Response.NO_ANSWER:
                self.no_answer += 1

    @property
    def judged(self) -> int:
        """The courses of which it is known."""
        return self.responded + self.not_responded

    @property
    def missing(self) -> int:
        """The courses of which it is not known."""
        return self.no_baseline + self.no_answer

    @property
    def total(self) -> int:
        """Every course that was looked at."""
        return self.judged + self.missing

    @property
    def share_pct(self) -> Decimal | None:
        """The share of responders among the courses of which it is known, to one place; None where it is of none."""
        if not self.judged:
            return None
        return round_half_up(EXACT.divide(Decimal(self.responded * 100), Decimal(self.judged)), 1)
