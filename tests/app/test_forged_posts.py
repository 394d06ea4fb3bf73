from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from clinic.accounts.models import LoginSession, Site
from clinic.core import db


def saved():
    return db.session.scalar(sa.select(Site.id).where(Site.name == "new site")) is not None


@pytest.fixture
def others_token(trial, second_nurse):
    browser = trial.test_client()
    browser.sign_in(second_nurse)
    return browser._token()


@pytest.mark.parametrize("token", ["", "x", "x" * 3000, "IjQwIg.aaaa.bbbb"])
def test_a_post_without_its_token_is_refused(nurse_browser, token):
    assert nurse_browser.post("/trial/save", data={"csrf_token": token}).status_code == 400
    assert not saved()


def test_a_post_with_the_token_of_another_browser_is_refused(nurse_browser, others_token):
    assert nurse_browser.post("/trial/save", data={"csrf_token": others_token}).status_code == 400
    assert not saved()


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost.evil.example", "http://localhost:81"]
)
def test_a_post_from_another_site_is_refused(nurse_browser, origin):
    assert nurse_browser.post("/trial/save", headers={"Origin": origin}).status_code == 400
    assert not saved()


def test_a_post_from_here_is_accepted(nurse_browser):
    assert nurse_browser.post("/trial/save", headers={"Origin": "http://localhost"}).status_code == 303
    assert saved()


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "application/xml"])
def test_a_body_that_is_no_form_is_refused(nurse_browser, kind):
    assert nurse_browser.post("/trial/save", data='{"name": "new site"}', content_type=kind).status_code == 400
    assert not saved()


def test_the_same_fields_in_a_link_change_nothing(nurse_browser):
    assert nurse_browser.get("/trial/save?name=new+site").status_code == 405
    assert not saved()


@pytest.mark.parametrize("hours", [1.02, 4, 11.9])
def test_a_form_that_was_open_for_hours_is_saved(nurse_browser, nurse, hours):
    drawn = datetime(2025, 11, 18, 8, 0, tzinfo=UTC)
    later = drawn + timedelta(hours=hours)
    with time_machine.travel(drawn, tick=False):
        nurse_browser.sign_in(nurse)
        token = nurse_browser._token()
    db.session.execute(sa.update(LoginSession).values(seen_at=later))  # she worked on other pages meanwhile
    with time_machine.travel(later, tick=False):
        assert nurse_browser.post("/trial/save", data={"csrf_token": token}).status_code == 303
    assert saved()


@pytest.mark.parametrize("place", ["name", "other\0field"])
def test_a_nul_is_refused_kindly(nurse_browser, place):
    response = nurse_browser.post("/trial/save", data={place: "a\0b"})
    assert response.status_code == 400
    assert not saved()


def test_a_nul_in_a_link_is_refused_kindly(nurse_browser):
    assert nurse_browser.get("/trial/page?q=%00").status_code == 400
