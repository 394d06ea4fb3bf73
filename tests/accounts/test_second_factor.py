"""The second factor: asked for after the password, given once, never bypassed."""

import re
from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa

from clinic.accounts import factor_rules, factors
from clinic.accounts.models import Authenticator, LoginSession, RecoveryCode, StaffRole
from clinic.accounts.rules import StaffStatus
from clinic.audit.queries import account_events
from clinic.core import clock, db
from clinic.core.permissions import Role
from config import Testing
from tests.factories.accounts import PASSWORD

SECRETS = [Testing.SECRET_KEY]
PASSWORD_ALONE = {"password": PASSWORD}


@pytest.fixture
def person(make_staff):
    return make_staff(Role.NURSE, password=PASSWORD)


@pytest.fixture
def enter(client, person):
    """Signs the person in with the password and gives the answer."""
    return lambda: client.post("/login", data={"email": person.email, **PASSWORD_ALONE})


def code_of(person, *, steps=0):
    """What the person's app shows now, or some steps of 30 seconds later."""
    secret = factors.secret_of(factors.authenticator_of(person.id), SECRETS)
    return pyotp.TOTP(secret).at(clock.now() + timedelta(seconds=30 * steps))


@pytest.fixture
def codes(client, person, enter, frozen_clock):
    """The person has added an app through the pages and signed out; gives the recovery codes that were shown."""
    enter()
    assert client.post("/account/factor", data=PASSWORD_ALONE).location == "/account/factor"
    client.get("/account/factor")
    assert client.post("/account/factor/confirm", data={"code": code_of(person, steps=-1)}).status_code == 303
    shown = re.findall(r"mono\">([a-z2-9-]{14})</li>", client.get("/account/factor/codes").text)
    client.post("/logout")
    return shown


def test_after_the_password_nothing_answers_but_the_page_that_asks_for_the_code(client, codes, enter):
    assert enter().status_code == 303
    assert client.get("/account").location == "/login/factor?next=/account"
    assert client.post("/account/password").status_code == 401
    assert client.post("/account/factor/remove", data=PASSWORD_ALONE).status_code == 401
    assert client.get("/account/factor/codes").status_code == 303


def test_the_code_completes_the_sign_in(client, person, codes, enter):
    enter()
    answer = client.post("/login/factor", data={"code": code_of(person), "next": "/account"})
    assert (answer.status_code, answer.location) == (303, "/account")
    assert client.get("/account").status_code == 200


def test_a_code_counts_once_and_none_before_it_counts_any_more(client, person, codes, enter):
    enter()
    code = code_of(person)
    assert client.post("/login/factor", data={"code": code}).status_code == 303
    client.post("/logout")
    enter()
    assert client.post("/login/factor", data={"code": code}).status_code == 422
    assert client.post("/login/factor", data={"code": code_of(person, steps=-1)}).status_code == 422
    assert client.post("/login/factor", data={"code": code_of(person, steps=1)}).status_code == 303


def test_a_recovery_code_opens_one_sign_in(client, codes, enter):
    assert len(set(codes)) == factor_rules.RECOVERY_CODES
    enter()
    assert client.post("/login/factor", data={"code": codes[3].upper().replace("-", " ")}).status_code == 303
    client.post("/logout")
    enter()
    assert client.post("/login/factor", data={"code": codes[3]}).status_code == 422
    assert client.post("/login/factor", data={"code": codes[4]}).status_code == 303


def test_guessing_a_code_is_slowed_down(client, person, codes, enter):
    enter()
    for _ in range(10):
        client.post("/login/factor", data={"code": "000000"})
    assert client.post("/login/factor", data={"code": code_of(person)}).status_code == 429


@pytest.mark.parametrize("typed", ["", "12345", "١٢٣٤٥٦", "12345a", "1" * 41, "k7mp-x2qa-9wt1"])
def test_what_is_no_code_is_refused_in_words(client, codes, enter, typed):
    enter()
    answer = client.post("/login/factor", data={"code": typed})
    assert answer.status_code == 422
    assert "Not signed in yet." in answer.text


