"""What an administrator types of a licence or certificate."""

from collections.abc import Iterable
from typing import Any

from wtforms import HiddenField, SelectField, StringField
from wtforms.validators import Length

from clinic.accounts.models_credentials import StaffCredential
from clinic.core.choices import left_open, options
from clinic.core.forms import Form
from clinic.core.moments import DayField


def _line(label: str, most: int) -> Any:
    return StringField(label, [Length(max=most, message=f"Use at most {most} characters")])


class CredentialForm(Form):
    """A paper as it says, or one that takes the place of another."""

    act = HiddenField()
    kind = _line("What it is", 80)
    number = _line("Number", 80)
    issuer = _line("Given by", 120)
    until_on = DayField("Valid until")
    replaces: Any = SelectField("In the place of", [left_open()])
    reason = _line("Why", 200)

    def offer(self, standing: Iterable[StaffCredential]) -> None:
        """Offer what stands; a new one takes the place of none."""
        self.replaces.choices = options({"": "none: it is a new one", **{str(one.id): one.words for one in standing}})
