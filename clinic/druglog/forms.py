"""What people type at the cabinet. Nothing is answered in advance; nobody is chosen as witness."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from wtforms import BooleanField, HiddenField, PasswordField, RadioField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from clinic.accounts.models import Site, Staff
from clinic.core.choices import left_open, options
from clinic.core.forms import Form, NumberField, WholeField
from clinic.core.moments import DayField, MomentForm
from clinic.core.units import EXACT, BadNumber, parse_decimal, round_half_up
from clinic.druglog.models import Cabinet
from clinic.druglog.rules import FORMS, SOLID_FORMS
from clinic.druglog.settling_rules import Cause, CountPurpose, StepKind, TakenAt

_SHORT: Final = 200
_LONG: Final = 1000
_MOST_MG: Final = Decimal(100_000)
_LEAST: Final = Decimal("0.0001")
HOW: Final = {"denaturing kit": "Denaturing kit", "other": "Other"}


def line(label: str, *, needed: str = "", most: int = _SHORT) -> Any:
    """One line of text; `needed` are the words of the refusal when it is empty."""
    length = Length(max=most, message=f"Use at most {most} characters")
    return StringField(label, [InputRequired(needed), length] if needed else [length])


class WitnessedForm(Form):
    """An act before a second person, who chooses the own name. Both type their own passwords: both sign."""

    own_password: Any = PasswordField("Your own password", [Length(max=_SHORT)])
    witness_id: Any = RadioField("Who witnesses", [left_open()])
    password: Any = PasswordField("Witness's own password", [Length(max=_SHORT)])

    def offer(self, people: Iterable[Staff]) -> None:
        """Offer who may witness; nobody is chosen."""
        self.witness_id.choices = options({str(one.id): one.name for one in people})


class CabinetForm(Form):
    """A new cabinet."""

    name = line("Name", needed="Name the cabinet", most=60)
    site_id: Any = SelectField("Site", [left_open()])

    def offer(self, sites: Sequence[Site]) -> None:
        """Offer the sites; the only one needs no choice."""
        self.site_id.choices = options({str(site.id): site.name for site in sites}, blank=len(sites) > 1)


class ReceiveForm(Form):
    """A delivery of full containers of one lot, as label and invoice say."""

    cabinet_id: Any = SelectField("Cabinet", [InputRequired("Choose the cabinet")])
    drug_name: Any = SelectField("Drug", [InputRequired("Choose the drug")])
    form: Any = RadioField("Form", [InputRequired("Choose the form")], choices=options({one: one for one in FORMS}))
    strength_mg_ml = NumberField("Strength", places=4, minimum=_LEAST, maximum=10_000, unit="mg per mL")
    size_ml = NumberField("Size", places=4, minimum=_LEAST, maximum=10_000, unit="mL")
    piece_mg = NumberField("In each piece", places=4, minimum=_LEAST, maximum=10_000, unit="mg")
    piece_count = WholeField("Pieces in each container", minimum=1, maximum=10_000)
    pieces = WholeField("How many containers", minimum=1, maximum=500, required=True)
    lot = line("Lot", needed="Enter the lot", most=60)
    expires_on = DayField("Expires on", required=True)
    product_code = line("Product code", most=60)
    supplier = line("Supplier", needed="Name the supplier")
    supplier_address = line("Supplier's address")
    supplier_number = line("Supplier's registration number", most=60)
    invoice = line("Invoice", needed="Enter the number of the invoice", most=60)

    def offer(self, cabinets: Sequence[Cabinet], drugs: Iterable[str]) -> None:
        """Offer cabinets and drugs; nothing is chosen."""
        self.cabinet_id.choices = options({str(one.id): one.name for one in cabinets}, blank=True)
        self.drug_name.choices = options({name: name for name in drugs}, blank=True)

    def measures(self) -> dict[str, Any]:
        """What the label says of the chosen form: mg per mL and mL, or mg in each piece and pieces."""
        names = ("piece_mg", "piece_count") if self.form.data in SOLID_FORMS else ("strength_mg_ml", "size_ml")
        return {name: self[name].data for name in names}

    def validate(self, extra_validators: Any = None) -> bool:
        """Whether everything that the chosen form asks for was entered."""
        is_whole: bool = super().validate(extra_validators)
        if not self.form.data or self.form.errors:
            return is_whole
        left_out = [self[name] for name, value in self.measures().items() if value is None and not self[name].errors]
        for field in left_out:
            field.errors = ["Enter it as the label says"]
        return is_whole and not left_out


class MeasureForm(Form):
    """What is left of a session's drug, measured, and how it is made unusable. It only asks: no post.

    Where one bag or syringe was made, what is left in it is measured in mL; the label's concentration makes it mg.
    """

    volume = NumberField("Measured in it", places=4, minimum=_LEAST, maximum=10_000, unit="mL")
    measured = NumberField("Measured", places=4, minimum=_LEAST, maximum=_MOST_MG, unit="mg")
    how: Any = RadioField("How", [InputRequired("Say how")], choices=options(HOW))

    class Meta:
        """A question in the address carries no token."""

        csrf = False

    concentration_mg_ml: Decimal | None = None

    @property
    def amount_mg(self) -> Decimal | None:
        """What was measured of all, in mg."""
        in_bag = None
        if self.volume.data is not None and self.concentration_mg_ml is not None:
            in_bag = round_half_up(EXACT.multiply(Decimal(self.volume.data), self.concentration_mg_ml), 4)
        if in_bag is None or self.measured.data is None:
            return in_bag if self.measured.data is None else Decimal(self.measured.data)
        return EXACT.add(in_bag, Decimal(self.measured.data))

    def validate(self, extra_validators: Any = None) -> bool:
        """Whether something was measured, and how it is made unusable was said."""
        is_whole: bool = super().validate(extra_validators)
        if is_whole and self.amount_mg is None:
            asked = self.volume if self.concentration_mg_ml else self.measured
            asked.errors = [*asked.errors, "Enter what you measured"]
            return False
        return is_whole


class WasteForm(WitnessedForm):
    """The witness of a waste that was measured before."""

    volume = HiddenField()
    measured = HiddenField()
    how = HiddenField()
    is_more = BooleanField("Measured again: there is more than should be left")


class CountForm(WitnessedForm):
    """What is there: whole containers, and what opened ones hold. The register's figure is not shown before."""

    pieces = WholeField("Whole ones", minimum=0, maximum=100_000)
    rest_mg = NumberField("In opened ones", places=4, minimum=0, maximum=_MOST_MG, unit="mg")


