"""A bedside PIN opens the lock where its person signed in fully, proves a witness there, and nothing else."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clinic.accounts import operations, pin_rules, pins, proofs, second_person, staff_operations
from clinic.accounts.models import BedsidePin, LoginSession
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import clock, db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, Role
from tests.factories.accounts import PASSWORD

PIN = "804735"
WRONG_PIN = "804736"


@pytest.fixture
def enter(client):
    """Signs a person in at this tablet, by the sign-in page."""

    def entering(person, browser=client):
        answer = browser.post("/login", data={"email": person.email, "password": PASSWORD})
        assert answer.status_code == 303

    return entering


@pytest.fixture
def make_holder(make_staff, frozen_clock):
    """Makes a nurse with a password and a PIN."""

    def make(pin=PIN):
        person = make_staff(Role.NURSE, password=PASSWORD)
        with db.unit_of_work():
            pins.set_own(pin, by=person, at=frozen_clock)
        return person

    return make


@pytest.fixture
def holder(make_holder):
    return make_holder()


@pytest.fixture
def locked(client, enter, holder):
    enter(holder)
    client.post("/lock")
    return holder


def trail(action):
    return db.session.scalar(sa.select(sa.func.count()).where(AuditEntry.action == action))


# --- what a PIN may be -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pin", ["80473", "804735291", "80473a", "８０４７３５", "٣٤٥٦٧٨", "", " 804735"])
def test_a_pin_has_six_to_eight_digits(pin):
    assert "digits" in pin_rules.pin_problem(pin)


@pytest.mark.parametrize(
    "pin",
    ["123456", "654321", "000000", "121212", "123123", "112233", "147258", "19840317", "170384", "031784", "840317"],
)
def test_a_pin_that_is_tried_first_is_refused(pin):
    assert "first" in pin_rules.pin_problem(pin)


@pytest.mark.parametrize("pin", [PIN, WRONG_PIN, "902746", "58304917", "7402968"])
def test_a_pin_without_order_is_free(pin):
    assert pin_rules.pin_problem(pin) is None


# --- set, kept, taken away -------------------------------------------------------------------------------------------


def test_the_password_is_asked_for_before_a_pin_is_set(client, make_staff):
    person = make_staff(Role.NURSE, password=PASSWORD)
    client.sign_in(person)
    wanted = {"pin": PIN, "pin_again": PIN}
    assert client.post("/account/pin", data={**wanted, "pin_password": "not the password at all"}).status_code == 422
    assert pins.of_person(person.id) is None
    assert client.post("/account/pin", data={**wanted, "pin_password": PASSWORD}).status_code == 303
    assert "Bedside PIN" in client.get("/account").text
    assert trail(AuditAction.PIN_SET) == 1
    assert client.post("/account/pin/remove").status_code == 303
    assert pins.of_person(person.id) is None


def test_only_a_hash_is_kept(holder):
    kept = pins.of_person(holder.id).pin_hash
    assert kept.startswith("$argon2id$")
    assert PIN not in kept
    db.session.add(BedsidePin(staff_id=holder.id, pin_hash=PIN, created_at=clock.now(), removed_at=clock.now()))
    with pytest.raises(IntegrityError, match="is_hashed"):
        db.session.flush()


def test_another_pin_takes_the_place_of_the_first(holder):
    pins.set_own("902746", by=holder, at=clock.now())
    assert db.session.scalar(sa.select(sa.func.count()).select_from(BedsidePin)) == 2
    with pytest.raises(IntegrityError, match="removed_pin_stays"), db.session.begin_nested():
        db.session.execute(sa.update(BedsidePin).values(removed_at=None))


def test_a_changed_password_and_a_disabled_account_take_it_away(client, holder, make_holder, admin, clinic):
    client.sign_in(holder)
    new = {"current": PASSWORD, "new": "willow harbour copper thirteen", "again": "willow harbour copper thirteen"}
    assert client.post("/account/password", data=new).status_code == 303
    other = make_holder()
    staff_operations.disable(other, "left", by=admin, at=clock.now())
    assert pins.of_person(holder.id) is None
    assert pins.of_person(other.id) is None


# --- the lock --------------------------------------------------------------------------------------------------------


def test_the_pin_takes_the_lock_off(client, locked):
    assert 'name="pin"' in client.get("/unlock").text
    assert client.post("/unlock", data={"pin": PIN, "next": "/account"}).location == "/account"
    assert client.get("/account").status_code == 200


def test_five_wrong_ones_end_it_at_this_sign_in_and_the_password_still_opens(client, locked):
    for _ in range(pin_rules.MOST_WRONG):
        assert client.post("/unlock", data={"pin": WRONG_PIN}).status_code == 422
    refused = client.post("/unlock", data={"pin": PIN})
    assert "too many" in refused.text.lower()
    assert 'name="pin"' not in client.get("/unlock").text
    assert trail(AuditAction.PIN_REFUSED) == pin_rules.MOST_WRONG
    assert client.post("/unlock", data={"password": PASSWORD}).status_code == 303


def test_wrong_tries_are_never_forgotten(client, locked):
    client.post("/unlock", data={"pin": WRONG_PIN})
    with pytest.raises(IntegrityError, match="pin_tries_only_go_on"), db.session.begin_nested():
        db.session.execute(sa.update(LoginSession).where(LoginSession.staff_id == locked.id).values(pin_wrong=0))


def test_another_persons_pin_does_not_take_it_off(client, locked, make_holder):
    make_holder("902746")
    assert client.post("/unlock", data={"pin": "902746"}).status_code == 422


def test_before_the_second_factor_it_opens_nothing(client, enter, holder):
    enter(holder)
    db.session.execute(sa.update(LoginSession).values(is_factor_due=True, locked_at=clock.now()))
    assert client.post("/unlock", data={"pin": PIN}).status_code == 422


def test_it_signs_nobody_in_and_signs_nothing(client, enter, holder):
    assert client.post("/login", data={"email": holder.email, "password": PIN}).status_code == 422
    enter(holder)
    with pytest.raises(RuleBroken, match="PIN does not do here"):
        operations.check_password(holder, PIN, at=clock.now())
    assert client.post("/account/factor", data={"password": PIN}).status_code == 422


# --- a witness -------------------------------------------------------------------------------------------------------


def witness(person, pin=PIN, at=None):
    return second_person.proved(
        str(person.id), pin, permission=Permission.RUN_SESSION, at=at or clock.now(), field="witness"
    )


def test_a_witness_proves_by_pin_where_both_signed_in(client, app, enter, holder, make_holder):
    enter(holder)
    enter(make_holder("902746"))
    device = db.session.scalars(sa.select(LoginSession.device_hash).distinct()).one()
    proofs.device.set(device)
    assert witness(holder) is holder
    assert trail(AuditAction.PIN_GIVEN) == 1
    with pytest.raises(RuleBroken, match="not your PIN"):
        witness(holder, WRONG_PIN)
    with pytest.raises(RuleBroken, match="within the last 12 hours"):
        witness(holder, at=clock.now() + pin_rules.LASTS + timedelta(minutes=1))


def test_at_a_device_where_the_witness_did_not_sign_in_the_pin_proves_nothing(app, enter, holder, make_holder):
    enter(holder, app.test_client())
    enter(make_holder("902746"), app.test_client())
    for device in (
        None,
        *db.session.scalars(sa.select(LoginSession.device_hash).where(LoginSession.staff_id != holder.id)),
    ):
        proofs.device.set(device)
        with pytest.raises(RuleBroken, match="only where you signed in"):
            witness(holder)


# --- taking turns ----------------------------------------------------------------------------------------------------


def place_of(person):
    found = sa.select(LoginSession.id).where(LoginSession.staff_id == person.id, LoginSession.ended_at.is_(None))
    return f"/switch/{db.session.scalars(found).one()}"


def test_people_who_signed_in_at_one_tablet_take_turns_by_pin(client, enter, locked, make_holder):
    second = make_holder("902746")
    assert locked.name in client.get("/login").text
    enter(second)
    assert second.email in client.get("/account").text
    client.post("/lock")
    assert locked.name in client.get("/unlock").text
    assert client.post(place_of(locked), data={"pin": "902746"}).status_code == 422
    assert client.post(place_of(locked), data={"pin": PIN}).location == "/"
    assert locked.email in client.get("/account").text
    client.post("/lock")
    assert client.post(place_of(second), data={"pin": "902746"}).location == "/"


def test_a_turn_makes_the_cookie_of_before_worthless(client, app, enter, locked, make_holder):
    copied = client.get_cookie("chairtime").value
    enter(make_holder("902746"))
    client.post(place_of(locked), data={"pin": PIN})
    thief = app.test_client()
    thief.set_cookie("chairtime", copied)
    assert thief.get("/account").status_code == 303


def test_another_device_does_not_find_who_waits_here(app, locked):
    other = app.test_client()
    assert locked.name not in other.get("/login").text
    assert other.get(place_of(locked)).status_code == 404
    assert other.post(place_of(locked), data={"pin": PIN}).status_code == 404


def test_who_signed_out_waits_nowhere(client, locked):
    place = place_of(locked)
    client.post("/logout")
    assert client.get(place).status_code == 404
    assert locked.name not in client.get("/login").text


def test_a_sign_in_never_moves_to_another_person_and_stays_ended(client, locked, admin):
    for values, guard in (({"staff_id": admin.id}, "sign_in_stays_its_persons"), ({"device_hash": "x"}, "its_device")):
        with pytest.raises(IntegrityError, match=guard), db.session.begin_nested():
            db.session.execute(sa.update(LoginSession).values(values))
    client.post("/logout")
    with pytest.raises(IntegrityError, match="ended_sign_in_stays"), db.session.begin_nested():
        db.session.execute(sa.update(LoginSession).values(ended_at=None))
