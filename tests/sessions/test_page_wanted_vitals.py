"""What the schedule asks for: the pages and the answer to a save say it in one way, and it stays what it was."""

import re

import pytest

from clinic.protocols.rules import Anchor
from clinic.protocols.terms import PhaseDraft
from clinic.sessions import operations
from clinic.sessions.due_rules import DueState
from clinic.sessions.progress import progress
from tests.factories.pages import fresh
from tests.factories.sessions import minute


@pytest.fixture
def running(make_running):
    """A session whose order asks for pressure and pain every 15 minutes."""
    return make_running(phases=(PhaseDraft(anchor=Anchor.START, every_min=15, items=("BP", "pain", "the weather")),))


def shown(browser, address):
    return browser.get(address).get_data(as_text=True)


def test_every_page_says_what_is_wanted(nurses_browser, running):
    for address in (f"/sessions/{running.id}", f"/sessions/{running.id}/vitals", "/today?view=all"):
        assert "BP and pain wanted" in shown(nurses_browser, address)


def test_a_pressure_alone_leaves_pain_wanting_until_it_is_entered(nurses_browser, running, at_minute):
    at_minute(16)
    post = f"/sessions/{running.id}/vitals"
    answer = nurses_browser.post(post, data={"sbp": "120", "dbp": "70"}, follow_redirects=True).get_data(as_text=True)
    assert "For 09:15: pain still wanted." in answer
    assert progress(fresh(running), minute(16)).dues[0].state is DueState.OVERDUE
    nurses_browser.post(post, data={"pain": "3"})
    assert progress(fresh(running), minute(16)).dues[0].state is DueState.DONE


def test_a_patient_asleep_answers_for_pain(nurses_browser, running, at_minute):
    at_minute(16)
    nurses_browser.post(f"/sessions/{running.id}/vitals", data={"sbp": "120", "dbp": "70", "pain": "asleep"})
    assert progress(fresh(running), minute(16)).dues[0].state is DueState.DONE


def test_what_was_outside_its_limit_is_what_the_recheck_wants(make_running, observe):
    infusion = make_running(phases=(), recheck_min=5)
    observe(infusion, minute(2), sbp=190, dbp=80)
    observe(infusion, minute(7), pain=2)
    assert [line.state for line in progress(fresh(infusion), minute(8)).dues] == [DueState.OVERDUE]
    observe(infusion, minute(8), sbp=140, dbp=80)
    assert [line.state for line in progress(fresh(infusion), minute(8)).dues] == [DueState.DONE]


def test_the_ladder_names_everything_that_is_due(nurses_browser, make_running, observe, at_minute):
    plan = (PhaseDraft(anchor=Anchor.START, every_min=15, items=("HR",)),)
    infusion = make_running(phases=plan, recheck_min=5, grace_min=5)
    observe(infusion, minute(11), sbp=190, dbp=80)
    at_minute(16)
    page = shown(nurses_browser, f"/sessions/{infusion.id}/vitals")
    assert re.findall(r'class="wanted">Due (.*?)</p>', page) == ["09:15: HR wanted", "09:16: BP wanted"]
    answer = nurses_browser.post(f"/sessions/{infusion.id}/vitals", data={"sbp": "120", "dbp": "70", "hr": "70"})
    assert answer.status_code == 303
    assert [line.state for line in progress(fresh(infusion), minute(16)).dues[:2]] == [DueState.DONE] * 2


def test_what_was_due_stays_so_when_the_order_changes(make_running, make_order_version, observe, nurse):
    every = [(PhaseDraft(anchor=Anchor.START, every_min=minutes),) for minutes in (15, 40)]
    infusion = make_running(phases=every[0], grace_min=2)
    observe(infusion, minute(18), sbp=120, dbp=80)
    before = progress(fresh(infusion), minute(31)).dues[:2]
    version = infusion.order_version
    make_order_version(order=version.order, weight=version.weight, at=minute(32), phases=every[1], grace_min=9)
    operations.adopt_order(fresh(infusion), by=nurse, at=minute(33))
    after = progress(fresh(infusion), minute(41)).dues
    assert [(line.due.at, line.state, line.late_by_min) for line in after[:2]] == [
        (minute(15), DueState.DONE, 3),
        (minute(30), DueState.MISSED, 0),
    ]
    assert [line.due.at for line in before] == [line.due.at for line in after[:2]]
    assert after[2].due.at == minute(40)
