"""What else a chart holds: medicines, papers, the numbers of others, and who looked."""

import io
from datetime import timedelta

import pytest

from clinic.core import clock, db
from clinic.core.errors import Conflict, RuleBroken
from clinic.patients import papers, queries
from tests.factories.patients import ENROLLED

PDF = b"%PDF-1.7\nof a referral"


@pytest.fixture
def patient(make_patient):
    return make_patient()


@pytest.fixture
def nurses_client(client, nurse):
    client.sign_in(nurse)
    return client


def test_a_medicine_is_recorded_once_and_stopped_with_a_reason(nurses_client, patient):
    address = f"/patients/{patient.id}/medicines"
    medicine = {"name": "gabapentin", "taken": "600 mg by mouth, 3 times a day", "since": "2023"}
    assert nurses_client.post(address, data=medicine).status_code == 303
    assert "recorded already" in nurses_client.post(address, data=medicine | {"name": "Gabapentin"}).text
    (row,) = queries.current_medicines(patient.id)
    assert nurses_client.post(f"{address}/{row.id}/stop", data={"reason": ""}).status_code == 422
    assert nurses_client.post(f"{address}/{row.id}/stop", data={"reason": "Dizzy."}).status_code == 303
    assert not queries.current_medicines(patient.id)
    assert "Dizzy." in nurses_client.get(address).text


def test_the_chart_says_when_the_list_was_gone_through(nurses_client, patient):
    assert "checked with the patient" not in nurses_client.get(f"/patients/{patient.id}").text
    assert nurses_client.post(f"/patients/{patient.id}/medicines/check").status_code == 303
    page = nurses_client.get(f"/patients/{patient.id}").text
    assert "checked with the patient" in page
    assert "Takes nothing, as far as is recorded." in page


def test_two_people_cannot_stop_one_medicine(patient, nurse):
    with db.unit_of_work():
        row = papers.record_medicine(patient, name="aspirin", taken=None, since=None, by=nurse, at=ENROLLED)
        papers.stop_medicine(row, reason="Done.", by=nurse, at=ENROLLED)
        with pytest.raises(Conflict):
            papers.stop_medicine(row, reason="Done too.", by=nurse, at=ENROLLED)


def upload(client, patient, content, title="Referral letter"):
    data = {"title": title, "dated_on": "14-Aug-2025", "file": (io.BytesIO(content), "../letter.exe")}
    return client.post(f"/patients/{patient.id}/documents", data=data, content_type="multipart/form-data")


def test_a_paper_comes_back_as_it_was_sent(nurses_client, patient):
    assert upload(nurses_client, patient, PDF).status_code == 303
    (paper,) = queries.documents(patient.id)
    sent = nurses_client.get(f"/patients/{patient.id}/documents/{paper.id}")
    assert sent.data == PDF
    assert sent.headers["Content-Disposition"] == f'attachment; filename="document-{paper.id.hex[-8:]}.pdf"'
    assert sent.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("content", [b"", b"<html><script>", b"MZ%PDF-", b"GIF89a"])
def test_anything_else_is_refused(nurses_client, patient, content):
    answer = upload(nurses_client, patient, content)
    assert answer.status_code == 422
    assert "no PDF, PNG or JPEG" in answer.text


def test_a_paper_of_another_chart_is_not_found(nurses_client, patient, make_patient):
    upload(nurses_client, patient, PDF)
    (paper,) = queries.documents(patient.id)
    assert nurses_client.get(f"/patients/{make_patient().id}/documents/{paper.id}").status_code == 404
    address = f"/patients/{patient.id}/documents/{paper.id}"
    assert nurses_client.post(f"{address}/withdraw", data={"reason": "Another patient."}).status_code == 303
    assert nurses_client.get(address).status_code == 404


def test_a_number_of_others_finds_the_patient(nurses_client, patient, make_patient):
    other = make_patient(family_name="Kim")
    address = f"/patients/{other.id}/identifiers"
    number = {"system": "Harbour Hospital", "value": "HH-77 1204"}
    assert nurses_client.post(address, data=number).status_code == 303
    assert queries.search("771204") == [other]
    refused = nurses_client.post(f"/patients/{patient.id}/identifiers", data=number)
    assert "for another patient" in refused.text
    (row,) = queries.identifiers(other.id)
    assert nurses_client.post(f"{address}/{row.id}/remove", data={"reason": "Typing error."}).status_code == 303
    assert not queries.identifiers(other.id)


def test_a_physician_sees_who_looked_at_an_own_patient(client, nurse, make_order_version, signing_physician, physician):
    patient = make_order_version().order.patient
    address = f"/patients/{patient.id}/access"
    with clock.standing_at(ENROLLED + timedelta(days=40)):
        client.sign_in(nurse)
        client.get(f"/patients/{patient.id}/weights")
        assert client.get(address).status_code == 403
        client.sign_in(physician)
        assert "Not one of your patients" in client.get(address).text
        client.sign_in(signing_physician)
        page = client.get(address).text
        assert client.get(f"{address}?before=x").status_code == 404
    assert nurse.name in page
    assert "weights" in page


def test_another_clinic_finds_none_of_it(patient, nurse, refuses_strangers):
    with db.unit_of_work():
        paper = papers.add_document(patient, title="Letter", dated_on=None, content=PDF, by=nurse, at=ENROLLED)
    for page in ("medicines", "documents", f"documents/{paper.id}", "identifiers", "access"):
        refuses_strangers(f"/patients/{patient.id}/{page}")


def test_a_taken_number_is_refused_by_the_database(patient, nurse):
    with db.unit_of_work():
        papers.add_identifier(patient, system="Register", value="1", by=nurse, at=ENROLLED)
        with pytest.raises(RuleBroken, match="recorded already"):
            papers.add_identifier(patient, system="Register", value="1", by=nurse, at=ENROLLED)
