"""What people type when they make a bag or syringe. No concentration and no time comes from us."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from wtforms import RadioField, SelectField
from wtforms.validators import InputRequired

from clinic.core.choices import options
from clinic.core.forms import NumberField
from clinic.core.moments import MomentForm
from clinic.druglog.forms import WitnessedForm, line
from clinic.druglog.settling_rules import PreparationKind

_LEAST = Decimal("0.0001")


class PreparationForm(WitnessedForm, MomentForm):
    """A bag or syringe; day and time are until when it may be used."""

    kind: Any = RadioField(
        "Made up in", [InputRequired("Choose one")], choices=options({one: one.value for one in PreparationKind})
    )
    drug_name: Any = SelectField("Drug", [InputRequired("Choose the drug")])
    amount_mg = NumberField("Drug in it", places=4, minimum=_LEAST, maximum=100_000, required=True, unit="mg")
    volume_ml = NumberField("Volume of all", places=4, minimum=_LEAST, maximum=10_000, required=True, unit="mL")
    diluent = line("Diluent", most=100)

    def offer_drugs(self, names: Iterable[str]) -> None:
        """Offer what was taken out; nothing is chosen."""
        self.drug_name.choices = options({name: name for name in names}, blank=True)
