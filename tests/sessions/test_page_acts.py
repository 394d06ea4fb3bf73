"""The side sheets: rates, pause, stop, events, medicines, who was told, hand-over."""

import re
from decimal import Decimal

import pytest

from clinic.core import db
from clinic.core.permissions import Role
from clinic.orders.models import VerbalOrder
from clinic.sessions import operations
from clinic.sessions.event_rules import SessionEventKind
from clinic.sessions.rules import AdministrationKind, SessionStatus
from clinic.sessions.views_sheet import edition
from tests.factories.accounts import PASSWORD
from tests.factories.pages import fresh
from tests.factories.sessions import minute


@pytest.fixture
def running(make_running):
    return make_running()


@pytest.fixture
def post(nurses_browser, running):
    """Posts a sheet of the running session."""

    def send(part, **fields):
        return nurses_browser.post(f"/sessions/{running.id}/{part}", data=fields)

    return send


def acts(running):
    return [row.kind for row in sorted(fresh(running).administrations, key=lambda row: row.happened_at)]


def newest(rows):
    return max(rows, key=lambda row: (row.recorded_at, row.id))


# --- rate ------------------------------------------------------------------------------------------------------------


def test_the_steps_come_from_the_order_and_say_from_when(nurses_browser, running):
    shown = nurses_browser.get(f"/sessions/{running.id}/rate").get_data(as_text=True)
    assert "from 09:30" in shown
    assert ">23.8<small>highest</small>" in shown
    assert "Dr L. Marsh" in shown
    assert " checked" not in shown


def test_each_rate_stands_in_all_three_units_with_script_and_without(nurses_browser, running):
    shown = nurses_browser.get(f"/sessions/{running.id}/rate").get_data(as_text=True)
    assert re.search(r"<b>[\d.]+\u00a0mg/h</b> <span class=\"sec\">= [\d.]+\u00a0mL/h = [\d.]+\u00a0mg/kg/h", shown)
    cells = re.findall(r'data-mg="([^"]+)" data-ml="([^"]+)" data-kg="([^"]+)"', shown)
    assert cells
    for mg, ml, per_kg in cells:
        assert f"<dt>{mg}</dt><dd>= {ml} = {per_kg}</dd>" in shown


def test_raising_by_the_orders_step_once_it_is_due(post, running, at_minute):
    at_minute(31)
    assert post("rate", step="17.0").status_code == 303
    assert newest(fresh(running).administrations).rate_ml_h == Decimal(17)


def test_lowering_says_why(post, running):
    refused = post("rate", step="10.2")
    assert refused.status_code == 422
    assert 'value="10.2" checked' in refused.get_data(as_text=True)
    assert post("rate", step="10.2", why="Nausea").status_code == 303
    assert newest(fresh(running).administrations).reason == "Nausea"


@pytest.mark.parametrize("typed", ["", "0", "abc", "1,250", "3000"])
def test_a_rate_that_cannot_be_is_refused_and_kept(post, running, typed):
    answer = post("rate", rate_ml_h=typed)
    assert answer.status_code == 422
    assert f'value="{typed}"' in answer.get_data(as_text=True)
    assert acts(running) == [AdministrationKind.START]


def test_a_rate_over_the_orders_maximum_is_not_possible_here(post, running):
    answer = post("rate", rate_ml_h="40", reason="asked for more")
    assert answer.status_code == 422
    assert "maximum rate" in answer.get_data(as_text=True)


def test_a_spoken_order_is_written_down_with_the_rate(post, running, physician, nurses_browser, at_minute):
    at_minute(5)
    said = {"spoken_by_id": str(physician.id), "spoken_text": "go to 20 mL per hour"}
    said |= {"spoken_mode": "telephone", "is_read_back": "y"}
    for left_out in ("is_read_back", "spoken_mode"):
        assert post("rate", rate_ml_h="20", **(said | {left_out: ""})).status_code == 422
    assert db.session.query(VerbalOrder).count() == 0
    assert post("rate", rate_ml_h="20", **said).status_code == 303
    assert newest(fresh(running).administrations).verbal_order.spoken_by_id == physician.id
    assert "On a telephone order." in nurses_browser.get(f"/sessions/{running.id}").text


