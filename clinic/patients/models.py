"""Patients and what is known of them before any infusion."""

import uuid
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.recorded import Recorded, Superseding, correction_says_why
from clinic.core.types import Quantity, enum_type
from clinic.patients.referral_rules import Payment, ReferralDecision
from clinic.patients.restricting_rules import OpeningKind
from clinic.patients.rules import AllergyKind, Answer, ConsentStatus, Sex, WeightMethod


class Patient(ClinicScoped, Base):
    """A person who is treated here."""

    __tablename__ = "patient"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "mrn"),
        sa.Index(None, "clinic_id", "family_key"),
        sa.Index(None, "clinic_id", "born_on"),
    )

    mrn: Mapped[str] = mapped_column(sa.String(40))
    family_name: Mapped[str]
    given_name: Mapped[str]
    # The family name in lower case: searched by its beginning on both databases alike.
    family_key: Mapped[str]
    born_on: Mapped[date]
    sex: Mapped[Sex] = mapped_column(enum_type(Sex, "sex"))
    phone: Mapped[str | None]
    # None says that nobody asked.
    language: Mapped[str | None]
    is_interpreter_needed: Mapped[bool | None]
    referred_by: Mapped[str | None]
    problem: Mapped[str | None]
    created_at: Mapped[datetime]
    created_by_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    version: Mapped[int] = mapped_column(sort_order=95)
    identifiers: Mapped[list["PatientIdentifier"]] = relationship(back_populates="patient")
    allergies: Mapped[list["Allergy"]] = relationship(back_populates="patient", order_by="Allergy.recorded_at")
    weights: Mapped[list["Weight"]] = relationship(back_populates="patient", order_by="Weight.measured_at")
    screening_answers: Mapped[list["ScreeningAnswer"]] = relationship(back_populates="patient")
    consents: Mapped[list["Consent"]] = relationship(back_populates="patient")

    __mapper_args__ = {"version_id_col": version}

    @property
    def language_words(self) -> str:
        """Return "Portuguese, interpreter needed", "" when nobody asked."""
        needed = {True: "interpreter needed", False: "no interpreter", None: ""}[self.is_interpreter_needed]
        return ", ".join(part for part in (self.language, needed) if part)

    @property
    def name(self) -> str:
        """As it stands on screen: family name in capitals, then the given name."""
        return f"{self.family_name.upper()}, {self.given_name}"


class PatientIdentifier(ClinicScoped, Base):
    """A number that somebody else knows the patient by."""

    __tablename__ = "patient_identifier"
    __table_args__ = (sa.UniqueConstraint("clinic_id", "system", "value"),)

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    system: Mapped[str]
    value: Mapped[str]
    patient: Mapped[Patient] = relationship(back_populates="identifiers")


class Allergy(ClinicScoped, Recorded, Superseding, Base):
    """A known allergy, or that the patient was asked and has none. Retired by a void row that supersedes it."""

    __tablename__ = "allergy"
    __table_args__ = (
        correction_says_why(),
        sa.CheckConstraint("kind = 'none-known' OR substance IS NOT NULL", name="known_allergy_names_substance"),
    )

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    kind: Mapped[AllergyKind] = mapped_column(enum_type(AllergyKind, "allergy_kind"))
    substance: Mapped[str | None]
    reaction: Mapped[str | None]
    patient: Mapped[Patient] = relationship(back_populates="allergies")
    recorded_by: Mapped[Staff] = relationship(foreign_keys="Allergy.recorded_by_id")


class Weight(ClinicScoped, Recorded, Superseding, Base):
    """A body weight in kilograms, measured or stated, at an instant."""

    __tablename__ = "weight"
    __table_args__ = (
        correction_says_why(),
        sa.CheckConstraint("kg > 0", name="weight_is_positive"),
        sa.Index(None, "patient_id", "measured_at"),
    )

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"))
    kg: Mapped[Decimal] = mapped_column(Quantity(2))
    method: Mapped[WeightMethod] = mapped_column(enum_type(WeightMethod, "weight_method"))
    measured_at: Mapped[datetime]
    patient: Mapped[Patient] = relationship(back_populates="weights")
    recorded_by: Mapped[Staff] = relationship(foreign_keys="Weight.recorded_by_id")


