"""How long a screening answer counts is the clinic's number; an expired one is asked again."""

from datetime import timedelta

import pytest

from clinic.core import clock, db
from clinic.orders import operations as orders
from clinic.patients import operations, queries
from clinic.patients.rules import Answer
from tests.factories.patients import ENROLLED

LATER = ENROLLED + timedelta(days=31)


@pytest.fixture
def question(make_question, physician):
    made = make_question()
    with db.unit_of_work():
        operations.change_screening_question(made, valid_days=30, is_retired=False, by=physician, at=ENROLLED)
    return made


def test_an_answer_ends_on_the_clinics_day(question, make_patient, make_answer):
    patient = make_patient()
    make_answer(patient, Answer.NO, question=question)
    (answer,) = queries.current_answers(patient.id)
    last = queries.answer_valid_until(answer)
    assert (last - ENROLLED.date()).days == 29
    assert not queries.is_expired(answer, last)
    assert queries.is_expired(answer, last + timedelta(days=1))


def test_settling_an_answer_does_not_make_it_younger(question, make_patient, make_answer, physician):
    patient = make_patient()
    answer = make_answer(patient, Answer.YES, question=question)
    with db.unit_of_work():
        operations.settle_screening(answer, "Under control.", by=physician, at=ENROLLED + timedelta(days=20))
    (settled,) = queries.current_answers(patient.id)
    assert (queries.answer_valid_until(settled) - ENROLLED.date()).days == 29


def test_an_expired_answer_stands_open_again(client, nurse, question, make_patient, make_answer):
    patient = make_patient()
    make_answer(patient, Answer.NO, question=question)
    client.sign_in(nurse)
    with clock.standing_at(LATER):
        page = client.get(f"/patients/{patient.id}/screening").text
    assert "expired" in page
    assert "Ask again" not in page
    assert f"answer_{question.id.hex}" in page


def test_an_order_to_sign_names_what_has_expired(question, make_order_version, make_answer):
    draft = make_order_version(sign=False)
    make_answer(draft.order.patient, Answer.NO, question=question)
    codes = {found.code for found in orders.problems(draft, on=LATER.date())}
    assert "screening-expired" in codes
    assert "screening-expired" not in {found.code for found in orders.problems(draft, on=ENROLLED.date())}


def test_a_question_is_asked_no_more(client, physician, question):
    client.sign_in(physician)
    address = f"/screening-questions/{question.id}"
    assert 'value="30"' in client.get(address).text
    assert client.post(address, data={"valid_days": "0"}).status_code == 422
    assert client.post(address, data={"valid_days": "", "is_retired": "y"}).status_code == 303
    assert not queries.screening_questions()


def test_another_clinic_finds_no_question(question, refuses_strangers):
    refuses_strangers(f"/screening-questions/{question.id}")
