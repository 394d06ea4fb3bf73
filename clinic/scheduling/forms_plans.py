"""What the desk asks of a plan of many courses."""

from typing import Final

from wtforms import SelectField

from clinic.core.forms import Form
from clinic.core.moments import DayField

SECONDS: Final = {
    "30": "half a minute",
    "60": "1 minute",
    "180": "3 minutes",
    "600": "10 minutes",
    "1800": "30 minutes",
}


class PlanForm(Form):
    """Until when places are looked for, and how long to look."""

    last = DayField("Last day", required=True)
    seconds = SelectField("Look for", choices=SECONDS)
