"""What a nurse knows, as it is typed."""

from wtforms import HiddenField, SelectField, SelectMultipleField
from wtforms.validators import InputRequired
from wtforms.widgets import CheckboxInput, ListWidget

from clinic.core.forms import Form
from clinic.core.moments import DayField
from clinic.scheduling.forms import chosen


class SkillForm(Form):
    """Nurses, a drug, and from when on; `seen` names what was shown before it was sent again."""

    nurses = SelectMultipleField(
        "Nurses",
        [InputRequired("Choose a nurse")],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    drug_name = SelectField("Drug", [chosen("Choose a drug")])
    valid_from = DayField("From", required=True)
    valid_until = DayField("Until, if it ends")
    seen = HiddenField()
