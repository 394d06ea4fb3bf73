"""Which rule stands in the way of a session on a day: for the words beside what could not be placed."""

from enum import StrEnum
from typing import Final

from clinic.scheduling.optimiser.calendar import Calendar
from clinic.scheduling.optimiser.course_offers import Wishes
from clinic.scheduling.optimiser.problem import Course, Problem


class Obstacle(StrEnum):
    """What is in the way, the first thing that a person would look at."""

    BEYOND = "beyond"
    CLOSED = "closed"
    VISIT = "visit"
    HOURS = "hours"
    NURSES = "nurses"
    SKILL = "skill"
    CHAIRS = "chairs"
    TOGETHER = "together"


WORDS: Final = {
    Obstacle.BEYOND: "after the days that can be booked",
    Obstacle.CLOSED: "the clinic is closed",
    Obstacle.VISIT: "the patient comes that day already",
    Obstacle.HOURS: "not a day or a time that the order, the patient and this choice allow",
    Obstacle.NURSES: "no nurse is free for so long",
    Obstacle.SKILL: "no nurse who is written down for the drug is free for so long",
    Obstacle.CHAIRS: "no chair is free for so long",
    Obstacle.TOGETHER: "chair and nurse are not free at the same time",
}


def obstacle(problem: Problem, calendar: Calendar, course: Course, index: int, number: int) -> Obstacle | None:
    """What keeps session `index` of a course from a day, in its first clinic; None when it could stand there."""
    clinic = course.clinics[0][0]
    shape = course.sessions[index].shape
    if not 0 <= number < problem.length:
        return Obstacle.BEYOND
    day = calendar.days[clinic].get(number)
    if day is None or day.close - day.open < shape.length:
        return Obstacle.CLOSED
    if number in calendar.visits(course.patient):
        return Obstacle.VISIT
    may = Wishes(problem, course).may_start(number, shape.length)
    if not may:
        return Obstacle.HOURS
    by_chair = day.free_for_a_chair(shape) & may
    by_nurse = day.free_for_a_nurse(shape) & may
    if not by_chair:
        return Obstacle.CHAIRS
    if not by_nurse:
        return Obstacle.NURSES
    if not any(mask & may for nurse, mask in day.openings(shape).nurses if course.may_have(number, nurse)):
        return Obstacle.SKILL if number in course.able else Obstacle.TOGETHER
    is_open = any(mask & may for _, mask in day.openings(shape).by_level)
    return None if is_open else Obstacle.TOGETHER
