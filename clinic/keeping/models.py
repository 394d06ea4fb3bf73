"""What left the clinic, how long things are kept, and whose are held."""

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clinic.core.db import Base, ClinicScoped
from clinic.core.recorded import Recorded
from clinic.core.types import enum_type
from clinic.keeping.retention_rules import PeriodUnit, RetentionClass
from clinic.keeping.rules import Recipient


class Disclosure(ClinicScoped, Recorded, Base):
    """A record that was taken out: of one patient or of the whole clinic, for whom and why."""

    __tablename__ = "disclosure"
    __table_args__ = (
        sa.CheckConstraint("length(trim(to_whom)) > 0", name="says_to_whom"),
        sa.CheckConstraint("length(trim(reason)) > 0", name="says_why"),
    )

    # Empty where it was the whole clinic.
    patient_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    recipient: Mapped[Recipient] = mapped_column(enum_type(Recipient, "disclosure_recipient"))
    to_whom: Mapped[str]
    reason: Mapped[str]


class RetentionPeriod(ClinicScoped, Recorded, Base):
    """How long the clinic keeps something, from now on; the last one counts. No number: nothing is past."""

    __tablename__ = "retention_period"
    __table_args__ = (
        sa.CheckConstraint("number > 0", name="period_is_positive"),
        sa.CheckConstraint("(number IS NULL) = (unit IS NULL)", name="period_has_unit"),
        sa.CheckConstraint("length(trim(reason)) > 0", name="period_says_why"),
    )

    kind: Mapped[RetentionClass] = mapped_column(enum_type(RetentionClass, "retention_class"))
    number: Mapped[int | None]
    unit: Mapped[PeriodUnit | None] = mapped_column(enum_type(PeriodUnit, "retention_unit"))
    reason: Mapped[str]


class LegalHold(ClinicScoped, Recorded, Base):
    """Nothing of this patient is taken away, or may be again; the last one counts."""

    __tablename__ = "legal_hold"
    __table_args__ = (sa.CheckConstraint("length(trim(reason)) > 0", name="hold_says_why"),)

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    is_held: Mapped[bool]
    reason: Mapped[str]
