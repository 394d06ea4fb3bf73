"""The trail tells of the rows themselves: one that was changed, put in or taken away by hand is named."""

import pytest
import sqlalchemy as sa

from clinic.audit import row_digests, verify
from clinic.audit.adopting import adopt_rows
from clinic.audit.models import AuditEntry, AuditLink
from clinic.audit.rules import AuditAction
from clinic.cli import main
from clinic.core import db
from clinic.patients import operations as patients
from tests.audit.test_chain import AT, by_hand


@pytest.fixture
def weighed(committed_db, make_weight):
    """A patient's weight, entered the usual way."""
    return make_weight()


def differing():
    told = {}
    with db.unit_of_work(write=False):
        assert verify.faults(db.session, told=told) == []
        return [(table, what) for table, _, what in row_digests.differing(db.session, told.values())]


@pytest.fixture
def told(weighed):
    """The trail knows every row."""
    adopt_rows(at=AT)
    assert differing() == []


BY_HAND = {
    "a value": ("UPDATE weight SET kg = kg + 10000", [("weight", "it was changed")]),
    "a name": ("UPDATE patient SET family_name = 'Other'", [("patient", "it was changed")]),
    "a row taken away": ("DELETE FROM weight", [("weight", "it is gone")]),
}


def without_guards(statement, table):
    engine = db.engine()
    with engine.execution_options(write=True).begin() as connection:
        if engine.dialect.name == "sqlite":
            found = sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table")
            for name in connection.execute(found, {"table": table}).scalars().all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            connection.exec_driver_sql("SET session_replication_role TO replica")
        connection.exec_driver_sql(statement)


@pytest.mark.parametrize("act", BY_HAND)
def test_names_what_was_done_by_hand(told, act):
    statement, expected = BY_HAND[act]
    without_guards(statement, expected[0][0])
    assert differing() == expected


def test_names_a_row_that_was_put_in(told):
    without_guards("INSERT INTO site (id, clinic_id, name) SELECT id, id, 'x' FROM clinic", "site")
    assert differing() == [("site", "the trail does not know it")]


def test_a_change_the_usual_way_is_told(told, weighed, nurse, clinic):
    with db.unit_of_work():
        patient = db.session.get(type(weighed).patient.property.mapper.class_, weighed.patient_id)
        patients.change_problem(patient, "back pain", by=nurse, at=AT)
    assert differing() == []


def test_what_was_told_is_under_the_seal(told):
    by_hand("UPDATE audit_link SET rows = '{}' WHERE rows IS NOT NULL")
    with db.unit_of_work(write=False):
        assert verify.faults(db.session)


def test_a_request_that_writes_no_line_leaves_one_about_its_rows(client, committed_db, admin, monkeypatch):
    client.sign_in(admin)
    monkeypatch.setattr("clinic.keeping.retention.audit.record", lambda *_, **__: None)
    sent = {"kind": "keys", "number": "30", "unit": "days", "reason": "our rule"}
    client.post("/clinic/retention", data=sent)
    with db.unit_of_work(write=False):
        asked = sa.select(AuditLink.rows).join(AuditEntry, AuditEntry.id == AuditLink.entry_id)
        (rows,) = db.session.scalars(asked.where(AuditEntry.action == AuditAction.ROWS_WRITTEN))
    assert "retention_period" in rows


def test_the_command_names_the_row(app, told):
    runner = app.test_cli_runner()
    assert "as the trail told" in runner.invoke(main, ["audit", "verify", "--rows"]).output
    without_guards("UPDATE weight SET kg = kg + 10000", "weight")
    result = runner.invoke(main, ["audit", "verify", "--rows"])
    assert result.exit_code == 1
    assert "it was changed" in result.output


def test_the_demonstration_clinic_was_told_row_by_row(demo_copy):
    db.init(demo_copy)
    assert differing() == []
