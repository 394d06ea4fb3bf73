"""What is typed about the formulary and the protocols."""

from typing import Any

from wtforms import BooleanField, PasswordField
from wtforms.validators import InputRequired

from clinic.core.forms import Form, NumberField
from clinic.protocols.terms_form import TermsForm
from clinic.protocols.terms_rows import text_field


def _line(label: str, *, most: int = 200, needed: str | None = None) -> Any:
    return text_field(label, most=most, needed=needed)


class VersionForm(TermsForm):
    """The next version of a protocol."""


class ProtocolForm(TermsForm):
    name = _line("Name of the protocol", needed="Enter a name")


class DrugForm(Form):
    name = _line("Name", needed="Enter the name")
    product = _line("Product")
    strength_mg_ml = NumberField("Strength", places=4, minimum=0, maximum=999_999, unit="mg per mL")
    form = _line("Form")
    rxcui = _line("RxNorm code", most=20)
    is_controlled = BooleanField("Controlled drug: kept in the drug log")
    schedule = _line("Schedule", most=20)


class ApproveForm(Form):
    password: Any = PasswordField("Sign with your password", [InputRequired("Enter your password")])