def test_the_code_of_another_person_does_not_count(client, person, codes, enter, make_staff):
    other = make_staff(Role.NURSE, password=PASSWORD)
    login = LoginSession(is_factor_due=True)
    factors.begin(other, login=login, secrets=SECRETS, at=clock.now())
    enter()
    assert client.post("/login/factor", data={"code": code_of(other)}).status_code == 422


def test_secrets_and_recovery_codes_are_not_readable_in_the_database(codes, person):
    found = factors.authenticator_of(person.id)
    secret = factors.secret_of(found, SECRETS)
    assert secret not in found.sealed_secret
    kept = db.session.scalars(sa.select(RecoveryCode.code_hash)).all()
    assert not set(kept) & set(codes)


def test_adding_and_removing_ask_for_the_password(client, person, codes, enter):
    enter()
    client.post("/login/factor", data={"code": code_of(person)})
    assert client.post("/account/factor/remove", data={"password": "not the password"}).status_code == 422
    assert client.post("/account/factor/remove", data=PASSWORD_ALONE).status_code == 303
    assert client.post("/account/factor", data={"password": "not the password"}).status_code == 422
    client.post("/logout")
    enter()
    assert client.get("/account").status_code == 200


def test_a_save_that_met_an_ended_sign_in_needs_the_code_too(client, person, codes, enter):
    enter()
    client.post("/login/factor", data={"code": code_of(person)})
    db.session.execute(sa.update(LoginSession).where(LoginSession.ended_at.is_(None)).values(ended_at=clock.now()))
    typed = {"new": "x"}
    page = client.post("/account/password", data=typed)
    assert "Code from the app" in page.text
    assert client.post("/account/password", data={**typed, "password_to_go_on": PASSWORD}).status_code == 401
    with_code = {**typed, "password_to_go_on": PASSWORD, "code_to_go_on": code_of(person, steps=1)}
    assert (
        client.post("/account/password", data=with_code).status_code == 422
    )  # it has gone on, to the form's own words


# --- required by role ------------------------------------------------------------------------------------------------


@pytest.fixture
def required(clinic):
    clinic.factor_roles = frozenset({"nurse"})
    db.session.flush()


def test_a_role_that_needs_it_adds_an_app_before_anything_else(client, person, required, enter):
    enter()
    assert client.get("/account").location == "/login/factor?next=/account"
    assert "Add an app" in client.get("/login/factor").text
    assert client.post("/account/factor").status_code == 303
    assert client.post("/account/factor/confirm", data={"code": code_of(person)}).status_code == 303
    assert client.get("/account").status_code == 200


def test_a_role_that_needs_it_cannot_remove_it(client, person, required, enter):
    enter()
    client.post("/account/factor")
    client.post("/account/factor/confirm", data={"code": code_of(person)})
    assert client.post("/account/factor/remove", data=PASSWORD_ALONE).status_code == 422


def test_the_password_alone_never_replaces_the_app(client, person, codes, enter):
    enter()
    assert client.post("/account/factor", data=PASSWORD_ALONE).status_code == 422
    assert client.post("/account/factor/confirm", data={"code": code_of(person)}).location == "/login/factor"
    assert client.get("/account").status_code == 303


def test_an_admin_decides_which_roles_need_it(client, admin, clinic):
    client.sign_in(admin)
    assert client.post("/staff/second-factor", data={"roles": ["nurse", "physician"]}).status_code == 303
    assert clinic.factor_roles == {"nurse", "physician"}
    assert client.post("/staff/second-factor", data={"roles": ["pharaoh"]}).status_code == 422


# --- reset -----------------------------------------------------------------------------------------------------------


PROVED = {"proof": "came in person", "own_password": PASSWORD}


@pytest.fixture
def admin(make_staff):
    return make_staff(Role.ADMIN, password=PASSWORD)


def test_one_admin_alone_resets_nobody_where_there_is_another(client, admin, person, codes, make_staff):
    client.sign_in(admin)
    second, address = make_staff(Role.ADMIN, password=PASSWORD), f"/staff/{person.id}/factor/reset"
    assert address in client.get(f"/staff/{person.id}").text
    behind = {"second_id": str(second.id), "password": PASSWORD}
    wrong = ({}, behind | {"password": "not hers"}, behind | {"second_id": str(admin.id)}, behind | {"proof": " "})
    for sent in (*wrong, behind | {"own_password": "not mine"}):
        assert client.post(address, data=PROVED | sent).status_code == 422
    assert client.post(address, data=PROVED | behind).status_code == 303
    told = account_events(person.id)[0].details
    assert (told["act"], told["reason"]) == (f"with {second.name}", "came in person")


