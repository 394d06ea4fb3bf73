"""Courses of a patient."""

from datetime import UTC, date, datetime

import pytest

from clinic.core import db
from clinic.courses import operations
from clinic.protocols.rules import CourseIntent
from clinic.protocols.terms import draft_of
from tests.factories.accounts import PASSWORD

DRAFTED = datetime(2025, 11, 17, 15, 0, tzinfo=UTC)
SIGNED = datetime(2025, 11, 17, 15, 30, tzinfo=UTC)


@pytest.fixture
def make_course(make_patient, make_weight, make_protocol_version, signing_physician):
    """Makes a course with its order signed; `sign=False` leaves both drafts."""

    def make(patient=None, *, protocol_version=None, draft=None, sign=True, weight=..., physician=None, **values):
        patient = patient or make_patient(allergies=())
        protocol_version = protocol_version or make_protocol_version()
        chosen = make_weight(patient) if weight is ... else weight
        by = physician or signing_physician
        with db.unit_of_work():
            course = operations.create_course(
                patient,
                protocol_version,
                draft or draft_of(protocol_version.terms),
                weight=chosen,
                physician=by,
                by=by,
                at=DRAFTED,
                **(
                    {
                        "indication": "Neuropathic pain",
                        "goal": None,
                        "intent": CourseIntent.SERIES,
                        "valid_from": date(2025, 11, 17),
                        "valid_until": date(2026, 5, 31),
                    }
                    | values
                ),
            )
            if sign:
                operations.sign_order(
                    course, course.order.versions[0], by=by, password=PASSWORD, at=SIGNED, reason="Discussed."
                )
        return course

    return make
