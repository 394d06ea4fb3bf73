"""What the desk types: times, chairs, nurses, reasons."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from wtforms import Field, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length, StopValidation
from wtforms.widgets import CheckboxInput, ListWidget

from clinic.accounts.models import Site, Staff
from clinic.core import formats, times
from clinic.core.errors import RuleBroken
from clinic.core.forms import ClockField, Form, WholeField, typed
from clinic.core.moments import DayField
from clinic.scheduling.models import Chair, LostReason, Pump
from clinic.scheduling.operations import Slot
from clinic.scheduling.rules import ChairKind

_LONGEST_REASON = 200
_TOO_LONG = f"Use at most {_LONGEST_REASON} characters"
_LONGEST_NAME = 12
_MINUTES_OF_A_DAY = 24 * 60
_LONGEST_GAP = 400

Choices = dict[str, str]


def chair_choices(chairs: Iterable[Chair]) -> Choices:
    """The chairs to choose from; none is chosen."""
    return {"": "Chair"} | {str(chair.id): f"chair {chair.name}" for chair in chairs}


def nurse_choices(nurses: Iterable[Staff]) -> Choices:
    """The nurses to choose from, and that it is left open."""
    return {"": "No nurse yet"} | {str(nurse.id): nurse.name for nurse in nurses}


def instant_of(day: DayField, clock: ClockField) -> datetime | None:
    """The instant of a typed day and time; a time that cannot be meant is refused at its field."""
    if day.data is None or clock.data is None:
        return None
    try:
        return _instant(day.data, clock.data)
    except RuleBroken as problem:
        refuse(clock, problem.message)
    return None


def _instant(day: date, clock: time) -> datetime:
    """A wall time of the clinic as an instant. Raises RuleBroken for one that the clocks skip or show twice."""
    try:
        return times.from_local(day, clock, formats.zone.get())
    except times.NoSuchTime as problem:
        raise RuleBroken(str(problem)) from problem
    except times.AmbiguousTime as problem:
        when = formats.day(day)
        raise RuleBroken(
            f"{clock:%H:%M} comes twice on {when}, when the clocks go back. Choose another time."
        ) from problem
    except OverflowError as problem:
        raise RuleBroken("Enter a date of this century") from problem


def instant_on(day: date, start: time, until: time) -> tuple[datetime, datetime]:
    """A stretch of a day as instants; until 00:00 is until the end of the day."""
    last = day + timedelta(days=1) if until == time() else day
    return _instant(day, start), _instant(last, until)


def refuse(field: Field, message: str) -> None:
    """Show a refusal at a field."""
    field.errors = [*field.errors, message]


def chosen(message: str) -> Any:
    """Refuse a choice that was not made."""

    def check(_form: Form, field: Field) -> None:
        if not field.data:
            raise StopValidation(message)

    return check


class Reason(StringField):
    """A short text that says why."""

    def __init__(self, label: str, **options: Any) -> None:
        longest = Length(max=_LONGEST_REASON, message=_TOO_LONG)
        super().__init__(label, [InputRequired("Say why"), longest], **options)


# --- booking ---------------------------------------------------------------------------------------------------------


class PatternForm(Form):
    """Fills the rows of a course from one first time, by days apart or as the order says. It only asks: no post."""

    class Meta:
        csrf = False

    first = DayField("First day", required=True)
    clock = ClockField("Time", required=True)
    chair = SelectField("Chair")
    nurse = SelectField("Nurse")
    apart = WholeField("Days apart", minimum=1, maximum=_LONGEST_GAP, unit="days")


@dataclass(frozen=True, slots=True)
class Row:
    """The four fields of one session on the booking form."""

    number: int
    day: DayField
    clock: ClockField
    chair: SelectField
    nurse: SelectField

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked for this session; a nurse alone asks for nothing."""
        return not (typed(self.day) or self.day.data or typed(self.clock) or self.clock.data or self.chair.data)

    def refuse_gaps(self) -> bool:
        """Refuse a row that is only half filled; gives whether it was."""
        before = sum(len(field.errors) for field in (self.day, self.clock, self.chair))
        if not self.day.errors and self.day.data is None:
            refuse(self.day, "Enter a date such as 18-Nov-2025")
        if not self.clock.errors and self.clock.data is None:
            refuse(self.clock, "Enter a time such as 14:05")
        if not self.chair.errors and not self.chair.data:
            refuse(self.chair, "Choose a chair")
        return sum(len(field.errors) for field in (self.day, self.clock, self.chair)) > before


