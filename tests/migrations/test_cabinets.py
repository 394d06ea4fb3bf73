"""What was written before there were pages gets its place on one."""

import sqlalchemy as sa
from alembic.script import ScriptDirectory

from clinic.core import db

WHEN = "2026-03-04 08:38:00"
OLD = [
    # kind, mg, balance of the container, about the container, about the account
    ("receive", 200, 200, True, False),
    ("withdraw", 150, 50, True, True),
    ("give", 100, None, False, True),
    ("waste", 50, None, False, True),
    ("adjust", -10, 40, True, False),
]


def key(number):
    return f"{number:032x}"


def insert(connection, table, **values):
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)


def test_old_lines_get_a_page_and_their_place(databases):
    url = databases.empty()
    revisions = ScriptDirectory.from_config(db.alembic_config(url)).walk_revisions()
    ours = next(found for found in revisions if found.module.__file__.endswith("cabinets_and_registers.py"))
    db.upgrade(url, ours.down_revision)
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    scale = 10_000 if engine.dialect.name == "sqlite" else 1
    with engine.begin() as connection:
        insert(connection, "clinic", id=key(1), name="A", zone="UTC", is_demo=False)
        insert(connection, "site", id=key(2), clinic_id=key(1), name="A")
        for number in (3, 4):
            insert(
                connection,
                "staff",
                id=key(number),
                email=f"p{number}@clinic.example",
                given_name="P",
                family_name="Q",
                status="active",
                created_at=WHEN,
                version=1,
            )
        insert(
            connection,
            "patient",
            id=key(5),
            clinic_id=key(1),
            mrn="1",
            family_name="P",
            given_name="Q",
            family_key="p",
            born_on="1970-01-01",
            sex="unknown",
            created_at=WHEN,
            created_by_id=key(3),
            version=1,
        )
        insert(connection, "drug_account", id=key(6), clinic_id=key(1), patient_id=key(5), opened_at=WHEN)
        insert(
            connection,
            "container",
            id=key(7),
            clinic_id=key(1),
            drug_name="ketamine",
            strength_mg_ml=10 * scale,
            size_ml=20 * scale,
            description="vial of 20 mL",
            received_at=WHEN,
        )
        for number, (kind, mg, after, of_container, of_account) in enumerate(OLD):
            insert(
                connection,
                "register_entry",
                id=key(10 + number),
                clinic_id=key(1),
                account_id=key(6) if of_account else None,
                container_id=key(7) if of_container else None,
                drug_name="ketamine",
                kind=kind,
                quantity_mg=mg * scale,
                balance_after_mg=None if after is None else after * scale,
                happened_at=WHEN,
                witness_id=key(4),
                recorded_at=f"2026-03-04 09:0{number}:00",
                recorded_by_id=key(3),
            )
    db.upgrade(url, ours.revision)
    with engine.connect() as connection:
        page = connection.execute(sa.text("SELECT name FROM register")).scalars().all()
        found = connection.execute(
            sa.text("SELECT line, register_before_mg, register_after_mg FROM register_entry ORDER BY line")
        ).all()
    databases.discard(url)
    assert page == ["ketamine 200 mg per 20 mL vial"]
    expected = [(1, 0, 200), (2, 200, 50), (3, 50, 50), (4, 50, 50), (5, 50, 40)]
    assert [(line, before / scale, after / scale) for line, before, after in found] == expected
