"""What is typed about a record that leaves."""

from typing import Final

from wtforms import PasswordField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from clinic.core.choices import options
from clinic.core.forms import Form
from clinic.keeping.rules import Recipient

RECIPIENT_WORDS: Final = {
    Recipient.PATIENT: "the patient",
    Recipient.CHOSEN: "somebody the patient named",
    Recipient.CARE: "another place of care",
    Recipient.AUTHORITY: "an authority or a court",
    Recipient.CLINIC: "the clinic itself",
}


def _stripped(value: str | None) -> str | None:
    return value.strip() or None if value else None


class ExportForm(Form):
    """For whom, why, and the own password."""

    recipient = RadioField("For", [InputRequired("Choose for whom")], choices=options(RECIPIENT_WORDS))
    to_whom = StringField("Name", [InputRequired("Say to whom it goes"), Length(max=200)], filters=[_stripped])
    reason = TextAreaField("Why", [InputRequired("Say why it leaves"), Length(max=1000)], filters=[_stripped])
    password = PasswordField("Your password", [InputRequired("Enter your password")])
