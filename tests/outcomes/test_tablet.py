"""The patient answers on the clinic's tablet, and reaches nothing else with it."""

from datetime import timedelta

import pytest

from clinic.core import clock, db
from clinic.core.permissions import Role
from clinic.courses.queries import course
from clinic.outcomes import queries
from clinic.outcomes.operations_sheet import give_sheet
from clinic.outcomes.rules import Occasion
from tests.client import words
from tests.factories.accounts import PASSWORD
from tests.factories.notes import LATER

PHQ9 = {f"item_{number}": "1" for number in range(1, 10)}
GIVEN = {"measures": ["phq-9", "nrs"], "occasion": "before-session", "infusion_id": ""}


@pytest.fixture
def course_id(make_closed):
    return make_closed().course_id


@pytest.fixture
def giver(make_staff):
    """The nurse who hands over the tablet; she has a password."""
    return make_staff(Role.NURSE, password=PASSWORD)


@pytest.fixture
def nurses_client(client, giver):
    with clock.standing_at(LATER):
        client.sign_in(giver)
        yield client


@pytest.fixture
def tablet(nurses_client, course_id):
    """The nurse's browser in the patient's hands; `tablet.sheet` is the address that answers."""
    answer = nurses_client.post(f"/courses/{course_id}/sheets", data=GIVEN)
    nurses_client.sheet = answer.location
    return nurses_client


def test_the_patient_answers_one_measure_after_the_other(tablet, course_id):
    first = tablet.get(tablet.sheet).location
    assert first == f"{tablet.sheet}/1"
    assert "checked" not in tablet.get(first).text
    second = tablet.post(first, data=PHQ9)
    assert second.location == f"{tablet.sheet}/2"
    done = tablet.post(second.location, data={"item_1": "4"})
    assert "Thank you" in tablet.get(done.location).text
    assert [row.items for row in queries.results_of_course(course_id)] == [[1] * 9, [4]]
    assert all(row.sheet_id for row in queries.results_of_course(course_id))


def test_what_was_answered_is_not_shown_again(tablet):
    tablet.post(f"{tablet.sheet}/1", data=PHQ9)
    assert tablet.get(f"{tablet.sheet}/1").location == f"{tablet.sheet}/2"


def test_open_questions_are_named_once_and_then_left_open(tablet, course_id):
    some = PHQ9 | {"item_3": ""}
    refused = tablet.post(f"{tablet.sheet}/1", data=some)
    assert refused.status_code == 422
    assert "Not answered yet" in refused.text
    assert tablet.post(f"{tablet.sheet}/1", data=some | {"leave": "open"}).status_code == 303
    (kept,) = queries.results_of_course(course_id)
    assert kept.items[2] is None


def test_nothing_at_all_is_no_answer(tablet):
    nothing = {"leave": "open", "item_1": ""}
    assert tablet.post(f"{tablet.sheet}/1", data=nothing).status_code == 422


def test_a_patient_may_pass_over_a_measure(tablet):
    assert f'href="{tablet.sheet}/2"' in tablet.get(f"{tablet.sheet}/1").text


def test_no_typed_address_leads_away(tablet, app, course_id):
    addresses = [
        "/",
        "/patients",
        f"/courses/{course_id}",
        f"/courses/{course_id}/outcomes",
        "/account",
        "/login",
        "/unlock",
        "/nowhere",
        f"{tablet.sheet}x",
        "/offline",
        "/measures",
    ]
    for address in addresses:
        assert tablet.get(address).location == tablet.sheet


def test_nothing_else_can_be_sent(tablet, course_id):
    for address in ("/logout", "/lock", f"/courses/{course_id}/sheets", "/account/password", "/login"):
        assert tablet.post(address, data={}).status_code == 403
    assert tablet.get("/patients", headers={"X-Background": "refresh"}).status_code == 401


def test_a_second_tap_on_the_hand_over_leads_to_the_same_questions(nurses_client, course_id):
    form = GIVEN | {"idempotency_key": "one drawing of the form"}
    first = nurses_client.post(f"/courses/{course_id}/sheets", data=form)
    again = nurses_client.post(f"/courses/{course_id}/sheets", data=form)
    assert again.location == first.location
    assert nurses_client.post(f"/courses/{course_id}/sheets", data=form | {"occasion": "diary"}).status_code == 403


def test_the_page_shows_nothing_but_the_questions(tablet):
    page = words(tablet.get(f"{tablet.sheet}/1").text)
    for secret in ("FX-0001", "1968", "<nav", "staff", "kg"):
        assert secret not in page.replace("Staff: take", "")


def test_only_the_password_of_who_gave_it_takes_it_back(tablet, course_id):
    assert tablet.post("/tablet/take-back", data={"password": "wrong"}).status_code == 422
    assert tablet.get("/patients").location == tablet.sheet
    assert tablet.post("/tablet/take-back", data={"password": PASSWORD}).location == tablet.sheet
    assert tablet.get(tablet.sheet).location == f"/courses/{course_id}/outcomes"
    assert tablet.get("/patients").status_code == 200
    assert tablet.post(f"{tablet.sheet}/1", data=PHQ9).status_code == 403


def test_a_sign_in_that_ended_meanwhile_comes_back_to_the_patients_hands(tablet, course_id):
    with clock.standing_at(LATER + timedelta(hours=2)):
        asked = tablet.post(f"{tablet.sheet}/1", data=PHQ9)
        assert asked.status_code == 401
        again = tablet.post(f"{tablet.sheet}/1", data=PHQ9 | {"password_to_go_on": PASSWORD})
        assert again.status_code == 303
        assert tablet.get("/patients").location == tablet.sheet
    assert len(queries.results_of_course(course_id)) == 1


def test_another_sheet_does_not_open_on_this_tablet(tablet, nurse, course_id):
    with db.unit_of_work():
        other = give_sheet(course(course_id), ["nrs"], occasion=Occasion.DIARY, infusion=None, by=nurse, at=LATER)
    assert tablet.get(f"/tablet/answers/{other.id}/1").location == tablet.sheet


def test_a_sheet_asks_for_at_least_one_measure(nurses_client, course_id):
    refused = nurses_client.post(f"/courses/{course_id}/sheets", data={"occasion": "diary"})
    assert refused.status_code == 422
    assert "Choose at least one" in refused.text


def test_another_clinic_finds_no_sheet(tablet, refuses_strangers):
    refuses_strangers(tablet.sheet)
