"""Named reads about chairs and appointments."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Protocol
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from clinic.accounts.models import Site, Staff
from clinic.core import db, times
from clinic.courses.models import Course
from clinic.orders.models import Order, OrderVersion
from clinic.protocols.models import Drug, Terms
from clinic.scheduling.models import Appointment, Chair, ChairClosure, Shift
from clinic.scheduling.rules import HOLDING, AppointmentStatus


class Span(Protocol):
    """A stretch of time."""

    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...


class Wish(Span, Protocol):
    """A chair and perhaps a nurse, wished for a stretch of time."""

    @property
    def chair(self) -> Chair: ...
    @property
    def nurse(self) -> Staff | None: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """Something that holds a time: whose appointment it is, or why the chair is closed."""

    what: str
    chair_name: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class CourseFacts:
    """What the calendar says of a course beside its patient. Only clinical eyes may see the drug."""

    number: int
    planned: int | None
    drug_name: str


_WITH_PEOPLE = (joinedload(Appointment.patient), joinedload(Appointment.nurse), joinedload(Appointment.chair))


# --- appointments ----------------------------------------------------------------------------------------------------


def moved_to(appointment: Appointment) -> Appointment | None:
    """The appointment that took the place of this one when it was moved."""
    return db.session.scalar(
        sa.select(Appointment).where(Appointment.moved_from_id == appointment.id).options(joinedload(Appointment.chair))
    )


def appointment(appointment_id: uuid.UUID) -> Appointment | None:
    """One appointment with its patient, nurse and chair, its course and the appointment it was moved from."""
    return db.session.scalar(
        sa.select(Appointment)
        .where(Appointment.id == appointment_id)
        .options(
            *_WITH_PEOPLE,
            joinedload(Appointment.pump),
            joinedload(Appointment.overridden_by),
            joinedload(Appointment.course).joinedload(Course.physician),
            joinedload(Appointment.moved_from).joinedload(Appointment.chair),
        )
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


def appointments_in_chair(chair_id: uuid.UUID, start: datetime, end: datetime) -> list[Appointment]:
    """Appointments that hold a chair in a time, with their patients, earliest first."""
    return _holding(Appointment.chair_id == chair_id, start, end)


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
    return numbers_taken_of([course_id]).get(course_id, set())


def numbers_taken_of(course_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, set[int]]:
    """The sessions that hold a time or were given, for several courses in one read."""
    found: dict[uuid.UUID, set[int]] = {}
    for course_id, number in db.session.execute(
        sa.select(Appointment.course_id, Appointment.session_number).where(
            Appointment.course_id.in_(list(course_ids)), Appointment.status.in_(HOLDING)
        )
    ):
        found.setdefault(course_id, set()).add(number)
    return found


def course_facts(course_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, CourseFacts]:
    """What the last signed order of each course plans, in one read."""
    rows = db.session.execute(
        sa.select(Course.id, Course.number, Terms.sessions_planned, OrderVersion.sessions_allowed, Drug.name)
        .join(Order, Order.id == Course.order_id)
        .join(OrderVersion, OrderVersion.order_id == Order.id)
        .join(Terms, Terms.id == OrderVersion.terms_id)
        .join(Drug, Drug.id == Terms.drug_id)
        .where(Course.id.in_(set(course_ids)), OrderVersion.signature_id.is_not(None))
        .order_by(OrderVersion.number)
    )
    # Ordered by version: the last one stays.
    return {key: CourseFacts(number, planned or allowed, drug) for key, number, planned, allowed, drug in rows}


# --- what stands in the way ------------------------------------------------------------------------------------------


def standing_in_the_way(constraint: str, wish: Wish, patient_id: uuid.UUID) -> tuple[Standing, ...]:
    """What a refused wish collided with."""
    match constraint:
        case "chair_is_open":
            return tuple(
                Standing(f"closed: {closure.reason}", wish.chair.name, closure.starts_at, closure.ends_at)
                for closure in closures_between(wish.starts_at, wish.ends_at, chair_id=wish.chair.id)
            )
        case "no_overlap_for_chair":
            found = _holding(Appointment.chair_id == wish.chair.id, wish.starts_at, wish.ends_at)
        case "no_overlap_for_patient":
            found = _holding(Appointment.patient_id == patient_id, wish.starts_at, wish.ends_at)
        case "nurse_has_room" | "nurse_has_room_in_phase" if wish.nurse is not None:
            found = _holding(Appointment.nurse_id == wish.nurse.id, wish.starts_at, wish.ends_at)
        case _:
            found = []
    return tuple(Standing(each.patient.name, each.chair.name, each.starts_at, each.ends_at) for each in found)


def _holding(whose: sa.ColumnElement[bool], start: datetime, end: datetime) -> list[Appointment]:
    return list(
        db.session.scalars(
            sa.select(Appointment)
            .where(whose, Appointment.status.in_(HOLDING), Appointment.starts_at < end, Appointment.ends_at > start)
            .options(*_WITH_PEOPLE)
            .order_by(Appointment.starts_at)
        )
    )


# --- patients and courses to place -----------------------------------------------------------------------------------


def course_to_book(key: uuid.UUID, *, is_order: bool = False) -> Course | None:
    """A course, by its own key or by that of its order, with its patient, physician and every version of the order."""
    return db.session.scalar(
        sa.select(Course)
        .where((Course.order_id if is_order else Course.id) == key)
        .options(
            joinedload(Course.patient),
            joinedload(Course.physician),
            joinedload(Course.order).selectinload(Order.versions).joinedload(OrderVersion.terms),
        )
    )


# --- chairs and people -----------------------------------------------------------------------------------------------


def chairs() -> list[Chair]:
    """The chairs in use, in the order of the room."""
    return list(
        db.session.scalars(
            sa.select(Chair)
            .where(Chair.is_retired.is_(False))
            .options(joinedload(Chair.site))
            .order_by(Chair.position, Chair.name)
        )
    )


def sites() -> list[Site]:
    """The places of the clinic."""
    return list(db.session.scalars(sa.select(Site).order_by(Site.name)))


def closures_between(
    start: datetime, end: datetime | None = None, *, chair_id: uuid.UUID | None = None
) -> list[ChairClosure]:
    """Closures in force that touch the time (without an end: from then on), earliest first, with who made them."""
    later = aliased(ChairClosure)
    wanted = [
        ChairClosure.ends_at > start,
        ChairClosure.is_void.is_(False),
        ~sa.exists().where(later.supersedes_id == ChairClosure.id),
    ]
    if end is not None:
        wanted.append(ChairClosure.starts_at < end)
    if chair_id is not None:
        wanted.append(ChairClosure.chair_id == chair_id)
    return list(
        db.session.scalars(
            sa.select(ChairClosure)
            .where(*wanted)
            .options(joinedload(ChairClosure.recorded_by), joinedload(ChairClosure.chair))
            .order_by(ChairClosure.starts_at)
        )
    )


def closures_made(at: datetime, by_id: uuid.UUID) -> list[ChairClosure]:
    """The closures in force that somebody made in one act."""
    later = aliased(ChairClosure)
    return list(
        db.session.scalars(
            sa.select(ChairClosure).where(
                ChairClosure.recorded_at == at,
                ChairClosure.recorded_by_id == by_id,
                ChairClosure.is_void.is_(False),
                ~sa.exists().where(later.supersedes_id == ChairClosure.id),
            )
        )
    )


def closure(closure_id: uuid.UUID) -> ChairClosure | None:
    """One closure of a chair."""
    return db.session.get(ChairClosure, closure_id)


def is_superseded(closure: ChairClosure) -> bool:
    """Whether a later row took the place of this closure."""
    return bool(db.session.scalar(sa.select(ChairClosure.id).where(ChairClosure.supersedes_id == closure.id)))


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


def duty_days(first: date, last: date, zone: ZoneInfo) -> set[date]:
    """The days, by the clinic's clock, on which a shift begins."""
    begins = sa.select(Shift.starts_at).where(
        Shift.starts_at >= datetime.combine(first, time(), zone), Shift.starts_at < datetime.combine(last, time(), zone)
    )
    return {times.local(instant, zone).date() for instant in db.session.scalars(begins)}


def shift(shift_id: uuid.UUID) -> Shift | None:
    """One shift with its person."""
    return db.session.scalar(sa.select(Shift).where(Shift.id == shift_id).options(joinedload(Shift.staff)))


def on_duty(staff_id: uuid.UUID, start: datetime, end: datetime) -> bool:
    """Whether a person has a shift that touches the time."""
    found = sa.select(Shift.id).where(Shift.staff_id == staff_id, Shift.starts_at < end, Shift.ends_at > start)
    return db.session.scalar(found.limit(1)) is not None
