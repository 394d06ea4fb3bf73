import pytest
from argon2 import PasswordHasher

from clinic.accounts import operations
from clinic.accounts.models import LoginSession
from clinic.core import db
from clinic.core.permissions import Role
from tests.factories.accounts import PASSWORD

WRONG = "not the password at all"


@pytest.fixture
def person(make_staff):
    return make_staff(Role.NURSE, given_name="Nora", password=PASSWORD)


@pytest.fixture
def enter(client):
    def post(email, password, **values):
        return client.post("/login", data={"email": email, "password": password, **values})

    return post


def test_the_right_password_leads_home(client, person, enter):
    response = enter(person.email.upper(), PASSWORD)
    assert (response.status_code, response.location) == (303, "/")
    assert client.get("/account").status_code == 200


@pytest.mark.parametrize(("email", "password"), [("", PASSWORD), ("x@y.example", ""), ("x@y.example", WRONG)])
def test_a_refusal_draws_the_page_again(enter, email, password):
    response = enter(email, password)
    assert response.status_code == 422
    assert "Not signed in" in response.text
    assert password not in response.text or not password


def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(person, enter):
    known = enter(person.email, WRONG)
    unknown = enter("nobody0@clinic.example", WRONG)
    assert known.status_code == unknown.status_code
    assert "The e-mail or the password is not right." in known.text
    assert "The e-mail or the password is not right." in unknown.text


@pytest.mark.parametrize("status", ["invited", "disabled"])
def test_only_active_people_sign_in(person, enter, status):
    person.status = status
    db.session.flush()
    assert enter(person.email, PASSWORD).status_code == 422


def test_a_hash_with_old_parameters_is_renewed(person, enter):
    old = "$argon2id$v=19$m=8192,t=1,p=1$"
    person.password_hash = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    db.session.flush()
    assert person.password_hash.startswith(old)
    version = person.version
    assert enter(person.email, PASSWORD).status_code == 303
    db.session.refresh(person)
    assert not person.password_hash.startswith(old)
    assert person.version == version  # a second device that signs in at the same moment is not refused
    assert enter(person.email, PASSWORD).status_code == 303


def test_what_follows_the_72nd_character_counts(make_staff, enter):
    password = "lantern willow " * 6
    person = make_staff(Role.NURSE, password=password + "a")
    assert enter(person.email, password + "b").status_code == 422
    assert enter(person.email, password + "a").status_code == 303


def cookie_of(client):
    found = client.get_cookie("chairtime")
    return found.value if found else None


def test_each_sign_in_gets_a_cookie_of_its_own(client, person, enter):
    client.get("/login")
    before = cookie_of(client)
    enter(person.email, PASSWORD)
    first = cookie_of(client)
    enter(person.email, PASSWORD)
    assert len({before, first, cookie_of(client)}) == 3


def test_a_second_sign_in_ends_a_first_that_belongs_to_no_device(client, nurse, person, enter):
    client.sign_in(nurse)
    assert enter(person.email, PASSWORD).status_code == 303
    assert not operations.queries.unended_logins(nurse.id)


def test_a_copied_cookie_is_dead_after_sign_out(client, nurse):
    client.sign_in(nurse)
    copied = cookie_of(client)
    assert client.post("/logout").status_code == 303
    client.set_cookie("chairtime", copied)
    assert client.get("/account").status_code == 303


def test_a_link_does_not_sign_out(client, nurse):
    client.sign_in(nurse)
    assert client.get("/logout").status_code == 405
    assert client.get("/account").status_code == 200


@pytest.mark.parametrize("cookie", ["", "x", ".", "a.b.c", "x" * 4000, "eyJfdXNlcl9pZCI6IngifQ.aaaa.bbbb"])
def test_a_made_up_cookie_signs_nobody_in(client, cookie):
    client.set_cookie("chairtime", cookie)
    assert client.get("/account").status_code == 303


def test_the_cookie_is_kept_from_scripts_and_other_sites(person, enter):
    header = enter(person.email, PASSWORD).headers["Set-Cookie"]
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header


def test_only_hashes_of_tokens_are_kept(nurse, frozen_clock):
    login, token = operations.open_login(nurse, db.current_clinic_id(), address=None, browser=None, at=frozen_clock)
    db.session.flush()
    row = db.session.get(LoginSession, login.id)
    assert token not in vars(row).values()
