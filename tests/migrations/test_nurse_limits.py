"""Limits that had no date keep their meaning beside those that had one."""

import sqlalchemy as sa
from alembic import command

from clinic.core import db
from tests.migrations.test_cabinets import insert, key

WHEN = "2026-03-04 08:38:00"


def rows(engine, select):
    with engine.connect() as connection:
        return [tuple(map(str, row)) for row in connection.execute(sa.text(select))]


def test_a_setting_becomes_a_row_before_all_others_and_part_of_them(databases):
    url = databases.empty()
    db.upgrade(url, "0068")
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    person = {"email": "p@clinic.example", "given_name": "P", "family_name": "Q", "status": "active"}
    with engine.begin() as connection:
        insert(connection, "clinic", id=key(1), name="A", zone="UTC", is_demo=False, patients_per_nurse=3)
        insert(connection, "clinic", id=key(2), name="B", zone="UTC", is_demo=False)
        insert(connection, "staff", id=key(3), **person, created_at=WHEN, version=1)
        recorded = {"recorded_at": WHEN, "recorded_by_id": key(3)}
        insert(connection, "phase_limit", id=key(4), clinic_id=key(1), valid_from="2026-04-01", precheck=1, **recorded)
    db.upgrade(url, "0069")
    found = rows(engine, "SELECT at_once, per_quarter, precheck, recorded_by_id FROM nurse_limit ORDER BY valid_from")
    since = rows(engine, "SELECT valid_from FROM nurse_limit ORDER BY valid_from LIMIT 1")
    command.downgrade(db.alembic_config(url), "0068")
    back = rows(engine, "SELECT c.patients_per_nurse, p.precheck FROM clinic c, phase_limit p WHERE c.name = 'A'")
    db.upgrade(url, "0069")
    again = rows(engine, "SELECT at_once, precheck FROM nurse_limit ORDER BY valid_from")
    databases.discard(url)
    assert again == [("3", "None"), ("3", "1")]
    assert [each[:3] for each in found] == [("3", "None", "None"), ("3", "None", "1")]
    assert since == [("2026-03-31",)]
    assert back == [("3", "1")]
