"""Forms of notes, the inbox and the course review. Nothing on them is answered before the person answers it."""

import uuid
from collections.abc import Iterable
from datetime import date, datetime

from wtforms import BooleanField, HiddenField, PasswordField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from clinic.accounts.models import Staff
from clinic.core import formats, times
from clinic.core.choices import left_open, options
from clinic.core.errors import RuleBroken
from clinic.core.forms import MAXIMUM_TEXT, ClockField, Form
from clinic.core.moments import DayField
from clinic.core.permissions import Role
from clinic.courses.pages import DECISION_WORDS
from clinic.courses.rules import Bookings, CourseDecision
from clinic.notes.models import Referrer
from clinic.notes.rules import Addition, NoteKind
from clinic.orders.rules import OrderCosign
from clinic.protocols.terms_form import TermsForm

NOBODY = "none"
TOO_LONG = f"Use at most {MAXIMUM_TEXT} characters"


class PasswordForm(Form):
    """One's own password again: the act of signing."""

    password = PasswordField("Your password")


class ReadForm(PasswordForm):
    """What the physician answers to a note from the chair, if anything, and the signature that it was read."""

    reply = TextAreaField("Your answer, if any", validators=[Length(max=MAXIMUM_TEXT, message=TOO_LONG)])


class CoverForm(Form):
    """Who is away, who signs instead, and from which day to which."""

    away_id = RadioField("Who is away", choices=[], validators=[InputRequired("Say who is away")])
    covering_id = RadioField("Who signs instead", choices=[], validators=[InputRequired("Say who signs instead")])
    from_on = DayField("First day", required=True)
    until_on = DayField("Last day", required=True)

    def offer(self, physicians: Iterable[Staff]) -> None:
        """Offer the clinic's physicians, none chosen."""
        words = {str(person.id): person.name for person in physicians}
        self.away_id.choices = options(words)
        self.covering_id.choices = options(words)

    def days(self) -> tuple[date, date]:
        """The first and the last day."""
        if self.from_on.data is None or self.until_on.data is None:
            raise RuleBroken("Enter both days.")
        return self.from_on.data, self.until_on.data


class EndCoverForm(Form):
    """Why a cover ends before its last day."""

    reason = StringField("Why it ends now", validators=[InputRequired("Say why"), Length(max=200)])


class SendBackForm(Form):
    """Why a note goes back to its author."""

    reason = TextAreaField(
        "What is to be changed",
        validators=[InputRequired("Say what is to be changed"), Length(max=MAXIMUM_TEXT, message=TOO_LONG)],
    )


class SettleForm(Form):
    """How a physician settles an answer of the screening."""

    settled_text = TextAreaField(
        "How it is settled",
        validators=[InputRequired("Say how it is settled"), Length(max=MAXIMUM_TEXT, message=TOO_LONG)],
    )


class NoteForm(PasswordForm):
    """The text of a note and who co-signs it. As a draft only the text counts."""

    text = TextAreaField("Note", validators=[Length(max=MAXIMUM_TEXT, message=TOO_LONG)])
    cosigner_id = RadioField("Who co-signs", choices=[], validate_choice=False)

    def offer(self, physicians: Iterable[Staff], *, is_needed: bool) -> None:
        """Offer the physicians who may co-sign; somebody who needs none may say so. Nothing is chosen."""
        offered = {str(person.id): person.name for person in physicians}
        if not is_needed:
            offered[NOBODY] = "Nobody, my signature suffices"
        self.cosigner_id.choices = options(offered)
        self._offered = set(offered)

    @property
    def is_answered(self) -> bool:
        """Whether the question who co-signs was answered with something that was offered."""
        return self.cosigner_id.data in self._offered

    def chosen_id(self) -> uuid.UUID | None:
        """The chosen co-signer, or None for nobody and for no answer."""
        data = self.cosigner_id.data
        return uuid.UUID(data) if self.is_answered and data != NOBODY else None


class AddendumForm(PasswordForm):
    """What follows a signed note; a late entry says when it happened."""

    kind = RadioField("What it is", choices=[], validators=[InputRequired("Choose what it is")])
    day = DayField("For a late entry: the day it happened")
    clock = ClockField("and the time")
    text = TextAreaField("Text", validators=[Length(max=MAXIMUM_TEXT, message=TOO_LONG)])

    def offer(self, *, is_author: bool) -> None:
        """Ask what it is; only the author of the note corrects or attests it. Nothing is chosen."""
        words = {
            Addition.ADDENDUM: "Addendum: something to add",
            Addition.LATE_ENTRY: "Late entry: something that was left out, as you remember it",
        }
        own = {
            Addition.CORRECTION: "Correction: the note as it should read, and why",
            Addition.ATTESTATION: "Attestation: that an entry without your signature is yours",
        }
        self.kind.choices = options(words | own if is_author else words)

    def chosen(self) -> Addition:
        """What it is."""
        return Addition(self.kind.data)

    def happened_at(self) -> datetime | None:
        """When it happened, in UTC, where a day and a time were entered."""
        if self.day.data is None and self.clock.data is None:
            return None
        if self.day.data is None or self.clock.data is None:
            raise RuleBroken("Enter the day and the time.", field="clock")
        try:
            return times.from_local(self.day.data, self.clock.data, formats.zone.get())
        except (times.AmbiguousTime, times.NoSuchTime) as problem:
            raise RuleBroken(str(problem), field="clock") from problem


