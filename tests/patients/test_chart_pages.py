"""The pages of a chart, as people of each role see and use them."""

import pytest
import sqlalchemy as sa

from clinic.accounts.models import StaffRole
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import db

CHART = ["", "/allergies", "/weights", "/screening", "/consents"]
PAGES = [*CHART, "/details"]


@pytest.fixture
def patient(make_patient):
    return make_patient(allergies=["penicillin"], problem="CRPS, right hand", phone="555 0142")


@pytest.mark.parametrize("part", PAGES)
def test_a_nurse_opens_every_page_of_a_chart(client, nurse, patient, make_question, make_weight, make_consent, part):
    make_question()
    make_weight(patient)
    make_consent(patient)
    client.sign_in(nurse)
    response = client.get(f"/patients/{patient.id}{part}")
    assert response.status_code == 200
    assert "ALMEIDA, Rosa" in response.text


@pytest.mark.parametrize("part", PAGES)
def test_a_stranger_finds_no_chart(client, stranger, patient, part):
    home = sa.select(StaffRole.clinic_id).where(StaffRole.staff_id == stranger.id)
    client.sign_in(stranger, db.session.scalar(home.execution_options(unscoped=True).limit(1)))
    assert client.get(f"/patients/{patient.id}{part}").status_code == 404


@pytest.mark.parametrize("part", CHART[1:])
def test_the_desk_opens_no_clinical_page(client, scheduler, patient, part):
    client.sign_in(scheduler)
    assert client.get(f"/patients/{patient.id}{part}").status_code == 403


@pytest.mark.parametrize("part", ["", "/details"])
def test_the_desk_is_told_nothing_clinical(client, scheduler, patient, make_course, part):
    make_course(patient)
    client.sign_in(scheduler)
    page = client.get(f"/patients/{patient.id}{part}").text
    assert "555 0142" in page
    assert not [word for word in ("CRPS", "penicillin", "llerg", "ketamine", "kg", "pain") if word in page]


def test_the_administrator_opens_no_patient(client, admin, patient):
    client.sign_in(admin)
    assert client.get("/patients").status_code == 403
    assert client.get(f"/patients/{patient.id}").status_code == 403


def test_opening_a_chart_leaves_a_line(client, nurse, patient):
    client.sign_in(nurse)
    client.get(f"/patients/{patient.id}")
    found = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == AuditAction.PATIENT_READ)).all()
    assert [(line.actor_id, line.patient_id) for line in found] == [(nurse.id, patient.id)]
