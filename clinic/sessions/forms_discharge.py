"""Forms of the way out: the score, the checks, how the patient left; and the drug account."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from wtforms import BooleanField, HiddenField, SelectField, StringField
from wtforms.validators import Length

from clinic.accounts.models import Staff
from clinic.core.choices import left_open
from clinic.core.forms import Form, NumberField
from clinic.druglog.models import Container
from clinic.sessions.event_rules import DischargeExit
from clinic.sessions.forms_acts import LONG, SHORT, TimedForm, one_of, options, text

_YES_NO: Final = (("yes", "Yes"), ("no", "No"))
EXITS: Final = {
    DischargeExit.HOME_WITH_ESCORT: "Home with escort",
    DischargeExit.HOME_ALONE: "Home alone",
    DischargeExit.TRANSFER: "Transfer to hospital",
    DischargeExit.ADMITTED: "Admitted",
    DischargeExit.AGAINST_ADVICE: "Against advice",
}


class DischargeForm(TimedForm):
    """The score items arrive as `item_1` to `item_5`; nothing is answered before."""

    item_1 = HiddenField()
    item_2 = HiddenField()
    item_3 = HiddenField()
    item_4 = HiddenField()
    item_5 = HiddenField()
    line_removed = one_of("Line removed, site clean", _YES_NO)
    sheet_given = one_of("Sheet for home given", _YES_NO)
    no_driving = one_of("Knows: no driving today", _YES_NO)
    escort_here = one_of("Escort here", _YES_NO)
    exit = one_of("How the patient leaves", [(way.value, words) for way, words in EXITS.items()])
    escort_name = text("Escort", SHORT)
    escort_phone = text("Escort's phone", SHORT)
    instructions = text("Which sheet, which version", SHORT)
    language = text("Language of the sheet", SHORT)
    destination = text("Where to", SHORT)
    reason = text("Why", LONG)
    override_by_id = SelectField("Physician who overrides the score", [left_open()])
    password = StringField("Physician's own password", [Length(max=200)])
    override_reason = text("Why the score may be lower", LONG)

    def offer(self, people: Sequence[Staff]) -> None:
        """Offer the physicians; nobody is chosen."""
        self.override_by_id.choices = options([("", "nobody"), *((str(one.id), one.name) for one in people)])

    @property
    def items(self) -> list[int | None]:
        """The five items of the score in order, None where nothing was chosen."""
        fields = (self.item_1, self.item_2, self.item_3, self.item_4, self.item_5)
        return [int(field.data) if field.data in {"0", "1", "2"} else None for field in fields]


class DrugForm(Form):
    """One line of the session's drug account, in mg."""

    act = StringField("Act", [Length(max=20)])
    container_id = SelectField("Vial or bag", [left_open()])
    drug_name = SelectField("Drug", [left_open()])
    quantity_mg = NumberField("Amount", places=4, minimum=Decimal("0.0001"), maximum=Decimal(100000), unit="mg")
    pieces = NumberField(
        "Or tablets, patches and the like", places=2, minimum=Decimal("0.01"), maximum=10_000, unit="pieces"
    )
    reason = text("What it was, where it went", LONG)
    is_more = BooleanField("Measured again: there is more than should be left")
    own_password = StringField("Your own password", [Length(max=200)])
    witness_id = SelectField("Witness", [left_open()])
    password = StringField("Witness's own password", [Length(max=200)])

    def offer(self, containers: Sequence[tuple[Container, str]], drugs: Sequence[str], people: Sequence[Staff]) -> None:
        """Offer what is in stock, the drugs of the account and the people who may witness; nothing is chosen."""
        self.container_id.choices = options([("", "choose"), *((str(one.id), words) for one, words in containers)])
        self.drug_name.choices = options([("", "choose"), *((name, name) for name in drugs)])
        self.witness_id.choices = options([("", "choose"), *((str(one.id), one.name) for one in people)])
