"""Forms of the door and of the bedside: shape and range of what is typed."""

from wtforms import StringField
from wtforms.validators import InputRequired, Length

from clinic.core.forms import Form

LONG = 500


class DidNotAttendForm(Form):
    reason = StringField(
        "Why, or what was tried", [InputRequired("Say why, or who was called."), Length(max=LONG)], name="reason"
    )
