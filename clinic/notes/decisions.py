"""What a physician decides about a course, with what becomes of its booked sessions, in one act."""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from clinic.accounts.models import Staff
from clinic.core import db
from clinic.core.errors import Conflict, RuleBroken
from clinic.courses import operations as courses
from clinic.courses.models import Course, CourseReview
from clinic.courses.rules import Bookings, CourseDecision, bookings_after
from clinic.notes import queries
from clinic.scheduling import operations as scheduling
from clinic.scheduling import queries as appointments
from clinic.scheduling.models import Appointment
from clinic.scheduling.rules import AppointmentStatus
from clinic.sessions.models import InfusionSession
from clinic.sessions.progress import first_start

# The desk reads why a place came free: the word for the decision, never the clinical reason.
_REASONS: Final = {
    CourseDecision.HOLD: "The course is on hold.",
    CourseDecision.DISCONTINUE: "The course was discontinued.",
    CourseDecision.COMPLETE: "The course is completed.",
}


def still_booked(course_id: uuid.UUID, seated: Collection[uuid.UUID]) -> list[Appointment]:
    """The booked sessions of a course that nobody has arrived for, earliest first."""
    return [
        appointment
        for appointment in appointments.of_course(course_id)
        if appointment.status is AppointmentStatus.BOOKED and appointment.id not in seated
    ]


def missed_of(course_id: uuid.UUID) -> list[Appointment]:
    """The sessions of a course that the patient did not attend, earliest first."""
    return [each for each in appointments.of_course(course_id) if each.status is AppointmentStatus.NO_SHOW]


def seen(course: Course, booked: Sequence[Appointment]) -> str:
    """What a decision is made from, as one text: another one after every decision and every change of the bookings."""
    last = course.reviews[-1].id if course.reviews else ""
    return "/".join([str(last), *sorted(str(appointment.id) for appointment in booked)])


_MOVED_ON: Final = (
    "Another decision or other booked sessions stand here since you opened this page. Nothing was saved. Read it again."
)


def decide(
    course: Course,
    decision: CourseDecision,
    text: str,
    *,
    bookings: Bookings | None,
    by: Staff,
    at: datetime,
    drawn_version: int | None = None,
    drawn: str | None = None,
) -> CourseReview:
    """Write down a decision; course, order and booked sessions follow.

    `bookings` answers for a hold whether the booked places are kept; the other decisions say it themselves.
    `drawn` is what the physician saw as `seen` has it: when another decision or other bookings stand there by now,
    nothing is saved and Conflict is raised.
    """
    # Of two who decide at once the second waits here, and reads what the first has decided.
    db.session.execute(sa.select(Course.id).where(Course.id == course.id).with_for_update())
    db.session.refresh(course)
    sessions = queries.sessions_of_course(course.id)
    booked = still_booked(course.id, {infusion.appointment_id for infusion in sessions})
    if drawn is not None and drawn != seen(course, booked):
        raise Conflict(_MOVED_ON)
    is_dose_given = any(first_start(infusion) is not None for infusion in sessions)
    if decision is CourseDecision.COMPLETE:
        _refuse_incomplete(sessions, is_dose_given=is_dose_given)
    what = bookings_after(decision) or bookings
    if booked and what is None:
        raise RuleBroken("Say whether the booked sessions keep their places.", field="bookings")
    reviewed = courses.review(
        course,
        decision,
        text,
        by=by,
        at=at,
        is_dose_given=is_dose_given,
        drawn_version=drawn_version,
    )
    if what is Bookings.FREE:
        for appointment in booked:
            scheduling.cancel(appointment, reason=_REASONS[decision], by=by, at=at)
    return reviewed


def under_way(sessions: Sequence[InfusionSession]) -> int | None:
    """The number of the session that somebody has come for and that is not closed."""
    return next((infusion.number for infusion in sessions if not infusion.status.is_closed), None)


def _refuse_incomplete(sessions: Sequence[InfusionSession], *, is_dose_given: bool) -> None:
    """A course is completed once something was given in it, with no session under way (REFERENCE 7.2)."""
    if (number := under_way(sessions)) is not None:
        raise RuleBroken(f"Session {number} is under way. Complete the course once it is closed.", field="decision")
    if not is_dose_given:
        raise RuleBroken("Nothing was given in this course. Discontinue it instead.", field="decision")
