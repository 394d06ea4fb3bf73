"""What is typed about a record that leaves."""

from typing import Final

from wtforms import PasswordField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from clinic.core.choices import options
from clinic.core.forms import Form, WholeField
from clinic.keeping.retention_rules import PeriodUnit, RetentionClass
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


CLASS_WORDS: Final = {
    RetentionClass.RECORD: "patient's record",
    RetentionClass.TRAIL: "audit trail",
    RetentionClass.REGISTER: "drug register",
    RetentionClass.MESSAGES: "words of sent mails",
    RetentionClass.SIGN_INS: "ended sign-ins",
    RetentionClass.LINKS: "used or expired links",
    RetentionClass.KEYS: "proofs of answered saves",
}
UNIT_WORDS: Final = {PeriodUnit.DAYS: "days", PeriodUnit.YEARS: "years"}
_LONGEST: Final = 40_000


def _reason() -> TextAreaField:
    return TextAreaField("Why", [InputRequired("Say why"), Length(max=1000)], filters=[_stripped])


class PeriodForm(Form):
    """How long one class is kept."""

    kind = RadioField("What", [InputRequired("Choose what")], choices=options(CLASS_WORDS))
    number = WholeField("Kept for", minimum=1, maximum=_LONGEST)
    unit = RadioField("Counted in", [Optional()], choices=options(UNIT_WORDS))
    reason = _reason()


class HoldForm(Form):
    """Why a record is held, or not any more."""

    reason = _reason()
