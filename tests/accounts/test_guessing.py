from datetime import timedelta

import pytest
import sqlalchemy as sa

from clinic.accounts import guessing, operations
from clinic.accounts.models import LoginFailure
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import clock, db, later
from clinic.core.permissions import Role
from tests.factories.accounts import PASSWORD

WRONG = "not the password at all"


@pytest.fixture
def person(make_staff):
    return make_staff(Role.NURSE, password=PASSWORD)


@pytest.fixture
def fail(client, frozen_clock):
    def post(email, *, times=1, address="10.0.0.7"):
        for _ in range(times):
            answer = client.post(
                "/login", data={"email": email, "password": WRONG}, environ_base={"REMOTE_ADDR": address}
            )
        return answer

    return post


@pytest.fixture
def enter(client):
    def post(person, address="10.0.0.7"):
        return client.post(
            "/login",
            data={"email": person.email, "password": PASSWORD},
            environ_base={"REMOTE_ADDR": address},
        ).status_code

    return post


def refusals():
    return db.session.scalar(
        sa.select(sa.func.count()).select_from(AuditEntry).where(AuditEntry.action == AuditAction.SIGN_IN_REFUSED)
    )


def test_a_refusal_is_counted_although_it_is_rolled_back(person, fail):
    fail(person.email, times=2)
    assert refusals() == 2
    assert db.session.scalar(sa.select(sa.func.count()).select_from(LoginFailure)) == 6


def test_after_ten_wrong_tries_the_right_password_waits_too(person, fail, enter, frozen_clock):
    fail(person.email, times=guessing.MOST_AT_ONE_ADDRESS)
    assert enter(person) == 429
    with clock.standing_at(frozen_clock + guessing.COUNTED_FOR + timedelta(seconds=1)):
        assert enter(person) == 303


def test_nine_wrong_tries_hinder_nobody(person, fail, enter):
    fail(person.email, times=guessing.MOST_AT_ONE_ADDRESS - 1)
    assert enter(person) == 303


def test_somebody_far_away_cannot_keep_a_nurse_out(person, fail, enter):
    fail(person.email, times=20, address="203.0.113.9")
    assert enter(person) == 303


def test_an_unknown_name_is_slowed_down_like_a_known_one(person, fail):
    answers = {fail(email, times=11).status_code for email in (person.email, "nobody@clinic.example")}
    assert answers == {429}


def test_one_password_on_many_names_is_slowed_down(person, make_staff, fail, enter):
    with db.unit_of_work():
        for _ in range(guessing.MOST_FOR_AN_ADDRESS):
            db.session.add(LoginFailure(subject="address:10.0.0.7", failed_at=clock.now()))
    newcomer = make_staff(Role.NURSE, password=PASSWORD)
    with db.unit_of_work():
        operations.open_login(person, db.current_clinic_id(), address="10.0.0.7", browser=None, at=clock.now())
    assert fail("somebody@clinic.example").status_code == 429
    assert enter(newcomer) == 429
    assert enter(person) == 303  # has worked at this address before


def test_the_table_stays_small_whatever_is_tried(fail, frozen_clock):
    for number in range(5):
        with clock.standing_at(frozen_clock + number * timedelta(minutes=11)):
            fail(f"name{number}@clinic.example", times=3)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(LoginFailure)) == 9


def test_wrong_secrets_of_a_signature_are_counted(person, frozen_clock):
    later.begin()
    with pytest.raises(guessing.WrongSecret) as refused:
        operations.check_password(person, WRONG, at=frozen_clock)
    assert refused.value.field == "password"
    (count,) = later.taken()
    count()
    db.session.flush()
    (entry,) = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == AuditAction.SIGNATURE_REFUSED))
    assert entry.actor_id == person.id


def test_a_signature_waits_after_ten_wrong_secrets(person, frozen_clock):
    for _ in range(guessing.MOST_AT_ONE_ADDRESS):
        db.session.add(LoginFailure(subject=f"staff:{person.id}", failed_at=frozen_clock))
    with pytest.raises(guessing.TooManyTries):
        operations.check_password(person, PASSWORD, at=frozen_clock)


def test_the_right_secret_signs(person, frozen_clock):
    later.begin()
    assert operations.check_password(person, PASSWORD, at=frozen_clock) is None
    assert not later.taken()
