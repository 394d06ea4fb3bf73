"""The trail on screen: acts on accounts for an admin, the own acts for everybody, a patient for nobody."""

import csv
import io

import pytest

from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import clock, db


@pytest.fixture
def happened(nurse, admin, make_patient):
    """The nurse was disabled for a reason that a spreadsheet would obey, and opened a chart."""
    patient = make_patient()
    audit.record(AuditAction.STAFF_DISABLED, nurse, actor_id=admin.id, at=clock.now(), reason="=left the clinic")
    audit.record(AuditAction.PATIENT_READ, patient, actor_id=nurse.id, at=clock.now())
    db.session.flush()
    return patient


def test_an_admin_sees_acts_on_accounts_and_no_patient(client, admin, nurse, happened):
    client.sign_in(admin)
    page = client.get("/audit").text
    assert "=left the clinic" in page
    assert nurse.name in page
    assert happened.family_name not in page
    assert "patient read" not in page


def test_the_lines_of_one_person_and_of_some_days(client, admin, nurse, happened):
    client.sign_in(admin)
    assert "account disabled" in client.get(f"/audit?person={nurse.id}").text
    assert "account disabled" not in client.get("/audit?from=01-Jan-2024&until=02-Jan-2024").text
    assert client.get("/audit?from=tomorrow-ish").status_code == 400
    assert client.get("/audit?person=x").status_code == 404
    assert client.get("/audit?until=9999-12-31").status_code == 400
    assert client.get("/audit?from=0001-01-01").status_code == 400


def test_the_file_obeys_nothing_and_the_export_is_a_line(client, admin, happened):
    client.sign_in(admin)
    answer = client.get("/audit/table")
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0][:3] == ["Line", "Time (UTC)", "Who"]
    assert all(not cell.startswith(("=", "+", "@")) for row in rows for cell in row)
    assert "trail exported" in client.get("/audit").text


def test_everybody_sees_the_own_acts(client, nurse, admin, happened):
    client.sign_in(nurse)
    page = client.get("/account/acts").text
    assert "patient read" in page
    assert happened.family_name not in page
