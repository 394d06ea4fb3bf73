"""Forms of the side sheets: each about one act, at a time that can be moved back."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from wtforms import (
    BooleanField,
    HiddenField,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than the published types
from wtforms.validators import Length, Optional

from clinic.accounts.models import Staff
from clinic.core.choices import left_open
from clinic.core.errors import RuleBroken
from clinic.core.forms import ClockField, Form, NumberField
from clinic.core.times import AmbiguousTime, NoSuchTime, from_local, local
from clinic.orders.rules import SpokenMode
from clinic.orders.wording import MODE_WORDS
from clinic.sessions.event_rules import IvAction, NotDoneReason, PumpReading, RightVolume

SHORT: Final = 120
LONG: Final = 1000
# What a pump can be set to at all, in mL/h; no limit of any order.
PUMP_ML_H: Final = (Decimal("0.01"), Decimal(2000))

_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
_TIMES: Final = {"happened_at", "observed_at", "given_at", "onset_at", "discharged_at", "assessed_at", "proposed_at"}

WHY_LOWER: Final = ("Blood pressure", "Sedation", "Nausea", "Dissociation", "Patient asks", "Physician said")
WHY_PAUSE: Final = (*WHY_LOWER, "Line problem", "Toilet", "Other")
WHY_STOP: Final = ("Planned end", *WHY_LOWER, "Line problem", "Other")


def number(field: NumberField) -> Decimal | None:
    """Return what was typed into a field of a quantity, None when it was left empty."""
    return None if field.data is None else Decimal(field.data)


def options(pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    """Return (value, words) as the choices of a field."""
    return [SelectChoice(value, words) for value, words in pairs]


def choices(words: Sequence[str]) -> list[tuple[str, str]]:
    """Return words as choices of themselves."""
    return [(word, word) for word in words]


def text(label: str, most: int = LONG, **more: Any) -> StringField:
    """Return a line of text."""
    return StringField(label, [Length(max=most)], **more)


def one_of(label: str, words: Sequence[tuple[str, str]]) -> RadioField:
    """Return a choice of one that starts empty."""
    return RadioField(label, [left_open()], choices=options(words))


class TimedForm(Form):
    """A form about something that happened at a time of the clinic's day."""

    at = ClockField("Time")
    fold = RadioField(
        "This time happened twice", [left_open()], choices=options([("0", "the first time"), ("1", "the second time")])
    )
    # Filled in by the device for an entry that waited for the network: when it was made.
    entered_at = HiddenField()
    asks_fold = False

    def refuse(self, refusal: RuleBroken) -> None:
        """Show a refusal about the time at the one time field, whatever the operation calls it."""
        field = "at" if refusal.field in _TIMES else refusal.field
        super().refuse(RuleBroken(refusal.message, field=field))

    def draw(self, now: datetime, zone: ZoneInfo) -> None:
        """Fill in the time of drawing; nothing else is filled in."""
        self.at.data = local(now, zone).time().replace(second=0, microsecond=0, tzinfo=None, fold=0)

    def moment(self, now: datetime, zone: ZoneInfo, *, after: datetime | None = None) -> datetime:
        """Return the instant that was meant: the latest one of that wall time which is not in the future.

        For an entry that waited for the network, now is when it was made. The minute that is running means now. A time
        in the same minute as the last act (`after`) stands just behind it.
        Raises RuleBroken at `at` for a skipped time, and for one that happened twice until `fold` says which.
        """
        now = self._entered(now)
        wall = local(now, zone)
        typed = self.at.data
        if typed is None or (typed.hour, typed.minute) == (wall.hour, wall.minute):
            return now
        meant = self._instant(wall.date(), typed, zone)
        if meant > now + _MINUTE:
            # Typed after midnight about the evening before.
            earlier = self._instant(wall.date() - _DAY, typed, zone)
            meant = earlier if now - earlier < _DAY / 2 else meant
        if after is not None and meant <= after < meant + _MINUTE:
            meant = after + timedelta(seconds=1)
        return now if now < meant <= now + _MINUTE else meant

    def moment_beside(self, was: datetime, now: datetime, zone: ZoneInfo) -> datetime:
        """Return the instant that a corrected entry is about: `was`, unless another minute was typed.

        Then it is the day of that wall time which lies nearest to `was`: an entry of last night is corrected to a time
        of last night, however much later.
        """
        wall = local(was, zone).replace(tzinfo=None)
        typed = self.at.data
        if typed is None or ((typed.hour, typed.minute) == (wall.hour, wall.minute) and self.fold.data is None):
            return was
        days = [wall.date() + step * _DAY for step in (0, -1, 1)]
        day = min(days, key=lambda each: abs(datetime.combine(each, typed) - wall))
        meant = self._instant(day, typed, zone)
        return now if now < meant <= now + _MINUTE else meant

    def _entered(self, now: datetime) -> datetime:
        """Return when the form was sent for the first time, as the device tells it; never a time to come."""
        try:
            entered = datetime.fromisoformat(self.entered_at.data or "")
            return min(entered.astimezone(UTC), now) if entered.tzinfo else now
        except (ValueError, OverflowError):
            return now

    def _instant(self, day: date, typed: time, zone: ZoneInfo) -> datetime:
        try:
            return from_local(day, typed, zone, None if self.fold.data is None else int(self.fold.data))
        except AmbiguousTime as twice:
            self.asks_fold = True
            raise RuleBroken(str(twice), field="at") from twice
        except NoSuchTime as never:
            raise RuleBroken(str(never), field="at") from never


