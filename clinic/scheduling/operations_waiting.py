"""The waiting list: who would take another time, and who got one."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.exc import IntegrityError

from clinic.accounts.models import Staff
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.courses.models import Course
from clinic.courses.rules import CourseStatus
from clinic.scheduling import queries, queries_waiting
from clinic.scheduling.models import Appointment, WaitingEntry
from clinic.scheduling.operations import Slot, book, move
from clinic.scheduling.operations_waits import end, record
from clinic.scheduling.rules import AppointmentStatus, DayPart, WaitingStatus, sessions_to_book

FROM_THE_LIST = "An earlier or other time from the waiting list."


@dataclass(frozen=True, slots=True)
class Wishes:
    """When the patient can come; what is left open is open."""

    notice_hours: int
    weekdays: Collection[int] = ()
    part: DayPart | None = None
    from_on: date | None = None
    until_on: date | None = None
    note: str | None = None


def put_on_the_list(course: Course, number: int, wishes: Wishes, *, by: Staff, at: datetime) -> WaitingEntry:
    """Note that a session of a course would take another time; once per session."""
    if wishes.from_on and wishes.until_on and wishes.until_on < wishes.from_on:
        raise RuleBroken("The last day comes after the first.", field="until_on")
    _refuse_no_session(course, number)
    held = queries_waiting.appointment_of(course.id, number)
    if held is not None and held.status is not AppointmentStatus.BOOKED:
        raise RuleBroken("This session is under way or over.", field="session")
    entry = WaitingEntry(
        patient_id=course.patient_id,
        course_id=course.id,
        session_number=number,
        weekdays=tuple(sorted(wishes.weekdays)) or None,
        part=wishes.part,
        from_on=wishes.from_on,
        until_on=wishes.until_on,
        notice_hours=wishes.notice_hours,
        note=(wishes.note or "").strip() or None,
        recorded_at=at,
        recorded_by_id=by.id,
        status=WaitingStatus.WAITING,
    )
    try:
        with db.session.begin_nested():
            db.session.add(entry)
            db.session.flush()  # a session that waits already shows here
    except IntegrityError as error:
        raise RuleBroken("This session is on the waiting list already.", field="session") from error
    record(entry, by=by, at=at)
    return entry


def _refuse_no_session(course: Course, number: int) -> None:
    """Refuse a course that gives no sessions now, and a session that it does not have."""
    if course.status is not CourseStatus.ACTIVE:
        raise RuleBroken("This course is not active.", field="session")
    facts, taken = queries.course_facts([course.id]).get(course.id), queries.numbers_taken(course.id)
    known = {*taken, *sessions_to_book(facts.planned if facts else None, taken)}
    if number not in known:
        raise RuleBroken(f"This course has no session {number} to wait for: choose 1 to {max(known)}.", field="session")


def take_off_the_list(entry: WaitingEntry, *, reason: str, by: Staff, at: datetime) -> None:
    """The patient waits no longer."""
    _still_waiting(entry)
    if not reason.strip():
        raise RuleBroken("Say why.", field="reason")
    end(entry, WaitingStatus.WITHDRAWN, reason.strip(), by=by, at=at)


def give_time(entry: WaitingEntry, slot: Slot, *, by: Staff, at: datetime) -> Appointment:
    """Give a waiting patient a free time; one that was held moves, linked to it. `SlotsTaken` when it is gone."""
    _still_waiting(entry)
    held = queries_waiting.appointment_of(entry.course_id, entry.session_number)
    if held is None:
        (made,) = book(entry.course, [slot], by=by, at=at)  # which ends the wish
        return made
    made = move(held, slot, reason=FROM_THE_LIST, by=by, at=at)
    entry.appointment_id = made.id
    end(entry, WaitingStatus.PLACED, FROM_THE_LIST, by=by, at=at)
    return made


def _still_waiting(entry: WaitingEntry) -> None:
    db.session.refresh(entry, ["status", "version"])  # another desk may have been faster
    if entry.status is not WaitingStatus.WAITING:
        raise RuleBroken("This patient is not on the waiting list any more.")
