"""Outcome scores and follow-up calls."""

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.recorded import Recorded, Superseding, correction_says_why
from clinic.core.types import enum_type
from clinic.courses.models import Course
from clinic.outcomes.rules import Instrument, Occasion
from clinic.sessions.models import InfusionSession


class OutcomeResult(ClinicScoped, Recorded, Superseding, Base):
    """The answers to one instrument at one time; the score is computed from the items, never stored."""

    __tablename__ = "outcome_result"
    __table_args__ = (correction_says_why(), sa.Index(None, "course_id", "answered_at"))

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    course_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("course.id"))
    infusion_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("infusion_session.id"), index=True)
    instrument: Mapped[Instrument] = mapped_column(enum_type(Instrument, "instrument"))
    occasion: Mapped[Occasion] = mapped_column(enum_type(Occasion, "occasion"))
    items: Mapped[list[int | None]] = mapped_column(sa.JSON)
    answered_at: Mapped[datetime]
    course: Mapped[Course] = relationship()
    infusion: Mapped[InfusionSession | None] = relationship()
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