def test_where_the_clinic_asks_a_second_person_computes_a_higher_rate_first(
    post, running, clinic, *, checker, nurses_browser, at_minute
):
    with db.unit_of_work():
        clinic.double_check_minutes = 15
    at_minute(31)
    there = post("rate", step="17.0")
    assert "/double-check/" in there.location
    part = there.location.split(f"{running.id}/")[1]
    asked = nurses_browser.get(there.location).get_data(as_text=True).split("<h1")[1].split("Born")[0]
    assert "17" not in re.sub("[0-9a-f-]{36}", "", asked)
    signed = post(part, checker=str(checker.id), password=PASSWORD, computed_rate_ml_h="17")
    shown = nurses_browser.get(signed.location).get_data(as_text=True)
    assert "Second check: T. Duarte RN." in shown
    check = fresh(running).rate_proposals[-1].double_checks[0]
    assert post("rate", double_check_id=str(check.id)).status_code == 303
    assert newest(fresh(running).administrations).double_check_id == check.id


def test_a_sheet_drawn_before_somebody_elses_act_is_a_conflict(post, running, nurse):
    drawn = edition(fresh(running))
    with db.unit_of_work():
        operations.change_rate(
            running, rate_ml_h=Decimal("10.2"), happened_at=minute(8), reason="nausea", by=nurse, at=minute(8)
        )
    answer = post("pause", version=str(drawn), why="Toilet")
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "Rate 13.6 to 10.2" in shown
    assert "Toilet" in shown
    assert f'href="/sessions/{running.id}"' in shown
    again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', shown))
    assert post("pause", **again).status_code == 303
    assert newest(fresh(running).administrations).reason == "Toilet"


def test_mine_over_theirs_is_still_judged_by_the_rules(post, running, nurse):
    drawn = edition(fresh(running))
    with db.unit_of_work():
        operations.pause(running, happened_at=minute(8), by=nurse, at=minute(8))
    shown = post("rate", version=str(drawn), rate_ml_h="10", reason="Sleepy").get_data(as_text=True)
    again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', shown))
    refused = post("rate", **again)
    assert refused.status_code == 422
    assert 'value="Sleepy"' in refused.get_data(as_text=True)


# --- pause, resume, stop, bolus, bag ---------------------------------------------------------------------------------


def test_pause_and_resume(post, running, at_minute):
    assert post("pause").status_code == 303
    at_minute(14)
    assert post("resume").status_code == 303
    assert acts(running)[1:] == [AdministrationKind.PAUSE, AdministrationKind.RESUME]


def test_an_urgent_stop_is_two_taps_and_its_reason_may_follow(nurses_browser, post, running):
    assert "Stop infusion" in nurses_browser.get(f"/sessions/{running.id}/stop").get_data(as_text=True)
    assert post("stop").status_code == 303
    assert fresh(running).status is SessionStatus.RECOVERING
    page = nurses_browser.get(f"/sessions/{running.id}").get_data(as_text=True)
    assert "without a reason" in page
    stop = newest(fresh(running).administrations)
    assert post("reason", about=str(stop.id), why="Blood pressure").status_code == 303
    page = nurses_browser.get(f"/sessions/{running.id}").get_data(as_text=True)
    assert "without a reason" not in page


def test_the_reason_of_a_pause_that_follows_is_one_of_a_pause(nurses_browser, post, running):
    post("pause")
    pause = newest(fresh(running).administrations)
    sheet = nurses_browser.get(f"/sessions/{running.id}/reason?about={pause.id}").get_data(as_text=True)
    assert "Toilet" in sheet
    assert "Planned end" not in sheet
    assert post("reason", about=str(pause.id), why="Toilet").status_code == 303


