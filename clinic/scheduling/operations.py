"""Verbs of the desk: book a course, move, cancel. The database is the judge; a clash is told in names and times."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clinic.accounts.models import Staff
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken, broken_constraint
from clinic.courses.models import Course
from clinic.courses.rules import CourseStatus
from clinic.orders.facing import clinic_day
from clinic.orders.queries import order_in_force
from clinic.orders.rules import refusal_to_book
from clinic.scheduling import queries
from clinic.scheduling.locking import lock_in_order
from clinic.scheduling.models import Appointment, Chair, Pump
from clinic.scheduling.operations_override import (
    Override,
    decided_for,
    record_override,
    refuse_override,
    set_aside,
)
from clinic.scheduling.operations_rooms import ChairInUse, add_chair, close_chair, reopen_chair
from clinic.scheduling.operations_shifts import add_shift, remove_shift
from clinic.scheduling.operations_standing import (
    assign_nurse,
    assign_pump,
    cancel,
    change_status,
    hold_again,
    is_beyond,
    mark_no_show,
    record_appointment,
    take_over,
)
from clinic.scheduling.operations_waits import end_waits, wait_again
from clinic.scheduling.queries import Standing
from clinic.scheduling.queries_clash import in_the_way
from clinic.scheduling.rules import AppointmentStatus, BookingRule, clash_text, session_words

__all__ = [
    "ChairInUse",
    "Clash",
    "Override",
    "Slot",
    "SlotsTaken",
    "add_chair",
    "add_shift",
    "assign_nurse",
    "assign_pump",
    "book",
    "cancel",
    "change_status",
    "clash_text",
    "close_chair",
    "hold_again",
    "is_beyond",
    "mark_no_show",
    "move",
    "order_refusal",
    "remove_shift",
    "reopen_chair",
    "stand_again",
    "take_over",
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
    pump: Pump | None = None


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
            pump_name=self.slot.pump.name if self.slot.pump else "",
        )

    @property
    def rule(self) -> BookingRule | None:
        """The rule that refused, where it is one that a clinic may let its people override."""
        return BookingRule(self.constraint) if self.constraint in set(BookingRule) else None


class SlotsTaken(RuleBroken):
    """Some of the wished slots are taken; nothing was booked."""

    def __init__(self, clashes: Sequence[Clash]) -> None:
        """Keep every collision, so that the page can show each beside its row."""
        words = session_words(clash.slot.session_number for clash in clashes)
        super().__init__(f"Choose another time for {words}.", field="slots")
        self.clashes = list(clashes)


def book(
    course: Course,
    slots: Iterable[Slot],
    *,
    by: Staff,
    at: datetime,
    override: Override | None = None,
    ends_waits: bool = True,
) -> list[Appointment]:
    """Book sessions of a course: all of them, or none and `SlotsTaken` with every collision.

    Sessions that waited for a time wait no longer, unless they only get back the one that they had (`ends_waits`).

    1. Lock sites, chairs, the patient, the course, nurses and pumps, each in the order of their keys, so that two
       desks never wait for each other; only then look at what holds.
    2. Add each appointment in a savepoint; the database refuses what overlaps.
    3. With any collision take all of them back.
    """
    wished = sorted(slots, key=lambda slot: slot.starts_at)
    lock_in_order(
        chairs={slot.chair.id for slot in wished},
        patients={course.patient_id},
        courses={course.id},
        nurses={slot.nurse.id for slot in wished if slot.nurse},
        pumps={slot.pump.id for slot in wished if slot.pump},
    )
    refuse_override(override, by=by)
    _refuse_what_cannot_be_booked(course, wished, at=at)
    with db.session.begin_nested():
        booked, clashes = [], []
        for slot in wished:
            appointment = _appointment(course.patient_id, course.id, slot, by=by, at=at)
            clash = _try(appointment, slot, override, by=by)
            if clash is None:
                booked.append(appointment)
            else:
                clashes.append(clash)
        if clashes:
            raise SlotsTaken(clashes)
    for appointment in booked:
        record_appointment(AuditAction.APPOINTMENT_BOOKED, appointment, by=by, at=at)
        record_override(appointment, by=by, at=at)
    if ends_waits:
        end_waits(booked, by=by, at=at)
    return booked


def _refuse_what_cannot_be_booked(course: Course, slots: Sequence[Slot], *, at: datetime) -> None:
    db.session.refresh(course, ["status"])  # a physician may have held the course since it was read
    if course.status is not CourseStatus.ACTIVE:
        raise RuleBroken("This course is not active. A physician signs its order or resumes it first.")
    if not slots:
        raise RuleBroken("Choose at least one time.", field="slots")
    for slot in slots:
        _refuse_impossible(slot, at=at)
    _refuse_retired(slots)
    numbers = [slot.session_number for slot in slots]
    taken = queries.numbers_taken(course.id)
    # Asked before the order: whom another desk was faster for needs no more sessions, and no new order.
    if len(set(numbers)) < len(numbers) or taken & set(numbers):
        twice = {number for number in numbers if numbers.count(number) > 1 or number in taken}
        raise RuleBroken(f"A time is booked already for {session_words(twice)}. Open the page again.", field="slots")
    refusal = order_refusal(course, wished=len(slots), on=clinic_day(at))
    if refusal:
        raise RuleBroken(refusal, field="slots")


def order_refusal(course: Course, *, wished: int, on: date) -> str | None:
    """Why no so many sessions more are booked under the order of a course: it ended, or allows no more."""
    version = order_in_force(course.order_id)
    if version is None and course.order.waiting is not None:
        return "The order of this course waits for its co-signature. A physician co-signs it first."
    if version is None:
        return "No order of this course is in force. A physician signs one first."
    held = len(queries.numbers_taken(course.id))
    return refusal_to_book(on, version.valid_until, version.sessions_allowed, held=held, wished=wished)


def _refuse_impossible(slot: Slot, *, at: datetime) -> None:
    if slot.starts_at < at:
        raise RuleBroken("A time that has passed cannot be booked.", field="slots")
    if slot.ends_at <= slot.starts_at:
        raise RuleBroken("A session ends after it starts.", field="slots")


def _refuse_retired(slots: Sequence[Slot]) -> None:
    """Nothing is booked in what is no longer in use; asked once it is held, for it was read before."""
    wanted = [*(slot.chair for slot in slots), *(slot.pump for slot in slots if slot.pump)]
    for table, kind in ((Chair, "Chair"), (Pump, "Pump")):
        keys = {each.id for each in wanted if isinstance(each, table)}
        retired = sa.select(table.name).where(table.id.in_(keys), table.is_retired)
        if keys and (name := db.session.scalar(retired.limit(1))) is not None:
            raise RuleBroken(f"{kind} {name} is no longer in use.", field="slots")


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
        pump_id=slot.pump.id if slot.pump else None,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        status=AppointmentStatus.BOOKED,
        status_at=at,
        moved_from_id=moved_from_id,
        booked_at=at,
        booked_by_id=by.id,
    )


def _try(appointment: Appointment, slot: Slot, override: Override | None = None, *, by: Staff) -> Clash | None:
    """Add an appointment in a savepoint; gives what refused it.

    A rule that may be overridden is named on the appointment only once it has refused, so that the record says what
    was truly set aside.
    """
    while True:
        try:
            with db.session.begin_nested():
                db.session.add(appointment)
                db.session.flush()
        except IntegrityError as error:
            constraint = broken_constraint(error)
            if set_aside(appointment, constraint, override, by=by):
                continue
            return Clash(slot, constraint, in_the_way(constraint, slot, appointment.patient_id))
        return None


def move(
    appointment: Appointment, slot: Slot, *, reason: str, by: Staff, at: datetime, override: Override | None = None
) -> Appointment:
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
    slot = with_own_pump(slot, appointment)
    lock_in_order(
        chairs={slot.chair.id},
        patients={appointment.patient_id},
        nurses={slot.nurse.id} if slot.nurse else (),
        pumps={slot.pump.id} if slot.pump else (),
    )
    _refuse_retired([slot])
    refuse_override(override, by=by)
    with db.session.begin_nested():
        # The old place must be free before the new one is tried.
        change_status(appointment, AppointmentStatus.CANCELLED, reason=reason, by=by, at=at)
        moved = _appointment(
            appointment.patient_id, appointment.course_id, slot, by=by, at=at, moved_from_id=appointment.id
        )
        clash = _try(moved, slot, override, by=by)
        if clash is not None:
            raise SlotsTaken([clash])
    record_appointment(AuditAction.APPOINTMENT_MOVED, moved, by=by, at=at, reason=reason, moved_from_id=appointment.id)
    record_override(moved, by=by, at=at)
    return moved


def stand_again(appointment: Appointment, *, reason: str, by: Staff, at: datetime) -> Appointment:
    """Let a booking stand as it was, whose patient is not here after all: what began with it is cancelled.

    The two are linked. To the patient nothing has changed, so there is no news of it; what was set aside for the
    booking stays so. Raises RuleBroken with what is in the way by now.
    """
    place = _same_place(appointment)
    lock_in_order(
        chairs={appointment.chair_id},
        patients={appointment.patient_id},
        nurses={appointment.nurse_id} if appointment.nurse_id else (),
        pumps={appointment.pump_id} if appointment.pump_id else (),
    )
    with db.session.begin_nested():
        change_status(appointment, AppointmentStatus.CANCELLED, reason=reason, by=by, at=at)
        again = _appointment(
            appointment.patient_id, appointment.course_id, place, by=by, at=at, moved_from_id=appointment.id
        )
        for name in ("booked_at", "booked_by_id", "override_rules", "override_reason", "overridden_by_id"):
            setattr(again, name, getattr(appointment, name))
        clash = _try(again, place, by=by)
        if clash is not None:
            raise RuleBroken(f"The booked time cannot stand again. {clash.text} Close the visit with “Not today”.")
    record_appointment(AuditAction.APPOINTMENT_MOVED, again, by=by, at=at, reason=reason, moved_from_id=appointment.id)
    return again


def with_own_pump(slot: Slot, appointment: Appointment) -> Slot:
    """A place for an appointment that moves: the pump that it holds comes along unless another one is wished."""
    return slot if slot.pump is not None or appointment.pump is None else replace(slot, pump=appointment.pump)


def undo(appointment: Appointment, *, by: Staff, at: datetime) -> Appointment:
    """Take back a move or a cancelling: the place is booked again, if nobody has taken it meanwhile.

    Nothing is erased; the trail shows the act and that it was taken back.
    """
    if appointment.status is AppointmentStatus.BOOKED and appointment.moved_from is not None:
        old = appointment.moved_from
        reason = "The move was taken back."
        back = move(appointment, _same_place(old), reason=reason, by=by, at=at, override=decided_for(old))
        wait_again([appointment.id], by=by, at=at)
        return back
    if appointment.status is not AppointmentStatus.CANCELLED:
        raise RuleBroken("There is nothing to take back.")
    place, decided = _same_place(appointment), decided_for(appointment)
    (again,) = book(appointment.course, [place], by=by, at=at, override=decided, ends_waits=False)
    return again


def _same_place(appointment: Appointment) -> Slot:
    return Slot(
        appointment.session_number,
        appointment.chair,
        appointment.starts_at,
        appointment.ends_at,
        appointment.nurse,
        appointment.pump,
    )