class BookingForm(Form):
    """A row per session that is still to book; made by `booking_form`."""

    numbers: Sequence[int] = ()
    length: WholeField | None = None

    @property
    def rows(self) -> list[Row]:
        """The rows in the order of the sessions."""
        return [
            Row(number, *(self[f"{name}_{number}"] for name in ("day", "clock", "chair", "nurse")))
            for number in self.numbers
        ]

    def fill(self, days: Sequence[date], pattern: PatternForm) -> None:
        """Put a pattern's days into the rows, in their order; rows beyond the last day stay empty."""
        for row, day in zip(self.rows, days, strict=False):
            row.day.data, row.clock.data = day, pattern.clock.data
            row.chair.data, row.nurse.data = pattern.chair.data, pattern.nurse.data

    def fill_with(self, slots: Iterable[Slot]) -> None:
        """Put wished times into their rows."""
        rows = {row.number: row for row in self.rows}
        for slot in slots:
            row, wall = rows[slot.session_number], times.local(slot.starts_at, formats.zone.get())
            row.day.data, row.clock.data = wall.date(), wall.time()
            row.chair.data, row.nurse.data = str(slot.chair.id), str(slot.nurse.id) if slot.nurse else ""


def booking_form(
    numbers: Sequence[int], chairs: Choices, nurses: Choices, *, asks_length: bool, **options: Any
) -> BookingForm:
    """An empty booking form for these sessions; with `asks_length` the desk says how long each takes."""
    fields: dict[str, Any] = {"numbers": tuple(numbers)}
    if asks_length:
        fields["length"] = WholeField("Length of each", minimum=5, maximum=_MINUTES_OF_A_DAY, required=True, unit="min")
    for number in numbers:
        fields[f"day_{number}"] = DayField(f"Session {number}, day")
        fields[f"clock_{number}"] = ClockField(f"Session {number}, time")
        fields[f"chair_{number}"] = SelectField(f"Session {number}, chair", choices=chairs, default="")
        fields[f"nurse_{number}"] = SelectField(f"Session {number}, nurse", choices=nurses, default="")
    made: BookingForm = type("BookingForm", (BookingForm,), fields)(**options)
    return made


# --- one appointment -------------------------------------------------------------------------------------------------


class MoveForm(Form):
    """Another time for one appointment."""

    day = DayField("Day", required=True)
    clock = ClockField("Time", required=True)
    chair = SelectField("Chair", [chosen("Choose a chair")])
    nurse = SelectField("Nurse")
    reason = Reason("Why")


class ReasonForm(Form):
    """Why an appointment is given up, or a closed chair is open again."""

    reason = Reason("Why")


class LossForm(Form):
    """Why an appointment is lost: one of the clinic's own reasons, own words, or both."""

    listed = SelectField("Reason", default="")
    reason = StringField("In own words", [Length(max=_LONGEST_REASON, message=_TOO_LONG)])

    def offer(self, reasons: Sequence[LostReason]) -> None:
        """Offer the clinic's list."""
        self.listed.choices = {"": "Reason"} | {str(each.id): each.text for each in reasons}

    def validate_reason(self, field: Field) -> None:
        """Refuse to lose an appointment for nothing."""
        if not self.listed.data and not (field.data or "").strip():
            raise StopValidation("Say why")


class NurseForm(Form):
    """Who looks after the patient."""

    nurse_id = SelectField("Nurse")


class HoldPumpForm(Form):
    """Which pump an appointment holds."""

    pump_id = SelectField("Pump")

    def offer(self, pumps: Sequence[Pump]) -> None:
        """Offer the pumps, and that none is held."""
        self.pump_id.choices = {"": "No pump"} | {str(each.id): each.name for each in pumps}


# --- chairs and shifts -----------------------------------------------------------------------------------------------


class ChairForm(Form):
    """A new chair, bed or room."""

    name = StringField(
        "Name",
        [
            InputRequired("Give the chair a name"),
            Length(max=_LONGEST_NAME, message=f"Use at most {_LONGEST_NAME} characters"),
        ],
    )
    kind = RadioField(
        "Kind",
        [InputRequired("Choose one")],
        choices={kind.value: kind.value.capitalize() for kind in ChairKind},
    )
    site = SelectField("Site", [chosen("Choose a site")])

    def offer(self, sites: Sequence[Site]) -> None:
        """Offer the sites; a clinic with one is not asked."""
        asked = {"": "Site"} if len(sites) > 1 else {}
        self.site.choices = asked | {str(site.id): site.name for site in sites}
        if len(sites) == 1:
            self.site.data = str(sites[0].id)


class ClosureForm(Form):
    """A time in which a chair cannot be used."""

    chair = SelectField("Chair", [chosen("Choose a chair")])
    from_day = DayField("From", required=True)
    from_time = ClockField("Time", required=True)
    until_day = DayField("Until", required=True)
    until_time = ClockField("Time", required=True)
    reason = Reason("Why")


class ShiftForm(Form):
    """A person on duty on some days of a week."""

    staff_id = SelectField("Who", [chosen("Choose a person")])
    days = SelectMultipleField(
        "Days", [chosen("Choose at least one day")], widget=ListWidget(), option_widget=CheckboxInput()
    )
    from_time = ClockField("From", required=True)
    until_time = ClockField("Until", required=True)

    def instants(self, day: date) -> tuple[datetime, datetime]:
        """The start and end of the shift on a day. Raises RuleBroken for a time that the clocks skip or show twice."""
        return instant_on(day, self.from_time.data or time(), self.until_time.data or time())