def test_stop_keeps_the_pumps_own_volume(post, running):
    assert post("stop", why="Planned end", pump_volume_ml="2.3").status_code == 303
    assert newest(fresh(running).administrations).pump_volume_ml == Decimal("2.3")


def test_a_rate_and_a_new_bag_may_bring_the_pumps_own_volume(nurses_browser, post, running):
    assert "by its rates 2.27" in nurses_browser.get(f"/sessions/{running.id}/rate").get_data(as_text=True)
    assert post("rate", rate_ml_h="10", why="Nausea", pump_volume_ml="2.3").status_code == 303
    assert newest(fresh(running).administrations).pump_volume_ml == Decimal("2.3")
    assert post("bag", concentration_mg_ml="1", pump_volume_ml="2.2").status_code == 303
    assert newest(fresh(running).administrations).pump_volume_ml == Decimal("2.2")


def test_a_bag_whose_volume_is_far_off_asks_which_is_right(post, running, clinic):
    with db.unit_of_work():
        db.session.merge(clinic).pump_tolerance_percent = 5
    page = post("bag", concentration_mg_ml="1", pump_volume_ml="20")
    assert page.status_code == 422
    assert "Which is right" in page.get_data(as_text=True)
    assert post(
        "bag", concentration_mg_ml="1", pump_volume_ml="20", right_volume="computed", volume_reason="Not zeroed"
    )


def test_an_act_at_an_earlier_minute_stands_at_that_minute(post, running):
    assert post("pause", at="09:04").status_code == 303
    assert newest(fresh(running).administrations).happened_at == minute(4)


def test_an_act_in_the_minute_of_the_last_one_stands_behind_it(post, running):
    assert post("pause", at="09:00").status_code == 303
    assert newest(fresh(running).administrations).happened_at > minute(0)


@pytest.mark.parametrize("typed", ["25:00", "9 am", "09:61", "08:10"])
def test_a_time_that_cannot_be_is_refused_and_kept(post, running, typed):
    answer = post("pause", at=typed)
    assert answer.status_code == 422
    assert f'value="{typed}"' in answer.get_data(as_text=True)
    assert acts(running) == [AdministrationKind.START]


def test_a_bolus_that_nobody_ordered_is_refused(post):
    answer = post("bolus", bolus_mg="5")
    assert answer.status_code == 422
    assert "no bolus" in answer.get_data(as_text=True)


def test_a_new_bag_has_the_orders_concentration_on_its_label(post, running):
    assert post("bag", concentration_mg_ml="10").status_code == 422
    assert post("bag", concentration_mg_ml="1").status_code == 303


# --- what else happens -----------------------------------------------------------------------------------------------


def test_an_adverse_event_says_what_how_bad_and_what_was_done(post, running):
    answer = post("event", term="Dissociation", grade="2", done=["Watched", "Physician told"])
    (event,) = fresh(running).adverse_events
    assert f"/notify?about={event.id}" in answer.location
    assert (event.term, event.grade, event.action) == ("Dissociation", 2, "Watched, Physician told")


def test_an_event_in_own_words_needs_no_grid(post, running):
    assert post("event", term="Other", other="metallic taste").status_code == 303
    assert fresh(running).adverse_events[0].term == "metallic taste"


def test_an_event_without_a_name_is_refused_and_kept(post):
    answer = post("event", grade="2", detail="at rest")
    assert answer.status_code == 422
    assert 'value="at rest"' in answer.get_data(as_text=True)


def test_an_event_stays_open_until_marked_as_over(post, running, nurses_browser):
    post("event", term="Nausea", grade="1")
    event = fresh(running).adverse_events[0]
    assert "Over now" in nurses_browser.get(f"/sessions/{running.id}/event").get_data(as_text=True)
    assert post(f"event/{event.id}/over").status_code == 303
    assert newest(fresh(running).adverse_events).resolved_at is not None


def test_a_medicine_as_needed_counts_against_its_maximum(post, running):
    item = running.order_version.terms.prn_items[0]
    assert post("prn", item=str(item.id)).status_code == 303
    assert post("prn", item=str(item.id)).status_code == 422
    assert len(fresh(running).prn_doses) == 1


