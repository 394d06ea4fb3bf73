"""The questionnaires in words, those that are shipped and the clinic's own, and scores as a page shows them.

PHQ-9 and GAD-7 may be shipped: their owner released them in 2010 without copyright restriction or charge. PEG was
published open (domain reference 2.4). NRS and PGIC are single questions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from clinic.core.units import format_number
from clinic.outcomes.models import OutcomeForm, OutcomeResult, ResponderRule
from clinic.outcomes.rules import (
    PGIC_WORDS,
    PHQ9_ITEMS,
    Better,
    Instrument,
    Occasion,
    Scoring,
    change_pct,
    form_score,
    pgic_words,
    phq9_flags_item_nine,
    score,
)

_OFTEN: Final = ("Not at all", "Several days", "More than half the days", "Nearly every day")


@dataclass(frozen=True)
class Questionnaire:
    """A measure: its name, how it is asked, its questions, and the words of its answers.

    `measure` is an instrument that is shipped, or a version of a form of the clinic's.
    """

    measure: Instrument | OutcomeForm
    name: str
    lead: str
    questions: tuple[str, ...]
    answers: tuple[tuple[int, str], ...]
    ends: str = ""

    @property
    def key(self) -> str:
        """What addresses and sheets call it; the same for every version of a form."""
        return self.measure.lower() if isinstance(self.measure, Instrument) else str(self.measure.series_id)

    @property
    def version(self) -> int:
        """Which version of a form it is; of an instrument that is shipped there is one."""
        return 1 if isinstance(self.measure, Instrument) else self.measure.number

    @property
    def is_result_only(self) -> bool:
        """Whether it has no questions here: what it came to elsewhere is all that is kept."""
        return isinstance(self.measure, OutcomeForm) and self.measure.scoring is Scoring.RESULT

    @property
    def better(self) -> Better | None:
        """Which way its score goes when the patient is better; None where the clinic said nothing."""
        return Better.LOWER if isinstance(self.measure, Instrument) else self.measure.better

    @property
    def bounds(self) -> tuple[Decimal, Decimal] | None:
        """The lowest and the highest score there can be; None where a result has none."""
        if self.measure is Instrument.PGIC:
            return Decimal(min(PGIC_WORDS)), Decimal(max(PGIC_WORDS))
        if isinstance(self.measure, Instrument):
            return Decimal(0), Decimal(_OUT_OF[self.measure])
        if self.is_result_only:
            lowest, highest = self.measure.lowest, self.measure.highest
            return None if lowest is None or highest is None else (lowest, highest)
        values = [value for value, _ in self.answers]
        count = len(self.questions) if self.measure.scoring is Scoring.TOTAL else 1
        return Decimal(min(values) * count), Decimal(max(values) * count)

    def score(self, items: Sequence[int | None], value: Decimal | None = None) -> Decimal | int | None:
        """Return the score of these answers, or the result that was kept; None where an answer is missing."""
        if isinstance(self.measure, Instrument):
            return score(self.measure, items)
        return value if self.is_result_only else form_score(self.measure.scoring, items, self.measure.least_answers)

    def text(self, items: Sequence[int | None], value: Decimal | None = None, words: str | None = None) -> str:
        """Return a score as text: "7.7 of 10", "2, much improved", "not complete" where an answer is missing."""
        found = self.score(items, value)
        if words and self.is_result_only:
            return words if found is None else f"{format_number(found)}, {words}"
        if found is None:
            return "not complete"
        if self.measure is Instrument.PGIC:
            return f"{found}, {pgic_words(int(found))}"
        return f"{format_number(found)} of {format_number(self.bounds[1])}" if self.bounds else format_number(found)


_ZERO_TO_TEN: Final = tuple((value, str(value)) for value in range(11))
_FOUR: Final = tuple(enumerate(_OFTEN))

QUESTIONNAIRES: Final[dict[Instrument, Questionnaire]] = {
    instrument: Questionnaire(instrument, *words)
    for instrument, *words in (
        (
            Instrument.NRS,
            "Pain, 0 to 10",
            "Pain now, in a number.",
            ("Pain",),
            _ZERO_TO_TEN,
            "0 no pain, 10 the worst pain imaginable",
        ),
        (
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
        (
            Instrument.PGIC,
            "Global impression of change",
            "Compared with before the course, in the patient's own judgement.",
            ("Change",),
            tuple((value, words[:1].upper() + words[1:]) for value, words in PGIC_WORDS.items()),
        ),
        (
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
        (
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


def own(form: OutcomeForm) -> Questionnaire:
    """Return a form of the clinic's as a questionnaire."""
    answers = tuple((value, words) for value, words in form.answers)
    return Questionnaire(form, form.name, form.lead or "", tuple(form.questions), answers)


