"""Answers to bookings: ranked whole courses against a full calendar, nothing booked moves."""

from dataclasses import replace
from typing import Any

from clinic.scheduling.optimiser.calendar import Calendar
from clinic.scheduling.optimiser.course_search import CourseSearch, Found
from clinic.scheduling.optimiser.files import assignment
from clinic.scheduling.optimiser.problem import Course, Problem


class Booking:
    """A calendar that answers requests; nurses' shares of a week play no part in them."""

    def __init__(self, problem: Problem) -> None:
        self._problem = replace(problem, weights=replace(problem.weights, fairness=0))
        self._calendar = Calendar(self._problem)

    def propose(self, course: Course, count: int) -> list[Found]:
        """At most `count` ways to place a course, cheapest first; what does not fit at its end stays unplaced."""
        return CourseSearch(self._problem, course).proposals(self._calendar, count)


def answer(problem: Problem, course: Course, found: list[Found]) -> dict[str, Any]:
    """Proposals in the words of the answer's file."""
    return {
        "request": course.name,
        "proposals": [
            [assignment(problem, session, place) for session, place in zip(course.sessions, one.places, strict=False)]
            for one in found
        ],
    }
