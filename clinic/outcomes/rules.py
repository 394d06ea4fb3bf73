"""Scores of the outcome questionnaires. Facts computed from answers, never advice.

A missing answer makes the whole score missing: it is never counted as zero.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from clinic.core.units import EXACT, round_half_up

PEG_ITEMS: Final = 3
PHQ9_ITEMS: Final = 9
GAD7_ITEMS: Final = 7

PGIC_WORDS: Final = {
    1: "very much improved",
    2: "much improved",
    3: "minimally improved",
    4: "no change",
    5: "minimally worse",
    6: "much worse",
    7: "very much worse",
}


class Instrument(StrEnum):
    """An outcome measure whose text may be shipped, or a single question."""

    NRS = "NRS"
    PEG = "PEG"
    PHQ9 = "PHQ-9"
    GAD7 = "GAD-7"
    PGIC = "PGIC"


class Occasion(StrEnum):
    """When an outcome measure was answered."""

    BASELINE = "baseline"
    BEFORE_SESSION = "before-session"
    AFTER_SESSION = "after-session"
    DIARY = "diary"
    FOLLOW_UP = "follow-up"


class Scoring(StrEnum):
    """How a form of the clinic's comes to its score, or that only a result worked out elsewhere is kept."""

    TOTAL = "total"
    MEAN = "mean"
    RESULT = "result"


class Better(StrEnum):
    """Which way a score goes when the patient is better."""

    LOWER = "lower"
    HIGHER = "higher"


@dataclass(frozen=True, slots=True)
class Wording:
    """A form as the clinic writes it. A measure whose result alone is kept has no questions and no answers."""

    name: str
    scoring: Scoring
    lead: str | None = None
    questions: Sequence[str] = ()
    answers: Sequence[tuple[int, str]] = ()
    least_answers: int | None = None
    lowest: Decimal | None = None
    highest: Decimal | None = None
    better: Better | None = None


@dataclass(frozen=True)
class Bounds:
    """How many answers an instrument has, and the lowest and highest of each."""

    count: int
    lowest: int
    highest: int


BOUNDS: Final = {
    Instrument.NRS: Bounds(1, 0, 10),
    Instrument.PEG: Bounds(PEG_ITEMS, 0, 10),
    Instrument.PHQ9: Bounds(PHQ9_ITEMS, 0, 3),
    Instrument.GAD7: Bounds(GAD7_ITEMS, 0, 3),
    Instrument.PGIC: Bounds(1, 1, 7),
}

MOST_CALLS: Final = 3
"""Attempts after which a follow-up is over although nobody was reached (domain reference 1.1, stage 12)."""


def peg_score(items: Sequence[int | None]) -> Decimal | None:
    """Return the PEG score, the mean of its three items (0 to 10 each), to one decimal, halves up."""
    total = _total(items, count=PEG_ITEMS, highest=10)
    return None if total is None else round_half_up(EXACT.divide(Decimal(total), Decimal(PEG_ITEMS)), 1)


def phq9_total(items: Sequence[int | None]) -> int | None:
    """Return the PHQ-9 total, 0 to 27, from nine answers of 0 to 3."""
    return _total(items, count=PHQ9_ITEMS, highest=3)


def phq9_flags_item_nine(items: Sequence[int | None]) -> bool:
    """Return whether the ninth answer, thoughts of self-harm, is above zero and must be shown to a physician.

    It counts even when other answers are missing.
    """
    return len(items) == PHQ9_ITEMS and bool(items[PHQ9_ITEMS - 1])


def gad7_total(items: Sequence[int | None]) -> int | None:
    """Return the GAD-7 total, 0 to 21, from seven answers of 0 to 3."""
    return _total(items, count=GAD7_ITEMS, highest=3)


def pgic_words(value: int | None) -> str | None:
    """Return the words of a patient's global impression of change, 1 to 7. Raises `ValueError` outside it."""
    if value is None:
        return None
    if value not in PGIC_WORDS:
        raise ValueError("Enter a value from 1 to 7")
    return PGIC_WORDS[value]


def change_pct(baseline: Decimal | int | None, now: Decimal | int | None) -> Decimal | None:
    """Return the change from the course's baseline in per cent, one decimal, halves away from zero; a fall is negative.

    None when either value is missing or the baseline is 0, from which no percentage can be taken.
    """
    if baseline is None or now is None or not baseline:
        return None
    start, end = Decimal(baseline), Decimal(now)
    return round_half_up(EXACT.divide(EXACT.multiply(EXACT.subtract(end, start), Decimal(100)), start), 1)


def score(instrument: Instrument, items: Sequence[int | None]) -> Decimal | int | None:
    """Return the score of an instrument from its answers, None where one is missing. PGIC is its own number."""
    match instrument:
        case Instrument.PEG:
            return peg_score(items)
        case Instrument.PHQ9:
            return phq9_total(items)
        case Instrument.GAD7:
            return gad7_total(items)
        case Instrument.NRS:
            return _total(items, count=1, highest=10)
        case Instrument.PGIC:
            pgic_words(items[0])
            return items[0]


def why_not_answers(instrument: Instrument, items: Sequence[int | None]) -> str | None:
    """Return why these cannot be the answers to an instrument, or None when they can be kept.

    An answer may be missing, all of them may not: that would be no answer at all.
    """
    bounds = BOUNDS[instrument]
    if len(items) != bounds.count:
        return f"{instrument.value} has {bounds.count} answers."
    given = [item for item in items if item is not None]
    if any(not bounds.lowest <= item <= bounds.highest for item in given):
        return f"Enter a value from {bounds.lowest} to {bounds.highest}"
    return None if given else "Enter at least one answer."


def form_score(scoring: Scoring, items: Sequence[int | None], least_answers: int | None = None) -> Decimal | int | None:
    """Return the score of a form of the clinic's, None where answers are missing.

    A total needs every answer. A mean is taken of what was answered once the clinic's own least number of answers is
    there; where the clinic named none, it needs every answer too.
    """
    given = [item for item in items if item is not None]
    needed = least_answers if scoring is Scoring.MEAN and least_answers else len(items)
    if not given or len(given) < needed or scoring is Scoring.RESULT:
        return None
    if scoring is Scoring.TOTAL:
        return sum(given)
    return round_half_up(EXACT.divide(Decimal(sum(given)), Decimal(len(given))), 1)


def why_not_choices(items: Sequence[int | None], count: int, offered: Iterable[int]) -> str | None:
    """Return why these cannot be the answers to a form of the clinic's, or None when they can be kept."""
    if len(items) != count:
        return f"There are {count} answers."
    given = [item for item in items if item is not None]
    if not set(given) <= set(offered):
        return "Choose one of the answers offered."
    return None if given else "Enter at least one answer."


class FollowUp(StrEnum):
    """How far the call after a session is."""

    DUE = "due"
    TRIED = "tried"
    REACHED = "reached"
    GIVEN_UP = "given-up"


def follow_up_state(reached: Sequence[bool]) -> FollowUp:
    """Return how far a follow-up is from its attempts: done once reached, given up after three that were not."""
    if any(reached):
        return FollowUp.REACHED
    if len(reached) >= MOST_CALLS:
        return FollowUp.GIVEN_UP
    return FollowUp.TRIED if reached else FollowUp.DUE


def _total(items: Sequence[int | None], *, count: int, highest: int) -> int | None:
    if len(items) != count:
        raise ValueError(f"There are {count} answers.")
    given = [item for item in items if item is not None]
    if any(not 0 <= item <= highest for item in given):
        raise ValueError(f"Enter a value from 0 to {highest}")
    return sum(given) if len(given) == count else None