def asked_in(result: OutcomeResult) -> Questionnaire:
    """Return what a result answers, in the version that was asked."""
    if result.instrument is not None:
        return QUESTIONNAIRES[result.instrument]
    assert result.form is not None  # noqa: S101 the database keeps one of the two
    return own(result.form)


def result_text(result: OutcomeResult) -> str:
    """Return what a result came to as text."""
    return asked_in(result).text(result.items, result.value, result.text)


def result_score(result: OutcomeResult) -> Decimal | int | None:
    """Return what a result came to as a number, None where it came to none."""
    return asked_in(result).score(result.items, result.value)


def asks_for_a_physician(result: OutcomeResult) -> bool:
    """Whether a result must be shown to a physician: the ninth answer of PHQ-9 is above zero."""
    return result.instrument is Instrument.PHQ9 and phq9_flags_item_nine(result.items)


def ninth_answer(result: OutcomeResult) -> str:
    """Return the ninth answer of PHQ-9 as it was chosen: "1, several days"."""
    value = result.items[PHQ9_ITEMS - 1]
    return f"{value}, {dict(_FOUR).get(value or 0, '').lower()}"


@dataclass(frozen=True)
class ScoreLine:
    """An instrument over a course: the score before it, the latest, and the change in per cent. Facts, no judgement."""

    name: str
    baseline: str
    latest: str
    change: str
    is_flagged: bool


def by_measure(results: Sequence[OutcomeResult]) -> list[tuple[Questionnaire, list[OutcomeResult]]]:
    """Return the results of each measure, the shipped ones first; a form of the clinic's in its newest version."""
    found: dict[str, tuple[Questionnaire, list[OutcomeResult]]] = {}
    for result in results:
        asked = asked_in(result)
        rows = found[asked.key][1] if asked.key in found else []
        found[asked.key] = (asked, [*rows, result])
    places = [asked.key for asked in QUESTIONNAIRES.values()]
    return sorted(found.values(), key=lambda pair: places.index(pair[0].key) if pair[0].key in places else len(places))


def score_lines(results: Sequence[OutcomeResult]) -> list[ScoreLine]:
    """Return one line for each measure that was answered; `results` in the order of time."""
    lines = []
    for asked, rows in by_measure(results):
        before = next((result for result in rows if result.occasion is Occasion.BASELINE), None)
        last = rows[-1]
        lines.append(
            ScoreLine(
                asked.name,
                result_text(before) if before else "not recorded",
                "" if last is before else result_text(last),
                "" if last is before or before is None else change_text(asked, before, last),
                any(asks_for_a_physician(result) for result in rows),
            )
        )
    return lines


def change_text(asked: Questionnaire, before: OutcomeResult, last: OutcomeResult) -> str:
    """Return the change between two results, in points and in per cent: "−3 (−42.9%)"."""
    start, end = result_score(before), result_score(last)
    if asked.measure is Instrument.PGIC or start is None or end is None:
        return ""
    points = signed(Decimal(end) - Decimal(start))
    pct = change_pct(start, end)
    return points if pct is None else f"{points} ({signed(pct)}%)"


def signed(number: Decimal) -> str:
    """Return a difference with its sign; 0 has none."""
    sign = "−" if number < 0 else "+" if number > 0 else ""
    return f"{sign}{format_number(abs(number))}"


def response_words(rule: ResponderRule, measures: Iterable[Questionnaire]) -> str:
    """Return what the clinic calls a response as a sentence; of a definition that ended another, that it did."""
    if rule.measure is None:
        return "No definition"
    asked = next((found for found in measures if found.key == rule.measure), None)
    name, better = (asked.name, asked.better) if asked else ("a measure that is asked no more", None)
    parts = []
    if rule.least_percent is not None:
        parts.append(f"better by at least {rule.least_percent}% than before the course")
    if rule.reaches is not None:
        side = "or higher" if better is Better.HIGHER else "or lower"
        parts.append(f"at {format_number(rule.reaches)} {side}")
    within = f", answered within {rule.within_days} days of the last session" if rule.within_days else ""
    return f"{name} {' and '.join(parts)}{within}"
