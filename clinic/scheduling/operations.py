"""Verbs of the desk: book a course, move, cancel. The database is the judge; a clash is told in names and times."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clinic.accounts.models import Clinic, Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken, broken_constraint
from clinic.courses.models import Course
from clinic.courses.rules import CourseStatus
from clinic.patients.models import Patient
from clinic.scheduling import queries
from clinic.scheduling.models import Appointment, Chair, ChairClosure, Shift
from clinic.scheduling.rules import AppointmentStatus, ChairKind, may_become


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
    """A slot that could not be booked: the constraint that refused it, and the appointment in its way, if any."""

    slot: Slot
    constraint: str
    other: Appointment | None


class SlotsTaken(RuleBroken):
    """Some of the wished slots are taken; nothing was booked."""

    def __init__(self, clashes: Sequence[Clash]) -> None:
        numbers = ", ".join(str(clash.slot.session_number) for clash in clashes)
        super().__init__(f"Nothing was booked. Choose another time for session {numbers}.", field="slots")
        self.clashes = list(clashes)


def book(course: Course, slots: Iterable[Slot], *, by: Staff, at: datetime) -> list[Appointment]:
    """Book sessions of a course: all of them, or none and `SlotsTaken` with every collision.

    1. Lock chairs, nurses and the patient in the order of their keys, so that two desks never wait for each other.
    2. Add each appointment in a savepoint; the database refuses what overlaps.
    """
    wished = sorted(slots, key=lambda slot: slot.starts_at)
    _refuse_what_cannot_be_booked(course, wished, at=at)
    _lock_for(wished, course.patient_id)
    booked, clashes = [], []
    for slot in wished:
        appointment = Appointment(
            patient_id=course.patient_id,
            course_id=course.id,
            session_number=slot.session_number,
            chair_id=slot.chair.id,
            nurse_id=slot.nurse.id if slot.nurse else None,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
            status=AppointmentStatus.BOOKED,
            status_at=at,
            booked_at=at,
            booked_by_id=by.id,
        )
        refused = _try(appointment)
        if refused is None:
            booked.append(appointment)
        else:
            clashes.append(Clash(slot, refused, queries.in_the_way(slot.chair.id, course.patient_id, slot, refused)))
    if clashes:
        raise SlotsTaken(clashes)
    for appointment in booked:
        _record(AuditAction.APPOINTMENT_BOOKED, appointment, by=by, at=at)
    return booked


def _refuse_what_cannot_be_booked(course: Course, slots: Sequence[Slot], *, at: datetime) -> None:
    if course.status is not CourseStatus.ACTIVE:
        raise RuleBroken("This course is not active. A physician signs its order or resumes it first.")
    if not slots:
        raise RuleBroken("Choose at least one time.", field="slots")
    if any(slot.starts_at < at for slot in slots):
        raise RuleBroken("A time that has passed cannot be booked.", field="slots")
    if any(slot.ends_at <= slot.starts_at for slot in slots):
        raise RuleBroken("A session ends after it starts.", field="slots")
    numbers = [slot.session_number for slot in slots]
    taken = queries.numbers_taken(course.id)
    if len(set(numbers)) < len(numbers) or taken & set(numbers):
        raise RuleBroken("A session of this course is booked once only.", field="slots")


def _lock_for(slots: Iterable[Slot], patient_id: uuid.UUID) -> None:
    slots = list(slots)
    _lock(Chair, {slot.chair.id for slot in slots})
    _lock(Patient, {patient_id})
    _lock(Staff, {slot.nurse.id for slot in slots if slot.nurse})


def _lock(table: type[Chair | Patient | Staff], ids: set[uuid.UUID]) -> None:
    """Hold the rows in the order of their keys; SQLite has taken the whole database already."""
    db.session.execute(
        sa.select(table.id).where(table.id.in_(sorted(ids))).order_by(table.id).with_for_update(key_share=True)
    )


def _try(appointment: Appointment) -> str | None:
    """Add or change an appointment in a savepoint; gives the name of the constraint that refused it."""
    try:
        with db.session.begin_nested():
            db.session.add(appointment)
            db.session.flush()
    except IntegrityError as error:
        return broken_constraint(error)
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
    if slot.starts_at < at:
        raise RuleBroken("A time that has passed cannot be booked.", field="slots")
    _lock_for([slot], appointment.patient_id)
    with db.session.begin_nested():
        change_status(appointment, AppointmentStatus.CANCELLED, reason=reason, by=by, at=at)
        db.session.flush()  # the old place must be free before the new one is tried
        moved = Appointment(
            patient_id=appointment.patient_id,
            course_id=appointment.course_id,
            session_number=appointment.session_number,
            chair_id=slot.chair.id,
            nurse_id=slot.nurse.id if slot.nurse else None,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
            status=AppointmentStatus.BOOKED,
            status_at=at,
            moved_from_id=appointment.id,
            booked_at=at,
            booked_by_id=by.id,
        )
        refused = _try(moved)
        if refused is not None:
            other = queries.in_the_way(slot.chair.id, appointment.patient_id, slot, refused)
            raise SlotsTaken([Clash(slot, refused, other)])
    _record(AuditAction.APPOINTMENT_MOVED, moved, by=by, at=at, reason=reason)
    return moved


def change_status(
    appointment: Appointment, status: AppointmentStatus, *, by: Staff, at: datetime, reason: str | None = None
) -> None:
    """Take an appointment to its next state by the table; a cancelled or missed one says why."""
    if not may_become(appointment.status, status):
        raise RuleBroken(f"This appointment is {appointment.status.value}; it cannot become {status.value}.")
    if status in {AppointmentStatus.CANCELLED, AppointmentStatus.NO_SHOW} and not (reason or "").strip():
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


def mark_no_show(appointment: Appointment, *, reason: str, by: Staff, at: datetime) -> None:
    """The patient did not attend; not before the appointed time."""
    if at < appointment.starts_at:
        raise RuleBroken("The appointed time has not come yet.")
    change_status(appointment, AppointmentStatus.NO_SHOW, reason=reason, by=by, at=at)


def assign_nurse(appointment: Appointment, nurse: Staff | None, *, by: Staff, at: datetime) -> None:
    """Give an appointment to a nurse, unless the nurse would then have more patients than the clinic's limit."""
    _lock(Staff, {nurse.id} if nurse else set())
    was = appointment.nurse_id
    try:
        with db.session.begin_nested():
            appointment.nurse_id = nurse.id if nurse else None
            db.session.flush()
    except IntegrityError as error:
        name = nurse.name if nurse else ""
        raise RuleBroken(clash_text(broken_constraint(error), nurse_name=name), field="nurse_id") from error
    _record(AuditAction.APPOINTMENT_MOVED, appointment, by=by, at=at, was_nurse_id=str(was))


