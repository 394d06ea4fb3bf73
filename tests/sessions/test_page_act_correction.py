"""A wrong entry about the pump is corrected or withdrawn on its page, and stays readable."""

from decimal import Decimal

import pytest

from clinic.core.permissions import Role
from tests.factories.pages import fresh
from tests.sessions.test_page_acts import newest


@pytest.fixture
def wrong(make_running, nurses_browser):
    """A rate that was recorded wrongly; `wrong()` is the newest entry about the pump."""
    infusion = make_running()
    nurses_browser.post(f"/sessions/{infusion.id}/rate", data={"rate_ml_h": "10", "why": "Nausea"})
    return lambda: newest(fresh(infusion).administrations)


def correct(browser, event, **fields):
    return browser.post(f"/acts/{event.id}/correct", data=fields)


def test_the_author_corrects_the_rate_and_the_first_stays_struck_through(nurses_browser, wrong):
    event = wrong()
    page = nurses_browser.get(f"/acts/{event.id}/correct").get_data(as_text=True)
    assert 'value="10"' in page
    assert correct(nurses_browser, event, rate_ml_h="11", said="Nausea", reason="misread").status_code == 303
    assert (wrong().rate_ml_h, wrong().reason, wrong().supersedes_id) == (Decimal(11), "Nausea", event.id)
    shown = nurses_browser.get(f"/sessions/{event.infusion_id}").get_data(as_text=True)
    assert '<tr class="strike">' in shown
    assert "Corrected: misread." in shown
    assert f"/acts/{wrong().id}/correct" in shown


def test_an_act_that_never_happened_is_withdrawn(nurses_browser, wrong):
    event = wrong()
    assert correct(nurses_browser, event, act="withdraw").status_code == 422
    assert correct(nurses_browser, event, act="withdraw", reason="other chair").status_code == 303
    assert wrong().is_void


def test_a_correction_says_why_and_keeps_what_was_typed(nurses_browser, wrong):
    answer = correct(nurses_browser, wrong(), rate_ml_h="12", said="Nausea")
    assert answer.status_code == 422
    assert 'value="12"' in answer.get_data(as_text=True)


def test_a_colleague_cannot_correct_but_a_physician_can(client, wrong, make_staff):
    client.sign_in(make_staff(Role.NURSE))
    assert correct(client, wrong(), rate_ml_h="12", reason="misread").status_code == 422
    client.sign_in(make_staff(Role.PHYSICIAN))
    assert correct(client, wrong(), rate_ml_h="12", reason="misread").status_code == 303


def test_an_entry_is_corrected_once(nurses_browser, wrong):
    event = wrong()
    correct(nurses_browser, event, rate_ml_h="11", reason="misread")
    answer = correct(nurses_browser, event, rate_ml_h="12", reason="misread")
    assert answer.status_code == 422
    assert "corrected already" in answer.get_data(as_text=True)
