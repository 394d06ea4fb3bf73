"""What is typed about patients."""

import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from flask_wtf.file import FileField, FileRequired
from wtforms import (
    BooleanField,
    HiddenField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than the published types
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from clinic.core.choices import options
from clinic.core.forms import MAXIMUM_TEXT, Form, NumberField, WholeField
from clinic.core.moments import DayField, MomentForm
from clinic.patients.models import ConsentForm, ScreeningQuestion
from clinic.patients.referral_rules import Payment, ReferralDecision
from clinic.patients.referrals import ReferralText
from clinic.patients.restricting_rules import SHORTEST_REASON, OpeningKind
from clinic.patients.rules import Answer, Sex, WeightMethod

# The bounds of the impossible, not of the usual.
_LEAST_KG: Final = Decimal("0.5")
_MOST_KG: Final = 650
_MOST_CONSENT: Final = 40_000


def stripped(value: str | None) -> str | None:
    """Text without the blanks around it; nothing but blanks is None."""
    return value.strip() or None if value else None


def whole(field: WholeField) -> int | None:
    """The whole number that was typed."""
    return None if field.data is None else int(field.data)


def _line(label: str, *, most: int = 200, needed: str | None = None) -> Any:
    validators: list[Any] = [InputRequired(needed)] if needed else []
    return StringField(label, [*validators, Length(max=most, message=f"At most {most} letters")], filters=[stripped])


def _text(label: str, *, most: int = MAXIMUM_TEXT, needed: str | None = None) -> Any:
    validators: list[Any] = [InputRequired(needed)] if needed else []
    limit = Length(max=most, message=f"At most {most} letters")
    return TextAreaField(label, [*validators, limit], filters=[stripped])


def _day(label: str, *, required: bool = False) -> Any:
    return DayField(label, required=required)


def _kg(label: str, *, required: bool = False) -> Any:
    return NumberField(label, places=2, minimum=_LEAST_KG, maximum=_MOST_KG, required=required, unit="kg")


def _radio(label: str, words: dict[Any, str], *, needed: str | None) -> Any:
    return RadioField(label, [InputRequired(needed) if needed else Optional()], choices=options(words))


_NEEDED: Final = {"yes": "needed", "no": "not needed"}
SEX_WORDS: Final = {Sex.FEMALE: "female", Sex.MALE: "male", Sex.OTHER: "other", Sex.UNKNOWN: "not known"}
ANSWER_WORDS: Final = {Answer.YES: "yes", Answer.NO: "no", Answer.UNKNOWN: "not known"}
PAYMENT_WORDS: Final = {Payment.INSURANCE: "insurance", Payment.SELF_PAY: "the patient"}
DECISION_WORDS: Final = {
    ReferralDecision.ACCEPTED: "accept",
    ReferralDecision.DECLINED: "decline",
    ReferralDecision.MORE_INFORMATION: "ask for more information",
}
METHOD_WORDS: Final = {WeightMethod.MEASURED: "measured here", WeightMethod.STATED: "stated by the patient"}


class DetailsForm(Form):
    family_name = _line("Family name", needed="Enter the family name")
    given_name = _line("Given name", needed="Enter the given name")
    born_on = _day("Born", required=True)
    sex = _radio("Sex", SEX_WORDS, needed="Choose one")
    phone = _line("Phone", most=60)
    language = _line("Language", most=60)
    is_interpreter_needed = SelectField("Interpreter", choices=options(_NEEDED, blank=True), default="")
    referred_by = _line("Referred by")

    def details(self) -> dict[str, Any]:
        """What was typed, as the operations take it."""
        lines = {
            name: self[name].data
            for name in ("family_name", "given_name", "born_on", "phone", "language", "referred_by")
        }
        asked = self.is_interpreter_needed.data
        return lines | {"sex": Sex(self.sex.data), "is_interpreter_needed": asked == "yes" if asked else None}


class PatientForm(DetailsForm):
    mrn = _line("Record number (MRN)", most=40, needed="Enter the record number")


class ClinicalPatientForm(PatientForm):
    problem = _line("Treated for", most=400)


class ProblemForm(Form):
    problem = _line("Treated for", most=400)


class AllergyForm(Form):
    substance = _line("Allergy to", needed="Enter the substance")
    reaction = _line("What happened")


class ReasonForm(Form):
    reason = _line("Reason", most=400, needed="Say why")


class WeightForm(MomentForm):
    kg = _kg("Weight", required=True)
    method = _radio("How", METHOD_WORDS, needed="Choose how the weight was obtained")
    again_kg = _kg("Weight, a second time")
    reason = _line("Why it is right", most=400)


class CorrectWeightForm(MomentForm):
    kg = _kg("Weight", required=True)
    method = _radio("How", METHOD_WORDS, needed="Choose how the weight was obtained")
    reason = _line("What was wrong", most=400, needed="Say what was wrong")


class ScreeningForm(Form):
    """All the clinic's questions on one page. What the patient was not asked stays open, and is no answer."""

    question_ids: tuple[uuid.UUID, ...] = ()

    def answer(self, question_id: uuid.UUID) -> Any:
        return self[f"answer_{question_id.hex}"]

    def detail(self, question_id: uuid.UUID) -> Any:
        return self[f"detail_{question_id.hex}"]

    def given(self) -> dict[uuid.UUID, tuple[Answer, str | None]]:
        """The questions that were answered, each with its words."""
        return {
            key: (Answer(self.answer(key).data), self.detail(key).data)
            for key in self.question_ids
            if self.answer(key).data
        }

    def validate(self, extra_validators: Any = None) -> bool:
        is_good: bool = super().validate(extra_validators)
        open_words = [key for key in self.question_ids if self.detail(key).data and not self.answer(key).data]
        for key in open_words:
            self.answer(key).errors = [*self.answer(key).errors, "Choose yes, no or not known"]
        if is_good and not open_words and not self.given():
            self.refusal = "Answer at least one question."
        return is_good and not open_words and not self.refusal


def screening_form(questions: Sequence[ScreeningQuestion], **options: Any) -> ScreeningForm:
    """An empty form for these questions."""
    fields: dict[str, Any] = {"question_ids": tuple(question.id for question in questions)}
    for question in questions:
        fields[f"answer_{question.id.hex}"] = _radio(question.text, ANSWER_WORDS, needed=None)
        fields[f"detail_{question.id.hex}"] = _line("In words", most=1000)
    made: ScreeningForm = type("AskedForm", (ScreeningForm,), fields)(**options)
    return made


class SettleForm(Form):
    settled_text = _text("How it is settled", needed="Say how it is settled")


_MOST_DAYS: Final = 3660


def _days(label: str) -> WholeField:
    return WholeField(label, minimum=1, maximum=_MOST_DAYS, unit="days")


class QuestionForm(Form):
    drug_name = _line("Drug", needed="Enter the drug")
    text = _line("Question", most=400, needed="Enter the question")
    valid_days = _days("An answer is valid for")


class ChangeQuestionForm(Form):
    valid_days = _days("An answer is valid for")
    is_retired = BooleanField("Ask it no more")


class ConsentFormForm(Form):
    drug_name = _line("For the drug", needed="Enter the drug")
    text = _text("Text that the patient signs", most=_MOST_CONSENT, needed="Write the text")
    valid_days = _days("A consent is valid for")
    is_retired = BooleanField("Sign it no more")


class HandConsentForm(Form):
    form_id = SelectField("Form", [InputRequired("Choose the form")], choices=[], default="")

    def offer(self, forms: Sequence[ConsentForm]) -> None:
        """Offer the clinic's newest forms; none is chosen."""
        words = {str(form.id): f"{form.drug_name}, version {form.number}" for form in forms}
        self.form_id.choices = options(words, blank=True)


class MedicineForm(Form):
    name = _line("Medicine", needed="Enter the medicine")
    taken = _line("How it is taken", most=400)
    since = _line("Since", most=60)


class ReferralForm(Form):
    referrer = _line("Referred by", needed="Enter who referred the patient")
    received_on = _day("Received", required=True)
    diagnosis = _line("Diagnosis", most=400, needed="Enter the diagnosis, as the referral says it")
    icd10_codes = _line("ICD-10", most=200)
    prior_treatments = _text("Tried before", most=4000)
    records = _line("Records that came with it", most=400)
    payment = _radio("Paid by", PAYMENT_WORDS, needed=None)
    payer = _line("Insurer and number, authorisation", most=200)

    def said(self) -> ReferralText:
        """What was typed, as the operation takes it."""
        lines = {
            name: self[name].data
            for name in ("referrer", "received_on", "diagnosis", "icd10_codes", "prior_treatments", "records", "payer")
        }
        return ReferralText(**lines, payment=Payment(self.payment.data) if self.payment.data else None)


class CorrectReferralForm(ReferralForm):
    reason = _line("Why it changes", most=400, needed="Say why it changes")


class VerdictForm(Form):
    decision = _radio("Decision", DECISION_WORDS, needed="Choose one")
    reason = _line("Why, or what is missing", most=400)


class DocumentForm(Form):
    title = _line("Title", needed="Enter the title")
    dated_on = _day("Dated")
    file = FileField("Paper", [FileRequired("Choose the file")])


class IdentifierForm(Form):
    system = _line("Whose number it is", most=80, needed="Enter whose number it is")
    value = _line("Number", most=80, needed="Enter the number")


class SignConsentForm(Form):
    """What the patient does on the tablet: agree, type the name, and draw where the tablet can."""

    agrees = BooleanField("I have read this and I agree", [InputRequired("Choose whether you agree")])
    name = _line("Your name, typed", needed="Type your name")
    path = HiddenField(filters=[stripped])


class SignedConsentForm(Form):
    drug_name = _line("For the drug", needed="Enter the drug")
    form_version = _line("Version of the form", most=60, needed="Enter the version that was signed")
    signed_on = _day("Signed on", required=True)
    valid_from = _day("Valid from", required=True)
    valid_until = _day("Valid until")
    witness_name = _line("Witness")


KIND_WORDS: Final = {
    OpeningKind.EMERGENCY: "emergency at the chair",
    OpeningKind.COVER: "I stand in for somebody of the team",
    OpeningKind.QUESTION: "question of the patient or of another place of care",
    OpeningKind.OTHER: "another reason",
}


class RestrictionForm(Form):
    team = SelectMultipleField(
        "Who treats this patient", widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )
    reason = TextAreaField("Why", [InputRequired("Say why"), Length(max=MAXIMUM_TEXT)])


class GlassForm(Form):
    kind = RadioField("What for", [InputRequired("Choose what for")], choices=options(KIND_WORDS))
    reason = TextAreaField(
        "Why",
        [
            InputRequired("Say why"),
            Length(min=SHORTEST_REASON, max=MAXIMUM_TEXT, message=f"Use {SHORTEST_REASON} letters or more"),
        ],
    )
    password = PasswordField("Your password", [InputRequired("Enter your password")])


class ReviewForm(Form):
    verdict = RadioField(
        "This opening was",
        [InputRequired("Choose what you found")],
        choices=[SelectChoice(value="yes", label="in order"), SelectChoice(value="no", label="not in order")],
    )
    note = TextAreaField("What you looked at", [InputRequired("Say what you looked at"), Length(max=MAXIMUM_TEXT)])
