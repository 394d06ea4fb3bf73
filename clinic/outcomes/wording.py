"""The questionnaires in words, and scores as a page shows them.

PHQ-9 and GAD-7 may be shipped: their owner released them in 2010 without copyright restriction or charge. PEG was
published open (domain reference 2.4). NRS and PGIC are single questions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from clinic.core.units import format_number
from clinic.outcomes.models import OutcomeResult
from clinic.outcomes.rules import (
    PGIC_WORDS,
    Instrument,
    Occasion,
    change_pct,
    pgic_words,
    phq9_flags_item_nine,
    score,
)

_OFTEN: Final = ("Not at all", "Several days", "More than half the days", "Nearly every day")


@dataclass(frozen=True)
class Questionnaire:
    """An instrument: its name, how it is asked, its questions, and the words of its answers."""

    instrument: Instrument
    name: str
    lead: str
    questions: tuple[str, ...]
    answers: tuple[tuple[int, str], ...]
    ends: str = ""


_ZERO_TO_TEN: Final = tuple((value, str(value)) for value in range(11))
_FOUR: Final = tuple(enumerate(_OFTEN))

QUESTIONNAIRES: Final = {
    found.instrument: found
    for found in (
        Questionnaire(
            Instrument.NRS,
            "Pain, 0 to 10",
            "Pain now, in a number.",
            ("Pain",),
            _ZERO_TO_TEN,
            "0 no pain, 10 the worst pain imaginable",
        ),
        Questionnaire(
            Instrument.PEG,
            "PEG",
            "Over the past week.",
            (
                "What number best describes your pain on average?",
                "What number best describes how pain has interfered with your enjoyment of life?",
                "What number best describes how pain has interfered with your general activity?",
            ),
            _ZERO_TO_TEN,
            "0 no pain or does not interfere, 10 as bad as can be imagined or completely interferes",
        ),
        Questionnaire(
            Instrument.PGIC,
            "Global impression of change",
            "Since the course began, how is the patient, in the patient's own judgement?",
            ("Change",),
            tuple((value, words[:1].upper() + words[1:]) for value, words in PGIC_WORDS.items()),
        ),
        Questionnaire(
            Instrument.PHQ9,
            "PHQ-9",
            "Over the last 2 weeks, how often have you been bothered by any of the following problems?",
            (
                "Little interest or pleasure in doing things",
                "Feeling down, depressed, or hopeless",
                "Trouble falling or staying asleep, or sleeping too much",
                "Feeling tired or having little energy",
                "Poor appetite or overeating",
                "Feeling bad about yourself, or that you are a failure or have let yourself or your family down",
                "Trouble concentrating on things, such as reading the newspaper or watching television",
                (
                    "Moving or speaking so slowly that other people could have noticed, or the opposite: being so "
                    "fidgety or restless that you have been moving around a lot more than usual"
                ),
                "Thoughts that you would be better off dead, or of hurting yourself in some way",
            ),
            _FOUR,
        ),
        Questionnaire(
            Instrument.GAD7,
            "GAD-7",
            "Over the last 2 weeks, how often have you been bothered by the following problems?",
            (
                "Feeling nervous, anxious, or on edge",
                "Not being able to stop or control worrying",
                "Worrying too much about different things",
                "Trouble relaxing",
                "Being so restless that it is hard to sit still",
                "Becoming easily annoyed or irritable",
                "Feeling afraid, as if something awful might happen",
            ),
            _FOUR,
        ),
    )
}

OCCASION_WORDS: Final = {
    Occasion.BASELINE: "Before the course",
    Occasion.BEFORE_SESSION: "Before a session",
    Occasion.AFTER_SESSION: "After a session",
    Occasion.DIARY: "Diary",
    Occasion.FOLLOW_UP: "Follow-up",
}

_OUT_OF: Final = {Instrument.NRS: 10, Instrument.PEG: 10, Instrument.PHQ9: 27, Instrument.GAD7: 21}


def score_text(instrument: Instrument, items: Sequence[int | None]) -> str:
    """Return a score as text: "7.7 of 10", "2, much improved", "not complete" where an answer is missing."""
    value = score(instrument, items)
    if value is None:
        return "not complete"
    if instrument is Instrument.PGIC:
        return f"{value}, {pgic_words(int(value))}"
    return f"{format_number(value)} of {_OUT_OF[instrument]}"


def asks_for_a_physician(result: OutcomeResult) -> bool:
    """Whether a result must be shown to a physician: the ninth answer of PHQ-9 is above zero."""
    return result.instrument is Instrument.PHQ9 and phq9_flags_item_nine(result.items)


@dataclass(frozen=True)
class ScoreLine:
    """An instrument over a course: the score before it, the latest, and the change in per cent. Facts, no judgement."""

    name: str
    baseline: str
    latest: str
    change: str
    is_flagged: bool


def score_lines(results: Sequence[OutcomeResult]) -> list[ScoreLine]:
    """Return one line for each instrument that was answered; `results` in the order of time."""
    lines = []
    for instrument, asked in QUESTIONNAIRES.items():
        own = [result for result in results if result.instrument is instrument]
        if not own:
            continue
        before = next((result for result in own if result.occasion is Occasion.BASELINE), None)
        last = own[-1]
        lines.append(
            ScoreLine(
                asked.name,
                score_text(instrument, before.items) if before else "not recorded",
                "" if last is before else score_text(instrument, last.items),
                "" if last is before or before is None else _change(instrument, before, last),
                any(asks_for_a_physician(result) for result in own),
            )
        )
    return lines


def _change(instrument: Instrument, before: OutcomeResult, last: OutcomeResult) -> str:
    if instrument is Instrument.PGIC:
        return ""
    pct = change_pct(_score(before), _score(last))
    if pct is None:
        return ""
    sign = "\N{MINUS SIGN}" if pct < 0 else "+" if pct > 0 else ""
    return f"{sign}{format_number(abs(pct))}%"


def _score(result: OutcomeResult) -> Decimal | int | None:
    return score(result.instrument, result.items)
