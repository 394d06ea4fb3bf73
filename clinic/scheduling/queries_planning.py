"""Reads for the optimiser: long times, many rows, so plain columns instead of objects."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from clinic.accounts.models import Staff, StaffRole
from clinic.core import db
from clinic.core.permissions import Role
from clinic.courses.models import Course
from clinic.orders.models import Order, OrderVersion
from clinic.protocols.models import Terms
from clinic.scheduling import phase_rules
from clinic.scheduling.models import Appointment, Chair, ChairClosure, Shift, ShiftBreak
from clinic.scheduling.phase_rules import Parts
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
    """A nurse on duty; her own limits of patients at once and of starts in a quarter of an hour, where she has any."""

    staff: Staff
    starts_at: datetime
    ends_at: datetime
    at_once: int | None = None
    per_quarter: int | None = None
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
    """The shifts of nurses that touch a time, with their breaks."""
    nurses = sa.select(StaffRole.staff_id).where(StaffRole.role == Role.NURSE)
    wanted = Shift.starts_at < end, Shift.ends_at > start, Shift.staff_id.in_(nurses)
    breaks: dict[uuid.UUID, list[tuple[datetime, datetime]]] = {}
    for shift_id, begin, until in db.session.execute(
        sa.select(ShiftBreak.shift_id, ShiftBreak.starts_at, ShiftBreak.ends_at)
        .join(Shift, Shift.id == ShiftBreak.shift_id)
        .where(*wanted)
    ):
        breaks.setdefault(shift_id, []).append((begin, until))
    rows = db.session.execute(
        sa.select(Shift.id, Staff, Shift.starts_at, Shift.ends_at, Shift.patients_at_once, Shift.starts_per_quarter)
        .join(Staff, Staff.id == Shift.staff_id)
        .where(*wanted)
        .order_by(Shift.starts_at, Staff.family_name)
    )
    return [Duty(*row[1:], breaks=tuple(breaks.get(row[0], ()))) for row in rows]


def terms_of(course_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Terms]:
    """What the last signed order of each course says, in one read."""
    rows = db.session.execute(
        sa.select(Course.id, Terms)
        .join(Order, Order.id == Course.order_id)
        .join(OrderVersion, OrderVersion.order_id == Order.id)
        .join(Terms, Terms.id == OrderVersion.terms_id)
        .where(Course.id.in_(set(course_ids)), OrderVersion.signature_id.is_not(None))
        .order_by(OrderVersion.number)
    )
    return {row[0]: row[1] for row in rows}  # ordered by version: the last one stays


def parts_of(course_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Parts]:
    """How the visits of each course are divided, by its last signed order, in one read."""
    rows = db.session.execute(
        sa.select(Course.id, Terms.precheck_slot_min, Terms.recovery_slot_min, Terms.turnaround_min)
        .join(OrderVersion, OrderVersion.order_id == Course.order_id)
        .join(Terms, Terms.id == OrderVersion.terms_id)
        .where(Course.id.in_(set(course_ids)), OrderVersion.signature_id.is_not(None))
        .order_by(OrderVersion.number)
    )
    return {row.id: phase_rules.parts_of(row) for row in rows}  # ordered by version: the last one stays


def appointments(keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, Appointment]:
    """Appointments by their keys, with patient, chair and nurse."""
    rows = db.session.scalars(
        sa.select(Appointment)
        .where(Appointment.id.in_(set(keys)))
        .options(joinedload(Appointment.patient), joinedload(Appointment.chair), joinedload(Appointment.nurse))
    )
    return {each.id: each for each in rows}
