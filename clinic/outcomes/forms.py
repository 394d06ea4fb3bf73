"""What patients answered, and the call after a session, as people type it. No answer is given beforehand."""

from collections.abc import Iterable
from typing import Any

from wtforms import RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from clinic.core.choices import options
from clinic.core.forms import MAXIMUM_TEXT, Form
from clinic.core.moments import MomentForm
from clinic.outcomes.rules import PGIC_WORDS, Instrument, Occasion
from clinic.outcomes.wording import OCCASION_WORDS, QUESTIONNAIRES
from clinic.sessions.models import InfusionSession

TOO_LONG = f"Use at most {MAXIMUM_TEXT} characters"


class AnswersForm(MomentForm):
    """The answers to one instrument; made for each by `answers_form`."""

    occasion = RadioField(
        "When", choices=options(OCCASION_WORDS), validators=[InputRequired("Choose when this was answered")]
    )
    infusion_id = SelectField("Session it is about", choices=[], default="")

    def offer(self, sessions: Iterable[InfusionSession]) -> None:
        """Offer the sessions of the course; none is chosen."""
        words = {str(infusion.id): f"Session {infusion.number}" for infusion in sessions}
        self.infusion_id.choices = options(words, blank=True)

    @property
    def questions(self) -> list[Any]:
        """The fields of the answers, in the order of the instrument."""
        return [field for field in self if field.short_name.startswith("item_")]

    def items(self) -> list[int | None]:
        """The answers in the order of the instrument; None where there is none."""
        return [int(field.data) if field.data else None for field in self.questions]

    def chosen_occasion(self) -> Occasion:
        """When it was answered."""
        return Occasion(self.occasion.data)


class _Answer(RadioField):
    """One question; it may stay open, and only what was offered is an answer."""

    def pre_validate(self, form: Any) -> None:
        if self.data:
            super().pre_validate(form)


def _questions(instrument: Instrument) -> dict[str, Any]:
    asked = QUESTIONNAIRES[instrument]
    words = {str(value): text for value, text in asked.answers}
    return {
        f"item_{number}": _Answer(question, choices=options(words))
        for number, question in enumerate(asked.questions, start=1)
    }


def answers_form(instrument: Instrument) -> type[AnswersForm]:
    """The form for one instrument."""
    return type("InstrumentForm", (AnswersForm,), _questions(instrument))


class CorrectionForm(Form):
    """The answers again, and why; made for each instrument by `correction_form`."""

    reason = StringField("Why it changes", validators=[Length(max=200, message="Use at most 200 characters")])
    questions = AnswersForm.questions
    items = AnswersForm.items


def correction_form(instrument: Instrument) -> type[CorrectionForm]:
    """The form that corrects answers to one instrument."""
    return type("InstrumentCorrection", (CorrectionForm,), _questions(instrument))


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
