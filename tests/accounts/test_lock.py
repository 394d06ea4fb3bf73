from datetime import timedelta

import pytest

from clinic.core import clock
from clinic.core.permissions import Role
from tests.factories.accounts import PASSWORD


@pytest.fixture
def person(make_staff, client):
    staff = make_staff(Role.NURSE, password=PASSWORD)
    client.sign_in(staff)
    return staff


@pytest.fixture
def locked(client, person):
    assert client.post("/lock", headers={"Referer": "http://localhost/account"}).status_code == 303
    return person


def test_a_locked_screen_answers_nothing_but_the_unlock_page(client, locked):
    response = client.get("/account?x=1")
    assert (response.status_code, response.location) == (303, "/unlock?next=/account?x%3D1")
    assert client.post("/account/password").status_code == 401
    page = client.get("/unlock")
    assert locked.name in page.text


def test_the_same_person_unlocks_and_goes_on(client, locked):
    response = client.post("/unlock", data={"password": PASSWORD, "next": "/account"})
    assert (response.status_code, response.location) == (303, "/account")
    assert client.get("/account").status_code == 200


def test_another_password_does_not_unlock(client, locked):
    assert client.post("/unlock", data={"password": "not the password at all"}).status_code == 422
    assert client.get("/account").status_code == 303


def test_guessing_at_a_locked_screen_is_slowed_down(client, locked):
    for _ in range(10):
        client.post("/unlock", data={"password": "not the password at all"})
    assert client.post("/unlock", data={"password": PASSWORD}).status_code == 429


def test_somebody_else_signs_in_afresh(client, locked, make_staff):
    other = make_staff(Role.NURSE, password=PASSWORD)
    assert client.post("/logout").location == "/login"
    client.post("/login", data={"email": other.email, "password": PASSWORD})
    assert other.email in client.get("/account").text


def test_lock_remembers_where_it_was_pressed(client, person):
    response = client.post("/lock", headers={"Referer": "http://localhost/account"})
    assert response.location == "/unlock?next=/account"


def test_lock_forgets_another_sites_address(client, person):
    assert client.post("/lock", headers={"Referer": "http://evil.example/x"}).location == "/unlock"


# --- a sign-in's time ------------------------------------------------------------------------------------------------

IDLE = timedelta(minutes=30)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def at(frozen_clock, client, person):
    """Asks for the own account some time after the sign-in; says whether it was shown."""

    def ask(after, **headers):
        with clock.standing_at(frozen_clock + after):
            return client.get("/account", headers=headers).status_code == 200

    return ask


def test_an_idle_sign_in_ends(at):
    assert not at(IDLE + MINUTE)


def test_use_keeps_a_sign_in_alive(at):
    assert at(20 * MINUTE)
    assert at(45 * MINUTE)


def test_a_page_that_refreshes_itself_does_not(at):
    assert at(20 * MINUTE, **{"X-Background": "1"})
    assert at(29 * MINUTE, **{"X-Background": "refresh"})
    assert not at(31 * MINUTE)


def test_a_refused_save_is_use_too(at, client, frozen_clock):
    with clock.standing_at(frozen_clock + 20 * MINUTE):
        assert client.post("/account/password").status_code == 422
    assert at(45 * MINUTE)


def test_every_sign_in_ends_after_twelve_hours(at):
    for turn in range(25):
        assert at(turn * timedelta(minutes=29))
    assert at(timedelta(hours=11, minutes=59))
    assert not at(timedelta(hours=12, minutes=1))


def test_signing_out_after_the_sign_in_has_ended_asks_for_no_password(client):
    assert client.post("/logout").location == "/login"


def test_a_fragment_of_a_signed_out_page_is_told_so(client):
    assert client.get("/account", headers={"X-Background": "1"}).status_code == 401
