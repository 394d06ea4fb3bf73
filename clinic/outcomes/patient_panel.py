"""What a patient reported in the newest course, on the patient's page: drawn, and in numbers."""

from collections.abc import Mapping
from datetime import datetime

from clinic.core import formats
from clinic.courses import queries as courses
from clinic.courses.pages import course_name
from clinic.outcomes import queries
from clinic.outcomes.pages import RESPONSE_WORDS, charts, course_outcome
from clinic.outcomes.wording import score_lines
from clinic.patients import pages
from clinic.patients.models import Patient


def outcome_panel(patient: Patient, _now: datetime) -> Mapping[str, object]:
    """The answers of the newest course; nothing where there is no course."""
    course = next(iter(courses.courses_of(patient.id)), None)
    if course is None:
        return {"course": None}
    results = queries.results_of_course(course.id)
    given = queries.given_sessions([course.id]).get(course.id, [])
    return {
        "course": course,
        "name": course_name(course),
        "scores": score_lines(results),
        "charts": charts(results, given, zone=formats.zone.get()),
        "response": course_outcome(results, given),
        "RESPONSE_WORDS": RESPONSE_WORDS,
    }


pages.add_panel("outcomes/_patient_panel.html", outcome_panel, column=1)
