"""Vitals through the page: the ladder, the one line, refusals that keep everything, corrections."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from clinic.core import db
from clinic.core.permissions import Role
from clinic.core.times import elapsed_minutes
from clinic.protocols.rules import SedationScale
from clinic.sessions import operations
from tests.factories.pages import fresh
from tests.factories.sessions import minute


@pytest.fixture
def running(make_running):
    return make_running(sedation_scale=SedationScale.RASS)


@pytest.fixture
def post(nurses_browser, running):
    """Posts vitals of the running session; answers with the page and its status."""

    def send(**fields):
        return nurses_browser.post(f"/sessions/{running.id}/vitals", data=fields)

    return send


def last(running):
    return max(fresh(running).observation_sets, key=lambda row: row.recorded_at)


def test_one_line_saves_a_full_set(post, running):
    assert post(line="128/76 84 14 98 s-1 p4").status_code == 303
    row = last(running)
    assert (row.sbp, row.dbp, row.hr, row.rr, row.spo2, row.sedation, row.pain) == (128, 76, 84, 14, 98, -1, 4)


def test_the_ladder_saves_what_was_chosen_and_leaves_the_rest_empty(post, running):
    assert post(sbp="130", dbp="80", spo2="97").status_code == 303
    row = last(running)
    assert (row.sbp, row.dbp, row.spo2, row.hr, row.pain) == (130, 80, 97, None, None)


def test_the_keypad_wins_over_the_ladder_and_the_line_over_both(post, running):
    assert post(hr="70", hr_typed="72", spo2="97", line="- 74").status_code == 303
    assert (last(running).hr, last(running).spo2) == (74, 97)


def test_what_stands_below_the_ladders_is_saved_too(post, running):
    assert post(hr="70", temp="36.8", o2_l_min="2", etco2="37", dissociation="1", nausea="0").status_code == 303
    row = last(running)
    assert (row.temp, row.o2_l_min, row.etco2, row.dissociation, row.nausea) == (Decimal("36.8"), 2, 37, 1, 0)


def test_a_patient_asleep_has_no_pain_score_and_a_note_that_says_why(post, running):
    assert post(hr="70", pain="asleep").status_code == 303
    assert last(running).pain is None
    assert "asleep" in last(running).note


def test_nothing_is_chosen_on_a_fresh_page(nurses_browser, running, observe):
    observe(running, minute(5), sbp=128, dbp=76, hr=84)
    shown = nurses_browser.get(f"/sessions/{running.id}/vitals").get_data(as_text=True)
    assert " checked" not in shown
    assert 'class="cell pick last"' in shown


def test_a_line_that_is_not_understood_is_kept_and_its_part_is_named(post, running):
    answer = post(line="128/76 84 14 9x", hr_typed="77")
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'value="128/76 84 14 9x"' in shown
    assert "<u>9x</u>" in shown
    assert 'value="77"' in shown
    assert not fresh(running).observation_sets


def test_an_impossible_value_is_refused_at_its_vital_and_the_others_are_kept(post, running):
    answer = post(sbp_typed="418", dbp="80", hr="71", note="dizzy")
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Systolic: Enter a value from 30 to 300" in shown
    assert 'value="418"' in shown
    assert 'name="hr" value="71" checked' in shown
    assert 'value="dizzy"' in shown
    assert "<title>Error: " in shown
    assert not fresh(running).observation_sets


def test_a_value_outside_the_order_is_saved_flagged_and_asks_who_was_told(post, running, nurses_browser):
    answer = post(line="171/90 84")
    assert answer.status_code == 303
    shown = nurses_browser.get(answer.location).get_data(as_text=True)
    assert "above limit 160" in shown
    assert "Record who was told" in shown
    assert "recheck" in shown


def test_a_rare_value_is_saved_and_asked_about(post, nurses_browser):
    answer = post(line="- 38")
    assert "is this right?" in nurses_browser.get(answer.location).get_data(as_text=True)


def test_turning_a_page_saves_nothing_and_keeps_what_was_chosen(post, running):
    answer = post(page="sbp:160", hr="71", line="")
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert 'name="sbp" value="177"' in shown
    assert 'name="hr" value="71" checked' in shown
    assert not fresh(running).observation_sets


def test_an_empty_set_is_refused(post):
    answer = post()
    assert answer.status_code == 422
    assert "at least one value" in answer.get_data(as_text=True)


def test_a_time_in_the_line_is_the_time_of_the_vitals(post, running):
    assert post(line="0905 128/76").status_code == 303
    assert last(running).observed_at == minute(5)


def test_a_time_to_come_is_refused_at_the_time(post):
    answer = post(hr="70", at="09:45")
    assert answer.status_code == 422
    assert "future" in answer.get_data(as_text=True)


def test_a_time_that_happened_twice_asks_which_one(client, clinic, nurse, make_infusion, at_minute):
    # Sydney sets its clocks back at 16:00 UTC on this night: 02:30 is 15:30 and 16:30.
    with db.unit_of_work():
        clinic.zone = "Australia/Sydney"
    night = datetime(2026, 4, 4, 14, 0, tzinfo=UTC)
    infusion = make_infusion(arrived_at=night)
    at_minute(elapsed_minutes(minute(0), night + timedelta(hours=3, minutes=30)))
    client.sign_in(nurse)
    address = f"/sessions/{infusion.id}/vitals"
    asked = client.post(address, data={"hr": "70", "at": "02:30"})
    assert asked.status_code == 422
    assert "the second time" in asked.get_data(as_text=True)
    assert client.post(address, data={"hr": "70", "at": "02:30", "fold": "1"}).status_code == 303
    assert last(infusion).observed_at == night + timedelta(hours=2, minutes=30)


def test_pressing_save_twice_leaves_one_row(post, running):
    key = uuid.uuid4().hex
    first = post(line="128/76 84", idempotency_key=key)
    again = post(line="128/76 84", idempotency_key=key)
    assert (first.status_code, again.status_code) == (303, 303)
    assert len(fresh(running).observation_sets) == 1


def test_a_form_of_another_patient_is_refused(post, running, make_patient):
    assert post(hr="70", patient_id=str(make_patient(given_name="Other").id)).status_code == 409
    assert not fresh(running).observation_sets


def test_vitals_that_were_due_can_be_marked_as_not_done(nurses_browser, running, at_minute):
    at_minute(16)
    fields = {"due_at": minute(15).isoformat(), "reason": "asked-declined", "detail": "asleep"}
    assert nurses_browser.post(f"/sessions/{running.id}/vitals/not-done", data=fields).status_code == 303
    assert fresh(running).not_done[0].detail == "asleep"


@pytest.mark.parametrize("due_at", ["", "yesterday", "2025-11-18T14:15:00", minute(7).isoformat()])
def test_not_done_at_a_time_when_nothing_was_due_is_refused(nurses_browser, running, at_minute, due_at):
    at_minute(16)
    fields = {"due_at": due_at, "reason": "not-performed"}
    assert nurses_browser.post(f"/sessions/{running.id}/vitals/not-done", data=fields).status_code == 422


# --- corrections -----------------------------------------------------------------------------------------------------


@pytest.fixture
def entered(running, observe):
    return observe(running, minute(5), hr=27, sbp=128, dbp=76)


def test_the_author_corrects_and_the_first_value_stays_struck_through(nurses_browser, running, entered):
    assert 'value="27"' in nurses_browser.get(f"/entries/{entered.id}/correct").get_data(as_text=True)
    fields = {"hr": "72", "sbp": "128", "dbp": "76", "at": "09:05", "reason": "digits swapped"}
    assert nurses_browser.post(f"/entries/{entered.id}/correct", data=fields).status_code == 303
    shown = nurses_browser.get(f"/sessions/{running.id}").get_data(as_text=True)
    assert 'class="strike"' in shown
    assert "Corrected: digits swapped." in shown
    assert last(running).hr == 72
    assert last(running).observed_at == entered.observed_at


def test_a_value_can_be_taken_out_by_a_correction(nurses_browser, running, entered):
    fields = {"hr": "", "sbp": "128", "dbp": "76", "at": "09:05", "reason": "not taken"}
    assert nurses_browser.post(f"/entries/{entered.id}/correct", data=fields).status_code == 303
    assert last(running).hr is None


def test_a_correction_says_why(nurses_browser, running, entered):
    answer = nurses_browser.post(f"/entries/{entered.id}/correct", data={"hr": "72", "sbp": "128", "dbp": "76"})
    assert answer.status_code == 422
    assert 'value="72"' in answer.get_data(as_text=True)


def test_a_colleague_cannot_correct_but_a_physician_can(
    client, running, entered, *, second_nurse, physician, at_minute
):
    at_minute(10)
    fields = {"hr": "72", "sbp": "128", "dbp": "76", "reason": "digits swapped"}
    client.sign_in(second_nurse)
    assert client.post(f"/entries/{entered.id}/correct", data=fields).status_code == 422
    client.sign_in(physician)
    assert client.post(f"/entries/{entered.id}/correct", data=fields).status_code == 303


def test_the_second_of_two_corrections_sees_both_versions(nurses_browser, entered, nurse):
    with db.unit_of_work():
        operations.correct_observation(entered, {"hr": 72}, "swapped", by=nurse, at=minute(8))
    answer = nurses_browser.post(f"/entries/{entered.id}/correct", data={"hr": "77", "reason": "misread"})
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "<b>77</b>" in shown
    assert ">72<" in shown


def test_an_entry_of_the_wrong_patient_is_withdrawn(nurses_browser, running, entered):
    fields = {"act": "withdraw", "reason": "wrong patient"}
    assert nurses_browser.post(f"/entries/{entered.id}/correct", data=fields).status_code == 303
    shown = nurses_browser.get(f"/sessions/{running.id}").get_data(as_text=True)
    assert "Withdrawn: wrong patient." in shown


def test_only_clinical_people_reach_the_vitals(client, running, scheduler, make_staff, at_minute):
    at_minute(10)
    for person in (scheduler, make_staff(Role.ADMIN)):
        client.sign_in(person)
        assert client.get(f"/sessions/{running.id}/vitals").status_code == 403
