"""What was recorded of a line, and why vitals were not taken, can be corrected and withdrawn like every other entry."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

_TABLES = ("iv_record", "observation_not_done")
_NOT_DONE = "observation_not_done"
_ONE_EACH = "uq_observation_not_done_infusion_id_due_at"
_EACH = "CONSTRAINT uq_observation_not_done_infusion_id_due_at UNIQUE (infusion_id, due_at)"
# A due time is marked once; who marks it anew after it was withdrawn goes on from there.
_FIRST = "uq_observation_not_done_first"
_IS_FIRST = "supersedes_id IS NULL"


def _checks(table: str) -> tuple[str, ...]:
    return (
        f"CONSTRAINT uq_{table}_supersedes_id UNIQUE (supersedes_id)",
        (f"CONSTRAINT ck_{table}_correction_says_why CHECK (supersedes_id IS NULL OR correction_reason IS NOT NULL)"),
    )


def _last(table: str) -> str:
    """The constraint that stands last in a table's definition on SQLite, with what closes it."""
    return f"CONSTRAINT fk_{table}_recorded_by_id FOREIGN KEY(recorded_by_id) REFERENCES staff (id)"


def upgrade() -> None:
    key = "CHAR(32)" if guards.is_sqlite() else "UUID"
    for table in _TABLES:
        op.execute(
            f"ALTER TABLE {table} ADD supersedes_id {key} CONSTRAINT fk_{table}_supersedes_id REFERENCES {table} (id)"
        )
        op.add_column(table, sa.Column("correction_reason", sa.Text(), nullable=True))
        op.add_column(table, sa.Column("is_void", sa.Boolean(), nullable=False, server_default=sa.false()))
        if guards.is_sqlite():
            guards.rebuild(table, (_last(table), ", ".join([_last(table), *_checks(table)])))
        else:
            for check in _checks(table):
                op.execute(f"ALTER TABLE {table} ADD {check}")
    if guards.is_sqlite():
        guards.rebuild(_NOT_DONE, (f", \n\t{_EACH}", ""))
        op.execute(f"DROP TRIGGER never_replaced_{_NOT_DONE}_insert")
        guards.never_replaced(_NOT_DONE, [("supersedes_id", ""), ("infusion_id, due_at", _IS_FIRST)], ["INSERT"])
        guards.never_replaced("iv_record", [("supersedes_id", "")], ["INSERT"])
    else:
        op.drop_constraint(_ONE_EACH, _NOT_DONE, type_="unique")
    op.execute(f"CREATE UNIQUE INDEX {_FIRST} ON {_NOT_DONE} (infusion_id, due_at) WHERE {_IS_FIRST}")


def downgrade() -> None:
    op.drop_index(_FIRST, table_name=_NOT_DONE)
    _drop_what_was_corrected()
    if guards.is_sqlite():
        op.execute("DROP TRIGGER never_replaced_iv_record_insert")
        op.execute(f"DROP TRIGGER never_replaced_{_NOT_DONE}_insert")
        guards.rebuild(_NOT_DONE, (_last(_NOT_DONE), f"{_last(_NOT_DONE)}, \n\t{_EACH}"))
        guards.never_replaced(_NOT_DONE, [("infusion_id, due_at", "")], ["INSERT"])
    else:
        op.create_unique_constraint(_ONE_EACH, _NOT_DONE, ["infusion_id", "due_at"])
    for table in _TABLES:
        if guards.is_sqlite():
            foreign = f"CONSTRAINT fk_{table}_supersedes_id REFERENCES {table} (id)"
            guards.rebuild(table, *((f", {check}", "") for check in _checks(table)), (foreign, ""))
        else:
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_correction_says_why")
        for column in ("supersedes_id", "correction_reason", "is_void"):
            op.drop_column(table, column)


def _drop_what_was_corrected() -> None:
    """Leave the rows that stand: the tables as they were know no others."""
    for table in _TABLES:
        guard = f"never_deleted_{table}"
        op.execute(f"DROP TRIGGER {guard}" if guards.is_sqlite() else f"ALTER TABLE {table} DISABLE TRIGGER {guard}")
        later = f"SELECT supersedes_id FROM {table} WHERE supersedes_id IS NOT NULL"
        if guards.is_sqlite():
            op.execute("PRAGMA defer_foreign_keys = ON")
        op.execute(f"DELETE FROM {table} WHERE is_void OR id IN ({later})")
        if guards.is_sqlite():
            guards.refuse(guard, table, "DELETE")
        else:
            op.execute(f"ALTER TABLE {table} ENABLE TRIGGER {guard}")
