"""Fields for days and moments: typed with the month in letters, kept as typed, turned into dates and instants."""

from datetime import date, datetime
from typing import Any

from wtforms import Field, SelectField
from wtforms.form import BaseForm
from wtforms.validators import StopValidation
from wtforms.widgets import TextInput

from clinic.core import times
from clinic.core.choices import options
from clinic.core.days import BadDay, parse_day
from clinic.core.errors import RuleBroken
from clinic.core.formats import zone as clinic_zone
from clinic.core.forms import ClockField, Form
from clinic.core.times import date_label


class DayField(Field):
    """A date; `data` is a date or None. An empty field needs `required=True` to be refused."""

    widget = TextInput()
    data: date | None = None
    problem: str | None = None

    def __init__(self, label: str | None = None, *, required: bool = False, **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.required = required
        self.render_kw = {"autocomplete": "off", "placeholder": "18-Nov-2025", **(self.render_kw or {})}

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data, self.problem = None, None
        text = valuelist[0].strip() if valuelist else ""
        if not text:
            return
        try:
            self.data = parse_day(text)
        except BadDay as problem:
            self.problem = str(problem)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else date_label(self.data)

    def pre_validate(self, form: BaseForm) -> None:
        if self.problem:
            raise StopValidation(self.problem)
        if self.required and self.data is None:
            raise StopValidation("Enter a date such as 18-Nov-2025")


class MomentForm(Form):
    """A form about something that happened at a moment of the clinic's day."""

    day = DayField("Day", required=True)
    clock = ClockField("Time", required=True)
    fold = SelectField(
        "This time happens twice: which one",
        choices=options({"0": "the first", "1": "the second"}, blank=True),
        default="",
    )
    asks_fold = False

    @classmethod
    def at(cls, instant: datetime, **values: Any) -> Any:
        """The form with its moment set to `instant`, to be changed by the person."""
        wall = times.local(instant, clinic_zone.get())
        return cls(data={"day": wall.date(), "clock": wall.time(), **values})

    def instant(self) -> datetime:
        """The moment in UTC. Raises RuleBroken for a time that the clocks skipped, or that needs "first or second"."""
        if self.day.data is None or self.clock.data is None:
            raise RuleBroken("Enter a time such as 14:05", field="clock")
        fold = int(self.fold.data) if self.fold.data else None
        try:
            return times.from_local(self.day.data, self.clock.data, clinic_zone.get(), fold)
        except times.AmbiguousTime as problem:
            self.asks_fold = True
            raise RuleBroken(str(problem), field="clock") from problem
        except times.NoSuchTime as problem:
            raise RuleBroken(str(problem), field="clock") from problem
