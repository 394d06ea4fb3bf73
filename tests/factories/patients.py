"""Patients and what is known of them."""

import itertools
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from clinic.core import db
from clinic.patients import operations
from clinic.patients.rules import Answer, Sex, WeightMethod

ENROLLED = datetime(2025, 11, 3, 14, 0, tzinfo=UTC)


@pytest.fixture
def make_patient(clinic, nurse):
    """Makes a patient; `allergies=()` says asked and none, left out says not asked."""
    numbers = itertools.count(1)

    def make(*, family_name="Almeida", given_name="Rosa", mrn=None, allergies=None, by=nurse, at=ENROLLED, **values):
        chosen = {"born_on": date(1968, 3, 14), "sex": Sex.FEMALE} | values
        with db.unit_of_work():
            patient = operations.create_patient(
                mrn=mrn or f"FX-{next(numbers):04d}",
                family_name=family_name,
                given_name=given_name,
                by=by,
                at=at,
                **chosen,
            )
            if allergies is not None and not allergies:
                operations.record_no_known_allergies(patient, by=by, at=at)
            for substance in allergies or ():
                operations.record_allergy(patient, substance=substance, reaction=None, by=by, at=at)
        return patient

    return make


@pytest.fixture
def make_weight(make_patient, nurse):
    """Makes a weight of a patient, 68 kg and measured unless said otherwise."""

    def make(patient=None, kg="68.0", *, method=WeightMethod.MEASURED, measured_at=ENROLLED, at=None, by=nurse, **how):
        with db.unit_of_work():
            return operations.record_weight(
                patient or make_patient(),
                Decimal(kg),
                method=method,
                measured_at=measured_at,
                by=by,
                at=at or measured_at,
                **how,
            )

    return make


@pytest.fixture
def make_question(clinic, physician):
    """Makes a screening question of a drug."""
    numbers = itertools.count(1)

    def make(drug_name="ketamine", text=None):
        with db.unit_of_work():
            return operations.add_screening_question(
                drug_name=drug_name, text=text or f"Question {next(numbers)}?", by=physician, at=ENROLLED
            )

    return make


@pytest.fixture
def make_answer(make_question, nurse):
    """Makes a patient's answer to a screening question, yes unless said otherwise."""

    def make(patient, answer=Answer.YES, *, question=None, at=ENROLLED, **values):
        with db.unit_of_work():
            return operations.answer_screening(patient, question or make_question(), answer, by=nurse, at=at, **values)

    return make


@pytest.fixture
def make_consent(nurse):
    """Makes a patient's consent to ketamine for a year."""

    def make(patient, *, drug_name="ketamine", valid_from=date(2025, 11, 1), valid_until=date(2026, 10, 31)):
        with db.unit_of_work():
            return operations.record_consent(
                patient,
                drug_name=drug_name,
                form_version="3",
                signed_on=valid_from,
                valid_from=valid_from,
                valid_until=valid_until,
                by=nurse,
                at=ENROLLED,
            )

    return make
