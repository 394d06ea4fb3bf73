"""What the pages about outcomes share: the blueprint, the patient bar, the course, the measures of the clinic."""

import uuid
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, current_app, request, url_for

from clinic.accounts.current import clinic
from clinic.core import clock
from clinic.core.requests import same_patient
from clinic.courses import queries as courses
from clinic.courses.models import Course
from clinic.outcomes.pages import measures
from clinic.outcomes.wording import Questionnaire
from clinic.patients.models import Patient, Weight
from clinic.sessions.pages_patient import PatientBar, patient_bar

bp = Blueprint("outcomes", __name__)


def zone() -> ZoneInfo:
    """The clinic's time zone."""
    return ZoneInfo(clinic().zone)


def bar(patient: Patient, *, weight: Weight | None = None, chair: str | None = None) -> PatientBar:
    """The patient bar of a page."""
    return patient_bar(patient, weight=weight, chair=chair, now=clock.now(), zone=zone())


def link(endpoint: str, **values: Any) -> str | None:
    """An address of an area that may not be there."""
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else None


def load_course(course_id: uuid.UUID) -> Course:
    """The course of a page; a form that was drawn for another patient is refused."""
    course = courses.course(course_id) or abort(404)
    if request.method == "POST":
        same_patient(course.patient_id)
    return course


def measure(key: str) -> Questionnaire:
    """The measure of an address, or 404."""
    return next((asked for asked in measures() if asked.key == key.lower()), None) or abort(404)
