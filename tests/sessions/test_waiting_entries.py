"""Entries that a device made without the network: opened for their author, posted with their own time, never lost."""

import json

import pytest

from clinic.core.formats import iso
from clinic.core.seal import public_key
from tests.factories.pages import fresh
from tests.factories.sealing import sealed
from tests.factories.sessions import minute


@pytest.fixture
def running(make_running):
    return make_running()


@pytest.fixture
def hand_over(app, nurses_browser, nurse, running):
    """Hands an envelope to the server, at `""` to be opened or at `"/kept"`, and gives the answer."""

    def send(content, part="", *, author=None, record=None):
        label = {"author": str(author or nurse.id), "record": str(record or running.id)}
        envelope = sealed(app.config["SECRET_KEY"], content, **label)
        return nurses_browser.post(f"/sessions/{running.id}/waiting{part}", data={"envelope": envelope})

    return send


def vitals(running, **changes):
    content = {
        "path": f"/sessions/{running.id}/vitals",
        "fields": [["line", "128/76 84"], ["at", "09:04"]],
        "entered_at": iso(minute(4)),
        "said": "09:04 128/76 84",
    }
    return {**content, **changes}


def test_the_author_gets_the_form_back_as_it_was_filled_in(hand_over, running):
    answer = hand_over(vitals(running))
    assert answer.status_code == 200
    fields = [["line", "128/76 84"], ["at", "09:04"], ["entered_at", iso(minute(4))]]
    assert answer.json == {"path": f"/sessions/{running.id}/vitals", "fields": fields}


def test_nobody_else_opens_it(hand_over, running, second_nurse):
    assert hand_over(vitals(running), author=second_nurse.id).status_code == 403


@pytest.mark.parametrize(
    "changes",
    [{"path": "/staff/new"}, {"path": "/sessions/0/vitals"}, {"fields": 7}, {"entered_at": "noon"}, {"said": None}],
)
def test_only_a_form_of_this_session_that_may_wait_is_opened(hand_over, running, changes):
    assert hand_over(vitals(running, **changes)).status_code == 422


def test_an_order_or_a_discharge_cannot_wait(hand_over, running):
    assert hand_over(vitals(running, path=f"/sessions/{running.id}/discharge")).status_code == 422


def test_it_is_saved_at_the_time_when_it_was_made(nurses_browser, nurse, at_minute, running):
    at_minute(600)  # ten hours later the wall time alone would mean another moment
    nurses_browser.sign_in(nurse)
    fields = {"line": "128/76 84", "at": "", "entered_at": iso(minute(4))}
    assert nurses_browser.post(f"/sessions/{running.id}/vitals", data=fields).status_code == 303
    (row,) = fresh(running).observation_sets
    assert (row.observed_at, row.recorded_at) == (minute(4), minute(600))


@pytest.mark.parametrize("told", ["soon", "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+14:00", "2025-01-01"])
def test_a_device_with_an_odd_clock_enters_nothing_in_the_future(nurses_browser, running, told):
    fields = {"line": "128/76 84", "at": "", "entered_at": told}
    assert nurses_browser.post(f"/sessions/{running.id}/vitals", data=fields).status_code == 303
    assert fresh(running).observation_sets[0].observed_at == minute(10)


def test_what_was_refused_stands_in_the_flowsheet_as_it_was_typed(hand_over, running, nurse):
    assert hand_over(vitals(running), "/kept").status_code == 204
    (event,) = fresh(running).events
    assert event.text == "Entered without the network and not accepted: 09:04 128/76 84"
    assert (event.happened_at, event.recorded_at, event.recorded_by_id) == (minute(4), minute(10), nurse.id)


def test_a_page_that_can_seal_nothing_hands_over_what_was_refused_as_it_is(nurses_browser, running):
    sent = json.dumps({**vitals(running), "said": "09:04 128/76\0 84"})
    assert nurses_browser.post(f"/sessions/{running.id}/waiting/kept", data={"content": sent}).status_code == 204
    assert fresh(running).events[0].text == "Entered without the network and not accepted: 09:04 128/76  84"


@pytest.mark.parametrize("content", ["", "[", "7", "null", "[" * 100_000])
def test_what_is_no_entry_is_refused_for_good(nurses_browser, running, content):
    sent = {"content": content}
    assert nurses_browser.post(f"/sessions/{running.id}/waiting/kept", data=sent).status_code == 422


def test_the_time_that_a_device_adds_makes_no_other_save_of_it(nurses_browser, running):
    form = {"line": "128/76 84", "at": "", "idempotency_key": "one key for one save"}
    for added in ({}, {"entered_at": iso(minute(4))}):
        assert nurses_browser.post(f"/sessions/{running.id}/vitals", data=form | added).status_code == 303
    assert len(fresh(running).observation_sets) == 1


def test_a_script_is_told_in_so_many_words_that_its_save_was_kept(nurses_browser, running):
    address = f"/sessions/{running.id}"
    answer = nurses_browser.post(f"{address}/vitals", data={"line": "128/76 84", "at": ""}, headers={"X-Script": "1"})
    assert (answer.status_code, answer.headers["X-Saved"], answer.data) == (204, address, b"")


def test_what_stands_there_is_not_taken_a_second_time(app, nurses_browser, nurse, running):
    envelope = sealed(app.config["SECRET_KEY"], vitals(running), author=str(nurse.id), record=str(running.id))
    address = f"/sessions/{running.id}/waiting"
    kept = {"envelope": envelope, "idempotency_key": "entry.kept"}
    assert nurses_browser.post(f"{address}/kept", data=kept).status_code == 204
    assert nurses_browser.post(address, data={"envelope": envelope}).status_code == 204
    assert len(fresh(running).events) == 1


def test_every_page_of_a_session_says_what_may_wait(nurses_browser, running):
    page = nurses_browser.get(f"/sessions/{running.id}").text
    assert f"/sessions/{running.id}/vitals" in page.split('data-may-wait="')[1].split('"')[0].split()


def test_the_device_is_given_the_key_of_this_installation(nurses_browser, app):
    assert f'name="seal-key" content="{public_key(app.config["SECRET_KEY"])}"' in nurses_browser.get("/today").text


def test_the_page_for_the_time_without_network_holds_nothing_of_anybody(client, nurse):
    client.sign_in(nurse)
    assert "Try again" in client.get("/offline").text
    assert client.get("/worker.js").mimetype == "text/javascript"
