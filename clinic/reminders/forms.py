"""What is typed about mail to patients."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import time
from typing import Any, Final

from wtforms import BooleanField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from clinic.core.choices import options
from clinic.core.forms import ClockField, Form, WholeField
from clinic.reminders.rules import MOST_DAYS, TextKind

KIND_WORDS: Final = {
    TextKind.FASTING: "eating and drinking",
    TextKind.ESCORT: "escort",
    TextKind.PREPARATION: "preparation",
}


def _stripped(text: str | None) -> str | None:
    return (text or "").strip() or None


class AgreeForm(Form):
    address = StringField(
        "E-mail",
        [InputRequired("Enter the e-mail"), Length(max=254, message="At most 254 letters")],
        filters=[_stripped],
    )
    agrees = BooleanField(
        "The patient agrees to be written to there about appointments",
        [InputRequired("Ask the patient, and mark the answer")],
    )


class WithdrawForm(Form):
    reason = StringField(
        "Why", [InputRequired("Say why"), Length(max=400, message="At most 400 letters")], filters=[_stripped]
    )


class TimeForm(Form):
    days_before = WholeField("Days before", minimum=0, maximum=MOST_DAYS, required=True, unit="days")
    at_clock = ClockField("At", required=True)

    @property
    def values(self) -> tuple[int, time]:
        """The days and the time, once the form is valid."""
        return int(self.days_before.data or 0), self.at_clock.data or time()


class TextForm(Form):
    kind = SelectField("About", [InputRequired("Choose one")], choices=[], default="")
    scope = SelectField("For", [InputRequired("Choose one")], choices=[], default="")
    words = TextAreaField(
        "Text", [InputRequired("Write the text"), Length(max=2000, message="At most 2000 letters")], filters=[_stripped]
    )

    def offer(self, drugs: Iterable[str], protocols: Mapping[uuid.UUID, str]) -> None:
        """Offer what a text can be for; nothing is chosen."""
        self.kind.choices = options(KIND_WORDS, blank=True)
        words = {"all": "every appointment"} | {f"drug:{name}": f"every course with {name}" for name in drugs}
        words |= {f"protocol:{key}": f"the protocol {name}" for key, name in protocols.items()}
        self.scope.choices = options(words, blank=True)

    @property
    def target(self) -> dict[str, Any]:
        """For which drug or protocol the text is; for neither, it is for every appointment."""
        kind, _, what = str(self.scope.data).partition(":")
        return {
            "drug_name": what if kind == "drug" else None,
            "protocol_id": uuid.UUID(what) if kind == "protocol" else None,
        }