class ReasonForm(TimedForm):
    """An act with a reason from a grid, or in own words."""

    reason = text("In other words")

    @property
    def said(self) -> str:
        """The reason as one text."""
        chosen = self.why.data if "why" in self else ""
        return ". ".join(part for part in (chosen, (self.reason.data or "").strip()) if part)


class PauseForm(ReasonForm):
    """Why the pump is held."""

    why = one_of("Why", choices(WHY_PAUSE))


class PumpReadingFields:
    """What the pump says it gave, and which number is right once it is too far from the computed one."""

    pump_volume_ml = NumberField("Volume infused, read from the pump", places=2, minimum=0, maximum=5000, unit="mL")
    right_volume = one_of(
        "Which is right", [(RightVolume.PUMP.value, "The pump's"), (RightVolume.COMPUTED.value, "The computed one")]
    )
    volume_reason = text("Why they differ")

    @property
    def asks_volume(self) -> bool:
        """Whether the two volumes are too far apart, or were found so before."""
        return bool(self.right_volume.data or self.right_volume.errors or self.volume_reason.errors)

    @property
    def shown(self) -> PumpReading | None:
        """What the pump shows, None when the field was left empty."""
        volume_ml, right = number(self.pump_volume_ml), self.right_volume.data
        if volume_ml is None:
            return None
        return PumpReading(volume_ml, RightVolume(right) if right else None, self.volume_reason.data)


class StopForm(PumpReadingFields, ReasonForm):
    """Why, and what the pump says it gave."""

    why = one_of("Why", choices(WHY_STOP))


class LateReasonForm(StopForm):
    """The reason of an act at the pump that was recorded without one."""

    about = HiddenField()


class SpokenForm(ReasonForm):
    """An act that may rest on an order that was spoken."""

    spoken_by_id = SelectField("Spoken by", [left_open()])
    spoken_mode = one_of("How it was spoken", list(MODE_WORDS.items()))
    spoken_text = text("What was said")
    is_read_back = BooleanField("Read back to the speaker")

    def offer(self, people: Sequence[Staff]) -> None:
        """Offer the physicians; nobody is chosen."""
        self.spoken_by_id.choices = options(
            [
                ("", "nobody, the signed order holds"),
                *((str(one.id), one.name) for one in people),
            ]
        )

    @property
    def mode(self) -> SpokenMode | None:
        """How it was spoken."""
        return SpokenMode(self.spoken_mode.data) if self.spoken_mode.data else None

    @property
    def is_spoken(self) -> bool:
        """Whether somebody is named who spoke an order."""
        return bool(self.spoken_by_id.data)


class RateForm(PumpReadingFields, SpokenForm):
    """A step of the order, or a rate typed as the pump shows it."""

    step = StringField("New rate", [Optional()])
    rate_ml_h = NumberField("Other rate", places=2, minimum=PUMP_ML_H[0], maximum=PUMP_ML_H[1], unit="mL/h")
    why = one_of("Why", choices(WHY_LOWER))
    double_check_id = HiddenField()
    needs_second = False

    def refuse(self, refusal: RuleBroken) -> None:
        """Remember that a second person has to compute the rate first; that is a next step and no fault."""
        if refusal.field == "double_check":
            self.needs_second = True
        else:
            super().refuse(refusal)


class ResumeForm(SpokenForm):
    """The rate to go on with."""

    rate_ml_h = NumberField(
        "Rate on the pump, when it is another one", places=2, minimum=PUMP_ML_H[0], maximum=PUMP_ML_H[1], unit="mL/h"
    )


class BolusForm(SpokenForm):
    """A dose given at once."""

    bolus_mg = NumberField("Dose", places=4, minimum=Decimal("0.0001"), maximum=100000, unit="mg", required=True)
    over_min = NumberField("Given over", places=2, minimum=0, maximum=600, unit="min")


