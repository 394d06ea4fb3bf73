"""Licences and certificates: dated rows, warned of when they have ended; and who has which second factor."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clinic.accounts import credentials, factors, staff_operations
from clinic.accounts.credentials import Paper
from clinic.core import clock, db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Role
from clinic.orders.facing import clinic_day

LICENCE = Paper("RN licence", "12345", "State Board", date(2027, 1, 31))


@pytest.fixture
def admins_browser(client, admin):
    client.sign_in(admin)
    return client


@pytest.fixture
def licence(nurse, admin):
    return credentials.write_down(nurse, LICENCE, by=admin, at=clock.now())


def test_a_credential_is_renewed_and_the_old_one_stays(admins_browser, nurse, licence):
    address = f"/staff/{nurse.id}/credentials"
    sent = {"kind": "RN licence", "number": "12345", "issuer": "State Board", "until_on": "31-Jan-2029"}
    sent |= {"replaces": str(licence.id)}
    assert "Say why" in admins_browser.post(address, data=sent).text
    page = admins_browser.post(address, data=sent | {"reason": "renewed"}, follow_redirects=True).text
    assert [one.valid_until for one in credentials.standing([nurse.id])] == [date(2029, 1, 31)]
    assert "31-Jan-2027" in page
    assert len(credentials.history(nurse.id)) == 2


def test_one_that_never_held_is_taken_back(admins_browser, nurse, licence):
    sent = {"act": "take back", "reason": "of another person"}
    address = f"/staff/{nurse.id}/credentials"
    assert "Choose which one" in admins_browser.post(address, data=sent).text
    assert admins_browser.post(address, data=sent | {"replaces": str(licence.id)}).status_code == 303
    assert not credentials.standing([nurse.id])


def test_the_list_warns_of_what_expired_and_of_nobody_disabled(admins_browser, nurse, make_staff, admin):
    ended = Paper("ACLS", None, "Heart School", clinic_day(clock.now()) - timedelta(days=1))
    credentials.write_down(nurse, ended, by=admin, at=clock.now())
    gone = make_staff(Role.NURSE)
    credentials.write_down(gone, Paper("BLS", None, "Heart School", ended.valid_until), by=admin, at=clock.now())
    staff_operations.disable(gone, "left", by=admin, at=clock.now())
    page = admins_browser.get("/staff").text
    assert "ACLS expired on" in page
    assert "BLS" not in page


def test_nobody_writes_down_the_own_credentials(admin):
    with pytest.raises(RuleBroken, match="another admin"):
        credentials.write_down(admin, LICENCE, by=admin, at=clock.now())


def test_the_database_changes_no_credential(licence):
    for statement in ("UPDATE staff_credential SET valid_until = '2030-01-01'", "DELETE FROM staff_credential"):
        with pytest.raises(IntegrityError), db.session.begin_nested():
            db.session.execute(sa.text(statement))


def test_the_list_says_who_has_no_second_factor(admins_browser, nurse, admin):
    page = admins_browser.get("/staff").text
    assert "none yet" in page
    assert factors.kinds_of([nurse.id, admin.id]) == {}


@pytest.mark.usefixtures("licence")
def test_another_clinics_admin_finds_no_credentials(refuses_strangers, nurse):
    address = f"/staff/{nurse.id}/credentials"
    db.session.expire_all()  # a request begins with an empty session
    refuses_strangers(address, as_roles=(Role.ADMIN,))
