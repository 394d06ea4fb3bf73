"""How a wish for another time ends, and begins again when what ended it is taken back."""

import uuid
from collections.abc import Collection
from datetime import datetime

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.courses import endings
from clinic.courses.models import Course
from clinic.scheduling import queries_waiting
from clinic.scheduling.models import Appointment, WaitingEntry
from clinic.scheduling.rules import WaitingStatus


def end_waits(booked: Collection[Appointment], *, by: Staff, at: datetime) -> None:
    """Sessions that waited without a time and have one now wait no longer."""
    made = {(each.course_id, each.session_number): each for each in booked}
    for entry in queries_waiting.waiting_for(made):
        entry.appointment_id = made[entry.course_id, entry.session_number].id
        end(entry, WaitingStatus.PLACED, "It was booked.", by=by, at=at)


@endings.end_with_course
def end_waits_of(course: Course, by: Staff, at: datetime) -> None:
    """Whoever waited for a time of a course that is over waits no longer."""
    for entry in queries_waiting.waiting_of(course.id):
        end(entry, WaitingStatus.WITHDRAWN, "The course is over.", by=by, at=at)


def wait_again(undone: Collection[uuid.UUID], *, by: Staff, at: datetime) -> None:
    """Whoever got these appointments from the list waits again, unless the session waits anew already."""
    entries = queries_waiting.placed_by(undone)
    again = {
        (each.course_id, each.session_number)
        for each in queries_waiting.waiting_for({(each.course_id, each.session_number) for each in entries})
    }
    for entry in entries:
        if (entry.course_id, entry.session_number) not in again:
            entry.status, entry.appointment_id = WaitingStatus.WAITING, None
            entry.ended_reason = entry.ended_at = entry.ended_by_id = None
            db.session.flush()  # whoever was faster shows here
            record(entry, by=by, at=at)


def end(entry: WaitingEntry, status: WaitingStatus, reason: str, *, by: Staff, at: datetime) -> None:
    """End a wish, and say how."""
    entry.status, entry.ended_reason, entry.ended_at, entry.ended_by_id = status, reason, at, by.id
    db.session.flush()  # whoever was faster shows here
    record(entry, by=by, at=at)


def record(entry: WaitingEntry, *, by: Staff, at: datetime) -> None:
    """Write a line about a wish as it stands now."""
    audit.record(
        AuditAction.WAITING_CHANGED,
        entry,
        actor_id=by.id,
        at=at,
        status=entry.status,
        course_id=entry.course_id,
        session_number=entry.session_number,
        weekdays=list(entry.weekdays or ()),
        part=entry.part,
        from_on=entry.from_on,
        until_on=entry.until_on,
        notice_hours=entry.notice_hours,
        reason=entry.ended_reason,
        appointment_id=entry.appointment_id,
    )
