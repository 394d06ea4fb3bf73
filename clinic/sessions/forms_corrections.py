"""Forms of what was recorded besides the vitals, to be corrected: as it truly was, and what was wrong."""

from decimal import Decimal
from typing import Any, Final

from wtforms import SelectField, TextAreaField
from wtforms.validators import Length

from clinic.core.choices import left_open
from clinic.core.errors import RuleBroken
from clinic.core.forms import NumberField
from clinic.sessions.event_rules import GRADES, NotDoneReason
from clinic.sessions.forms_acts import LONG, NOT_DONE_REASONS, PUMP_ML_H, SHORT, TimedForm, number, options
from clinic.sessions.forms_acts import text as line

# Fields whose column is called otherwise: the reason of the act, beside the reason of its correction.
_COLUMNS: Final = {"said": "reason"}


class EntryCorrectionForm(TimedForm):
    """An entry as it truly was, and why the first one was wrong."""

    reason = line("What was wrong")

    def refuse(self, refusal: RuleBroken) -> None:
        """Show that the reason of the correction is missing at its field."""
        field = "reason" if refusal.field == "correction_reason" else refusal.field
        super().refuse(RuleBroken(refusal.message, field=field))

    def show(self, row: object, names: tuple[str, ...]) -> None:
        """Fill in what stands."""
        for name in names:
            self[name].process_data(getattr(row, _COLUMNS.get(name, name)))

    def values(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Return what the columns of the entry ought to hold."""
        return {_COLUMNS.get(name, name): self._value_of(name) for name in names}

    def _value_of(self, name: str) -> object:
        field = self[name]
        if isinstance(field, NumberField):
            return number(field)
        said = (field.data or "").strip() or None
        return int(said) if said and isinstance(field, SelectField) else said


class ActCorrectionForm(EntryCorrectionForm):
    """An act at the pump."""

    rate_ml_h = NumberField("Rate on the pump", places=2, minimum=PUMP_ML_H[0], maximum=PUMP_ML_H[1], unit="mL/h")
    bolus_mg = NumberField("Dose", places=4, minimum=Decimal("0.0001"), maximum=100000, unit="mg")
    bolus_over_min = NumberField("Given over", places=2, minimum=0, maximum=600, unit="min")
    volume_to_infuse_ml = NumberField("Volume to be infused", places=2, minimum=0, maximum=5000, unit="mL")
    pump_volume_ml = NumberField("Volume infused, read from the pump", places=2, minimum=0, maximum=5000, unit="mL")
    said = line("Reason of the act")


class DoseCorrectionForm(EntryCorrectionForm):
    """A medicine that was given as needed."""

    dose = NumberField("Dose that was given", places=4, minimum=Decimal("0.0001"), maximum=100000)
    said = line("Given for")


class LineCorrectionForm(EntryCorrectionForm):
    """What was done with the cannula."""

    site = line("Where", SHORT)
    gauge = line("Gauge", SHORT)
    vip_score = SelectField(
        "VIP score",
        [left_open()],
        choices=options([("", "not scored"), *((str(score), str(score)) for score in range(6))]),
    )
    detail = line("What was seen")


class NotDoneCorrectionForm(EntryCorrectionForm):
    """Why due vitals were not taken."""

    said = SelectField("Why", [left_open()], choices=NOT_DONE_REASONS)
    detail = line("What happened")

    def _value_of(self, name: str) -> object:
        if name != "said":
            return super()._value_of(name)
        if not self.said.data:
            raise RuleBroken("Say why.", field="said")
        return NotDoneReason(self.said.data)


class EventCorrectionForm(EntryCorrectionForm):
    """What was said or done."""

    text = TextAreaField("What happened", [Length(max=LONG)])
    reply = line("Reply")


class AdverseCorrectionForm(EntryCorrectionForm):
    """An adverse event."""

    term = line("What", SHORT)
    grade = SelectField(
        "How bad",
        [left_open()],
        choices=options([("", "not graded"), *((str(grade), word) for grade, word in GRADES.items())]),
    )
    action = line("What was done")
