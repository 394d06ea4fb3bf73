"""What is typed about the clinic itself: hours, closed days, people on site, pumps, limits, reasons."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any, ClassVar, Self

from wtforms import BooleanField, HiddenField, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from clinic.accounts.models import Site
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.forms import ClockField, Form, WholeField
from clinic.core.moments import DayField
from clinic.scheduling.forms import chosen, instant_on
from clinic.scheduling.limit_rules import Most, most_on
from clinic.scheduling.models_rooms import NurseLimit
from clinic.scheduling.operations_breaking import edition
from clinic.scheduling.operations_rooms import FEATURES, Features
from clinic.scheduling.operations_shifts import SHIFT_LIMITS
from clinic.scheduling.operations_waiting import Wishes
from clinic.scheduling.room_rules import MINUTES_OF_A_DAY
from clinic.scheduling.rules import BookingRule, DayPart, LossKind, override_words

_LONGEST = 200
_MOST = 99
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LOSS_WORDS = {LossKind.CANCELLED: "cancelled", LossKind.NO_SHOW: "did not attend"}


def text_field(label: str, message: str, *, longest: int = _LONGEST) -> StringField:
    """A short text that has to be there."""
    return StringField(
        label, [InputRequired(message), Length(max=longest, message=f"Use at most {longest} characters")]
    )


def minute_of(clock: time, *, is_end: bool = False) -> int:
    """The minute of a wall time; 00:00 as an end is the end of the day."""
    minute = clock.hour * 60 + clock.minute
    return MINUTES_OF_A_DAY if is_end and minute == 0 else minute


class NewSiteForm(Form):
    """Another place of the clinic."""

    name = text_field("Name", "Name the site", longest=100)


class SiteForm(Form):
    """A form about a site; `seen` names the appointments that were shown before it was sent again."""

    site = SelectField("Site", [chosen("Choose a site")])
    seen = HiddenField()

    def offer(self, sites: Sequence[Site]) -> None:
        """Offer the sites; a clinic with one is not asked."""
        asked = {"": "Site"} if len(sites) > 1 else {}
        self.site.choices = asked | {str(site.id): site.name for site in sites}
        if len(sites) == 1:
            self.site.data = str(sites[0].id)

    def chosen_site(self, sites: Sequence[Site]) -> Site:
        """The site that was chosen, once the form is valid."""
        return next(site for site in sites if str(site.id) == self.site.data)


def _many(label: str, message: str) -> SelectMultipleField:
    return SelectMultipleField(label, [chosen(message)], widget=ListWidget(), option_widget=CheckboxInput())


def _span(start: ClockField, end: ClockField) -> tuple[int, int] | None:
    """The minutes of two clocks; None when both are empty. Half of them is refused at the other."""
    if start.data is None and end.data is None:
        return None
    for field in (start, end):
        if field.data is None:
            raise RuleBroken("Enter a time such as 14:05", field=field.short_name)
    return minute_of(start.data or time()), minute_of(end.data or time(), is_end=True)


class HoursForm(SiteForm):
    """The hours of some weekdays from a date on; no times at all means closed."""

    weekdays = _many("Days", "Choose at least one day")
    from_time = ClockField("From")
    until_time = ClockField("Until")
    second_from = ClockField("Again from")
    second_until = ClockField("Until")
    valid_from = DayField("First day", required=True)
    valid_until = DayField("Last day, if it ends")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.weekdays.choices = {str(number): name for number, name in enumerate(_WEEKDAYS, start=1)}

    @property
    def spans(self) -> list[tuple[int, int]]:
        """The openings of a day; none is closed."""
        both = (_span(self.from_time, self.until_time), _span(self.second_from, self.second_until))
        return [span for span in both if span is not None]


class ClosedForm(SiteForm):
    """Days on which a site is closed, or a part of each."""

    from_on = DayField("First day", required=True)
    until_on = DayField("Last day", required=True)
    from_time = ClockField("From, for a part of the day")
    until_time = ClockField("Until")
    reason = text_field("Why", "Say why")

    @property
    def span(self) -> tuple[int, int] | None:
        """The part of each day; None for whole days."""
        return _span(self.from_time, self.until_time)


class PresenceForm(SiteForm):
    """A supervising clinician is on site on some days of a week."""

    staff_id = SelectField("Who", [chosen("Choose a person")])
    days = _many("Days", "Choose at least one day")
    from_time = ClockField("From", required=True)
    until_time = ClockField("Until", required=True)

    def instants(self, day: date) -> tuple[datetime, datetime]:
        """From when until when on a day. Raises RuleBroken for a time that the clocks skip or show twice."""
        return instant_on(day, self.from_time.data or time(), self.until_time.data or time())


class PumpForm(Form):
    """A new pump."""

    name = text_field("Name", "Give the pump a name", longest=20)
    serial = text_field("Serial number", "Enter the serial number", longest=60)


class ServiceForm(Form):
    """A time in which a pump is out of service."""

    pump = SelectField("Pump", [chosen("Choose a pump")])
    from_day = DayField("From", required=True)
    from_time = ClockField("Time", required=True)
    until_day = DayField("Until", required=True)
    until_time = ClockField("Time", required=True)
    reason = text_field("Why", "Say why")


def whole(label: str, unit: str) -> WholeField:
    """A limit that may be left open."""
    return WholeField(label, minimum=1, maximum=_MOST, unit=unit)


class EditionForm(Form):
    """A form about a row that two may edit: `drawn` says what it was drawn from, `seen` what would break."""

    NAMES: ClassVar[tuple[str, ...]]
    seen = HiddenField()
    drawn = HiddenField()

    @classmethod
    def of(cls, row: Any) -> Self:
        """The form drawn from a row as it stands."""
        form = cls(formdata=None, obj=row)
        form.drawn.data = edition(row, cls.NAMES)
        return form

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Each field with its value in words."""
        return [(self[name].label.text, _in_words(self[name].data)) for name in self.NAMES]

    def explain(self, conflict: Conflict, saved: Self, saved_url: str) -> Conflict:
        """Put what was typed beside what another saved."""
        conflict.mine, conflict.theirs, conflict.saved_url = self.lines, saved.lines, saved_url
        return conflict


