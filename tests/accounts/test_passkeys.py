"""Passkeys: both factors at once, for one person, at one address, each challenge once."""

import uuid
from datetime import timedelta

import pytest
import sqlalchemy as sa

from clinic.accounts import factors, passkey_rules
from clinic.accounts.models import Clinic, Passkey, Staff
from clinic.accounts.rules import StaffStatus
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import clock, db
from clinic.core.permissions import Role
from tests.device import IS_BACKED_UP, PRESENT, Device
from tests.factories.accounts import PASSWORD


@pytest.fixture
def person(make_staff):
    return make_staff(Role.NURSE, password=PASSWORD)


@pytest.fixture
def add(client):
    """Adds a device to whoever is signed in, through the page."""

    def adding(device, **values):
        answer = device.make(client.get("/account/passkeys/new").json)
        return client.post(
            "/account/passkeys", data={"name": "ward phone", "password": PASSWORD, "credential": answer, **values}
        )

    return adding


@pytest.fixture
def device(client, person, add):
    """A device whose passkey is the person's, who has signed out again."""
    made = Device()
    client.sign_in(person)
    assert add(made).location == "/account"
    client.post("/logout")
    return made


@pytest.fixture
def enter(client):
    """Signs in with what a device answers; the answer can be changed on its way."""

    def entering(device, change=lambda answer: answer):
        answer = device.answer(client.get("/login/passkey").json)
        return client.post("/login/passkey", data={"credential": change(answer)})

    return entering


def trail(action):
    return db.session.scalar(sa.select(sa.func.count()).where(AuditEntry.action == action))


def test_a_passkey_alone_is_a_whole_sign_in_where_a_second_factor_is_needed(client, clinic, device, enter):
    clinic.factor_roles = frozenset({"nurse"})
    db.session.flush()
    assert enter(device).status_code == 303
    page = client.get("/account").text
    assert "ward phone" in page
    assert trail(AuditAction.PASSKEY_ADDED) == 1


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://clinic.example.evil"},
        {"origin": "http://localhost:8080"},
        {"flags": PRESENT},
        {"handle": bytes(16)},
        {"id": b"somebody else's!"},
    ],
)
def test_an_answer_that_is_not_right_in_every_part_opens_nothing(client, device, enter, lie):
    for name, value in lie.items():
        setattr(device, name, value)
    refused = enter(device)
    assert refused.status_code == 422
    assert "does not open anything here" in refused.text
    assert client.get("/account").status_code == 303
    assert trail(AuditAction.PASSKEY_REFUSED) == 1


@pytest.mark.parametrize(
    "nonsense", ["", "{}", "[]", '{"id": 7}', "{" * 30_000, '{"id": "x", "response": {"userHandle": "%"}}']
)
def test_nonsense_is_refused_in_words(enter, device, nonsense):
    assert enter(device, change=lambda _: nonsense).status_code == 422


def test_half_an_answer_of_a_known_passkey_is_refused_in_words(enter, device):
    for lost in ("signature", "authenticatorData", "clientDataJSON"):
        assert enter(device, change=lambda answer, lost=lost: answer.replace(lost, "other")).status_code == 422


def test_a_challenge_counts_once_even_for_a_copied_cookie(client, device):
    answer = device.answer(client.get("/login/passkey").json)
    with client.session_transaction() as cookie:
        copied = dict(cookie)
    assert client.post("/login/passkey", data={"credential": answer}).status_code == 303
    client.post("/logout")
    with client.session_transaction() as cookie:
        cookie.update(copied)
    assert client.post("/login/passkey", data={"credential": answer}).status_code == 422


def test_an_answer_to_another_browsers_challenge_is_refused(app, client, device):
    options = app.test_client().get("/login/passkey").json
    client.get("/login/passkey")
    assert client.post("/login/passkey", data={"credential": device.answer(options)}).status_code == 422


def test_a_challenge_waits_for_five_minutes(client, device, frozen_clock):
    answer = device.answer(client.get("/login/passkey").json)
    with clock.standing_at(frozen_clock + timedelta(minutes=5)):
        assert client.post("/login/passkey", data={"credential": answer}).status_code == 422


def test_a_copy_of_a_device_is_found_by_its_counter(client, device, enter):
    device.count = 7
    assert enter(device).status_code == 303
    client.post("/logout")
    assert enter(device).status_code == 422
    device.count = 8
    assert enter(device).status_code == 303


