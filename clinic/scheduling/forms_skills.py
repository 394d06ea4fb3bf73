"""What a nurse knows, as it is typed."""

from wtforms import SelectField

from clinic.core.forms import Form
from clinic.core.moments import DayField
from clinic.scheduling.forms import chosen


class SkillForm(Form):
    """A nurse, a drug, and from when on."""

    staff_id = SelectField("Nurse", [chosen("Choose a nurse")])
    drug_name = SelectField("Drug", [chosen("Choose a drug")])
    valid_from = DayField("From", required=True)
    valid_until = DayField("Until, if it ends")