class ScreeningQuestion(ClinicScoped, Base):
    """A question that the clinic asks before it gives a drug. We ship none."""

    __tablename__ = "screening_question"
    __table_args__ = (sa.UniqueConstraint("clinic_id", "drug_name", "text"),)

    drug_name: Mapped[str]
    text: Mapped[str]
    position: Mapped[int]
    # How long an answer is valid; empty: for ever.
    valid_days: Mapped[int | None]
    is_retired: Mapped[bool] = mapped_column(default=False)


class ScreeningAnswer(ClinicScoped, Recorded, Superseding, Base):
    """A patient's answer; a physician settles a yes or unknown by a later row with `settled_text`."""

    __tablename__ = "screening_answer"
    __table_args__ = (correction_says_why(),)

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    question_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("screening_question.id"))
    answer: Mapped[Answer] = mapped_column(enum_type(Answer, "answer"))
    detail: Mapped[str | None]
    settled_text: Mapped[str | None]
    patient: Mapped[Patient] = relationship(back_populates="screening_answers")
    question: Mapped[ScreeningQuestion] = relationship()
    # The row that this one took the place of.
    earlier: Mapped["ScreeningAnswer | None"] = relationship(
        remote_side="ScreeningAnswer.id", foreign_keys="ScreeningAnswer.supersedes_id"
    )
    recorded_by: Mapped[Staff] = relationship(foreign_keys="ScreeningAnswer.recorded_by_id")

    @property
    def answered_at(self) -> datetime:
        """When the patient answered: settling an answer later does not make it younger."""
        return self.earlier.recorded_at if self.settled_text and self.earlier is not None else self.recorded_at


class ConsentForm(ClinicScoped, Recorded, Base):
    """One version of the clinic's consent form for a drug; the newest one is signed, an earlier one stays readable."""

    __tablename__ = "consent_form"
    __table_args__ = (sa.UniqueConstraint("clinic_id", "drug_name", "number"),)

    drug_name: Mapped[str]
    number: Mapped[int]
    text: Mapped[str]
    # How long a consent on it is valid; empty: until it is withdrawn.
    valid_days: Mapped[int | None]
    is_retired: Mapped[bool] = mapped_column(default=False)
    recorded_by: Mapped[Staff] = relationship(foreign_keys="ConsentForm.recorded_by_id")


class Consent(ClinicScoped, Recorded, Superseding, Base):
    """Consent to a drug for a period, on a version of the clinic's form; withdrawn by a later row."""

    __tablename__ = "consent"
    __table_args__ = (
        correction_says_why(),
        sa.CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name="consent_ends_after_it_begins"),
    )

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    drug_name: Mapped[str]
    form_version: Mapped[str]
    status: Mapped[ConsentStatus] = mapped_column(enum_type(ConsentStatus, "consent_status"))
    signed_on: Mapped[date]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    witness_name: Mapped[str | None]
    # Signed here, on the tablet: the text that was signed, and what the patient typed and drew.
    form_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("consent_form.id"))
    signed_at: Mapped[datetime | None]
    signed_name: Mapped[str | None]
    signature_path: Mapped[str | None]
    form: Mapped[ConsentForm | None] = relationship()
    patient: Mapped[Patient] = relationship(back_populates="consents")
    recorded_by: Mapped[Staff] = relationship(foreign_keys="Consent.recorded_by_id")


class Medicine(ClinicScoped, Recorded, Superseding, Base):
    """Something that the patient takes besides what is given here; stopped by a void row with its reason."""

    __tablename__ = "medicine"
    __table_args__ = (correction_says_why(),)

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    name: Mapped[str]
    # How it is taken, and since when, in the patient's words: "600 mg by mouth, 3 times a day", "Jan 2025".
    taken: Mapped[str | None]
    since: Mapped[str | None]
    recorded_by: Mapped[Staff] = relationship(foreign_keys="Medicine.recorded_by_id")


class MedicineCheck(ClinicScoped, Recorded, Base):
    """The list of medicines was gone through with the patient, and stood as it stood then."""

    __tablename__ = "medicine_check"

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    recorded_by: Mapped[Staff] = relationship(foreign_keys="MedicineCheck.recorded_by_id")


