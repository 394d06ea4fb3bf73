"""Named reads about chairs and appointments."""

import uuid
from datetime import datetime
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from clinic.core import db
from clinic.scheduling.models import Appointment, Chair, ChairClosure, Shift
from clinic.scheduling.rules import HOLDING, AppointmentStatus


class Span(Protocol):
    """A stretch of time."""

    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...


_WITH_PEOPLE = (joinedload(Appointment.patient), joinedload(Appointment.nurse), joinedload(Appointment.chair))


def appointment(appointment_id: uuid.UUID) -> Appointment | None:
    """One appointment with its patient, nurse and chair."""
    return db.session.scalar(sa.select(Appointment).where(Appointment.id == appointment_id).options(*_WITH_PEOPLE))


def chairs() -> list[Chair]:
    """The chairs in use, in the order of the room."""
    return list(
        db.session.scalars(sa.select(Chair).where(Chair.is_retired.is_(False)).order_by(Chair.position, Chair.name))
    )


def appointments_between(start: datetime, end: datetime) -> list[Appointment]:
    """Every appointment that touches the time, earliest first; cancelled ones are left out."""
    return list(
        db.session.scalars(
            sa.select(Appointment)
            .where(
                Appointment.starts_at < end,
                Appointment.ends_at > start,
                Appointment.status != AppointmentStatus.CANCELLED,
            )
            .options(*_WITH_PEOPLE, joinedload(Appointment.course))
            .order_by(Appointment.starts_at)
        )
    )


def closures_between(start: datetime, end: datetime) -> list[ChairClosure]:
    """Closures of chairs that touch the time."""
    return list(
        db.session.scalars(sa.select(ChairClosure).where(ChairClosure.starts_at < end, ChairClosure.ends_at > start))
    )


def shifts_between(start: datetime, end: datetime) -> list[Shift]:
    """Shifts that touch the time, with the person on duty."""
    return list(
        db.session.scalars(
            sa.select(Shift)
            .where(Shift.starts_at < end, Shift.ends_at > start)
            .options(joinedload(Shift.staff))
            .order_by(Shift.starts_at)
        )
    )


def appointments_in_chair(chair_id: uuid.UUID, start: datetime, end: datetime) -> list[Appointment]:
    """Appointments that hold a chair in a time."""
    return list(
        db.session.scalars(
            sa.select(Appointment).where(
                Appointment.chair_id == chair_id,
                Appointment.status.in_(HOLDING),
                Appointment.starts_at < end,
                Appointment.ends_at > start,
            )
        )
    )


def of_course(course_id: uuid.UUID) -> list[Appointment]:
    """Every appointment of a course, earliest first, lost ones included."""
    return list(
        db.session.scalars(
            sa.select(Appointment)
            .where(Appointment.course_id == course_id)
            .options(joinedload(Appointment.chair))
            .order_by(Appointment.starts_at)
        )
    )


def numbers_taken(course_id: uuid.UUID) -> set[int]:
    """The sessions of a course that hold a time or were given."""
    return set(
        db.session.scalars(
            sa.select(Appointment.session_number).where(
                Appointment.course_id == course_id, Appointment.status.in_(HOLDING)
            )
        )
    )


def in_the_way(chair_id: uuid.UUID, patient_id: uuid.UUID, span: Span, constraint: str) -> Appointment | None:
    """The appointment that a refused slot collided with, where the constraint is about one."""
    column = {
        "no_overlap_for_chair": Appointment.chair_id == chair_id,
        "no_overlap_for_patient": Appointment.patient_id == patient_id,
    }.get(constraint)
    if column is None:
        return None
    return db.session.scalar(
        sa.select(Appointment)
        .where(
            column,
            Appointment.status.in_(HOLDING),
            Appointment.starts_at < span.ends_at,
            Appointment.ends_at > span.starts_at,
        )
        .options(*_WITH_PEOPLE)
        .order_by(Appointment.starts_at)
        .limit(1)
    )
