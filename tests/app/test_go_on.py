"""A save that meets a sign-in which has ended keeps what was typed."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from clinic.accounts.models import Site
from clinic.accounts.rules import StaffStatus
from clinic.core import clock, db
from clinic.core.permissions import Role
from tests.device import Device
from tests.factories.accounts import PASSWORD

TYPED = {"name": "what she typed", "password": "a signature's secret"}


@pytest.fixture
def author(make_staff):
    return make_staff(Role.NURSE, password=PASSWORD)


@pytest.fixture
def tablet(frozen_clock, trial, author):
    """The author's browser after an hour of looking at a page."""
    browser = trial.test_client()
    browser.sign_in(author)
    with clock.standing_at(frozen_clock + timedelta(hours=1)):
        yield browser


def was_saved():
    return db.session.scalar(sa.select(Site.id).where(Site.name == TYPED["name"])) is not None


def kept_by(page):
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text))


def test_the_author_goes_on_with_the_password(tablet):
    asked = tablet.post("/trial/save", data=TYPED)
    assert asked.status_code == 401
    assert not was_saved()
    done = tablet.post("/trial/save", data={**kept_by(asked), "password_to_go_on": PASSWORD})
    assert done.status_code == 303
    assert was_saved()
    assert tablet.get("/trial/page").status_code == 200


def test_the_page_keeps_values_and_no_secret(tablet):
    page = tablet.post("/trial/save", data=TYPED)
    assert kept_by(page)["name"] == TYPED["name"]
    assert TYPED["password"] not in page.text


def test_the_page_shows_nothing_that_was_typed(tablet):
    page = tablet.post("/trial/save", data=TYPED)
    assert TYPED["name"] not in re.sub(r"<[^>]*>", "", page.text)


def test_a_wrong_password_keeps_what_was_typed_too(tablet):
    asked = tablet.post("/trial/save", data={**TYPED, "password_to_go_on": "not the password at all"})
    assert asked.status_code == 401
    assert kept_by(asked)["name"] == TYPED["name"]
    assert not was_saved()


def test_another_persons_password_does_not_save_it(tablet, make_staff):
    make_staff(Role.NURSE, password="another person's password")
    tablet.post("/trial/save", data={**TYPED, "password_to_go_on": "another person's password"})
    assert not was_saved()


def test_a_locked_screen_goes_on_with_the_password(trial, author):
    browser = trial.test_client()
    browser.sign_in(author)
    browser.post("/lock")
    asked = browser.post("/trial/save", data=TYPED)
    assert asked.status_code == 401
    assert browser.post("/trial/save", data={**kept_by(asked), "password_to_go_on": PASSWORD}).status_code == 303
    assert was_saved()


def test_a_disabled_person_does_not_go_on(tablet, author):
    author.status = StaffStatus.DISABLED
    db.session.flush()
    page = tablet.post("/trial/save", data={**TYPED, "password_to_go_on": PASSWORD})
    assert page.status_code == 401
    assert "name" not in kept_by(page)
    assert not was_saved()


def test_somebody_unknown_is_only_told(trial, database):
    page = trial.test_client().post("/trial/save", data={**TYPED, "password_to_go_on": PASSWORD})
    assert page.status_code == 401
    assert TYPED["name"] not in page.text


def test_a_double_click_on_the_page_saves_once(tablet):
    kept = {**kept_by(tablet.post("/trial/save", data=TYPED)), "password_to_go_on": PASSWORD}
    kept.pop("csrf_token")
    first, second = tablet.post("/trial/save", data=kept), tablet.post("/trial/save", data=kept)
    assert first.location == second.location
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Site).where(Site.name == TYPED["name"])) == 1


# --- by a passkey ----------------------------------------------------------------------------------------------------


@pytest.fixture
def equip(trial, frozen_clock):
    """Gives a person a device with a passkey."""

    def equipping(person):
        made, browser = Device(), trial.test_client()
        browser.sign_in(person)
        answer = made.make(browser.get("/account/passkeys/new").json)
        browser.post("/account/passkeys", data={"name": "phone", "password": PASSWORD, "credential": answer})
        return made

    return equipping


def goes_on_by(browser, device):
    asked = browser.post("/trial/save", data=TYPED)
    assert "Use a passkey" in asked.text
    answer = device.answer(browser.get("/login/passkey").json)
    return browser.post("/trial/save", data={**kept_by(asked), "passkey_to_go_on_secret": answer})


def test_the_author_goes_on_with_a_passkey_alone(equip, author, tablet, frozen_clock):
    with clock.standing_at(frozen_clock):
        phone = equip(author)
    author.password_hash = None
    assert goes_on_by(tablet, phone).status_code == 303
    assert was_saved()
    assert tablet.get("/trial/page").status_code == 200


def test_a_locked_screen_goes_on_with_a_passkey(equip, trial, author, frozen_clock):
    phone, browser = equip(author), trial.test_client()
    browser.sign_in(author)
    browser.post("/lock")
    assert goes_on_by(browser, phone).status_code == 303
    assert was_saved()
    assert browser.get("/trial/page").status_code == 200


@pytest.mark.parametrize("is_locked", [True, False])
def test_another_persons_passkey_saves_nothing(equip, trial, author, make_staff, is_locked):
    equip(author)
    theirs, browser = equip(make_staff(Role.NURSE, password=PASSWORD)), trial.test_client()
    browser.sign_in(author)
    if is_locked:
        browser.post("/lock")
    with clock.standing_at(clock.now() + timedelta(hours=1)):
        refused = goes_on_by(browser, theirs)
        assert refused.status_code == 401
        assert kept_by(refused)["name"] == TYPED["name"]
        assert browser.get("/trial/page").status_code == 303
    assert not was_saved()
