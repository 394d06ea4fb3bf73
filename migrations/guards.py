"""SQL that keeps the record: rows that nothing may change, appointments that nothing may overlap.

Stable building blocks for revisions; they know table and column names only from their arguments. Every trigger raises
its own name, so that the application finds the friendly text by it on both databases.
"""

import re
from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from alembic import op


def is_sqlite() -> bool:
    """Whether the migration runs on SQLite."""
    return op.get_bind().dialect.name == "sqlite"


def create_refusal() -> None:
    """On PostgreSQL, the one function behind the triggers: it refuses with the trigger's name."""
    if not is_sqlite():
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION USING MESSAGE = TG_NAME, ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;"
            " END $$"
        )


def drop_refusal() -> None:
    """Undo `create_refusal`."""
    if not is_sqlite():
        op.execute("DROP FUNCTION refuse_change()")


def refuse(name: str, table: str, events: str, when: str | None = None) -> None:
    """Refuse `events` ("UPDATE", "DELETE", "UPDATE OF kg") on a table, where `when` holds for OLD and NEW."""
    condition = f" WHEN ({when})" if when else ""
    if is_sqlite():
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {events} ON {table} FOR EACH ROW{condition} "
            f"BEGIN SELECT RAISE(ABORT, '{name}'); END"
        )
    else:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {events} ON {table} FOR EACH ROW{condition} EXECUTE FUNCTION refuse_change()"
        )


def refuse_truncate(table: str) -> None:
    """On PostgreSQL a whole table could be emptied at once."""
    if not is_sqlite():
        op.execute(
            f"CREATE TRIGGER keep_{table}_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT "
            "EXECUTE FUNCTION refuse_change()"
        )


def append_only(tables: Iterable[str]) -> None:
    """Rows are written once: no update, no delete, and no replacing on SQLite."""
    for table in tables:
        refuse(f"append_only_{table}_update", table, "UPDATE")
        never_deleted([table])
        if is_sqlite():
            # INSERT OR REPLACE would delete the row that stands there.
            refuse(f"append_only_{table}_replace", table, "INSERT", f"EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)")


def never_deleted(tables: Iterable[str]) -> None:
    """Rows may change their state but are never removed."""
    for table in tables:
        refuse(f"never_deleted_{table}", table, "DELETE")
        refuse_truncate(table)


def never_replaced(table: str, uniques: Iterable[tuple[str, str]], events: Iterable[str]) -> None:
    """On SQLite, refuse OR REPLACE, which takes away the row that stands where a unique key says.

    The words are those of SQLite's own refusal. A row that a condition leaves out counts for nothing.
    """
    for event in events:
        refusals = " ".join(_refusal(table, columns, condition, event) for columns, condition in uniques)
        op.execute(
            f"CREATE TRIGGER never_replaced_{table}_{event.lower()} BEFORE {event} ON {table} BEGIN {refusals} END"
        )


def _refusal(table: str, columns: str, condition: str, event: str) -> str:
    names = columns.split(", ")
    where = [f"{name} = NEW.{name}" for name in names]
    if event == "UPDATE":
        where.append("id <> OLD.id")
    if condition:
        # The condition of the index, of the row that stands there and of the new one.
        new = re.sub(r"\b(status|kind|supersedes_id|revoked_at)\b", r"NEW.\1", condition)
        where += [f"({condition})", f"({new})"]
    words = ", ".join(f"{table}.{name}" for name in names)
    return (
        f"SELECT RAISE(ABORT, 'UNIQUE constraint failed: {words}') "
        f"WHERE EXISTS (SELECT 1 FROM {table} WHERE {' AND '.join(where)});"
    )


def fixed(table: str, columns: Iterable[str]) -> None:
    """These columns keep the value they were inserted with."""
    for column in columns:
        refuse(f"fixed_{table}_{column}", table, f"UPDATE OF {column}", distinct(column))


def distinct(column: str) -> str:
    """OLD and NEW differ in a column, nulls included, on both databases."""
    return f"OLD.{column} IS NOT NEW.{column}" if is_sqlite() else f"OLD.{column} IS DISTINCT FROM NEW.{column}"


def rebuild(table: str, *changes: tuple[str, str]) -> None:
    """On SQLite, make a table anew with its definition changed as (old words, new words).

    Its rows, indexes and triggers come along as they were: a rebuilt table must not lose its guards.
    """
    bind = op.get_bind()
    made = dict(
        bind.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE tbl_name = ? AND sql <> ''", (table,)).all()
    )
    definition = made.pop(table)
    for old, new in changes:
        if definition.count(old) != 1:
            raise RuntimeError(f"{table} is not defined as this revision expects: {old}")
        definition = definition.replace(old, new)
    columns = ", ".join(row[1] for row in bind.exec_driver_sql(f"PRAGMA table_info({table})"))
    op.execute(re.sub(rf'^CREATE TABLE "?{table}"?', f"CREATE TABLE {table}_anew", definition))
    op.execute(f"INSERT INTO {table}_anew ({columns}) SELECT {columns} FROM {table}")
    op.drop_table(table)
    op.rename_table(f"{table}_anew", table)
    for statement in made.values():
        op.execute(statement)


def reword(guard: str, old: str, new: str, *, ends: Sequence[str] = ("insert", "update")) -> None:
    """Let a guard ask something else: its triggers on SQLite, its function on PostgreSQL, with these words changed."""
    bind = op.get_bind()
    if is_sqlite():
        wanted = sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name IN :names").bindparams(
            sa.bindparam("names", [f"{guard}_{end}" for end in ends], expanding=True)
        )
        made = bind.execute(wanted).all()
    else:
        made = bind.execute(
            sa.text("SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE proname = :guard"), {"guard": guard}
        ).all()
    if not made or any(old not in statement for _, statement in made):
        raise RuntimeError(f"{guard} does not ask what this revision expects: {old}")
    for name, statement in made:
        if is_sqlite():
            op.execute(f"DROP TRIGGER {name}")
        op.execute(statement.replace(old, new))
