"""What patients answered, and the call after a session, as people type it. No answer is given beforehand."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final, TypedDict

from wtforms import RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from clinic.core.choices import left_open, options
from clinic.core.errors import RuleBroken
from clinic.core.forms import MAXIMUM_TEXT, Form, NumberField, WholeField
from clinic.core.moments import DayField, MomentForm
from clinic.outcomes.models import OutcomeForm
from clinic.outcomes.rules import PGIC_WORDS, Better, Occasion, Scoring, Wording
from clinic.outcomes.wording import OCCASION_WORDS, Questionnaire
from clinic.sessions.models import InfusionSession

MOST_SCORE: Final = 9999
TOO_LONG = f"Use at most {MAXIMUM_TEXT} characters"


class Result(TypedDict, total=False):
    """What a measure came to elsewhere: a number, and words."""

    value: Decimal | None
    text: str | None


class _Answers(Form):
    """What one measure asks for; made for each by `_asking`."""

    asked: Questionnaire

    @property
    def questions(self) -> list[Any]:
        """The fields of the answers, in the order of the measure."""
        return [field for field in self if field.short_name.startswith("item_")]

    def items(self) -> list[int | None]:
        """The answers in the order of the measure; None where there is none."""
        return [int(field.data) if field.data else None for field in self.questions]

    def result(self) -> Result:
        """What the measure came to elsewhere, of one whose result alone is kept."""
        if not self.asked.is_result_only:
            return {}
        return {"value": exact(self["value"]), "text": self["text"].data}


class AnswersForm(_Answers, MomentForm):
    """The answers to one measure, and when they were given; made for each by `answers_form`."""

    occasion = RadioField(
        "When", choices=options(OCCASION_WORDS), validators=[InputRequired("Choose when this was answered")]
    )
    infusion_id = SelectField("Session it is about", choices=[], default="")

    def offer(self, sessions: Iterable[InfusionSession]) -> None:
        """Offer the sessions of the course; none is chosen."""
        words = {str(infusion.id): f"Session {infusion.number}" for infusion in sessions}
        self.infusion_id.choices = options(words, blank=True)

    def chosen_occasion(self) -> Occasion:
        """When it was answered."""
        return Occasion(self.occasion.data)


class _Answer(RadioField):
    """One question; it may stay open, and only what was offered is an answer."""

    def pre_validate(self, form: Any) -> None:
        if self.data:
            super().pre_validate(form)


def _fields(asked: Questionnaire) -> dict[str, Any]:
    """The fields of a measure: one for each question, or its result."""
    if asked.is_result_only:
        return {
            "value": NumberField("Result", places=2, minimum=-MOST_SCORE, maximum=MOST_SCORE),
            "text": TextAreaField(
                "In words, and what was done", validators=[Length(max=MAXIMUM_TEXT, message=TOO_LONG)]
            ),
        }
    words = {str(value): text for value, text in asked.answers}
    return {
        f"item_{number}": _Answer(question, choices=options(words))
        for number, question in enumerate(asked.questions, start=1)
    }


def answers_form(asked: Questionnaire) -> type[AnswersForm]:
    """The form for one measure."""
    return type("MeasureForm", (AnswersForm,), {"asked": asked, **_fields(asked)})


class CorrectionForm(_Answers):
    """The answers again, and why; made for each measure by `correction_form`."""

    reason = StringField("Why it changes", validators=[Length(max=200, message="Use at most 200 characters")])


def correction_form(asked: Questionnaire) -> type[CorrectionForm]:
    """The form that corrects answers to one measure."""
    return type("MeasureCorrection", (CorrectionForm,), {"asked": asked, **_fields(asked)})


class PatientForm(_Answers):
    """The answers to one measure as the patient gives them on the tablet; made for each by `patient_form`."""

    OPEN = "open"

    def open_count(self) -> int:
        """How many questions have no answer."""
        return sum(item is None for item in self.items())

    def ask_for_open(self) -> None:
        """Say at each open question that it is open."""
        for field in self.questions:
            if not field.data:
                field.errors = [*field.errors, "Not answered yet"]


def patient_form(asked: Questionnaire) -> type[PatientForm]:
    """The form that asks a patient one measure."""
    return type("PatientMeasureForm", (PatientForm,), {"asked": asked, **_fields(asked)})


class SheetForm(Form):
    """What the patient is to answer on the tablet."""

    measures = SelectMultipleField(
        "What the patient answers",
        validators=[InputRequired("Choose at least one")],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    occasion = RadioField("When", choices=options(OCCASION_WORDS), validators=[InputRequired("Choose when it is")])
    infusion_id = SelectField("Session it is about", choices=[], default="")
    offer = AnswersForm.offer
    chosen_occasion = AnswersForm.chosen_occasion

    def ask(self, measures: Iterable[Questionnaire]) -> None:
        """Offer what a patient can answer: not a measure of which the result alone is kept."""
        words = {asked.key: asked.name for asked in measures if not asked.is_result_only}
        self.measures.choices = options(words)


_MOST_QUESTIONS: Final = 40
_LINE_OF_ANSWER: Final = re.compile(r"\s*(-?[0-9]{1,3})\s*[=:.)\s]\s*(\S.*?)\s*", re.ASCII)

SCORING_WORDS: Final = {
    Scoring.TOTAL: "Sum of the answers",
    Scoring.MEAN: "Mean of the answers",
    Scoring.RESULT: "No questions here: only the result is kept",
}
BETTER_WORDS: Final = {Better.LOWER: "A lower score", Better.HIGHER: "A higher score"}


def whole(field: WholeField) -> int | None:
    """The whole number that was typed."""
    return None if field.data is None else int(field.data)


def exact(field: NumberField) -> Decimal | None:
    """The number that was typed."""
    return None if field.data is None else Decimal(field.data)


def _lines(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


class MeasureForm(Form):
    """A short form of the clinic's own, or a measure of which the result alone is kept."""

    name = StringField("Name", [InputRequired("Enter the name"), Length(max=80, message="Use at most 80 characters")])
    scoring = RadioField("Score", [InputRequired("Choose how it is scored")], choices=options(SCORING_WORDS))
    lead = StringField("Said before the questions", [Length(max=400, message="Use at most 400 characters")])
    questions = TextAreaField("Questions, one in each line", [Length(max=MAXIMUM_TEXT, message=TOO_LONG)])
    answers = TextAreaField("Answers, one in each line", [Length(max=MAXIMUM_TEXT, message=TOO_LONG)])
    least_answers = WholeField("Answers needed for a mean", minimum=1, maximum=_MOST_QUESTIONS)
    lowest = NumberField("Lowest result", places=2, minimum=-MOST_SCORE, maximum=MOST_SCORE)
    highest = NumberField("Highest result", places=2, minimum=-MOST_SCORE, maximum=MOST_SCORE)
    better = RadioField("The patient is better with", [left_open()], choices=options(BETTER_WORDS))

    def wording(self) -> Wording:
        """The form as it was typed. Raises RuleBroken where a line of the answers has no number."""
        return Wording(
            name=self.name.data or "",
            scoring=Scoring(self.scoring.data),
            lead=(self.lead.data or "").strip() or None,
            questions=self._questions(),
            answers=[self._answer(line) for line in _lines(self.answers.data)],
            least_answers=whole(self.least_answers),
            lowest=exact(self.lowest),
            highest=exact(self.highest),
            better=Better(self.better.data) if self.better.data else None,
        )

    def _questions(self) -> list[str]:
        found = _lines(self.questions.data)
        if len(found) > _MOST_QUESTIONS:
            raise RuleBroken(f"Use at most {_MOST_QUESTIONS} questions.", field="questions")
        return found

    def _answer(self, line: str) -> tuple[int, str]:
        found = _LINE_OF_ANSWER.fullmatch(line)
        if found is None:
            raise RuleBroken(
                f"Begin each line with its number, as in: 0 = not at all. Not read: {line}", field="answers"
            )
        return int(found[1]), found[2]

    @classmethod
    def of(cls, form: OutcomeForm) -> "MeasureForm":
        """The form drawn from the version in force, to be changed."""
        values = {name: getattr(form, name) for name in ("name", "lead", "least_answers", "lowest", "highest")}
        return cls(
            formdata=None,
            data={
                **values,
                "scoring": str(form.scoring),
                "better": str(form.better) if form.better else None,
                "questions": "\n".join(form.questions),
                "answers": "\n".join(f"{value} = {words}" for value, words in form.answers),
            },
        )


