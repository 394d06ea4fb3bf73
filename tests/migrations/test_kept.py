"""What was signed, closed or charted stays so, whatever statement comes, even from a connection that is not ours."""

import sqlite3

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from clinic.core import db
from clinic.core.recorded import Recorded

FORGERIES = {
    "a signed note becomes a draft": "UPDATE note SET status = 'draft' WHERE status <> 'draft'",
    "a signed note is discarded": "UPDATE note SET status = 'discarded' WHERE status = 'cosigned'",
    "a second signature gets another time": "UPDATE note SET cosigned_at = drafted_at WHERE status = 'cosigned'",
    "a signed order becomes a draft": "UPDATE order_version SET status = 'draft' WHERE signature_id IS NOT NULL",
    "a closed session runs again": "UPDATE infusion_session SET status = 'infusing' WHERE status = 'closed-home'",
    "a question gets another text": "UPDATE screening_question SET text = 'Anything new?' || id",
    "a vial gets another strength": "UPDATE container SET strength_mg_ml = strength_mg_ml + 1",
}
# Rows that come and go: sign-ins and their links, roles, shifts, questions that nobody has answered, derived offsets.
PASSING = {
    "idempotency_key",
    "clock_offset",
    "invitation",
    "login_failure",
    "patient_identifier",
    "screening_question",
    "shift",
    "shift_break",
    "staff_role",
}


@pytest.fixture
def record(demo_copy):
    """A connection to the demonstration clinic's record, as the application has it; all is forgotten."""
    with db.init(demo_copy).execution_options(write=True).connect() as connection:
        yield connection
        connection.rollback()


def assert_refused(record, statement):
    with pytest.raises(DBAPIError), record.begin_nested():
        record.execute(sa.text(statement))


def rows(record, table):
    return record.scalar(sa.select(sa.func.count()).select_from(table))


@pytest.mark.parametrize("statement", FORGERIES.values(), ids=FORGERIES)
def test_no_statement_reopens_what_was_signed(record, statement):
    assert_refused(record, statement)


def test_no_statement_takes_a_row_away(record):
    kept = [table for table in db.Base.metadata.sorted_tables if table.name not in PASSING and rows(record, table)]
    assert len(kept) > 40
    for table in kept:
        assert_refused(record, f"DELETE FROM {table.name}")


def test_no_statement_changes_a_charted_row(record):
    charted = [mapper.local_table for mapper in db.Base.registry.mappers if issubclass(mapper.class_, Recorded)]
    for table in [each for each in charted if rows(record, each)]:
        for column in table.columns:
            assert_refused(record, f"UPDATE {table.name} SET {column.name} = {column.name}")


def uniques(table):
    """The lists of columns that are unique in a table, its key first."""
    found = [
        constraint.columns.keys() for constraint in table.constraints if isinstance(constraint, sa.UniqueConstraint)
    ]
    return [["id"], *found, *([column.name for column in index.columns] for index in table.indexes if index.unique)]


def replacement(table, unique):
    """A copy of a row that keeps its unique columns, and has a key of its own unless that is the one."""
    names = [column.name for column in table.columns]
    new = [name if name in unique or name != "id" else "lower(hex(randomblob(16)))" for name in names]
    held = " AND ".join(f"{name} IS NOT NULL" for name in unique)
    copy = f"SELECT {', '.join(new)} FROM {table.name} WHERE {held}"
    return f"INSERT OR REPLACE INTO {table.name} ({', '.join(names)}) {copy}"


def test_no_row_takes_the_place_of_another(record, demo_copy):
    """On SQLite from a connection without our settings; on PostgreSQL by emptying the table and filling it anew."""
    tables = [table for table in db.Base.metadata.sorted_tables if table.name not in PASSING and rows(record, table)]
    if record.dialect.name == "postgresql":
        for table in tables:
            assert_refused(record, f"TRUNCATE {table.name} CASCADE")
        return
    record.rollback()
    stranger = sqlite3.connect(make_url(demo_copy).database)
    for table in tables:
        for unique in uniques(table):
            before = stranger.execute(f"SELECT * FROM {table.name} ORDER BY id").fetchall()
            try:
                stranger.execute(replacement(table, unique))
            except sqlite3.IntegrityError:
                stranger.rollback()
            assert stranger.execute(f"SELECT * FROM {table.name} ORDER BY id").fetchall() == before, (table, unique)
    stranger.close()
