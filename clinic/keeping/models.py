"""What left the clinic."""

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clinic.core.db import Base, ClinicScoped
from clinic.core.recorded import Recorded
from clinic.core.types import enum_type
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
