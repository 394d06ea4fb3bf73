import pytest

from clinic.accounts import operations, queries
from clinic.core import clock, db
from clinic.core.permissions import Role
from tests.factories.accounts import PASSWORD

NEW = "kettle under the slow bridge"


@pytest.fixture
def person(make_staff, client):
    staff = make_staff(Role.NURSE, password=PASSWORD)
    client.sign_in(staff)
    return staff


@pytest.fixture
def elsewhere(person):
    """A second browser of the same person."""
    with db.unit_of_work():
        login, _ = operations.open_login(person, db.current_clinic_id(), address="10.0.0.9", browser="", at=clock.now())
    return login


def change(client, current=PASSWORD, new=NEW, again=NEW):
    return client.post("/account/password", data={"current": current, "new": new, "again": again})


def test_the_own_account_shows_the_own_sign_ins(client, person, elsewhere):
    page = client.get("/account").text
    assert person.email in page
    assert "10.0.0.9" in page


def test_a_new_password_ends_the_other_sign_ins(client, person, elsewhere):
    assert change(client).status_code == 303
    assert [login.id for login in queries.unended_logins(person.id)] != [elsewhere.id]
    assert len(queries.unended_logins(person.id)) == 1
    assert client.get("/account").status_code == 200
    assert operations.check_password(person, NEW, at=clock.now()) is None


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"current": ""}, "Enter the password that you sign in with now"),
        ({"current": "not the password at all"}, "This is not your password."),
        ({"again": NEW + "x"}, "The two are not the same"),
        ({"new": "too short", "again": "too short"}, "at least 15 characters"),
        ({"new": "clinic clinic clinic", "again": "clinic clinic clinic"}, "easy to guess"),
    ],
)
def test_a_refused_change_says_why_and_changes_nothing(client, person, answers, words):
    response = change(client, **answers)
    assert response.status_code == 422
    assert words in response.text
    assert operations.check_password(person, PASSWORD, at=clock.now()) is None


def test_another_browser_can_be_signed_out(client, person, elsewhere):
    assert client.post(f"/account/sign-ins/{elsewhere.id}/end").location == "/account"
    assert elsewhere.ended_at is not None


def test_the_browser_in_hand_can_be_signed_out(client, person):
    (login,) = queries.unended_logins(person.id)
    assert client.post(f"/account/sign-ins/{login.id}/end").location == "/login"
    assert client.get("/account").status_code == 303


def test_nobody_ends_the_sign_in_of_another_person(client, person, nurse):
    with db.unit_of_work():
        login, _ = operations.open_login(nurse, db.current_clinic_id(), address=None, browser=None, at=clock.now())
    assert client.post(f"/account/sign-ins/{login.id}/end").status_code == 404
    assert login.ended_at is None