def clash_text(constraint: str, *, nurse_name: str = "The nurse") -> str:
    """The friendly text of a constraint that refused an appointment."""
    texts = {
        "no_overlap_for_chair": "The chair is taken at that time.",
        "no_overlap_for_patient": "The patient has another appointment at that time.",
        "nurse_has_room": f"{nurse_name} has as many patients at that time as the clinic allows.",
        "chair_is_open": "The chair is closed at that time.",
    }
    return texts.get(constraint, "This time cannot be booked.")


def add_chair(
    site_id: uuid.UUID, name: str, *, position: int, kind: ChairKind, by: Staff | None, at: datetime
) -> Chair:
    """Add a chair, bed or room to a site."""
    chair = Chair(site_id=site_id, name=name, position=position, kind=kind)
    db.session.add(chair)
    audit.record(AuditAction.CHAIR_CHANGED, chair, actor_id=by.id if by else None, at=at, name=name)
    return chair


def close_chair(
    chair: Chair, *, starts_at: datetime, ends_at: datetime, reason: str, by: Staff, at: datetime
) -> ChairClosure:
    """Take a chair out of use for a time; refused while appointments stand in it."""
    standing = queries.appointments_in_chair(chair.id, starts_at, ends_at)
    if standing:
        raise RuleBroken(f"{len(standing)} appointments stand in this chair at that time. Move them first.")
    closure = ChairClosure(
        chair_id=chair.id, starts_at=starts_at, ends_at=ends_at, reason=reason, recorded_at=at, recorded_by_id=by.id
    )
    db.session.add(closure)
    audit.record(AuditAction.CHAIR_CHANGED, chair, actor_id=by.id, at=at, closed_from=starts_at, closed_until=ends_at)
    return closure


def add_shift(staff: Staff, *, starts_at: datetime, ends_at: datetime, by: Staff | None, at: datetime) -> Shift:
    """Put a person on duty."""
    shift = Shift(staff_id=staff.id, starts_at=starts_at, ends_at=ends_at)
    db.session.add(shift)
    audit.record(
        AuditAction.SHIFT_CHANGED,
        shift,
        actor_id=by.id if by else None,
        at=at,
        staff_id=staff.id,
        starts_at=starts_at,
        ends_at=ends_at,
    )
    return shift


def set_patients_per_nurse(clinic: Clinic, most: int | None, *, by: Staff | None, at: datetime) -> None:
    """The clinic's own limit of patients at once for one nurse; None sets none."""
    was = clinic.patients_per_nurse
    clinic.patients_per_nurse = most
    audit.record(
        AuditAction.CLINIC_SETTINGS_CHANGED,
        clinic,
        actor_id=by.id if by else None,
        at=at,
        was=was,
        patients_per_nurse=most,
    )