def test_whether_a_passkey_is_kept_elsewhere_is_noted_at_each_use(device, enter):
    found = db.session.scalar(sa.select(Passkey))
    assert not found.is_backed_up
    device.flags |= IS_BACKED_UP
    enter(device)
    db.session.refresh(found)
    assert found.is_backed_up
    assert found.used_at is not None


def test_adding_one_wants_the_password_and_a_verified_person(client, person, add):
    client.sign_in(person)
    assert add(Device(), password="not the password").status_code == 422
    assert add(Device("https://elsewhere.example")).status_code == 422
    careless = Device()
    careless.flags = PRESENT
    assert add(careless).status_code == 422
    assert add(Device(), name=" ").status_code == 422
    assert db.session.scalars(sa.select(Passkey)).all() == []


def test_a_removed_passkey_and_one_of_a_disabled_person_open_nothing(client, person, device, enter):
    person.status = StaffStatus.DISABLED
    db.session.flush()
    assert enter(device).status_code == 422
    person.status = StaffStatus.ACTIVE
    db.session.flush()
    enter(device)
    passkey = db.session.scalar(sa.select(Passkey))
    assert client.post(f"/account/passkeys/{passkey.id}/remove", data={"password": "wrong"}).status_code == 422
    assert client.post(f"/account/passkeys/{passkey.id}/remove", data={"password": PASSWORD}).status_code == 303
    client.post("/logout")
    assert enter(device).status_code == 422
    assert trail(AuditAction.PASSKEY_REMOVED) == 1


def test_nobody_removes_the_passkey_of_another(client, device, make_staff):
    client.sign_in(make_staff(Role.NURSE, password=PASSWORD))
    passkey = db.session.scalar(sa.select(Passkey))
    assert client.post(f"/account/passkeys/{passkey.id}/remove", data={"password": PASSWORD}).status_code == 404


def test_the_last_factor_that_a_role_needs_stays(client, clinic, device, enter):
    clinic.factor_roles = frozenset({"nurse"})
    db.session.flush()
    enter(device)
    passkey = db.session.scalar(sa.select(Passkey))
    assert client.post(f"/account/passkeys/{passkey.id}/remove", data={"password": PASSWORD}).status_code == 422


def test_the_password_alone_adds_no_app_past_a_passkey(client, clinic, person, device):
    clinic.factor_roles = frozenset({"nurse"})
    db.session.flush()
    client.post("/login", data={"email": person.email, "password": PASSWORD})
    page = client.get("/login/factor").text
    assert "Now your passkey" in page
    assert "Add an app" not in page
    assert client.post("/account/factor", data={"password": PASSWORD}).status_code == 422
    assert client.get("/account").location == "/login/factor?next=/account"


@pytest.mark.parametrize("needed", [frozenset(), frozenset({"nurse"})])
def test_a_reset_by_an_admin_takes_the_passkeys_away(client, device, enter, admin, needed):
    db.session.get(Clinic, db.current_clinic_id()).factor_roles = needed
    person = db.session.get(Staff, uuid.UUID(bytes=device.handle))
    token = factors.start_reset(person, "came in person", by=admin, at=clock.now())
    client.post("/login", data={"email": person.email, "password": PASSWORD})
    assert client.get(f"/login/factor/reset/{token}").status_code == 200
    assert client.post(f"/login/factor/reset/{token}").location == ("/account/factor" if needed else "/account")
    client.post("/logout")
    assert enter(device).status_code == 422


def test_whoever_takes_over_a_locked_tablet_signs_in_at_once_as_themselves(client, device, enter, make_staff):
    client.sign_in(make_staff(Role.PHYSICIAN))
    client.post("/lock")
    assert "Use a passkey" in client.get("/unlock").text
    answer = device.answer(client.get("/login/passkey").json)
    assert client.post("/login/passkey", data={"credential": answer, "next": "/account"}).location == "/"
    assert "ward phone" in client.get("/account").text


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://Clinic.example", "https://clinic.example"),
        ("https://clinic.example:443/", "https://clinic.example"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("http://clinic.example", None),
        ("https://10.0.0.7", None),
        ("", None),
    ],
)
def test_passkeys_belong_to_a_name_with_https(address, origin):
    party = passkey_rules.party_at(address)
    assert (party and party.origin) == origin