def test_a_medicine_is_chosen(post, running):
    assert post("prn").status_code == 422
    assert not fresh(running).prn_doses


def test_the_line_is_looked_at_and_scored(post, running):
    assert post("iv", action="checked", vip_score="1", detail="slightly red").status_code == 303
    assert fresh(running).iv_records[0].vip_score == 1
    assert post("iv", action="placed").status_code == 422


def test_who_was_told_stands_with_the_vitals_it_was_about(post, running, observe, physician, nurses_browser):
    row = observe(running, minute(6), sbp=171, dbp=88)
    assert post("notify", about=str(row.id)).status_code == 422
    assert post("notify", about=str(row.id), person_id=str(physician.id), reply="recheck").status_code == 303
    shown = nurses_browser.get(f"/sessions/{running.id}").get_data(as_text=True)
    assert "Dr I. Okafor informed. Reply: recheck" in shown
    assert "Record who was told" not in shown


def test_who_was_told_may_be_chosen_from_what_is_open(post, running, observe, physician, nurses_browser):
    row = observe(running, minute(6), sbp=171, dbp=88)
    post("event", term="Nausea", grade="1")
    sheet = nurses_browser.get(f"/sessions/{running.id}/notify").get_data(as_text=True)
    assert re.findall(r'name="about" type="radio" value="([^"]+)"', sheet) == [
        str(row.id),
        str(fresh(running).adverse_events[0].id),
    ]
    assert " checked" not in sheet
    post("notify", about=str(fresh(running).adverse_events[0].id), person_id=str(physician.id))
    shown = nurses_browser.get(f"/sessions/{running.id}").get_data(as_text=True)
    assert "Dr I. Okafor informed. Nausea, mild." in shown
    assert "Record who was told" in shown


def test_a_note_stands_in_the_table(post, running):
    assert post("note-row").status_code == 422
    assert post("note-row", text="Lights dimmed").status_code == 303
    assert fresh(running).events[-1].kind is SessionEventKind.ROW_NOTE


def test_another_nurse_takes_over_once_she_accepts(post, running, client, second_nurse):
    assert post("hand-over").status_code == 422
    assert post("hand-over", to=str(second_nurse.id), text="quiet").status_code == 303
    assert fresh(running).nurse_id != second_nurse.id
    client.sign_in(second_nurse)
    assert "Take over from" in client.get("/today").get_data(as_text=True)
    assert "quiet" in client.get(f"/sessions/{running.id}").get_data(as_text=True)
    assert client.post(f"/sessions/{running.id}/hand-over/accept").status_code == 303
    assert fresh(running).nurse_id == second_nurse.id
    assert client.post(f"/sessions/{running.id}/hand-over/accept").status_code == 409


def test_another_nurse_takes_over_at_once_by_her_password(post, running, make_staff):
    other = make_staff(Role.NURSE, password=PASSWORD)
    assert post("hand-over", to=str(other.id), password="guess").status_code == 422
    assert post("hand-over", to=str(other.id), password=PASSWORD).status_code == 303
    assert fresh(running).nurse_id == other.id


@pytest.mark.parametrize("part", ["pause", "stop", "rate", "event", "prn", "iv", "notify", "note-row", "hand-over"])
def test_a_sheet_of_another_patient_is_refused(post, running, make_patient, part):
    assert post(part, patient_id=str(make_patient(given_name="Other").id)).status_code == 409
    assert acts(running) == [AdministrationKind.START]


@pytest.mark.parametrize(
    "part", ["rate", "pause", "resume", "stop", "bolus", "bag", "event", "prn", "iv", "notify", "note-row", "hand-over"]
)
def test_nothing_is_chosen_on_a_fresh_sheet(nurses_browser, running, part):
    shown = nurses_browser.get(f"/sessions/{running.id}/{part}")
    assert shown.status_code == 200
    assert " checked" not in shown.get_data(as_text=True)
