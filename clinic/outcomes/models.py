"""Outcome scores and follow-up calls."""

import uuid
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.recorded import Recorded, Superseding, correction_says_why
from clinic.core.types import Quantity, enum_type
from clinic.courses.models import Course
from clinic.outcomes.rules import Better, Instrument, Occasion, Scoring
from clinic.sessions.models import InfusionSession


class OutcomeForm(ClinicScoped, Recorded, Base):
    """One version of a short form of the clinic's own, or of a measure of which only the result is kept."""

    __tablename__ = "outcome_form"
    __table_args__ = (sa.UniqueConstraint("series_id", "number"),)

    # The same for every version of one form.
    series_id: Mapped[uuid.UUID]
    number: Mapped[int]
    name: Mapped[str]
    lead: Mapped[str | None]
    questions: Mapped[list[str]] = mapped_column(sa.JSON)
    # What can be answered, each as its number and its words.
    answers: Mapped[list[tuple[int, str]]] = mapped_column(sa.JSON)
    scoring: Mapped[Scoring] = mapped_column(enum_type(Scoring, "scoring"))
    # How many answers there must be for a score; empty: all.
    least_answers: Mapped[int | None]
    lowest: Mapped[Decimal | None] = mapped_column(Quantity(2))
    highest: Mapped[Decimal | None] = mapped_column(Quantity(2))
    better: Mapped[Better | None] = mapped_column(enum_type(Better, "better"))
    is_retired: Mapped[bool] = mapped_column(default=False)
    recorded_by: Mapped[Staff] = relationship(foreign_keys="OutcomeForm.recorded_by_id")


class AnswerSheet(ClinicScoped, Recorded, Base):
    """What a patient was given to answer on the clinic's tablet; the answers name it."""

    __tablename__ = "answer_sheet"

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"))
    course_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("course.id"), index=True)
    infusion_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("infusion_session.id"))
    occasion: Mapped[Occasion] = mapped_column(enum_type(Occasion, "occasion"))
    # The keys of the measures, in the order in which they are asked.
    measures: Mapped[list[str]] = mapped_column(sa.JSON)
    course: Mapped[Course] = relationship()
    infusion: Mapped[InfusionSession | None] = relationship()
    results: Mapped[list["OutcomeResult"]] = relationship(back_populates="sheet")


class ResponderRule(ClinicScoped, Recorded, Base):
    """What the clinic calls a response; the latest row counts, and one without a measure ends it."""

    __tablename__ = "responder_rule"
    __table_args__ = (
        sa.CheckConstraint(
            "measure IS NULL OR least_percent IS NOT NULL OR reaches IS NOT NULL", name="says_what_counts"
        ),
    )

    measure: Mapped[str | None] = mapped_column(sa.String(40))
    least_percent: Mapped[int | None]
    reaches: Mapped[Decimal | None] = mapped_column(Quantity(2))
    within_days: Mapped[int | None]
    reason: Mapped[str]
    recorded_by: Mapped[Staff] = relationship(foreign_keys="ResponderRule.recorded_by_id")


class OutcomeResult(ClinicScoped, Recorded, Superseding, Base):
    """The answers to one measure at one time; the score is computed from the items, never stored."""

    __tablename__ = "outcome_result"
    __table_args__ = (
        correction_says_why(),
        sa.CheckConstraint("(instrument IS NULL) <> (form_id IS NULL)", name="belongs_to_one_measure"),
        sa.Index(None, "course_id", "answered_at"),
    )

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    course_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("course.id"))
    infusion_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("infusion_session.id"), index=True)
    instrument: Mapped[Instrument | None] = mapped_column(enum_type(Instrument, "instrument"))
    form_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("outcome_form.id"))
    # Set where the patient answered on the tablet.
    sheet_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("answer_sheet.id"), index=True)
    occasion: Mapped[Occasion] = mapped_column(enum_type(Occasion, "occasion"))
    items: Mapped[list[int | None]] = mapped_column(sa.JSON)
    # Only of a measure whose result alone is kept: what it came to, and in words.
    value: Mapped[Decimal | None] = mapped_column(Quantity(2))
    text: Mapped[str | None]
    answered_at: Mapped[datetime]
    course: Mapped[Course] = relationship()
    infusion: Mapped[InfusionSession | None] = relationship()
    form: Mapped[OutcomeForm | None] = relationship()
    sheet: Mapped[AnswerSheet | None] = relationship(back_populates="results")
    recorded_by: Mapped[Staff] = relationship(foreign_keys="OutcomeResult.recorded_by_id")


class FollowUpCall(ClinicScoped, Recorded, Base):
    """The call after a session: reached or not, and what was said."""

    __tablename__ = "follow_up_call"

    infusion_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("infusion_session.id"), index=True)
    called_at: Mapped[datetime]
    is_reached: Mapped[bool]
    text: Mapped[str | None]
    infusion: Mapped[InfusionSession] = relationship()
    recorded_by: Mapped[Staff] = relationship(foreign_keys="FollowUpCall.recorded_by_id")
