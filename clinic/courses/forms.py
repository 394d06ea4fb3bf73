"""What is typed about courses and their orders."""

from decimal import Decimal
from typing import Any, Final

from wtforms import BooleanField, HiddenField, PasswordField, RadioField, SelectField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from clinic.core.choices import options
from clinic.core.errors import RuleBroken
from clinic.core.forms import MAXIMUM_TEXT, Form, NumberField
from clinic.core.moments import DayField, MomentForm
from clinic.orders.rules import DosingWeight
from clinic.orders.wording import MODE_WORDS
from clinic.protocols.rules import CourseIntent
from clinic.protocols.terms_form import TermsForm
from clinic.protocols.terms_rows import text_field

INTENT_WORDS: Final = {
    CourseIntent.TRIAL: "trial",
    CourseIntent.SERIES: "series",
    CourseIntent.BOOSTER: "booster",
    CourseIntent.MAINTENANCE: "maintenance",
}


def _line(label: str, *, most: int = 200, needed: str | None = None) -> Any:
    return text_field(label, most=most, needed=needed)


def _text(label: str, *, needed: str) -> Any:
    return TextAreaField(
        label, [InputRequired(needed), Length(max=MAXIMUM_TEXT, message=f"At most {MAXIMUM_TEXT} letters")]
    )


def excess_reason_field() -> Any:
    """Why an order is signed although it stands outside a soft limit; asked for only then."""
    return _line("Why it is signed all the same", most=1000)


class OrderForm(TermsForm):
    """A version of an order. The password is asked for only when it is signed."""

    valid_from = DayField("Valid from")
    valid_until = DayField("Valid until")
    weight_id: Any = HiddenField()
    dosing_weight_kg = NumberField("Weight to dose on", places=2, minimum=Decimal("0.01"), maximum=999, unit="kg")
    dosing_weight_basis = _line("Basis of that weight", most=200)
    dosing_weight_on = DayField("Day of that weight")
    excess_reason = excess_reason_field()
    password: Any = PasswordField("Sign with your password", [Optional()])

    def typed_dosing(self) -> DosingWeight | None:
        """The weight to dose on as far as it is typed whole."""
        kg, basis, on = self.dosing_weight_kg.data, self.dosing_weight_basis.data, self.dosing_weight_on.data
        return DosingWeight(Decimal(kg), basis.strip(), on) if kg and (basis or "").strip() and on else None

    def dosing(self) -> DosingWeight | None:
        """The weight to dose on. Raises RuleBroken where it is typed in part."""
        typed = self.typed_dosing()
        fields = (self.dosing_weight_kg, self.dosing_weight_basis, self.dosing_weight_on)
        if typed is None and any(field.data for field in fields):
            raise RuleBroken(
                "Enter the kilograms, how they were had and their day, or none of the three.", field="dosing_weight_kg"
            )
        return typed


class NextOrderForm(OrderForm):
    before_id: Any = HiddenField()
    change_reason = _line("Why the order changes", most=1000, needed="Say why the order changes")


class CourseForm(OrderForm):
    indication = _line("For", needed="Enter what the course is for")
    goal = _line("Goal, in the patient's words", most=1000)
    intent: Any = SelectField(
        "Kind", [InputRequired("Choose the kind of course")], choices=options(INTENT_WORDS, blank=True), default=""
    )


class SignForm(Form):
    excess_reason = excess_reason_field()
    password: Any = PasswordField("Sign with your password", [InputRequired("Enter your password")])


class CosignForm(Form):
    password: Any = PasswordField("Co-sign with your password", [InputRequired("Enter your password")])


class ReasonForm(Form):
    reason = _line("Reason", most=1000, needed="Say why")


class ReturnForm(Form):
    """Why a draft goes back to its author."""

    # The page also asks why a draft is dropped.
    return_reason = _line("What is to be changed", most=1000, needed="Say what is to be changed")


class VerbalOrderForm(MomentForm):
    spoken_by_id: Any = SelectField("Spoken by", [InputRequired("Choose who spoke it")], default="")
    spoken_mode: Any = RadioField(
        "How it was spoken", [InputRequired("Choose how it was spoken")], choices=options(MODE_WORDS)
    )
    text = _text("What was said", needed="Write down what was said")
    is_read_back: Any = BooleanField("Read back to the speaker")