class BagForm(PumpReadingFields, ReasonForm):
    """What the label of the new bag says."""

    label = text("Code of the bag or syringe", 20)
    concentration_mg_ml = NumberField(
        "Concentration on the label", places=4, minimum=Decimal("0.0001"), maximum=10000, unit="mg/mL", required=True
    )
    volume_to_infuse_ml = NumberField("Volume to be infused", places=2, minimum=0, maximum=5000, unit="mL")
    rate_ml_h = NumberField(
        "Rate on the pump, when it is another one", places=2, minimum=PUMP_ML_H[0], maximum=PUMP_ML_H[1], unit="mL/h"
    )


class PrnForm(TimedForm):
    """An as-needed medicine of the order."""

    item = RadioField("Medicine", choices=[])
    reason = text("Why")


class LineForm(TimedForm):
    """What was done with the cannula."""

    action = RadioField(
        "What was done",
        choices=options(
            [
                (IvAction.PLACED.value, "Placed"),
                (IvAction.CHECKED.value, "Looked at"),
                (IvAction.REMOVED.value, "Removed"),
            ]
        ),
    )
    site = text("Where", SHORT)
    gauge = one_of("Gauge", choices(("18", "20", "22", "24")))
    vip_score = one_of("VIP score", choices(("0", "1", "2", "3", "4", "5")))
    detail = text("What was seen")


class NotifyForm(TimedForm):
    """Who was told what, and the reply."""

    # What is open may have been settled meanwhile by somebody else; what was told about it is kept all the same.
    about = RadioField("About", [left_open()], choices=[], validate_choice=False)
    person_id = SelectField("Who was told", [left_open()])
    text = StringField("What about", [Length(max=LONG)])
    reply = StringField("Reply", [Length(max=LONG)])

    def offer(self, people: Sequence[Staff], open_matters: Iterable[tuple[str, str]]) -> None:
        """Offer the people of the clinic, and what is outside a limit or not over; nothing is chosen."""
        self.about.choices = options(open_matters)
        self.person_id.choices = options(
            [("", "choose, or name somebody below"), *((str(one.id), one.name) for one in people)]
        )


CARE: Final = (
    "Laid flat", "Sat up", "Blanket", "Cold pack", "Fluids", "Airway held", "Talked through", "Light and noise down",
)  # fmt: skip


class CareForm(ReasonForm):
    """What was done for the patient besides the pump and the medicines."""

    why = one_of("What was done", choices(CARE))


class RowNoteForm(TimedForm):
    """A note in the table, to a row of vitals or by itself, that may go to a physician's inbox."""

    about = HiddenField()
    text = TextAreaField("Note", [Length(max=LONG)])
    send_to = SelectField("Send to the inbox of", [left_open()])

    def offer(self, people: Sequence[Staff]) -> None:
        """Offer the physicians; nobody is chosen."""
        self.send_to.choices = options([("", "nobody"), *((str(one.id), one.name) for one in people)])


class HandOverForm(TimedForm):
    """Who takes the session over."""

    to = RadioField("To whom", [left_open()], choices=[])
    rate_ml_h = NumberField(
        "Rate that you read on the pump", places=2, minimum=PUMP_ML_H[0], maximum=PUMP_ML_H[1], unit="mL/h"
    )
    text = TextAreaField("What the other nurse must know", [Length(max=LONG)])
    password = PasswordField("The other nurse's own password", [Length(max=200)])


NOT_DONE_REASONS: Final = options(
    [(NotDoneReason.NOT_PERFORMED.value, "Not performed"), (NotDoneReason.DECLINED.value, "Patient declined")]
)


class NotDoneForm(Form):
    """Why vitals were not taken."""

    due_at = HiddenField()
    reason = RadioField(
        "Why",
        choices=NOT_DONE_REASONS,
    )
    detail = text("What happened")


class ProposalForm(TimedForm):
    """The rate that the first person reads from the pump."""

    rate_ml_h = NumberField(
        "Rate on the pump", places=2, minimum=PUMP_ML_H[0], maximum=PUMP_ML_H[1], unit="mL/h", required=True
    )


class SecondPersonForm(Form):
    """The second person signs: own name, own password, own number."""

    checker = SelectField("Your name", [left_open()])
    password = StringField("Your password")
    computed_rate_ml_h = NumberField(
        "The rate you computed", places=2, minimum=PUMP_ML_H[0], maximum=PUMP_ML_H[1], unit="mL/h", required=True
    )

    def offer(self, people: Sequence[Staff]) -> None:
        """Offer the people who may check; nobody is chosen."""
        self.checker.choices = options([("", "choose"), *((str(one.id), one.name) for one in people)])


class StartForm(TimedForm):
    """What goes with the start."""

    volume_to_infuse_ml = NumberField(
        "Volume to be infused, set on the pump", places=2, minimum=0, maximum=5000, unit="mL"
    )
    label = text("Code of the bag or syringe", 20)
    reason = text("Why the rate differs")