class Document(ClinicScoped, Recorded, Superseding, Base):
    """A paper that belongs to the chart, as it came; withdrawn by a void row with its reason."""

    __tablename__ = "document"
    __table_args__ = (correction_says_why(),)

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    title: Mapped[str]
    dated_on: Mapped[date | None]
    media_type: Mapped[str] = mapped_column(sa.String(40))
    digest: Mapped[str] = mapped_column(sa.String(64))
    size: Mapped[int]
    # Read only where the paper itself is sent.
    content: Mapped[bytes] = mapped_column(deferred=True)
    recorded_by: Mapped[Staff] = relationship(foreign_keys="Document.recorded_by_id")


class Referral(ClinicScoped, Recorded, Superseding, Base):
    """Somebody sent the patient here: with which diagnosis, and what was tried before (domain reference 1.1)."""

    __tablename__ = "referral"
    __table_args__ = (correction_says_why(),)

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    referrer: Mapped[str]
    received_on: Mapped[date]
    diagnosis: Mapped[str]
    # As they were typed; no list of codes is shipped.
    icd10_codes: Mapped[str | None]
    prior_treatments: Mapped[str | None]
    records: Mapped[str | None]
    payment: Mapped[Payment | None] = mapped_column(enum_type(Payment, "payment"))
    payer: Mapped[str | None]
    patient: Mapped[Patient] = relationship()
    recorded_by: Mapped[Staff] = relationship(foreign_keys="Referral.recorded_by_id")
    verdicts: Mapped[list["ReferralVerdict"]] = relationship(
        back_populates="referral", order_by="(ReferralVerdict.recorded_at, ReferralVerdict.id)"
    )

    @property
    def verdict(self) -> "ReferralVerdict | None":
        """The decision that holds."""
        return self.verdicts[-1] if self.verdicts else None


class ReferralVerdict(ClinicScoped, Recorded, Base):
    """A physician accepted a referral, declined it, or asked for more; the latest holds."""

    __tablename__ = "referral_verdict"
    __table_args__ = (sa.CheckConstraint("decision = 'accepted' OR length(trim(reason)) > 0", name="says_why_or_what"),)

    referral_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("referral.id"), index=True)
    decision: Mapped[ReferralDecision] = mapped_column(enum_type(ReferralDecision, "referral_decision"))
    reason: Mapped[str | None]
    referral: Mapped[Referral] = relationship(back_populates="verdicts")
    recorded_by: Mapped[Staff] = relationship(foreign_keys="ReferralVerdict.recorded_by_id")


class ChartRestriction(ClinicScoped, Recorded, Base):
    """A chart that is open to its team alone, or to everybody again; the latest row holds."""

    __tablename__ = "chart_restriction"
    __table_args__ = (sa.CheckConstraint("length(trim(reason)) > 0", name="restriction_says_why"),)

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    is_restricted: Mapped[bool]
    reason: Mapped[str]


class ChartTeam(ClinicScoped, Base):
    """Somebody who treats the patient of a restricted chart and opens it like any other."""

    __tablename__ = "chart_team"
    __table_args__ = (sa.UniqueConstraint("restriction_id", "staff_id"),)

    restriction_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("chart_restriction.id"))
    staff_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))


class ChartOpening(ClinicScoped, Base):
    """Somebody outside the team opened a restricted chart, for so long and for this reason."""

    __tablename__ = "chart_opening"
    __table_args__ = (
        sa.CheckConstraint("length(trim(reason)) >= 10", name="opening_says_why"),
        sa.CheckConstraint("until_at > opened_at", name="ends_after_it_begins"),
        sa.UniqueConstraint("id", "opened_by_id"),
    )

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    kind: Mapped[OpeningKind] = mapped_column(enum_type(OpeningKind, "opening_kind"))
    reason: Mapped[str]
    opened_at: Mapped[datetime]
    opened_by_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    until_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class OpeningReview(ClinicScoped, Recorded, Base):
    """What another person said to an opening. Nobody reviews the own one: the database compares the two."""

    __tablename__ = "opening_review"
    __table_args__ = (
        sa.CheckConstraint("length(trim(note)) > 0", name="review_says_why"),
        sa.CheckConstraint("opened_by_id <> recorded_by_id", name="another_reviews"),
        sa.ForeignKeyConstraint(["opening_id", "opened_by_id"], ["chart_opening.id", "chart_opening.opened_by_id"]),
    )

    opening_id: Mapped[uuid.UUID] = mapped_column(unique=True)
    opened_by_id: Mapped[uuid.UUID]
    is_in_order: Mapped[bool]
    note: Mapped[str]