@pytest.fixture
def link(client, admin, person, codes):
    """The link that an admin made for the person who lost the app."""
    client.sign_in(admin)
    assert client.post(f"/staff/{person.id}/factor/reset", data=PROVED).status_code == 303
    page = client.get(f"/staff/{person.id}").text
    assert "factor/reset/" not in client.get(f"/staff/{person.id}").text  # shown once
    client.post("/logout")
    return re.search(r"/login/factor/reset/[\w-]+", page)[0]


def test_the_link_wants_the_password_and_gives_another_app(client, person, link, enter):
    assert client.get(link).status_code == 303  # nobody is signed in
    enter()
    assert client.get(link).status_code == 200
    assert client.post(link).location == "/account/factor"
    assert client.post("/account/factor/confirm", data={"code": code_of(person)}).status_code == 303
    assert client.get("/account").status_code == 200


def test_until_the_link_is_used_the_old_app_counts(client, person, link, enter):
    enter()
    assert client.post("/login/factor", data={"code": code_of(person)}).status_code == 303


def test_the_link_works_once_for_its_person_and_for_an_hour(client, person, link, enter, make_staff):
    other = make_staff(Role.NURSE, password=PASSWORD)
    client.post("/login", data={"email": other.email, **PASSWORD_ALONE})
    assert client.post(link).status_code == 422
    client.post("/logout")
    with clock.standing_at(clock.now() + timedelta(minutes=61)):
        enter()
        assert client.post(link).status_code == 422
    enter()
    assert client.post(link).status_code == 303
    assert client.post(link).status_code == 422


def test_a_reset_that_was_not_finished_leaves_nobody_in_with_the_password_alone(client, person, link, enter):
    enter()
    assert client.post(link).status_code == 303
    client.post("/logout")
    enter()
    assert client.get("/account").location == "/login/factor?next=/account"
    assert "Ask an admin for another link" in client.get("/login/factor").text
    assert client.get("/account/factor").location == "/login/factor"
    assert client.post("/account/factor").status_code == 422
    assert client.post("/account/factor/confirm", data={"code": code_of(person)}).location == "/login/factor"


def test_no_reset_reaches_a_disabled_account_or_another_clinic(client, admin, person, codes, make_clinic):
    elsewhere = StaffRole(staff_id=person.id, clinic_id=make_clinic().id, role=Role.NURSE, granted_at=clock.now())
    client.sign_in(admin)
    person.status = StaffStatus.DISABLED
    assert client.post(f"/staff/{person.id}/factor/reset", data=PROVED).status_code == 422
    person.status = StaffStatus.ACTIVE
    db.session.add(elsewhere)
    db.session.flush()
    assert client.post(f"/staff/{person.id}/factor/reset", data=PROVED).status_code == 422


def test_adding_an_app_ends_the_sign_ins_that_gave_the_password_alone(app, client, person, enter):
    thief = app.test_client()
    thief.sign_in(person)
    enter()
    client.post("/account/factor", data=PASSWORD_ALONE)
    client.post("/account/factor/confirm", data={"code": code_of(person)})
    assert thief.get("/account").location.startswith("/login")
    assert client.get("/account").status_code == 200


def test_a_link_for_the_factor_is_none_for_the_password(client, link):
    token = link.rsplit("/", 1)[1]
    assert client.get(f"/invitation/{token}").status_code == 404


def test_nobody_resets_the_own_factor(client, admin):
    client.sign_in(admin)
    assert client.post(f"/staff/{admin.id}/factor/reset", data=PROVED).status_code == 422


def test_a_removed_app_stays_as_a_row(codes, person, clinic):
    factors.remove(person, clinic=clinic, at=clock.now())
    assert db.session.scalar(sa.select(sa.func.count(Authenticator.id))) == 1
