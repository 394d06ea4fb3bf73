"""The patient and the course of the tests about the pages of orders."""

import pytest

from clinic.patients import queries as patients


@pytest.fixture
def patient(frozen_clock, make_patient, make_weight):
    made = make_patient(allergies=(), problem="Neuropathic pain")
    make_weight(made)
    return made


@pytest.fixture
def course(client, signing_physician, patient, make_course):
    made = make_course(patient, weight=patients.last_weight(patient.id))
    client.sign_in(signing_physician)
    return made
