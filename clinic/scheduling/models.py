"""Chairs, closures, shifts and appointments.

Migrations add what a table definition cannot say on both databases: no two appointments overlap for a chair, a patient
or a pump, and the rules of docs/resources.md about hours, nurses and clinicians.
"""

import uuid
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Site, Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.recorded import ADDED, Recorded, Superseding, correction_says_why
from clinic.core.types import WholeNumbers, enum_type
from clinic.courses.models import Course
from clinic.patients.models import Patient
from clinic.scheduling.models_answers import AppointmentAnswer
from clinic.scheduling.models_availability import PatientHours
from clinic.scheduling.models_plans import MonthPlan, PlannedSession
from clinic.scheduling.models_rooms import (
    BookingPolicy,
    ClockOffset,
    ClosedDay,
    LostReason,
    NurseLimit,
    OpeningHours,
    Presence,
    Pump,
    PumpClosure,
)
from clinic.scheduling.models_skills import NurseSkill
from clinic.scheduling.rules import AppointmentStatus, ChairKind, DayPart, WaitingStatus

__all__ = [
    "Appointment",
    "AppointmentAnswer",
    "BookingPolicy",
    "Chair",
    "ChairClosure",
    "ClockOffset",
    "ClosedDay",
    "LostReason",
    "MonthPlan",
    "NurseLimit",
    "NurseSkill",
    "OpeningHours",
    "PatientHours",
    "PlannedSession",
    "Presence",
    "Pump",
    "PumpClosure",
    "Shift",
    "ShiftBreak",
    "WaitingEntry",
]


class Chair(ClinicScoped, Base):
    """A bay, bed or room of a site. For `cleaning_min` minutes after a patient nobody else is put there."""

    __tablename__ = "chair"
    __table_args__ = (
        sa.UniqueConstraint("site_id", "name"),
        sa.CheckConstraint("cleaning_min >= 0", name="cleaning_takes_no_less_than_nothing"),
    )

    site_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("site.id"))
    name: Mapped[str]
    position: Mapped[int]
    kind: Mapped[ChairKind] = mapped_column(enum_type(ChairKind, "chair_kind"))
    is_retired: Mapped[bool] = mapped_column(default=False)
    room: Mapped[str | None]
    has_bed: Mapped[bool] = mapped_column(default=False)
    is_private: Mapped[bool] = mapped_column(default=False)
    cleaning_min: Mapped[int | None]
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
    """A person on duty. Its limits stand in place of the clinic's where they were typed."""

    __tablename__ = "shift"
    __table_args__ = (
        sa.CheckConstraint("patients_at_once > 0", name="patients_at_once_is_positive"),
        sa.CheckConstraint("starts_per_quarter > 0", name="starts_per_quarter_is_positive"),
        sa.CheckConstraint("ends_at > starts_at", name="shift_ends_after_it_starts"),
        sa.Index(None, "clinic_id", "starts_at"),
    )

    staff_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    patients_at_once: Mapped[int | None]
    starts_per_quarter: Mapped[int | None]
    staff: Mapped[Staff] = relationship()
    breaks: Mapped[list["ShiftBreak"]] = relationship(
        back_populates="shift", cascade="all, delete-orphan", order_by="ShiftBreak.starts_at"
    )


class ShiftBreak(ClinicScoped, Base):
    """A time in a shift in which the person begins with nobody; patients who are there already stay hers."""

    __tablename__ = "shift_break"
    __table_args__ = (sa.CheckConstraint("ends_at > starts_at", name="break_ends_after_it_starts"),)

    shift_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("shift.id"), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    shift: Mapped[Shift] = relationship(back_populates="breaks")


