"""What the desk says has happened. These forms only ask: the plan is shown, and accepted by a form of its own."""

from datetime import datetime, time

from wtforms import SelectField

from clinic.core.errors import RuleBroken
from clinic.core.forms import ClockField, Form, WholeField
from clinic.core.moments import DayField
from clinic.scheduling.forms import Reason, chosen, instant_of, instant_on, refuse

_LATEST_MINUTES = 360


class NurseOffForm(Form):
    """A nurse is off, from one day to another; without times from midnight to midnight."""

    class Meta:
        csrf = False

    who = SelectField("Nurse", [chosen("Choose a nurse")])
    day = DayField("From", required=True)
    off_from = ClockField("Time, empty for all day")
    until = DayField("Until, empty for one day")
    off_until = ClockField("Time, empty for all day")

    def span(self) -> tuple[datetime, datetime] | None:
        """The time; None where it cannot be meant."""
        if not self.validate() or self.day.data is None:
            return None
        last = self.until.data or self.day.data
        try:
            start, _ = instant_on(self.day.data, self.off_from.data or time(), time())
            _, end = instant_on(last, time(), self.off_until.data or time())
        except RuleBroken as problem:
            refuse(self.day, problem.message)
            return None
        if end <= start:
            refuse(self.until, "Enter a time after the first")
            return None
        return start, end


class ChairOutForm(Form):
    """A chair is out of use for a time."""

    class Meta:
        csrf = False

    chair = SelectField("Chair", [chosen("Choose a chair")])
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
