"""Load rows as they are: the guards of the record step aside for one transaction and stand again before it ends.

A guard judges a change by what stands around it; rows that were judged once come back in another order. Only the owner
of the tables can do this, never the application's own account.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from clinic.keeping.rows import BadBackup, tables


@contextmanager
def loading(engine: Engine) -> Iterator[Connection]:
    """A connection that takes rows in any order; committed at the end, when every reference leads somewhere."""
    with engine.execution_options(write=True).connect() as connection:
        with _sqlite(connection) if engine.dialect.name == "sqlite" else _postgres(connection):
            yield connection
        connection.commit()


@contextmanager
def _sqlite(connection: Connection) -> Iterator[None]:
    connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    found = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
    triggers = connection.exec_driver_sql(found).all()
    for name, _ in triggers:
        connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
    yield
    for _, statement in triggers:
        connection.exec_driver_sql(statement)
    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        raise BadBackup("A row of this backup names another one that is not in it.")


@contextmanager
def _postgres(connection: Connection) -> Iterator[None]:
    references = connection.execute(
        sa.text(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint "
            "WHERE contype = 'f' AND NOT condeferrable AND connamespace = current_schema()::regnamespace"
        )
    ).all()
    for table, name in references:
        connection.exec_driver_sql(f'ALTER TABLE {table} ALTER CONSTRAINT "{name}" DEFERRABLE INITIALLY DEFERRED')
    for table in tables():
        connection.exec_driver_sql(f'ALTER TABLE "{table.name}" DISABLE TRIGGER USER')
    connection.exec_driver_sql("SET LOCAL statement_timeout TO 0")
    yield
    connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
    for table in tables():
        connection.exec_driver_sql(f'ALTER TABLE "{table.name}" ENABLE TRIGGER USER')
    for table, name in references:
        connection.exec_driver_sql(f'ALTER TABLE {table} ALTER CONSTRAINT "{name}" NOT DEFERRABLE')