class Appointment(ClinicScoped, Base):
    """A patient, a chair and a nurse held for a time, for one session of a course."""

    __tablename__ = "appointment"
    __table_args__ = (
        sa.CheckConstraint("ends_at > starts_at", name="appointment_ends_after_it_starts"),
        sa.CheckConstraint("session_number > 0", name="session_number_is_positive"),
        sa.CheckConstraint(
            "status NOT IN ('cancelled', 'noshow') OR status_reason IS NOT NULL", name="lost_appointment_says_why"
        ),
        sa.CheckConstraint(
            "override_rules IS NULL OR (override_reason IS NOT NULL AND overridden_by_id IS NOT NULL)",
            name="override_says_why",
        ),
        sa.Index(None, "clinic_id", "starts_at"),
        sa.Index(None, "chair_id", "starts_at"),
        sa.Index(None, "patient_id", "starts_at"),
        sa.Index(None, "nurse_id", "starts_at"),
        sa.Index(None, "pump_id", "starts_at"),
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
    pump_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("pump.id"), info=ADDED)
    lost_reason_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("lost_reason.id"), info=ADDED)
    # The names of the rules that this appointment was booked against, each between spaces: " site_is_open ".
    override_rules: Mapped[str | None] = mapped_column(info=ADDED)
    override_reason: Mapped[str | None] = mapped_column(info=ADDED)
    overridden_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff.id"), info=ADDED)
    # From when on the nurse has the patient, where she took over while the patient was here.
    nurse_since: Mapped[datetime | None] = mapped_column(info=ADDED)
    version: Mapped[int] = mapped_column(sort_order=95)
    patient: Mapped[Patient] = relationship()
    course: Mapped[Course] = relationship()
    chair: Mapped[Chair] = relationship()
    nurse: Mapped[Staff | None] = relationship(foreign_keys=[nurse_id])
    pump: Mapped[Pump | None] = relationship()
    lost_reason: Mapped[LostReason | None] = relationship()
    overridden_by: Mapped[Staff | None] = relationship(foreign_keys=[overridden_by_id])
    moved_from: Mapped["Appointment | None"] = relationship(foreign_keys=[moved_from_id], remote_side="Appointment.id")

    __mapper_args__ = {"version_id_col": version}


class WaitingEntry(ClinicScoped, Base):
    """A session of a course whose patient would take another time: on which days, in which half, at what notice.

    The session may hold a time already, which a better one would replace, or none. None of the wishes is preset; what
    is left open is open.
    """

    __tablename__ = "waiting_entry"
    __table_args__ = (
        sa.CheckConstraint("session_number > 0", name="waiting_session_is_positive"),
        sa.CheckConstraint("notice_hours >= 0", name="notice_is_not_negative"),
        sa.CheckConstraint("until_on >= from_on", name="wish_ends_after_it_begins"),
        sa.CheckConstraint(
            "(status = 'waiting') = (ended_at IS NULL) AND (status = 'placed') = (appointment_id IS NOT NULL)",
            name="wish_ends_one_way",
        ),
        sa.Index(
            "uq_waiting_entry_one_per_session",
            "course_id",
            "session_number",
            unique=True,
            sqlite_where=sa.text("status = 'waiting'"),
            postgresql_where=sa.text("status = 'waiting'"),
        ),
    )

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    course_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("course.id"), index=True)
    session_number: Mapped[int]
    # ISO weekdays, 1 for Monday; None for any.
    weekdays: Mapped[tuple[int, ...] | None] = mapped_column(WholeNumbers())
    part: Mapped[DayPart | None] = mapped_column(enum_type(DayPart, "day_part"))
    from_on: Mapped[date | None]
    until_on: Mapped[date | None]
    # How long before its start the patient must be told.
    notice_hours: Mapped[int]
    note: Mapped[str | None]
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    status: Mapped[WaitingStatus] = mapped_column(enum_type(WaitingStatus, "waiting_status"))
    ended_at: Mapped[datetime | None]
    ended_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff.id"))
    ended_reason: Mapped[str | None]
    appointment_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("appointment.id"))
    version: Mapped[int] = mapped_column(sort_order=95)
    patient: Mapped[Patient] = relationship()
    course: Mapped[Course] = relationship()

    __mapper_args__ = {"version_id_col": version}
