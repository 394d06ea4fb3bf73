"""Whoever tries to witness without being able to gets nowhere, on any act that two people sign; no line is changed."""

from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from clinic.accounts.rules import StaffStatus
from clinic.core import db
from clinic.core.permissions import Role
from clinic.druglog import operations, stock_queries
from clinic.druglog.models import RegisterEntry
from tests.factories.accounts import PASSWORD
from tests.factories.sessions import START


@pytest.fixture
def me(client, make_staff, at_minute):
    at_minute(10)
    person = make_staff(Role.NURSE, password=PASSWORD)
    client.sign_in(person)
    return person


@pytest.fixture
def acts(make_vials, make_drawn, me, nurse):
    """Every post that takes two people: its address and what else it sends."""
    account, vial = make_drawn(given=50)
    page, sheet = vial.register, f"pieces-{vial.register_id}"
    other = make_vials(1)[0]
    opened = operations.report_difference(page, Decimal(20), "a vial broke", by=nurse, at=START)
    drawn = stock_queries.lines_of(page.id)[-2]
    bag = {"kind": "bag", "drug_name": "ketamine", "amount_mg": "50", "volume_ml": "50"}
    return {
        f"/drugs/accounts/{account.id}/prepare": bag | {"day": "19-Nov-2025", "clock": "09:00"},
        f"/drugs/{page.id}/waste/{account.id}": {"measured": "150", "how": "other"},
        f"/drugs/{page.id}/count": {"pieces": "1"},
        f"/drugs/cabinets/{page.cabinet_id}/count": {"purpose": "shift", sheet: "1"},
        f"/drugs/containers/{other.id}": {"act": "destroy", "reason": "expired"},
        f"/drugs/lines/{drawn.id}/strike": {"reason": "wrong"},
        f"/drugs/discrepancies/{opened.id}": {"kind": "resolved", "cause": "spill", "note": "found"},
    }


def _oneself(me, _make):
    return {"witness_id": str(me.id), "password": PASSWORD}


def _disabled(_me, make):
    person = make(Role.NURSE, password=PASSWORD)
    person.status = StaffStatus.DISABLED
    return {"witness_id": str(person.id), "password": PASSWORD}


def _desk(_me, make):
    return {"witness_id": str(make(Role.SCHEDULER, password=PASSWORD).id), "password": PASSWORD}


def _guessed(_me, make):
    return {"witness_id": str(make(Role.NURSE, password=PASSWORD).id), "password": "a guess"}


def _borrowed(_me, make):
    """Somebody else at a screen that was left open does not know the password of whoever is signed in."""
    return {"witness_id": str(make(Role.NURSE, password=PASSWORD).id), "password": PASSWORD, "own_password": "a guess"}


def _nobody(_me, _make):
    return {}


@pytest.mark.parametrize("attempt", [_oneself, _disabled, _desk, _guessed, _borrowed, _nobody])
def test_no_attempt_to_witness_gets_a_line_written(client, acts, me, make_staff, attempt):
    tried = {"own_password": PASSWORD} | attempt(me, make_staff)
    before = db.session.scalar(sa.select(sa.func.count(RegisterEntry.id)))
    for address, sent in acts.items():
        assert client.post(address, data=sent | tried).status_code == 422, address
    assert db.session.scalar(sa.select(sa.func.count(RegisterEntry.id))) == before
    assert not stock_queries.discrepancies()[0].steps


def test_the_same_posts_are_taken_from_two_people(client, acts, make_staff):
    two = {"witness_id": str(make_staff(Role.NURSE, password=PASSWORD).id), "password": PASSWORD}
    for address, sent in acts.items():
        assert client.post(address, data=sent | two | {"own_password": PASSWORD}).status_code == 303, address


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE register_entry SET quantity_mg = 1",
        "UPDATE register_entry SET witness_id = NULL",
        "UPDATE register_entry SET register_after_mg = register_after_mg + 1",
        "DELETE FROM register_entry",
        "UPDATE container SET lot = 'other'",
        "DELETE FROM container",
        "DELETE FROM drug_account",
        "UPDATE discrepancy SET amount_mg = 0",
        "DELETE FROM discrepancy",
    ],
)
def test_the_database_refuses_a_changed_line(acts, change):
    with pytest.raises(DBAPIError), db.session.begin_nested():
        db.session.execute(sa.text(change))
