"""A plan as its page lists it: how far it is, and by course where each session would stand."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from clinic.courses.models import Course
from clinic.patients.models import Patient
from clinic.scheduling import queries_plans
from clinic.scheduling.booking import slot_words
from clinic.scheduling.models_plans import MonthPlan, PlannedSession
from clinic.scheduling.operations import Slot
from clinic.scheduling.plan_rules import AT_WORK, PlanStatus, status_now

_WORDS = {
    PlanStatus.ASKED: "The plan waits to be begun.",
    PlanStatus.RUNNING: "The plan is at work.",
    PlanStatus.FINISHED: "The plan is finished.",
    PlanStatus.STOPPED: "Stopped by hand. The best plan so far is kept.",
    PlanStatus.BROKEN: "Stopped: the server ended it before its time was over. The best plan so far is kept.",
}


# A form has at most 500 parts (MAX_FORM_PARTS); some are its keys.
MOST_TICKS: Final = 400


@dataclass(frozen=True, slots=True)
class Line:
    """A session: where it would stand, what is in its way, and the appointment once it is booked."""

    key: uuid.UUID
    number: int
    place: str
    note: str
    appointment_id: uuid.UUID | None

    @property
    def can_be_accepted(self) -> bool:
        """Whether there is something to book."""
        return bool(self.place) and self.appointment_id is None


@dataclass(frozen=True, slots=True)
class CourseLines:
    """A course of a plan with its sessions."""

    patient: Patient
    course: Course
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class PlanPage:
    """A plan as it is now."""

    plan: MonthPlan
    status: PlanStatus
    courses: tuple[CourseLines, ...]

    @property
    def is_at_work(self) -> bool:
        """Whether it may still find something better."""
        return self.status in AT_WORK

    @property
    def most_ticks(self) -> int:
        """How many sessions can be ticked one by one: a form takes no more parts."""
        return MOST_TICKS

    @property
    def words(self) -> str:
        """In what state it is."""
        return _WORDS[self.status]

    @property
    def placed(self) -> int:
        """How many sessions have a place."""
        return sum(bool(line.place) for course in self.courses for line in course.lines)

    @property
    def whole(self) -> int:
        """How many sessions it looks for."""
        return sum(len(course.lines) for course in self.courses)

    @property
    def to_accept(self) -> int:
        """How many sessions could be booked."""
        return sum(line.can_be_accepted for course in self.courses for line in course.lines)


def plan_page(plan: MonthPlan, *, now: datetime) -> PlanPage:
    """A plan with everything it found, in a handful of reads."""
    rows = queries_plans.planned(plan.id)
    patients, courses = queries_plans.patients_of(rows), queries_plans.courses_of(rows)
    chairs, nurses = queries_plans.chairs_of(rows), queries_plans.nurses_of(rows)

    def line(row: PlannedSession) -> Line:
        place = ""
        if row.chair_id and row.starts_at:
            nurse = nurses.get(row.nurse_id) if row.nurse_id else None
            until = row.starts_at + timedelta(minutes=row.minutes)
            place = slot_words(Slot(row.session_number, chairs[row.chair_id], row.starts_at, until))
            place += f", nurse {nurse.name}" if nurse else ", no nurse yet"
        return Line(row.id, row.session_number, place, row.in_the_way or "", row.appointment_id)

    by_course: dict[uuid.UUID, list[PlannedSession]] = {}
    for row in rows:
        by_course.setdefault(row.course_id, []).append(row)
    found = [
        CourseLines(patients[mine[0].patient_id], courses[key], tuple(map(line, mine)))
        for key, mine in sorted(by_course.items(), key=lambda each: _first(each[1]))
    ]
    return PlanPage(plan, status_now(plan.status, plan.heard_at, now), tuple(found))


def _first(rows: Sequence[PlannedSession]) -> tuple[bool, list[datetime]]:
    starts = [row.starts_at for row in rows if row.starts_at]
    return not starts, sorted(starts)[:1]
