"""A plan in words: why each session moved, and what is in the way of each that has no place."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from clinic.scheduling.optimiser.calendar import calendar_of
from clinic.scheduling.optimiser.moves import Cause, Move, moves
from clinic.scheduling.optimiser.obstacles import WORDS, obstacle
from clinic.scheduling.optimiser.problem import Course, Place, Problem

_CAUSES: Final = {
    Cause.GONE: "clinic, chair or nurse are not there any more",
    Cause.CLOSED: "the clinic is closed then on {day}",
    Cause.CHAIR: "{chair} is closed on {day}",
    Cause.NURSE: "{nurse} is off on {day}",
    Cause.PHYSICIAN: "no physician is there throughout on {day}",
    Cause.PATIENT: "the patient has no time on {day}",
    Cause.GAP: "another session of the patient has moved",
    Cause.CHAIR_TAKEN: "{chair} is needed for another patient on {day}",
    Cause.NURSE_BUSY: "{nurse} is needed for another patient on {day}",
    Cause.FULL: "the nurses and physicians have no room for it on {day}",
    Cause.BETTER: "it suits the patient or the clinic better",
}


def day_words(problem: Problem, day: int) -> str:
    """A day as a person says it."""
    return f"{problem.date(day):%A %d %B}"


def why_moved(problem: Problem, move: Move) -> str:
    """The reason of a move: `N. Ruiz is off on Tuesday 09 June`."""
    booked = move.booked
    clinic = problem.clinics[booked.clinic] if booked.clinic >= 0 else None
    return _CAUSES[move.cause].format(
        day=day_words(problem, booked.day),
        chair=clinic.chairs[booked.chair] if clinic else "",
        nurse=clinic.nurses[booked.nurse] if clinic else "",
    )


def reasons(problem: Problem, plan: Sequence[Sequence[Place]]) -> Iterator[str]:
    """A line for each session that has no place, then for each that has another than it is booked for."""
    calendar = calendar_of(problem, plan)
    for course, places in zip(problem.courses, plan, strict=True):
        for index in range(len(places), len(course.sessions)):
            days = _days(problem, course, places) if index == len(places) else []
            said = [(obstacle(problem, calendar, course, index, day), day) for day in days]
            runs = [(what, [day for _, day in run]) for what, run in groupby(said, key=lambda one: one[0]) if what]
            lines = [f"{_span(problem, run)} {WORDS[what]}" for what, run in runs if what]
            session = course.sessions[index]
            if session.is_fixed and session.booked:
                lines.insert(0, f"fixed on {day_words(problem, session.booked.day)}")
            yield f"not placed: {session.name}: {'; '.join(lines) or 'waits for the one before'}"
    for move in moves(problem, plan):
        if move.to is not None:
            yield f"moved: {problem.courses[move.course].sessions[move.session].name}: {why_moved(problem, move)}"


def _days(problem: Problem, course: Course, places: Sequence[Place]) -> list[int]:
    """The days on which the first unplaced session would have to be."""
    session = course.sessions[len(places)]
    done = course.last_done.day if course.last_done else None
    before = places[-1].day if places else done
    if before is None or session.gap is None:
        days = range(max(0, course.release), problem.length)
    else:
        days = range(before + session.gap.least, before + session.gap.most + 1)
    if session.is_fixed and session.booked:
        return [day for day in days if day == session.booked.day]
    return list(days)


def _span(problem: Problem, days: Sequence[int]) -> str:
    first, last = day_words(problem, days[0]), day_words(problem, days[-1])
    return first if first == last else f"{first} to {last}"
