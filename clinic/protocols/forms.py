"""What is typed about the formulary and the protocols."""

from collections.abc import Mapping
from typing import Any, Final

from wtforms import BooleanField, HiddenField, PasswordField, SelectField
from wtforms.validators import InputRequired

from clinic.accounts.rules import Approver
from clinic.core.choices import left_open, options
from clinic.core.findings import FindingLevel
from clinic.core.forms import Form, NumberField, WholeField
from clinic.core.permissions import Role
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


_BOLUS: Final = {"": "not decided", "nurse": "nurses and physicians", "physician": "physicians alone"}
_STEP: Final = {"": "not decided: it asks for a reason", "soft": "asks for a reason", "hard": "is refused"}
_APPROVER: Final = {
    "": "not decided: another, if there is one",
    "any": "any physician",
    "another": "another than its author",
}


_EVERY: Final = {"": "not decided: raises alone", "yes": "every change, lower ones too", "no": "raises alone"}
_HANDED: Final = {
    "": "not decided: no rate is asked",
    "yes": "both type the rate, each alone",
    "no": "no rate is asked",
}
_WITNESSED: Final = {"": "not decided: without a witness", "yes": "before a witness", "no": "without a witness"}

_YES_OR_NO: Final = {
    "is_withdrawal_witnessed": _WITNESSED,
    "is_every_rate_checked": _EVERY,
    "is_hand_over_checked": _HANDED,
}


def _as_word(value: object) -> str:
    """A yes or no of the clinic as the choice that stands for it."""
    return {"True": "yes", "False": "no", "None": ""}.get(str(value), str(value))


class LimitsForm(Form):
    """What the clinic decides for itself about the work at the pump and about its protocols."""

    bolus_role: Any = SelectField("Who gives a bolus", [left_open()], choices=options(_BOLUS))
    step_level: Any = SelectField("A step larger or sooner than the order's", [left_open()], choices=options(_STEP))
    beyond_protocol_level: Any = SelectField(
        "An order beyond its protocol's limits", [left_open()], choices=options(_STEP)
    )
    pump_tolerance_percent = WholeField("Volumes may differ by", minimum=0, maximum=100, unit="%")
    protocol_approver: Any = SelectField("A protocol is signed into use by", [left_open()], choices=options(_APPROVER))
    rate_difference_percent = WholeField("Rate may differ by", minimum=0, maximum=100, unit="%")
    weight_change_percent = WholeField("Weight may change by", minimum=0, maximum=100, unit="%")
    double_check_minutes = WholeField("A second check holds for", minimum=1, maximum=240, unit="min")
    is_every_rate_checked: Any = SelectField(
        "A second person computes the rate of", [left_open()], choices=options(_EVERY), coerce=_as_word
    )
    is_hand_over_checked: Any = SelectField("At a hand-over", [left_open()], choices=options(_HANDED), coerce=_as_word)
    late_entry_after_min = WholeField("An entry is late after", minimum=1, maximum=240, unit="min")
    late_entry_days = WholeField("Late entries are written within", minimum=1, maximum=3650, unit="days")
    spoken_order_sign_hours = WholeField("A spoken order is signed within", minimum=1, maximum=720, unit="h")
    drug_tolerance_mg = NumberField("A drug account may differ by", places=4, minimum=0, maximum=100_000, unit="mg")
    witness_role: Any = SelectField("Who witnesses at the drug cabinet", [left_open()], choices=options(_BOLUS))
    is_withdrawal_witnessed: Any = SelectField(
        "Taking a controlled drug out", [left_open()], choices=options(_WITNESSED), coerce=_as_word
    )
    reason = _line("Why it is changed", most=500)
    # The limits as this form was drawn from them: somebody else may change them meanwhile.
    seen = HiddenField()
    password: Any = PasswordField("Sign with your password")

    @property
    def values(self) -> dict[str, Any]:
        """The limits by name, None where a field was left empty."""
        return {
            "bolus_role": Role(self.bolus_role.data) if self.bolus_role.data else None,
            **{
                name: FindingLevel(self[name].data) if self[name].data else None
                for name in ("step_level", "beyond_protocol_level")
            },
            "protocol_approver": Approver(self.protocol_approver.data) if self.protocol_approver.data else None,
            "drug_tolerance_mg": self.drug_tolerance_mg.data,
            "witness_role": Role(self.witness_role.data) if self.witness_role.data else None,
            **{name: {"yes": True, "no": False}.get(self[name].data) for name in _YES_OR_NO},
            **{field.name: field.data for field in self if isinstance(field, WholeField)},
        }

    def in_words(self, changed: Mapping[str, Any]) -> str:
        """A change as the trail keeps it, read with the words of this form."""
        return "; ".join(
            f"{self[name].label.text}: {self._shown(name, value)}" for name, value in changed.items() if name in self
        )

    @property
    def in_force(self) -> list[tuple[str, str]]:
        """What holds now, (label, words), for somebody who may not change it."""
        return [(self[name].label.text, self._shown(name, value)) for name, value in self.values.items()]

    def _shown(self, name: str, value: Any) -> str:
        words = {
            "bolus_role": _BOLUS,
            "step_level": _STEP,
            "beyond_protocol_level": _STEP,
            "protocol_approver": _APPROVER,
            "witness_role": _BOLUS,
        }.get(name, {})
        if name in _YES_OR_NO:
            return _YES_OR_NO[name][_as_word(value)]
        unit = f"\N{NO-BREAK SPACE}{self[name].unit}" if isinstance(self[name], NumberField) else ""
        return words.get(value or "", "nothing" if value is None else f"{value}{unit}")


class WhyForm(Form):
    """Why a version is sent back, dropped or retired."""

    reason = _line("Why", most=500)


class ApproveForm(Form):
    password: Any = PasswordField("Sign with your password", [InputRequired("Enter your password")])
