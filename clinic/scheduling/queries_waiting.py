"""Named reads of the waiting list."""

import uuid
from collections.abc import Collection, Iterable

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from clinic.core import db
from clinic.courses.models import Course
from clinic.courses.rules import CourseStatus
from clinic.orders.models import Order, OrderVersion
from clinic.scheduling.models import Appointment, WaitingEntry
from clinic.scheduling.rules import HOLDING, AppointmentStatus, WaitingStatus

_WITH_ORDER = (
    joinedload(WaitingEntry.patient),
    joinedload(WaitingEntry.course)
    .joinedload(Course.order)
    .selectinload(Order.versions)
    .joinedload(OrderVersion.terms),
)


_BEGUN = (AppointmentStatus.ARRIVED, AppointmentStatus.FULFILLED)


def _has_begun() -> sa.Exists:
    return sa.exists().where(
        Appointment.course_id == WaitingEntry.course_id,
        Appointment.session_number == WaitingEntry.session_number,
        Appointment.status.in_(_BEGUN),
    )


def waiting() -> list[WaitingEntry]:
    """Who waits, the longest first, with patient, course and order.

    Left out are courses on hold, until they go on, and sessions that are under way or over.
    """
    return list(
        db.session.scalars(
            sa.select(WaitingEntry)
            .join(Course, Course.id == WaitingEntry.course_id)
            .where(WaitingEntry.status == WaitingStatus.WAITING, Course.status == CourseStatus.ACTIVE, ~_has_begun())
            .options(*_WITH_ORDER)
            .order_by(WaitingEntry.recorded_at, WaitingEntry.id)
        )
    )


def entry(entry_id: uuid.UUID) -> WaitingEntry | None:
    """One entry with patient, course and order."""
    return db.session.scalar(sa.select(WaitingEntry).where(WaitingEntry.id == entry_id).options(*_WITH_ORDER))


def waiting_for(sessions: Collection[tuple[uuid.UUID, int]]) -> list[WaitingEntry]:
    """Who waits for one of these sessions, each by its course and number."""
    wanted = sa.select(WaitingEntry).where(
        WaitingEntry.status == WaitingStatus.WAITING, WaitingEntry.course_id.in_({course for course, _ in sessions})
    )
    return [each for each in db.session.scalars(wanted) if (each.course_id, each.session_number) in sessions]


def waiting_of(course_id: uuid.UUID) -> list[WaitingEntry]:
    """The wishes of a course, whatever its state, that nobody has ended."""
    wanted = WaitingEntry.course_id == course_id, WaitingEntry.status == WaitingStatus.WAITING
    return list(db.session.scalars(sa.select(WaitingEntry).where(*wanted)))


def placed_by(appointment_ids: Collection[uuid.UUID]) -> list[WaitingEntry]:
    """Who got one of these appointments from the list."""
    return list(
        db.session.scalars(sa.select(WaitingEntry).where(WaitingEntry.appointment_id.in_(set(appointment_ids))))
    )


def appointment_of(course_id: uuid.UUID, number: int) -> Appointment | None:
    """The appointment that a session of a course holds."""
    return db.session.scalar(
        sa.select(Appointment)
        .where(
            Appointment.course_id == course_id,
            Appointment.session_number == number,
            Appointment.status.in_(HOLDING),
        )
        .options(joinedload(Appointment.chair), joinedload(Appointment.patient))
    )


def held_by(course_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Appointment]]:
    """What several courses hold, in one read."""
    found: dict[uuid.UUID, list[Appointment]] = {}
    for each in db.session.scalars(
        sa.select(Appointment)
        .where(Appointment.course_id.in_(set(course_ids)), Appointment.status.in_(HOLDING))
        .options(joinedload(Appointment.chair))
        .order_by(Appointment.starts_at)
    ):
        found.setdefault(each.course_id, []).append(each)
    return found