def _in_words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value not in {None, ""} else "none"


class NurseLimitsForm(EditionForm):
    """The clinic's limits for one nurse from a day on, drawn from the latest row; `drawn` counts the rows."""

    NAMES = Most._fields
    valid_from = DayField("From", required=True)
    at_once = whole("At once", "patients")
    per_quarter = whole("Begun in a quarter of an hour", "patients")
    precheck = whole("In pre-check at once", "patients")
    infusion = whole("In infusion at once", "patients")
    recovery = whole("In recovery at once", "patients")

    @classmethod
    def from_rows(cls, rows: Sequence[NurseLimit]) -> Self:
        """The form drawn from what holds in the end: a row is a whole, and the next one shall drop no limit unseen."""
        form = cls(formdata=None, prefix="limits-", data=most_on(rows, date.max)._asdict())
        form.drawn.data = str(len(rows))
        return form

    @property
    def most(self) -> Most:
        """As they were typed; an empty field sets no limit."""
        typed = {name: self[name].data for name in self.NAMES}
        return Most(**{name: None if value is None else int(value) for name, value in typed.items()})


class PolicyForm(Form):
    """Whether a rule may be overridden, and why the clinic says so."""

    rule = SelectField("Rule", [chosen("Choose a rule")])
    is_allowed = RadioField(
        "May a physician override it", [InputRequired("Choose one")], choices={"yes": "Yes", "no": "No"}
    )
    reason = text_field("Why", "Say why")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.rule.choices = {"": "Rule"} | {rule.value: override_words(rule).capitalize() for rule in BookingRule}


class LostReasonForm(Form):
    """A reason for the clinic's list."""

    kind = RadioField(
        "For",
        [InputRequired("Choose one")],
        choices={kind.value: words.capitalize() for kind, words in LOSS_WORDS.items()},
    )
    text = text_field("Reason", "Write the reason", longest=80)


class FeaturesForm(EditionForm):
    """What a chair has besides its name."""

    NAMES = FEATURES
    room = StringField("Room", [Optional(), Length(max=40, message="Use at most 40 characters")])
    has_bed = BooleanField("Has a bed")
    is_private = BooleanField("Is private")
    cleaning_min = WholeField("Cleaning after each patient", minimum=0, maximum=240, unit="min")

    @property
    def features(self) -> Features:
        """As they were typed; an empty time of cleaning sets none."""
        minutes = self.cleaning_min.data
        return Features(
            room=(self.room.data or "").strip() or None,
            has_bed=self.has_bed.data,
            is_private=self.is_private.data,
            cleaning_min=None if minutes is None else int(minutes),
        )


class ShiftLimitsForm(EditionForm):
    """Limits of one shift in place of the clinic's."""

    NAMES = SHIFT_LIMITS
    patients_at_once = whole("At once", "patients")
    starts_per_quarter = whole("Begun in a quarter of an hour", "patients")


class BreakForm(Form):
    """A break in a shift."""

    from_time = ClockField("From", required=True)
    until_time = ClockField("Until", required=True)
    seen = HiddenField()


class WaitingForm(Form):
    """A session that would take another time, and when the patient can come."""

    session = WholeField("Session", minimum=1, maximum=400, required=True)
    weekdays = SelectMultipleField("Days, if not any", choices={}, widget=ListWidget(), option_widget=CheckboxInput())
    part = RadioField(
        "Part of the day", choices={"": "Any", **{part.value: part.value.capitalize() for part in DayPart}}, default=""
    )
    from_on = DayField("Not before")
    until_on = DayField("Not after")
    notice_hours = WholeField("Told at least before", minimum=0, maximum=2000, required=True, unit="hours")
    note = StringField("Note", [Length(max=_LONGEST, message=f"Use at most {_LONGEST} characters")])

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.weekdays.choices = {str(number): name for number, name in enumerate(_WEEKDAYS, start=1)}

    @property
    def wishes(self) -> Wishes:
        """As they were typed."""
        return Wishes(
            notice_hours=int(self.notice_hours.data or 0),
            weekdays=[int(number) for number in self.weekdays.data or ()],
            part=DayPart(self.part.data) if self.part.data else None,
            from_on=self.from_on.data,
            until_on=self.until_on.data,
            note=self.note.data,
        )
