"""A passkey in place of a password that is asked for again: of the right person, once, soon, at this sign-in."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from clinic.accounts import operations, proofs, second_person
from clinic.accounts.models import LoginSession
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import clock, db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, Role
from tests.device import Device
from tests.factories.accounts import PASSWORD


@pytest.fixture
def equip(client):
    """Gives a person a device with a passkey, at this browser."""

    def equipping(person):
        made = Device()
        client.sign_in(person)
        answer = made.make(client.get("/account/passkeys/new").json)
        client.post("/account/passkeys", data={"name": "phone", "password": PASSWORD, "credential": answer})
        return made

    return equipping


@pytest.fixture
def witness(make_staff):
    return make_staff(Role.NURSE, password=PASSWORD)


@pytest.fixture
def word(client, equip, witness, make_staff):
    """What the witness's passkey proved at a colleague's screen."""
    theirs = equip(witness)
    client.sign_in(make_staff(Role.NURSE))
    return prove(client, theirs).json["word"]


def prove(client, device):
    answer = device.answer(client.get("/login/passkey").json)
    return client.post("/account/passkeys/prove", data={"credential": answer})


def trail(action):
    return db.session.scalar(sa.select(sa.func.count()).where(AuditEntry.action == action))


def check(person, secret, at=None):
    operations.check_password(person, secret, at=at or clock.now())


def test_a_witness_proves_by_a_passkey_at_somebody_elses_screen(word, witness):
    found = second_person.proved(
        str(witness.id), word, permission=Permission.RUN_SESSION, at=clock.now(), field="witness"
    )
    assert found is witness
    assert trail(AuditAction.PASSKEY_GIVEN) == 1


def test_what_it_proved_counts_once(word, witness):
    check(witness, word)
    with pytest.raises(RuleBroken):
        check(witness, word)


def test_it_proves_nothing_for_the_person_at_the_screen(word, make_staff):
    with pytest.raises(RuleBroken):
        check(make_staff(Role.NURSE), word)


def test_it_proves_nothing_after_two_minutes(word, witness):
    with pytest.raises(RuleBroken):
        check(witness, word, at=clock.now() + proofs.LASTS + timedelta(seconds=1))


@pytest.mark.parametrize("moment", ["ended_at", "locked_at"])
def test_it_ends_with_the_sign_in_and_with_the_lock(word, witness, moment):
    db.session.execute(sa.update(LoginSession).values({moment: clock.now()}))
    with pytest.raises(RuleBroken):
        check(witness, word)


def test_it_signs_nobody_in(client, word, witness):
    client.post("/logout")
    assert client.post("/login", data={"email": witness.email, "password": word}).status_code == 422


def test_a_refused_answer_and_one_of_another_clinic_prove_nothing(client, equip, witness, make_clinic, make_staff):
    theirs = equip(witness)
    theirs.origin = "https://elsewhere.example"
    assert prove(client, theirs).status_code == 422
    theirs.origin = "http://localhost"
    elsewhere = make_clinic().id
    with db.in_clinic(elsewhere):
        client.sign_in(make_staff(Role.NURSE), elsewhere)
    assert prove(client, theirs).status_code == 422
    assert trail(AuditAction.PASSKEY_GIVEN) == 0


def test_the_own_account_takes_it_for_another_factor(client, equip, witness):
    theirs = equip(witness)
    assert client.post("/account/factor", data={"password": prove(client, theirs).json["word"]}).status_code == 303
