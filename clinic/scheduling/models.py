"""Chairs, closures, shifts and appointments.

Migrations add what a table definition cannot say on both databases: no two appointments overlap for a chair or a
patient, none stands in a closed chair, and a nurse never has more patients at once than the clinic's limit.
"""

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Site, Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.recorded import Recorded, Superseding, correction_says_why
from clinic.core.types import enum_type
from clinic.courses.models import Course
from clinic.patients.models import Patient
from clinic.scheduling.rules import AppointmentStatus, ChairKind


class Chair(ClinicScoped, Base):
    """A bay, bed or room of a site."""

    __tablename__ = "chair"
    __table_args__ = (sa.UniqueConstraint("site_id", "name"),)

    site_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("site.id"))
    name: Mapped[str]
    position: Mapped[int]
    kind: Mapped[ChairKind] = mapped_column(enum_type(ChairKind, "chair_kind"))
    is_retired: Mapped[bool] = mapped_column(default=False)
    site: Mapped[Site] = relationship()


class ChairClosure(ClinicScoped, Recorded, Superseding, Base):
    """A time in which a chair cannot be used, and why. Reopened by a void row that supersedes it."""

    __tablename__ = "chair_closure"
    __table_args__ = (
        correction_says_why(),
        sa.CheckConstraint("ends_at > starts_at", name="closure_ends_after_it_starts"),
    )

    chair_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("chair.id"), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str]
    chair: Mapped[Chair] = relationship()
    recorded_by: Mapped[Staff] = relationship(foreign_keys="ChairClosure.recorded_by_id")


class Shift(ClinicScoped, Base):
    """A person on duty."""

    __tablename__ = "shift"
    __table_args__ = (
        sa.CheckConstraint("ends_at > starts_at", name="shift_ends_after_it_starts"),
        sa.Index(None, "clinic_id", "starts_at"),
    )

    staff_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    staff: Mapped[Staff] = relationship()


class Appointment(ClinicScoped, Base):
    """A patient, a chair and a nurse held for a time, for one session of a course."""

    __tablename__ = "appointment"
    __table_args__ = (
        sa.CheckConstraint("ends_at > starts_at", name="appointment_ends_after_it_starts"),
        sa.CheckConstraint("session_number > 0", name="session_number_is_positive"),
        sa.CheckConstraint(
            "status NOT IN ('cancelled', 'noshow') OR status_reason IS NOT NULL", name="lost_appointment_says_why"
        ),
        sa.Index(None, "clinic_id", "starts_at"),
        sa.Index(None, "chair_id", "starts_at"),
        sa.Index(None, "patient_id", "starts_at"),
        sa.Index(None, "nurse_id", "starts_at"),
        sa.Index(
            "uq_appointment_one_per_session",
            "course_id",
            "session_number",
            unique=True,
            sqlite_where=sa.text("status IN ('booked', 'arrived', 'fulfilled')"),
            postgresql_where=sa.text("status IN ('booked', 'arrived', 'fulfilled')"),
        ),
    )

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"))
    course_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("course.id"), index=True)
    session_number: Mapped[int]
    chair_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("chair.id"))
    nurse_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    status: Mapped[AppointmentStatus] = mapped_column(enum_type(AppointmentStatus, "appointment_status"))
    status_reason: Mapped[str | None]
    status_at: Mapped[datetime]
    moved_from_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("appointment.id"), unique=True)
    booked_at: Mapped[datetime]
    booked_by_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    version: Mapped[int] = mapped_column(sort_order=95)
    patient: Mapped[Patient] = relationship()
    course: Mapped[Course] = relationship()
    chair: Mapped[Chair] = relationship()
    nurse: Mapped[Staff | None] = relationship(foreign_keys=[nurse_id])
    moved_from: Mapped["Appointment | None"] = relationship(foreign_keys=[moved_from_id], remote_side="Appointment.id")

    __mapper_args__ = {"version_id_col": version}
