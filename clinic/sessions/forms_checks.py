"""Forms of the page "Before infusion"."""

from collections.abc import Sequence
from typing import Final

from wtforms import SelectField, StringField
from wtforms.form import BaseForm
from wtforms.validators import Length, Optional, Regexp, StopValidation

from clinic.accounts.models import Staff
from clinic.core.choices import left_open
from clinic.core.forms import Form, NumberField, WholeField
from clinic.sessions.forms_acts import LONG, SHORT, options, text
from clinic.sessions.vital_rules import WEIGHT_KG

_HOURS: Final = (0, 72)


class YearField(WholeField):
    """A year; its refusal does not write years with a comma."""

    def pre_validate(self, form: BaseForm) -> None:
        """Ask for four digits."""
        if self.problem or self.data is None:
            raise StopValidation("Enter the year with four digits, such as 1968")


class IdentityForm(Form):
    """The year of birth as the patient says it."""

    year_of_birth = YearField("Year of birth", minimum=1900, maximum=2100, required=True)


class CheckForm(Form):
    """The answer to one check, and what goes with it."""

    answer = StringField("Answer", [Length(max=20)])
    detail = text("Detail", LONG)
    contact_name = text("Name", SHORT)
    contact_phone = text("Phone", SHORT)
    solid_h = NumberField("Food, hours ago", places=1, minimum=_HOURS[0], maximum=_HOURS[1], unit="h")
    clear_h = NumberField("Clear fluids, hours ago", places=1, minimum=_HOURS[0], maximum=_HOURS[1], unit="h")
    site = text("Where", SHORT)
    gauge = StringField("Gauge", [Optional(), Regexp(r"\d{2}$", message="Enter a gauge such as 22")])


class WeightForm(Form):
    """Today's weight, in kilograms alone; a held one is typed again with the reason."""

    kg = NumberField("Weight", places=2, minimum=WEIGHT_KG[0], maximum=WEIGHT_KG[1], unit="kg", required=True)
    reason = text("Why it is right", LONG)
    again = NumberField("Weight, typed again", places=2, minimum=WEIGHT_KG[0], maximum=WEIGHT_KG[1], unit="kg")


class SupervisingForm(Form):
    """The clinician on site."""

    physician_id = SelectField("Clinician on site", [left_open()])

    def offer(self, people: Sequence[Staff]) -> None:
        """Offer the physicians; nobody is chosen."""
        self.physician_id.choices = options([("", "choose"), *((str(one.id), one.name) for one in people)])


class TimeOutForm(Form):
    """The team's pause: who was there, what was said over."""

    text = StringField("Time-out", [Length(max=LONG)])


class NotTodayForm(Form):
    """Why nothing is infused."""

    reason = text("Why the session is not done", LONG)
