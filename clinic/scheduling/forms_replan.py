"""What the desk says has happened. These forms only ask: the plan is shown, and accepted by a form of its own."""

from datetime import datetime, time, timedelta
from typing import Any

from wtforms import SelectField
from wtforms.validators import StopValidation

from clinic.core import formats, times
from clinic.core.errors import RuleBroken
from clinic.core.forms import ClockField, Form, WholeField
from clinic.core.moments import DayField
from clinic.scheduling.forms import Reason, instant_of, refuse

_LATEST_MINUTES = 360


def _chosen(message: str) -> Any:
    def check(_form: Form, field: Any) -> None:
        if not field.data:
            raise StopValidation(message)

    return check


class NurseOffForm(Form):
    """A nurse is off, from one day to another."""

    class Meta:
        csrf = False

    who = SelectField("Nurse", [_chosen("Choose a nurse")])
    day = DayField("From", required=True)
    until = DayField("Until, empty for one day")

    def span(self) -> tuple[datetime, datetime] | None:
        """The days, from midnight to midnight; None where they cannot be meant."""
        if not self.validate() or self.day.data is None:
            return None
        last = self.until.data or self.day.data
        if last < self.day.data:
            refuse(self.until, "Enter a day after the first")
            return None
        zone = formats.zone.get()
        try:
            return times.from_local(self.day.data, time(), zone), times.from_local(
                last + timedelta(days=1), time(), zone
            )
        except (ValueError, OverflowError):
            refuse(self.day, "Enter a date of this century")
            return None


class ChairOutForm(Form):
    """A chair is out of use for a time."""

    class Meta:
        csrf = False

    chair = SelectField("Chair", [_chosen("Choose a chair")])
    from_day = DayField("From", required=True)
    from_time = ClockField("Time", required=True)
    until_day = DayField("Until", required=True)
    until_time = ClockField("Time", required=True)
    reason = Reason("Why")

    def span(self) -> tuple[datetime, datetime] | None:
        """The time; None where it cannot be meant."""
        if not self.validate():
            return None
        start, end = instant_of(self.from_day, self.from_time), instant_of(self.until_day, self.until_time)
        if start is None or end is None:
            return None
        if end <= start:
            refuse(self.until_time, RuleBroken("The chair opens again after it closes.").message)
            return None
        return start, end


class LateForm(Form):
    """The sessions that go on end later."""

    class Meta:
        csrf = False

    chair_id = SelectField("Where")
    minutes = WholeField("Later by", minimum=5, maximum=_LATEST_MINUTES, required=True, unit="min")
