"""The pages of a chart, as people of each role see and use them."""

import pytest
import sqlalchemy as sa

from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import db
from tests.client import words

CHART = ["", "/allergies", "/weights", "/screening", "/consents"]
PAGES = [*CHART, "/details"]


@pytest.fixture
def patient(make_patient):
    return make_patient(allergies=["penicillin"], problem="CRPS, right hand", phone="555 0142")


@pytest.fixture
def filled_chart(patient, make_answer, make_weight, make_consent):
    make_answer(patient)
    make_weight(patient)
    make_consent(patient)
    return patient


@pytest.mark.parametrize("part", PAGES)
def test_a_nurse_opens_every_page_of_a_chart(client, nurse, filled_chart, part):
    patient = filled_chart
    client.sign_in(nurse)
    response = client.get(f"/patients/{patient.id}{part}")
    assert response.status_code == 200
    assert "ALMEIDA, Rosa" in response.text


@pytest.mark.parametrize("part", PAGES)
def test_a_stranger_finds_no_chart(refuses_strangers, patient, part):
    refuses_strangers(f"/patients/{patient.id}{part}")


@pytest.mark.parametrize(
    "part", ["details", "problem", "allergies", "allergies/none-known", "weights", "consents", "screening"]
)
def test_a_stranger_changes_no_chart(refuses_strangers, patient, part):
    refuses_strangers(f"/patients/{patient.id}/{part}", method="POST", data={"patient_id": patient.id})


def test_a_row_of_another_chart_is_not_found(client, nurse, make_patient, make_weight):
    weight = make_weight(make_patient())
    client.sign_in(nurse)
    assert client.get(f"/patients/{make_patient().id}/weights/{weight.id}").status_code == 404


@pytest.mark.parametrize("part", CHART[1:])
def test_the_desk_opens_no_clinical_page(client, scheduler, patient, part):
    client.sign_in(scheduler)
    assert client.get(f"/patients/{patient.id}{part}").status_code == 403


@pytest.mark.parametrize("part", ["", "/details"])
def test_the_desk_is_told_nothing_clinical(client, scheduler, patient, make_course, part):
    make_course(patient)
    client.sign_in(scheduler)
    page = words(client.get(f"/patients/{patient.id}{part}").text)
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


@pytest.fixture
def cost(client, nurse, count_queries):
    """How many reads a page takes for a nurse, with nothing left in memory."""
    client.sign_in(nurse)

    def count(address):
        client.get(address)
        db.session.expire_all()
        with count_queries() as sent:
            client.get(address)
        return len(sent)

    return count


def test_a_chart_costs_the_same_whatever_is_on_it(cost, filled_chart, make_answer, make_weight):
    few = cost(f"/patients/{filled_chart.id}")
    for kg in ("68.5", "69", "69.5"):
        make_answer(filled_chart)
        make_weight(filled_chart, kg)
    assert cost(f"/patients/{filled_chart.id}") == few


def test_courses_on_a_chart_cost_the_same_whatever_their_number(cost, patient, make_course, make_protocol_version):
    version = make_protocol_version()
    make_course(patient, protocol_version=version, sign=False)
    few = cost(f"/patients/{patient.id}")
    for _ in range(3):
        make_course(patient, protocol_version=version, sign=False, weight=None)
    assert cost(f"/patients/{patient.id}") == few


def test_a_list_of_patients_costs_the_same_whatever_its_length(cost, make_patient):
    make_patient()
    few = cost("/patients")
    for _ in range(5):
        make_patient()
    assert cost("/patients") == few