class StrikeForm(WitnessedForm):
    """Why a line is wrong."""

    reason = line("Why it is wrong", needed="Say why", most=_LONG)


class DifferenceForm(Form):
    """Drug that is not where it should be."""

    amount_mg = NumberField("Amount", places=4, minimum=_LEAST, maximum=_MOST_MG, required=True, unit="mg")
    way: Any = RadioField(
        "It is", [InputRequired("Choose one")], choices=options({"missing": "missing", "over": "too much"})
    )
    text = line("What you found", needed="Say what you found", most=_LONG)


class ContainerForm(WitnessedForm):
    """What may happen to one container in its cabinet."""

    act = HiddenField()
    seen_mg = HiddenField()
    cabinet_id: Any = SelectField("To which cabinet", [left_open()])
    amount_mg = NumberField("Change by", places=4, minimum=-_MOST_MG, maximum=_MOST_MG, unit="mg")
    reason = line("Why", most=_LONG)

    @property
    def seen(self) -> Decimal | None:
        """What the container held when the page was drawn."""
        try:
            return parse_decimal(self.seen_mg.data or "", places=4, minimum=0, maximum=_MOST_MG)
        except BadNumber:
            return None

    def offer_cabinets(self, cabinets: Iterable[Cabinet]) -> None:
        """Offer the other cabinets."""
        self.cabinet_id.choices = options({str(one.id): one.name for one in cabinets}, blank=True)


class OpenForm(MomentForm):
    """Until when an opened vial may be used: day and time as the clinic's own rule says. Nothing comes from us."""


class TimeForm(WitnessedForm, MomentForm):
    """The beyond-use time as it should have been entered, and why it was not."""

    reason = line("Why it is wrong", needed="Say why", most=_LONG)


class StepForm(WitnessedForm):
    """What was done about a discrepancy; the second person only where it is closed."""

    kind: Any = RadioField(
        "What is done", [InputRequired("Choose one")], choices=options({kind: kind.value for kind in StepKind})
    )
    cause: Any = SelectField("Cause", [left_open()], choices=options({one: one.value for one in Cause}, blank=True))
    note = line("What was found", needed="Say what was found", most=_LONG)

    def offer_steps(self, kinds: Iterable[StepKind]) -> None:
        """Offer the steps that its state allows."""
        self.kind.choices = options({kind: kind.value for kind in kinds})


class SheetForm(WitnessedForm):
    """What a whole cabinet is counted for; what was counted stands in fields of their own, page by page."""

    purpose: Any = RadioField(
        "What for",
        [InputRequired("Say what the count is for")],
        choices=options({one: one.value for one in CountPurpose}),
    )
    taken: Any = RadioField(
        "Taken at (inventories)",
        [left_open()],
        choices=options({TakenAt.OPENING: "the opening of business", TakenAt.CLOSE: "the close of business"}),
    )


class RecallForm(Form):
    """A lot to use no more."""

    drug_name: Any = SelectField("Drug", [InputRequired("Choose the drug")])
    lot = line("Lot", needed="Enter the lot", most=60)
    reason = line("Who recalled it, and why", needed="Say why", most=_LONG)

    def offer(self, drugs: Iterable[str]) -> None:
        """Offer the drugs; none is chosen."""
        self.drug_name.choices = options({name: name for name in drugs}, blank=True)


class ReasonForm(Form):
    """Why."""

    reason = line("Why", needed="Say why", most=_LONG)
