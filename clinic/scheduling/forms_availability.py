"""When a patient can come, as it is typed."""

from datetime import time
from typing import Any, Final

from wtforms import RadioField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from clinic.core.forms import ClockField, Form
from clinic.core.moments import DayField
from clinic.scheduling.availability_rules import MINUTES_OF_A_DAY
from clinic.scheduling.operations_availability import Said

_LONGEST: Final = 200
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class PatientHoursForm(Form):
    """Days and hours in which the patient can come, or cannot."""

    kind = RadioField(
        "The patient", [InputRequired("Choose one")], choices={"can": "can come", "cannot": "cannot come"}
    )
    weekdays = SelectMultipleField(
        "Days, if not every day", choices={}, widget=ListWidget(), option_widget=CheckboxInput()
    )
    from_on = DayField("From", required=True)
    until_on = DayField("Until, if it ends")
    from_time = ClockField("From time, if not the whole day")
    until_time = ClockField("Until time")
    note = StringField("Note", [Length(max=_LONGEST, message=f"Use at most {_LONGEST} characters")])

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.weekdays.choices = {str(number): name for number, name in enumerate(_WEEKDAYS, start=1)}

    @property
    def said(self) -> Said:
        """As it was typed, of a form that is valid."""
        if self.from_on.data is None:
            raise ValueError("A form without its first day says nothing.")
        return Said(
            is_free=self.kind.data == "can",
            from_on=self.from_on.data,
            until_on=self.until_on.data,
            weekdays=tuple(int(number) for number in self.weekdays.data or ()) or None,
            from_min=_minutes(self.from_time.data),
            until_min=_minutes(self.until_time.data, is_end=True),
            note=self.note.data,
        )


def _minutes(wall: time | None, *, is_end: bool = False) -> int | None:
    if wall is None:
        return None
    return wall.hour * 60 + wall.minute or (MINUTES_OF_A_DAY if is_end else 0)
