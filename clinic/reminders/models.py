"""Who may be written to, when reminders go out, and what they say. We ship no time and no text."""

import uuid
from datetime import time

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.recorded import Recorded, Superseding, correction_says_why
from clinic.core.types import enum_type
from clinic.reminders.rules import TextKind


class MailAgreement(ClinicScoped, Recorded, Superseding, Base):
    """The patient agreed to be written to at this address; withdrawn by a void row with its reason."""

    __tablename__ = "mail_agreement"
    __table_args__ = (correction_says_why(),)

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    address: Mapped[str] = mapped_column(sa.String(254))
    recorded_by: Mapped[Staff] = relationship(foreign_keys="MailAgreement.recorded_by_id")


class ReminderTime(ClinicScoped, Recorded, Superseding, Base):
    """A reminder goes out so many days before, at this time of the clinic's clock; taken away by a void row."""

    __tablename__ = "reminder_time"
    __table_args__ = (
        correction_says_why(),
        sa.CheckConstraint("days_before BETWEEN 0 AND 60", name="days_are_near"),
    )

    days_before: Mapped[int]
    at_clock: Mapped[time] = mapped_column(sa.Time())
    recorded_by: Mapped[Staff] = relationship(foreign_keys="ReminderTime.recorded_by_id")


class ReminderText(ClinicScoped, Recorded, Superseding, Base):
    """What a reminder tells besides the time: for a protocol, for a drug, or always. Replaced by a later row."""

    __tablename__ = "reminder_text"
    __table_args__ = (
        correction_says_why(),
        sa.CheckConstraint("protocol_id IS NULL OR drug_name IS NULL", name="text_is_for_one"),
    )

    kind: Mapped[TextKind] = mapped_column(enum_type(TextKind, "text_kind"))
    drug_name: Mapped[str | None]
    protocol_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("protocol.id"))
    words: Mapped[str]
    recorded_by: Mapped[Staff] = relationship(foreign_keys="ReminderText.recorded_by_id")
