import uuid
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from clinic.audit import operations as audit
from clinic.audit.models import AuditEntry
from clinic.audit.queries import account_events
from clinic.audit.rules import AuditAction
from clinic.core import db

AT = datetime(2025, 11, 18, 9, 0, tzinfo=UTC)


@pytest.fixture
def entry(nurse):
    made = audit.record(AuditAction.STAFF_CHANGED, nurse, actor_id=nurse.id, at=AT, dose=Decimal("0.50"))
    db.session.flush()
    return made


ATTACKS = {
    "change": "UPDATE audit_entry SET body = '{}' WHERE id = :id",
    "change of everything": "UPDATE audit_entry SET actor_id = NULL",
    "deletion": "DELETE FROM audit_entry WHERE id = :id",
    "deletion of everything": "DELETE FROM audit_entry",
}
REPLACING = {
    "sqlite": [
        "INSERT OR REPLACE INTO audit_entry SELECT * FROM audit_entry WHERE id = :id",
        "REPLACE INTO audit_entry SELECT * FROM audit_entry WHERE id = :id",
        "INSERT INTO audit_entry SELECT * FROM audit_entry WHERE id = :id ON CONFLICT (id) DO UPDATE SET body = '{}'",
    ],
    "postgresql": [
        "TRUNCATE audit_entry CASCADE",
        "INSERT INTO audit_entry SELECT * FROM audit_entry WHERE id = :id ON CONFLICT (id) DO UPDATE SET body = '{}'",
    ],
}


def assert_refused(statement, entry):
    key = sa.bindparam("id", entry.id, type_=sa.Uuid())
    command = sa.text(statement)
    with pytest.raises(DBAPIError) as refused, db.session.begin_nested():
        db.session.execute(command.bindparams(key) if ":id" in statement else command)
    assert "audit_entry" in str(refused.value.orig)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry)) > 0


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_the_database_refuses(entry, attack):
    assert_refused(attack, entry)


def test_the_database_refuses_to_replace(entry):
    for attack in REPLACING[db.engine().dialect.name]:
        assert_refused(attack, entry)


def test_decimals_are_kept_as_they_were_written(entry):
    assert entry.body == '{"dose":"0.50"}'


@pytest.mark.parametrize("value", [0.5, float("nan"), object(), [0.5], {"rate": 0.5}])
def test_floats_and_unknown_things_are_refused(nurse, value):
    with pytest.raises(TypeError, match="trail cannot hold"):
        audit.record(AuditAction.STAFF_CHANGED, nurse, actor_id=nurse.id, at=AT, value=value)


def test_the_body_is_written_one_way_only(nurse):
    first = audit.record(AuditAction.STAFF_CHANGED, nurse, actor_id=None, at=AT, b=1, a=[uuid.UUID(int=1), AT])
    assert first.body == '{"a":["00000000-0000-0000-0000-000000000001","2025-11-18T09:00:00+00:00"],"b":1}'


def test_a_line_takes_clinic_and_subject_from_the_record(nurse, clinic):
    made = audit.record(AuditAction.STAFF_CHANGED, nurse, actor_id=nurse.id, at=AT)
    assert (made.clinic_id, made.subject_kind, made.subject_id) == (clinic.id, "staff", nurse.id)


def test_account_events_leave_out_everything_clinical(nurse):
    audit.record(AuditAction.PATIENT_READ, nurse, actor_id=nurse.id, at=AT)
    audit.record(AuditAction.STAFF_CHANGED, nurse, actor_id=nurse.id, at=AT)
    assert {event.action.value.split(":")[0] for event in account_events(nurse.id)} == {"accounts"}
