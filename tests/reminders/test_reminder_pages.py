"""The pages where times, texts and agreements are written."""

import re

import pytest

from clinic.core import clock
from clinic.reminders import queries
from tests.factories.scheduling import DESK_OPENS


@pytest.fixture(autouse=True)
def now():
    with clock.standing_at(DESK_OPENS):
        yield


def words(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.get_data(as_text=True)))


def test_nothing_is_preset(client, physician):
    client.sign_in(physician)
    page = client.get("/reminders").get_data(as_text=True)
    assert "No reminder goes out" in page
    assert 'name="days_before"' in page
    assert not re.search(r'name="(days_before|at_clock)"[^>]*value="[^"]', page)


def test_a_physician_writes_times_and_texts(client, physician):
    client.sign_in(physician)
    assert client.post("/reminders/times/add", data={"days_before": "2", "at_clock": "9:30"}).status_code == 303
    assert client.post("/reminders/times/add", data={"days_before": "2", "at_clock": "09:30"}).status_code == 422
    typed = {"kind": "escort", "scope": "all", "words": "Somebody takes you home."}
    assert client.post("/reminders/texts/set", data=typed).status_code == 303
    page = words(client.get("/reminders"))
    assert "2 09:30" in page
    assert "Somebody takes you home." in page
    (time,), (text,) = queries.times(), queries.texts()
    client.post(f"/reminders/times/{time.id}/remove")
    client.post(f"/reminders/texts/{text.id}/remove")
    assert (queries.times(), queries.texts()) == ([], [])


def test_the_desk_reads_no_text_of_a_drug(client, physician, scheduler, make_course):
    make_course()
    client.sign_in(physician)
    (drug, *_) = queries.drug_names()
    client.post("/reminders/texts/set", data={"kind": "fasting", "scope": f"drug:{drug}", "words": "Special words."})
    client.sign_in(scheduler)
    page = words(client.get("/reminders"))
    assert "Special words" not in page
    assert drug not in page


def test_the_desk_writes_down_what_the_patient_agreed_to(client, scheduler, make_patient):
    client.sign_in(scheduler)
    patient = make_patient()
    typed = {"patient_id": str(patient.id), "address": "rosa@patient.example"}
    assert client.post(f"/patients/{patient.id}/mail", data=typed).status_code == 422  # nobody asked the patient
    assert client.post(f"/patients/{patient.id}/mail", data={**typed, "agrees": "y"}).status_code == 303
    assert "rosa@patient.example" in words(client.get(f"/patients/{patient.id}"))
    client.post(f"/patients/{patient.id}/mail", data={**typed, "agrees": "y", "address": "r@other.example"})
    assert queries.agreement(patient.id).address == "r@other.example"
    client.post(f"/patients/{patient.id}/mail/withdraw", data={"patient_id": str(patient.id), "reason": "asked"})
    assert queries.agreement(patient.id) is None


def test_other_clinics_find_nothing(make_patient, make_reminder_time, refuses_strangers):
    patient, time = make_patient(), make_reminder_time()
    refuses_strangers(f"/patients/{patient.id}/mail")
    refuses_strangers(f"/reminders/times/{time.id}/remove", method="POST")
