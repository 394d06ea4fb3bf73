"""When a patient can come to the clinic. A row is never changed: a void row that supersedes it takes it back."""

import uuid
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.recorded import Recorded, Superseding, correction_says_why
from clinic.core.types import WholeNumbers
from clinic.patients.models import Patient


class PatientHours(ClinicScoped, Recorded, Superseding, Base):
    """On these weekdays, between these dates, in these hours of the wall, the patient can come (`is_free`) or cannot.

    Without weekdays every day is meant, without minutes the whole day. Minutes count from midnight.
    """

    __tablename__ = "patient_hours"
    __table_args__ = (
        correction_says_why(),
        sa.CheckConstraint("until_on >= from_on", name="hours_end_after_they_begin"),
        sa.CheckConstraint(
            "(from_min IS NULL) = (until_min IS NULL)"
            " AND (from_min IS NULL OR (from_min >= 0 AND until_min > from_min AND until_min <= 1440))",
            name="hours_lie_within_a_day",
        ),
    )

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    is_free: Mapped[bool]
    # ISO weekdays, 1 for Monday; None for every day.
    weekdays: Mapped[tuple[int, ...] | None] = mapped_column(WholeNumbers())
    from_min: Mapped[int | None]
    until_min: Mapped[int | None]
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    note: Mapped[str | None]
    patient: Mapped[Patient] = relationship()
    recorded_by: Mapped[Staff] = relationship(foreign_keys="PatientHours.recorded_by_id")
