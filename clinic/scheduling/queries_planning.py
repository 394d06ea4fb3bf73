"""Reads for the optimiser: long times, many rows, so plain columns instead of objects."""

import uuid
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from clinic.accounts.models import Staff, StaffRole
from clinic.core import db
from clinic.core.permissions import Role
from clinic.scheduling.models import Appointment, Chair, ChairClosure, Shift
from clinic.scheduling.rules import HOLDING, AppointmentStatus


class Held(NamedTuple):
    """An appointment that holds its time."""

    id: uuid.UUID
    patient_id: uuid.UUID
    course_id: uuid.UUID
    session_number: int
    chair_id: uuid.UUID
    nurse_id: uuid.UUID | None
    starts_at: datetime
    ends_at: datetime
    status: AppointmentStatus


class Shut(NamedTuple):
    """A chair that cannot be used for a time."""

    chair_id: uuid.UUID
    starts_at: datetime
    ends_at: datetime
    reason: str


class Duty(NamedTuple):
    """A nurse on duty; `at_once` is how many patients she has at most, where that is hers alone."""

    staff: Staff
    starts_at: datetime
    ends_at: datetime
    at_once: int | None = None
    breaks: tuple[tuple[datetime, datetime], ...] = ()


def every_chair() -> list[Chair]:
    """All chairs, retired ones too: appointments may stand in them."""
    return list(db.session.scalars(sa.select(Chair).order_by(Chair.position, Chair.name)))


def held(start: datetime, end: datetime) -> list[Held]:
    """The appointments that hold a part of a time."""
    columns = [getattr(Appointment, name) for name in Held._fields]
    rows = db.session.execute(
        sa.select(*columns).where(
            Appointment.starts_at < end, Appointment.ends_at > start, Appointment.status.in_(HOLDING)
        )
    )
    return [Held(*row) for row in rows]


def chairs_shut(start: datetime, end: datetime) -> list[Shut]:
    """The closures of chairs in force that touch a time."""
    later = aliased(ChairClosure)
    rows = db.session.execute(
        sa.select(ChairClosure.chair_id, ChairClosure.starts_at, ChairClosure.ends_at, ChairClosure.reason).where(
            ChairClosure.starts_at < end,
            ChairClosure.ends_at > start,
            ChairClosure.is_void.is_(False),
            ~sa.exists().where(later.supersedes_id == ChairClosure.id),
        )
    )
    return [Shut(*row) for row in rows]


def duties(start: datetime, end: datetime) -> list[Duty]:
    """The shifts of nurses that touch a time."""
    nurses = sa.select(StaffRole.staff_id).where(StaffRole.role == Role.NURSE)
    rows = db.session.execute(
        sa.select(Staff, Shift.starts_at, Shift.ends_at)
        .join(Shift, Shift.staff_id == Staff.id)
        .where(Shift.starts_at < end, Shift.ends_at > start, Staff.id.in_(nurses))
        .order_by(Shift.starts_at, Staff.family_name)
    )
    return [Duty(*row) for row in rows]
