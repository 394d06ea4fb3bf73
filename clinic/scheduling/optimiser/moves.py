"""What a new plan moves, and why: what is in the way of each booked session that stands elsewhere."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from clinic.scheduling.optimiser.calendar import Calendar, calendar_of
from clinic.scheduling.optimiser.course_offers import Wishes
from clinic.scheduling.optimiser.problem import Course, Place, Problem, Session


class Cause(StrEnum):
    """Why a session cannot stay where it is booked, the first thing that a person would look at."""

    GONE = "gone"
    CLOSED = "closed"
    CHAIR = "chair"
    NURSE = "nurse"
    PHYSICIAN = "physician"
    PATIENT = "patient"
    GAP = "gap"
    CHAIR_TAKEN = "chair taken"
    NURSE_BUSY = "nurse busy"
    FULL = "full"
    BETTER = "better"


class Move(NamedTuple):
    """A booked session that stands elsewhere in a plan; `to` is None where no place is left for it."""

    course: int
    session: int
    booked: Place
    to: Place | None
    cause: Cause


def moves(problem: Problem, plan: Sequence[Sequence[Place]]) -> list[Move]:
    """Every move of a plan with its cause."""
    calendar = calendar_of(problem, plan)
    found: list[Move] = []
    for number, (course, places) in enumerate(zip(problem.courses, plan, strict=True)):
        to = [*places, *[None] * (len(course.sessions) - len(places))]
        booked = [session.booked for session in course.sessions]
        moved = [(index, was, to[index]) for index, was in enumerate(booked) if was and was != to[index]]
        if not moved:
            continue
        for session, place in zip(course.sessions, places, strict=False):
            calendar.remove(course.patient, session.shape, place)
        causes = {index: _cause(problem, calendar, course, course.sessions[index], was) for index, was, _ in moved}
        for session, place in zip(course.sessions, places, strict=False):
            calendar.add(course.patient, session.shape, place)
        # A session that could have stayed follows another of its course, or stands better where it is now.
        otherwise = Cause.GAP if any(causes.values()) else Cause.BETTER
        found += [Move(number, index, was, now, causes[index] or otherwise) for index, was, now in moved]
    return found


def _cause(problem: Problem, calendar: Calendar, course: Course, session: Session, booked: Place) -> Cause | None:
    """Why a session cannot stay, for itself or for those that stand there now."""
    alone = _cause_alone(problem, course, session, booked)
    if alone is not None:
        return alone
    day, shape = calendar.days[booked.clinic][booked.day], session.shape
    if booked.day in calendar.visits(course.patient):
        return Cause.GAP
    if not day.chair_is_free(booked.chair, shape) >> booked.start & 1:
        return Cause.CHAIR_TAKEN
    nurses = dict(day.openings(shape).nurses)
    if nurses.get(booked.nurse, 0) >> booked.start & 1:
        return None
    return Cause.NURSE_BUSY if any(mask >> booked.start & 1 for mask in nurses.values()) else Cause.FULL


def _cause_alone(problem: Problem, course: Course, session: Session, booked: Place) -> Cause | None:
    """Why a session could not stay even if nobody else came."""
    if min(booked.clinic, booked.chair, booked.nurse) < 0 or booked.clinic not in dict(course.clinics):
        return Cause.GONE
    shape, end = session.shape, booked.start + session.shape.length
    day = problem.clinics[booked.clinic].days.get(booked.day)
    if day is None or not day.open <= booked.start <= day.close - shape.length:
        return Cause.CLOSED
    if any(chair == booked.chair and begin < end and booked.start < to for chair, begin, to in day.closed_chairs):
        return Cause.CHAIR
    duty = next((nurse for nurse in day.nurses if nurse.nurse == booked.nurse), None)
    if duty is None or booked.start < duty.start or end > duty.end:
        return Cause.NURSE
    if any(begin <= booked.start < to for begin, to in duty.breaks):
        return Cause.NURSE
    begin = booked.start + shape.prep
    infusing = range(begin, begin + shape.infusion)
    if not all(any(a <= slot < b for a, b in day.physicians) for slot in infusing):
        return Cause.PHYSICIAN
    may = Wishes(problem, course).may_start(booked.day, shape.length)
    return None if may >> booked.start & 1 else Cause.PATIENT
