"""Verbs of the desk: book a course, move, cancel. The database is the judge; a clash is told in names and times."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.exc import IntegrityError

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken, broken_constraint
from clinic.courses.models import Course
from clinic.courses.rules import CourseStatus
from clinic.orders.facing import clinic_day
from clinic.orders.queries import order_in_force
from clinic.orders.rules import refusal_to_book
from clinic.scheduling import queries
from clinic.scheduling.locking import lock, lock_in_order
from clinic.scheduling.models import Appointment, Chair
from clinic.scheduling.operations_rooms import (
    ChairInUse,
    add_chair,
    add_shift,
    close_chair,
    remove_shift,
    reopen_chair,
    set_patients_per_nurse,
)
from clinic.scheduling.queries import Standing
from clinic.scheduling.rules import AppointmentStatus, may_become, session_words

__all__ = [
    "ChairInUse",
    "Clash",
    "Slot",
    "SlotsTaken",
    "add_chair",
    "add_shift",
    "assign_nurse",
    "book",
    "cancel",
    "change_status",
    "clash_text",
    "close_chair",
    "mark_no_show",
    "move",
    "order_refusal",
    "remove_shift",
    "reopen_chair",
    "set_patients_per_nurse",
    "undo",
]


@dataclass(frozen=True, slots=True)
class Slot:
    """A wish: this session in this chair at this time, with this nurse if one is chosen already."""

    session_number: int
    chair: Chair
    starts_at: datetime
    ends_at: datetime
    nurse: Staff | None = None


@dataclass(frozen=True, slots=True)
class Clash:
    """A slot that could not be booked: the constraint that refused it, and what stands in its way, if anything."""

    slot: Slot
    constraint: str
    standing: tuple[Standing, ...]

    @property
    def text(self) -> str:
        """Why, in a sentence; who and when stand in `standing`."""
        return clash_text(
            self.constraint,
            nurse_name=self.slot.nurse.name if self.slot.nurse else "The nurse",
            chair_name=self.slot.chair.name,
        )


class SlotsTaken(RuleBroken):
    """Some of the wished slots are taken; nothing was booked."""

    def __init__(self, clashes: Sequence[Clash]) -> None:
        """Keep every collision, so that the page can show each beside its row."""
        words = session_words(clash.slot.session_number for clash in clashes)
        super().__init__(f"Choose another time for {words}.", field="slots")
        self.clashes = list(clashes)


def book(course: Course, slots: Iterable[Slot], *, by: Staff, at: datetime) -> list[Appointment]:
    """Book sessions of a course: all of them, or none and `SlotsTaken` with every collision.

    1. Lock chairs, the patient, the course and nurses, each in the order of their keys, so that two desks never wait
       for each other; only then look at what holds.
    2. Add each appointment in a savepoint; the database refuses what overlaps.
    3. With any collision take all of them back.
    """
    wished = sorted(slots, key=lambda slot: slot.starts_at)
    lock_in_order(
        chairs={slot.chair.id for slot in wished},
        patients={course.patient_id},
        courses={course.id},
        nurses={slot.nurse.id for slot in wished if slot.nurse},
    )
    _refuse_what_cannot_be_booked(course, wished, at=at)
    with db.session.begin_nested():
        booked, clashes = [], []
        for slot in wished:
            appointment = _appointment(course.patient_id, course.id, slot, by=by, at=at)
            clash = _try(appointment, slot)
            if clash is None:
                booked.append(appointment)
            else:
                clashes.append(clash)
        if clashes:
            raise SlotsTaken(clashes)
    for appointment in booked:
        _record(AuditAction.APPOINTMENT_BOOKED, appointment, by=by, at=at)
    return booked


def _refuse_what_cannot_be_booked(course: Course, slots: Sequence[Slot], *, at: datetime) -> None:
    db.session.refresh(course, ["status"])  # a physician may have held the course since it was read
    if course.status is not CourseStatus.ACTIVE:
        raise RuleBroken("This course is not active. A physician signs its order or resumes it first.")
    if not slots:
        raise RuleBroken("Choose at least one time.", field="slots")
    for slot in slots:
        _refuse_impossible(slot, at=at)
    refusal = order_refusal(course, wished=len(slots), on=clinic_day(at))
    if refusal:
        raise RuleBroken(refusal, field="slots")
    numbers = [slot.session_number for slot in slots]
    taken = queries.numbers_taken(course.id)
    if len(set(numbers)) < len(numbers) or taken & set(numbers):
        twice = {number for number in numbers if numbers.count(number) > 1 or number in taken}
        raise RuleBroken(f"A time is booked already for {session_words(twice)}. Open the page again.", field="slots")


def order_refusal(course: Course, *, wished: int, on: date) -> str | None:
    """Why no so many sessions more are booked under the order of a course: it ended, or allows no more."""
    version = order_in_force(course.order_id)
    if version is None:
        return "No order of this course is in force. A physician signs one first."
    held = len(queries.numbers_taken(course.id))
    return refusal_to_book(on, version.valid_until, version.sessions_allowed, held=held, wished=wished)


def _refuse_impossible(slot: Slot, *, at: datetime) -> None:
    if slot.starts_at < at:
        raise RuleBroken("A time that has passed cannot be booked.", field="slots")
    if slot.ends_at <= slot.starts_at:
        raise RuleBroken("A session ends after it starts.", field="slots")
    if slot.chair.is_retired:
        raise RuleBroken(f"Chair {slot.chair.name} is no longer in use.", field="slots")


def _appointment(
    patient_id: uuid.UUID,
    course_id: uuid.UUID,
    slot: Slot,
    *,
    by: Staff,
    at: datetime,
    moved_from_id: uuid.UUID | None = None,
) -> Appointment:
    return Appointment(
        patient_id=patient_id,
        course_id=course_id,
        session_number=slot.session_number,
        chair_id=slot.chair.id,
        nurse_id=slot.nurse.id if slot.nurse else None,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        status=AppointmentStatus.BOOKED,
        status_at=at,
        moved_from_id=moved_from_id,
        booked_at=at,
        booked_by_id=by.id,
    )


def _try(appointment: Appointment, slot: Slot) -> Clash | None:
    """Add an appointment in a savepoint; gives what refused it."""
    try:
        with db.session.begin_nested():
            db.session.add(appointment)
            db.session.flush()
    except IntegrityError as error:
        constraint = broken_constraint(error)
        return Clash(slot, constraint, queries.standing_in_the_way(constraint, slot, appointment.patient_id))
    return None


def _record(action: AuditAction, appointment: Appointment, *, by: Staff, at: datetime, **more: object) -> None:
    audit.record(
        action,
        appointment,
        actor_id=by.id,
        at=at,
        session_number=appointment.session_number,
        chair_id=appointment.chair_id,
        nurse_id=appointment.nurse_id,
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        status=appointment.status,
        details=more,
    )


def move(appointment: Appointment, slot: Slot, *, reason: str, by: Staff, at: datetime) -> Appointment:
    """Book another time and cancel the old one, linked to each other: both, or neither and `SlotsTaken`."""
    if appointment.status is not AppointmentStatus.BOOKED:
        raise RuleBroken("Only a booked appointment can be moved.")
    _refuse_impossible(slot, at=at)
    if (slot.starts_at, slot.ends_at, slot.chair.id) == (
        appointment.starts_at,
        appointment.ends_at,
        appointment.chair_id,
    ):
        raise RuleBroken("It stands at this time in this chair already.", field="slots")
    lock_in_order(
        chairs={slot.chair.id},
        patients={appointment.patient_id},
        nurses={slot.nurse.id} if slot.nurse else (),
    )
    with db.session.begin_nested():
        # The old place must be free before the new one is tried.
        change_status(appointment, AppointmentStatus.CANCELLED, reason=reason, by=by, at=at)
        moved = _appointment(
            appointment.patient_id, appointment.course_id, slot, by=by, at=at, moved_from_id=appointment.id
        )
        clash = _try(moved, slot)
        if clash is not None:
            raise SlotsTaken([clash])
    _record(AuditAction.APPOINTMENT_MOVED, moved, by=by, at=at, reason=reason, moved_from_id=appointment.id)
    return moved


def change_status(
    appointment: Appointment, status: AppointmentStatus, *, by: Staff, at: datetime, reason: str | None = None
) -> None:
    """Take an appointment to its next state by the table; a cancelled or missed one says why."""
    if not may_become(appointment.status, status):
        raise RuleBroken(f"This appointment is {appointment.status.value}; it cannot become {status.value}.")
    reason = (reason or "").strip() or None
    if status in {AppointmentStatus.CANCELLED, AppointmentStatus.NO_SHOW} and reason is None:
        raise RuleBroken("Say why.", field="reason")
    was = appointment.status
    appointment.status = status
    appointment.status_reason = reason
    appointment.status_at = at
    db.session.flush()  # a clash or a stale version shows here
    _record(AuditAction.APPOINTMENT_STATUS_CHANGED, appointment, by=by, at=at, was=was.value, reason=reason)


def cancel(appointment: Appointment, *, reason: str, by: Staff, at: datetime) -> None:
    """Give up a booked time."""
    change_status(appointment, AppointmentStatus.CANCELLED, reason=reason, by=by, at=at)


def undo(appointment: Appointment, *, by: Staff, at: datetime) -> Appointment:
    """Take back a move or a cancelling: the place is booked again, if nobody has taken it meanwhile.

    Nothing is erased; the trail shows the act and that it was taken back.
    """
    if appointment.status is AppointmentStatus.BOOKED and appointment.moved_from is not None:
        old = appointment.moved_from
        return move(appointment, _same_place(old), reason="The move was taken back.", by=by, at=at)
    if appointment.status is not AppointmentStatus.CANCELLED:
        raise RuleBroken("There is nothing to take back.")
    (again,) = book(appointment.course, [_same_place(appointment)], by=by, at=at)
    return again


def _same_place(appointment: Appointment) -> Slot:
    return Slot(
        appointment.session_number, appointment.chair, appointment.starts_at, appointment.ends_at, appointment.nurse
    )


def mark_no_show(appointment: Appointment, *, reason: str, by: Staff, at: datetime) -> None:
    """The patient did not attend; not before the appointed time."""
    if at < appointment.starts_at:
        raise RuleBroken("The appointed time has not come yet.")
    change_status(appointment, AppointmentStatus.NO_SHOW, reason=reason, by=by, at=at)


def assign_nurse(appointment: Appointment, nurse: Staff | None, *, by: Staff, at: datetime) -> None:
    """Give an appointment to a nurse, unless the nurse would then have more patients than the clinic's limit."""
    if nurse is not None:
        lock(Staff, {nurse.id})
    was = appointment.nurse_id
    try:
        with db.session.begin_nested():
            appointment.nurse = nurse
            db.session.flush()
    except IntegrityError as error:
        name = nurse.name if nurse else ""
        raise RuleBroken(clash_text(broken_constraint(error), nurse_name=name), field="nurse_id") from error
    _record(AuditAction.APPOINTMENT_MOVED, appointment, by=by, at=at, was_nurse_id=str(was) if was else None)


def clash_text(constraint: str, *, nurse_name: str = "The nurse", chair_name: str = "") -> str:
    """The friendly text of a constraint that refused an appointment."""
    chair = f"Chair {chair_name}" if chair_name else "The chair"
    texts = {
        "no_overlap_for_chair": f"{chair} is taken at that time.",
        "no_overlap_for_patient": "The patient has another appointment at that time.",
        "nurse_has_room": f"{nurse_name} has as many patients at that time as the clinic allows.",
        "chair_is_open": f"{chair} is closed at that time.",
        "uq_appointment_one_per_session": "This session has a time already.",
        # SQLite names the columns of a unique index.
        "appointment.course_id, appointment.session_number": "This session has a time already.",
    }
    return texts.get(constraint, "This time cannot be booked.")