class ResponseForm(Form):
    """What the clinic calls a response."""

    measure = SelectField("Measure", choices=[], default="")
    least_percent = WholeField("Change for the better, at least", minimum=1, maximum=100, unit="percent")
    reaches = NumberField("Score that is reached or bettered", places=2, minimum=-MOST_SCORE, maximum=MOST_SCORE)
    within_days = WholeField("Answered after the last session within", minimum=1, maximum=999, unit="days")
    reason = StringField(
        "Why, or by whom it was decided",
        [InputRequired("Say why"), Length(max=400, message="Use at most 400 characters")],
    )

    def ask(self, measures: Iterable[Questionnaire]) -> None:
        """Offer the measures that have a direction; none is chosen, and none ends the definition."""
        words = {asked.key: asked.name for asked in measures if asked.better is not None}
        self.measure.choices = options(words, blank=True)


class PeriodForm(Form):
    """Days from and until, both included; either may be left open."""

    class Meta:
        csrf = False  # it is only read

    since = DayField("From")
    until = DayField("Until")


class CallForm(MomentForm):
    """The call after a session: reached or not, what was said, and what the patient answered."""

    is_reached = RadioField(
        "Reached",
        choices=options({"yes": "Reached", "no": "Not reached"}),
        validators=[InputRequired("Choose whether the patient was reached")],
    )
    text = TextAreaField("What was said", validators=[Length(max=MAXIMUM_TEXT, message=TOO_LONG)])
    pain = SelectField(
        "Pain now, 0 to 10", choices=options({str(n): str(n) for n in range(11)}, blank=True), default=""
    )
    change = SelectField(
        "Change since the course began",
        choices=options({str(value): f"{value} {words}" for value, words in PGIC_WORDS.items()}, blank=True),
        default="",
    )