class CosignRuleForm(PasswordForm):
    """Whether notes of a kind wait for a co-signature when somebody of a role signed them."""

    role = RadioField(
        "Signed by a",
        choices=options({Role.NURSE: "nurse", Role.PHYSICIAN: "physician"}),
        validators=[InputRequired("Choose a role")],
    )
    kind = RadioField(
        "What",
        choices=options(
            {NoteKind.SESSION: "session note", NoteKind.ADDENDUM: "addendum", NoteKind.CORRECTION: "correction"}
        ),
        validators=[InputRequired("Choose a kind of note")],
    )
    is_needed = RadioField(
        "Waits for a co-signature",
        choices=options({"yes": "yes", "no": "no"}),
        validators=[InputRequired("Choose yes or no")],
    )
    reason = StringField("Why", validators=[InputRequired("Say why"), Length(max=200)])


class OrderCosignRuleForm(PasswordForm):
    """Whether the orders of a physician need a second signature, when, and whose."""

    staff_id = RadioField("Orders signed by", choices=[], validators=[InputRequired("Choose whose orders")])
    cosign = RadioField(
        "Co-signature",
        choices=options(
            {
                OrderCosign.FIRST: "needed before the order is used",
                OrderCosign.LATER: "needed, the order is used meanwhile",
                NOBODY: "not needed",
            }
        ),
        validators=[InputRequired("Choose one")],
    )
    cosigner_id = RadioField("Co-signed by", choices=[], validators=[InputRequired("Choose who co-signs")])
    reason = StringField("Why", validators=[InputRequired("Say why"), Length(max=200)])

    def offer(self, physicians: Iterable[Staff]) -> None:
        """Offer the clinic's physicians; nothing is chosen."""
        people = {str(person.id): person.name for person in physicians}
        self.staff_id.choices = options({**people, NOBODY: "every physician without a rule of their own"})
        self.cosigner_id.choices = options({**people, NOBODY: "any other physician"})

    def chosen(self, field: RadioField) -> uuid.UUID | None:
        """The physician chosen at a field, or None for all or any."""
        return None if field.data == NOBODY else uuid.UUID(field.data)


class OrderErrorForm(PasswordForm):
    """Why a signed order was an error."""

    reason = StringField("Why it was an error", validators=[InputRequired("Say why"), Length(max=1000)])


class LetterForm(PasswordForm):
    """To whom a letter goes and what its author adds to the facts."""

    referrer_id = SelectField("A referrer of the clinic", choices=[], default="", validators=[left_open()])
    addressee = TextAreaField("Or to", validators=[Length(max=MAXIMUM_TEXT, message=TOO_LONG)])
    text = TextAreaField("Your words", validators=[Length(max=MAXIMUM_TEXT, message=TOO_LONG)])

    def offer(self, referrers: Iterable[Referrer]) -> None:
        """Offer the clinic's referrers, none chosen."""
        self._referrers = {str(each.id): each for each in referrers}
        words = {key: ", ".join(each.lines.splitlines()) for key, each in self._referrers.items()}
        self.referrer_id.choices = options(words, blank=True)

    def address(self) -> str:
        """To whom it goes: what was typed, or else the chosen referrer."""
        chosen = self._referrers.get(self.referrer_id.data or "")
        if chosen is not None and (self.addressee.data or "").strip():
            raise RuleBroken("Choose a referrer, or type to whom it goes, not both.", field="addressee")
        return chosen.lines if chosen else self.addressee.data or ""


class ReferrerForm(Form):
    """Somebody who refers patients, as a letter addresses them."""

    name = StringField("Name", validators=[InputRequired("Enter the name"), Length(max=200)])
    practice = StringField("Practice", validators=[Length(max=200)])
    address = TextAreaField("Address", validators=[Length(max=1000)])


class WithdrawForm(Form):
    """Why a referrer is taken off the list."""

    reason = StringField("Why", validators=[InputRequired("Say why"), Length(max=200)])


class DecisionForm(Form):
    """What a physician decides about a course, and why."""

    decision = SelectField("Decision", choices=[], validators=[InputRequired("Choose a decision")])
    seen = HiddenField()
    bookings = RadioField(
        "The booked sessions",
        choices=options({Bookings.KEEP: "Keep their places", Bookings.FREE: "Free their places"}),
        validators=[left_open()],
    )
    text = TextAreaField("Why", validators=[InputRequired("Say why"), Length(max=MAXIMUM_TEXT, message=TOO_LONG)])

    def offer(self, decisions: Iterable[CourseDecision]) -> None:
        """Offer decisions, none chosen."""
        self.decision.choices = options({decision: DECISION_WORDS[decision] for decision in decisions}, blank=True)

    def chosen(self) -> CourseDecision:
        """The decision."""
        return CourseDecision(self.decision.data)

    def chosen_bookings(self) -> Bookings | None:
        """What becomes of the booked sessions, where it was asked."""
        return Bookings(self.bookings.data) if self.bookings.data else None


class NextOrderForm(TermsForm):
    """The values of the next order that are written beside the course; `keep_only` takes away all others."""

    weight_id = HiddenField()
    before_id = HiddenField()
    shown = HiddenField()
    change_reason = StringField("Why the order changes", validators=[InputRequired("Say why"), Length(max=1000)])
    is_for_rest = BooleanField()
    excess_reason = StringField("Why it is signed all the same", validators=[Length(max=1000)])
    password = PasswordField("Your password")

    def keep_only(self, names: Iterable[str]) -> None:
        """Leave these values of the terms on the form."""
        own = {"weight_id", "before_id", "shown", "change_reason", "is_for_rest", "excess_reason", "password"}
        for name in set(self._fields) - own - {"csrf_token"} - set(names):
            del self[name]
