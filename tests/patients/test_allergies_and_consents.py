"""Allergies, screening answers and consents: added, superseded, never changed."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.patients import operations, queries
from clinic.patients.models import Allergy, Consent, ScreeningAnswer, Weight
from clinic.patients.rules import AllergyStatus, Answer, ConsentStatus, allergy_status
from tests.factories.patients import ENROLLED

LATER = ENROLLED + timedelta(days=1)


def status(patient):
    return allergy_status(queries.current_allergies(patient.id))


def test_nobody_asked_is_not_the_same_as_none(make_patient):
    assert status(make_patient()) is AllergyStatus.NOT_RECORDED
    assert status(make_patient(allergies=())) is AllergyStatus.NONE_KNOWN


def test_a_known_allergy_takes_the_place_of_none(make_patient, nurse):
    patient = make_patient(allergies=())
    operations.record_allergy(patient, substance="latex", reaction="hives", by=nurse, at=LATER)
    assert [row.substance for row in queries.current_allergies(patient.id)] == ["latex"]


def test_none_is_refused_while_one_is_known(make_patient, nurse):
    with pytest.raises(RuleBroken, match="Retire"):
        operations.record_no_known_allergies(make_patient(allergies=["latex"]), by=nurse, at=LATER)


def test_the_same_substance_is_recorded_once(make_patient, nurse):
    with pytest.raises(RuleBroken, match="already"):
        operations.record_allergy(
            make_patient(allergies=["Latex"]), substance="latex ", reaction=None, by=nurse, at=LATER
        )


def test_a_retired_allergy_stays_readable(make_patient, nurse):
    patient = make_patient(allergies=["latex"])
    (allergy,) = queries.current_allergies(patient.id)
    operations.retire_allergy(allergy, reason="Tested negative.", by=nurse, at=LATER)
    assert status(patient) is AllergyStatus.NOT_RECORDED
    assert [row.is_void for row in queries.chart(patient.id).allergies] == [False, True]


def test_an_answer_asked_again_supersedes(make_patient, make_question, make_answer):
    patient, question = make_patient(), make_question()
    make_answer(patient, Answer.UNKNOWN, question=question)
    again = make_answer(patient, Answer.NO, question=question, at=LATER)
    assert queries.current_answers(patient.id) == [again]


def test_a_yes_is_settled_once(make_patient, make_answer, physician):
    answer = make_answer(make_patient())
    settled = operations.settle_screening(answer, "Controlled.", by=physician, at=LATER)
    assert settled.settled_text == "Controlled."
    with pytest.raises(RuleBroken, match="already"):
        operations.settle_screening(settled, "Again.", by=physician, at=LATER)


def test_a_no_needs_no_settling(make_patient, make_answer, physician):
    with pytest.raises(RuleBroken, match="no settling"):
        operations.settle_screening(make_answer(make_patient(), Answer.NO), "Fine.", by=physician, at=LATER)


@pytest.mark.parametrize(
    ("on", "covers"),
    [(date(2025, 10, 31), False), (date(2025, 11, 1), True), (date(2026, 10, 31), True), (date(2026, 11, 1), False)],
)
def test_a_consent_covers_its_first_and_its_last_day(make_patient, make_consent, on, covers):
    patient = make_patient()
    consent = make_consent(patient)
    assert queries.consent_covering(patient.id, "Ketamine", on) is (consent if covers else None)


def test_a_withdrawn_consent_covers_nothing(make_patient, make_consent, nurse):
    patient = make_patient()
    withdrawn = operations.withdraw_consent(make_consent(patient), reason="Changed mind.", by=nurse, at=LATER)
    assert withdrawn.status is ConsentStatus.WITHDRAWN
    assert queries.consent_covering(patient.id, "ketamine", date(2025, 11, 18)) is None


def test_a_consent_of_one_drug_covers_no_other(make_patient, make_consent):
    patient = make_patient()
    make_consent(patient)
    assert queries.consent_covering(patient.id, "lidocaine", date(2025, 11, 18)) is None


@pytest.mark.parametrize("model", [Allergy, Weight, ScreeningAnswer, Consent])
def test_the_database_changes_and_deletes_no_row_of_the_chart(
    make_patient, make_weight, make_answer, make_consent, model
):
    patient = make_patient(allergies=["latex"])
    make_weight(patient)
    make_answer(patient)
    make_consent(patient)
    for act in (sa.update(model).values(recorded_at=LATER), sa.delete(model)):
        with pytest.raises(DatabaseError), db.session.begin_nested():
            db.session.execute(act.execution_options(synchronize_session=False))


# --- on the pages ----------------------------------------------------------------------------------------------------


def test_a_nurse_records_and_retires_an_allergy(client, nurse, make_patient):
    patient = make_patient()
    client.sign_in(nurse)
    address = f"/patients/{patient.id}/allergies"
    assert client.post(address, data={"substance": "latex", "patient_id": patient.id}).status_code == 303
    (allergy,) = queries.current_allergies(patient.id)
    refused = client.post(f"{address}/{allergy.id}/retire", data={"reason": "", "patient_id": patient.id})
    assert refused.status_code == 422
    assert client.post(f"{address}/{allergy.id}/retire", data={"reason": "Tested."}).status_code == 303
    assert "Tested." in client.get(address).text


def test_a_physician_settles_what_a_nurse_asked(client, nurse, physician, make_patient, make_question):
    patient, question = make_patient(), make_question()
    address = f"/patients/{patient.id}/screening/{question.id}"
    prefix = f"q{question.id.hex[-12:]}-"
    client.sign_in(nurse)
    answered = {f"answer_{question.id.hex}": "yes"}
    assert client.post(f"/patients/{patient.id}/screening", data=answered).status_code == 303
    assert client.post(f"{address}/settle", data={f"{prefix}settled_text": "Fine."}).status_code == 403
    client.sign_in(physician)
    assert client.post(f"{address}/settle", data={f"{prefix}settled_text": ""}).status_code == 422
    assert client.post(f"{address}/settle", data={f"{prefix}settled_text": "Fine."}).status_code == 303
    assert "Fine." in client.get(f"/patients/{patient.id}/screening").text


def test_all_questions_are_answered_with_one_save(client, nurse, make_patient, make_question):
    patient, asked, open_one = make_patient(), make_question(), make_question(text="Raised eye pressure?")
    answers = {f"answer_{asked.id.hex}": "no", f"answer_{open_one.id.hex}": "unknown"}
    client.sign_in(nurse)
    assert client.post(f"/patients/{patient.id}/screening", data=answers).status_code == 303
    assert {row.answer for row in queries.current_answers(patient.id)} == {Answer.NO, Answer.UNKNOWN}


def test_words_without_an_answer_are_refused_and_nothing_is_saved(client, nurse, make_patient, make_question):
    patient, asked, other = make_patient(), make_question(), make_question(text="Raised eye pressure?")
    typed = {f"detail_{asked.id.hex}": "once, in 2009", f"answer_{other.id.hex}": "no"}
    client.sign_in(nurse)
    refused = client.post(f"/patients/{patient.id}/screening", data=typed)
    assert refused.status_code == 422
    assert "Choose yes, no or not known" in refused.text
    assert "once, in 2009" in refused.text
    assert not queries.current_answers(patient.id)


def test_a_save_without_any_answer_is_refused(client, nurse, make_patient, make_question):
    patient, _ = make_patient(), make_question()
    client.sign_in(nurse)
    refused = client.post(f"/patients/{patient.id}/screening", data={})
    assert "Answer at least one question." in refused.text


def test_a_consent_is_recorded_and_withdrawn(client, nurse, make_patient):
    patient = make_patient()
    client.sign_in(nurse)
    address = f"/patients/{patient.id}/consents"
    typed = {"drug_name": "ketamine", "form_version": "3", "signed_on": "01-Nov-2025", "valid_from": "1 nov 2025"}
    backwards = client.post(address, data=typed | {"valid_until": "31-Oct-2025"})
    assert backwards.status_code == 422
    assert "ends before it begins" in backwards.text
    assert client.post(address, data=typed).status_code == 303
    (consent,) = queries.current_consents(patient.id)
    assert client.post(f"{address}/{consent.id}/withdraw", data={"reason": "Changed mind."}).status_code == 303
    assert "withdrawn" in client.get(address).text


@pytest.mark.parametrize("typed", ["03/04/2025", "31-Feb-2025", "tomorrow", "1-1-25", "18-Nov-20255"])
def test_a_date_that_can_be_misread_is_refused(client, nurse, make_patient, typed):
    patient = make_patient()
    client.sign_in(nurse)
    data = {"drug_name": "ketamine", "form_version": "3", "signed_on": typed, "valid_from": "1 nov 2025"}
    refused = client.post(f"/patients/{patient.id}/consents", data=data)
    assert refused.status_code == 422
    assert "Enter a date such as 18-Nov-2025" in refused.text
    assert f'value="{typed}"' in refused.text


def test_a_physician_adds_a_question(client, physician, clinic):
    client.sign_in(physician)
    data = {"drug_name": "ketamine", "text": "Raised eye pressure?"}
    assert client.post("/screening-questions", data=data).status_code == 303
    assert "Raised eye pressure?" in client.get("/screening-questions").text
    assert client.post("/screening-questions", data=data).status_code == 422


@pytest.mark.parametrize(
    ("valid", "word"),
    [
        ((date(2025, 1, 1), date(2025, 11, 17)), "expired"),
        ((date(2025, 11, 19), None), "not yet"),
        ((date(2025, 11, 18), date(2025, 11, 18)), "in force"),
    ],
)
def test_a_page_says_whether_a_consent_is_in_force(at_nine, make_consent, make_patient, valid, word):
    patient = make_patient()
    make_consent(patient, valid_from=valid[0], valid_until=valid[1])
    for part in ("", "/consents"):
        page = at_nine.get(f"/patients/{patient.id}{part}").text
        assert [found for found in ("expired", "not yet", "in force") if found in page] == [word]


@pytest.fixture
def at_nine(client, nurse, frozen_clock):
    client.sign_in(nurse)
    return client
