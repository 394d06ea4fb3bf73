"""Fields that keep what was typed, refuse the impossible and never fall over."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask_wtf import FlaskForm
from wtforms import Field
from wtforms.form import BaseForm
from wtforms.validators import StopValidation
from wtforms.widgets import TextInput

from clinic.core import times
from clinic.core.errors import RuleBroken
from clinic.core.formats import zone as clinic_zone
from clinic.core.units import BadNumber, format_number, parse_decimal

MAXIMUM_TEXT = 4000


class SaysWhatToDo:
    """The form library's messages, with our words for those that do not say what to do."""

    _OURS: Final = {"Not a valid choice.": "Choose one of these.", "Not a valid choice": "Choose one of these."}

    def __init__(self, library: Any) -> None:
        self._library = library

    def gettext(self, words: str) -> str:
        """Return a message in our words, else in the library's."""
        return self._OURS.get(words) or str(self._library.gettext(words))

    def ngettext(self, one: str, many: str, count: int) -> str:
        """Return the library's message for so many."""
        return str(self._library.ngettext(one, many, count))


class Form(FlaskForm):  # type: ignore[misc] # the library has no types
    """A form that can take a refusal of a rule and show it where it belongs."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc] # the library has no types
        """How a form is read and what it says."""

        def get_translations(self, form: BaseForm) -> "SaysWhatToDo":
            """Return the library's words, those that say nothing of use in ours."""
            return SaysWhatToDo(super().get_translations(form))

    refusal: str | None = None

    def refuse(self, refusal: RuleBroken) -> None:
        """Show a rule's refusal at its field, or above the form."""
        if refusal.field is not None and refusal.field in self._fields:
            self._fields[refusal.field].errors = [*self._fields[refusal.field].errors, refusal.message]
        else:
            self.refusal = refusal.message

    @property
    def summary(self) -> list[tuple[str | None, str]]:
        """Every error as (id of the field or None, text), for the list on top of the page."""
        lines: list[tuple[str | None, str]] = [(None, self.refusal)] if self.refusal else []
        for field in self:
            lines += [(field.id, str(error)) for error in field.errors]
        return lines


class NumberField(Field):
    """An exact decimal within bounds, typed as plain ASCII digits with a point or comma.

    `data` is a Decimal or None; `raw_data` keeps what was typed. An empty field is None and needs `required=True` to be
    refused. The bounds are those of the impossible, never a clinical limit.
    """

    widget = TextInput()
    data: Decimal | int | None = None
    problem: str | None = None

    def __init__(
        self,
        label: str | None = None,
        *,
        places: int,
        minimum: Decimal | int,
        maximum: Decimal | int,
        required: bool = False,
        unit: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(label, **kwargs)
        self.places, self.minimum, self.maximum = places, minimum, maximum
        self.required, self.unit = required, unit
        self.render_kw = {
            "inputmode": "decimal" if places else "numeric",
            "autocomplete": "off",
            **(self.render_kw or {}),
        }

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        self.problem = None
        text = valuelist[0].strip() if valuelist else ""
        if not text:
            return
        try:
            self.data = parse_decimal(text, places=self.places, minimum=self.minimum, maximum=self.maximum)
        except BadNumber as problem:
            self.problem = str(problem)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else format_number(self.data).replace(",", "")

    def pre_validate(self, form: BaseForm) -> None:
        if self.problem:
            raise StopValidation(self.problem)
        if self.required and self.data is None:
            raise StopValidation(f"Enter a value from {format_number(self.minimum)} to {format_number(self.maximum)}")


class WholeField(NumberField):
    """A whole number; `data` is an int or None."""

    def __init__(
        self, label: str | None = None, *, minimum: int, maximum: int, required: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(label, places=0, minimum=minimum, maximum=maximum, required=required, **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata(valuelist)
        self.data = None if self.data is None else int(self.data)


class ClockField(Field):
    """A clinic wall time, HH:MM or HHMM; `data` is a `datetime.time` or None.

    `instant(day, fold)` gives the UTC instant and refuses a time that the clocks skipped.
    """

    widget = TextInput()
    data: time | None = None
    problem: str | None = None

    def __init__(self, label: str | None = None, *, required: bool = False, **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.required = required
        self.render_kw = {"inputmode": "numeric", "autocomplete": "off", **(self.render_kw or {})}

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        self.problem = None
        text = valuelist[0].strip() if valuelist else ""
        if not text:
            return
        digits = text.replace(":", "")
        if digits.isascii() and digits.isdigit() and len(digits) in {3, 4}:
            hour, minute = int(digits[:-2]), int(digits[-2:])
            if hour < 24 and minute < 60:  # noqa: PLR2004 a day and an hour
                self.data = time(hour, minute)
                return
        self.problem = "Enter a time such as 14:05"

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else f"{self.data:%H:%M}"

    def pre_validate(self, form: BaseForm) -> None:
        if self.problem:
            raise StopValidation(self.problem)
        if self.required and self.data is None:
            raise StopValidation("Enter a time such as 14:05")

    def instant(self, day: date, *, fold: int | None = None, zone: ZoneInfo | None = None) -> datetime:
        """The instant on a day of the clinic. Raises RuleBroken for a skipped or a doubtful time."""
        if self.data is None:
            raise RuleBroken("Enter a time such as 14:05", field=self.short_name)
        try:
            return times.from_local(day, self.data, zone or clinic_zone.get(), fold)
        except (times.NoSuchTime, times.AmbiguousTime) as problem:
            raise RuleBroken(str(problem), field=self.short_name) from problem


def typed(field: Field) -> str:
    """What the person typed, to show it again."""
    return str(field.raw_data[0]) if field.raw_data else ""
