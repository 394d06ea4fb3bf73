"""Outcomes and follow-up calls on their pages."""

import re
from datetime import timedelta

import pytest

from clinic.core import clock, db
from clinic.outcomes import operations, queries
from clinic.outcomes.rules import Instrument, Occasion
from tests.factories.notes import LATER

MOMENT = {"day": "19-Nov-2025", "clock": "10:00"}
NEXT_DAY = LATER + timedelta(days=1)


@pytest.fixture
def nurses_client(client, nurse):
    """The nurse's browser on the day after the session."""
    client.sign_in(nurse)
    with clock.standing_at(NEXT_DAY):
        yield client


@pytest.fixture
def infusion(make_closed):
    return make_closed()


def text(page):
    return page.get_data(as_text=True)


@pytest.mark.parametrize("instrument", Instrument)
def test_no_answer_is_given_beforehand(nurses_client, infusion, instrument):
    page = text(nurses_client.get(f"/courses/{infusion.course_id}/outcomes?instrument={instrument.value.lower()}"))
    assert "checked" not in page
    assert not re.search(r'<option selected value="[^"]', page)


def test_answers_are_saved_with_their_score(nurses_client, infusion):
    form = {"item_1": "8", "item_2": "7", "item_3": "8", "occasion": "baseline", **MOMENT}
    assert nurses_client.post(f"/courses/{infusion.course_id}/outcomes/peg", data=form).status_code == 303
    assert "7.7 of 10" in text(nurses_client.get(f"/courses/{infusion.course_id}/outcomes"))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"item_1": "11"}, "Choose one of these."),
        ({"occasion": ""}, "Choose when this was answered"),
        ({"item_1": "", "item_2": "", "item_3": ""}, "Enter at least one answer."),
        ({"day": "21-Nov-2025"}, "future"),
    ],
)
def test_a_refusal_keeps_what_was_answered(nurses_client, infusion, change, complaint):
    form = {"item_1": "8", "item_2": "7", "item_3": "8", "occasion": "baseline", **MOMENT} | change
    answer = nurses_client.post(f"/courses/{infusion.course_id}/outcomes/peg", data=form)
    assert answer.status_code == 422
    assert complaint in text(answer)
    assert MOMENT["clock"] in text(answer)
    assert not queries.results_of_course(infusion.course_id)


def test_an_unknown_questionnaire_is_not_found(nurses_client, infusion):
    assert nurses_client.get(f"/courses/{infusion.course_id}/outcomes?instrument=bpi").status_code == 404


def test_answers_are_corrected_and_withdrawn(nurses_client, infusion, nurse):
    with db.unit_of_work():
        wrong = operations.record_outcome(
            infusion.course, Instrument.NRS, [9], occasion=Occasion.DIARY, answered_at=LATER, by=nurse, at=LATER
        )
    assert "checked" not in text(nurses_client.get(f"/outcomes/{wrong.id}/correct"))
    corrected = {"act": "correct", "item_1": "6", "reason": "Misread."}
    assert nurses_client.post(f"/outcomes/{wrong.id}/corrections", data=corrected).status_code == 303
    (right,) = queries.results_of_course(infusion.course_id)
    assert right.items == [6]
    withdrawn = {"act": "withdraw", "reason": "Another patient."}
    assert nurses_client.post(f"/outcomes/{right.id}/corrections", data=withdrawn).status_code == 303
    assert nurses_client.post(f"/outcomes/{right.id}/corrections", data=withdrawn).status_code == 409
    assert not queries.results_of_course(infusion.course_id)


def test_a_call_is_saved_with_what_was_answered_in_it(nurses_client, infusion):
    form = {"is_reached": "yes", "text": "Slept well.", "pain": "4", "change": "2", **MOMENT}
    assert nurses_client.post(f"/sessions/{infusion.id}/follow-up", data=form).status_code == 303
    page = text(nurses_client.get(f"/sessions/{infusion.id}/follow-up"))
    assert "Slept well." in page
    assert "2, much improved" in page
    assert [row.items for row in queries.results_of_session(infusion.id)] == [[4], [2]]


def test_an_attempt_counts_and_answers_nothing(nurses_client, infusion):
    missed = {"is_reached": "no", "text": "", "pain": "", "change": "", **MOMENT}
    refused = nurses_client.post(f"/sessions/{infusion.id}/follow-up", data=missed | {"pain": "4"})
    assert refused.status_code == 422
    assert nurses_client.post(f"/sessions/{infusion.id}/follow-up", data=missed).status_code == 303
    assert "1 of 3" in text(nurses_client.get("/follow-up-calls"))


def test_who_was_reached_leaves_the_list(nurses_client, infusion):
    assert "ALMEIDA, Rosa" in text(nurses_client.get("/follow-up-calls"))
    nurses_client.post(f"/sessions/{infusion.id}/follow-up", data={"is_reached": "yes", "text": "Well.", **MOMENT})
    assert "ALMEIDA, Rosa" not in text(nurses_client.get("/follow-up-calls"))


@pytest.mark.parametrize("role", ["scheduler", "admin"])
@pytest.mark.parametrize(
    "address", ["/courses/{course}/outcomes", "/sessions/{infusion}/follow-up", "/follow-up-calls"]
)
def test_the_desk_and_the_admin_see_no_score(client, infusion, request, role, address):
    client.sign_in(request.getfixturevalue(role))
    assert client.get(address.format(course=infusion.course_id, infusion=infusion.id)).status_code == 403


def test_another_clinic_finds_nothing(infusion, nurse, refuses_strangers):
    with db.unit_of_work():
        kept = operations.record_outcome(
            infusion.course, Instrument.NRS, [9], occasion=Occasion.DIARY, answered_at=LATER, by=nurse, at=LATER
        )
    for address in (
        f"/courses/{infusion.course_id}/outcomes",
        f"/sessions/{infusion.id}/follow-up",
        f"/outcomes/{kept.id}/correct",
    ):
        refuses_strangers(address)
    for address in (
        f"/courses/{infusion.course_id}/outcomes/nrs",
        f"/sessions/{infusion.id}/follow-up",
        f"/outcomes/{kept.id}/corrections",
    ):
        assert refuses_strangers(address, method="POST").status_code == 404
