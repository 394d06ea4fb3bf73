"""A discharge that was entered by mistake can be undone for ten minutes, as long as no signed note tells of it.

What was recorded of it stays, withdrawn by a row of its own; the next discharge of the session goes on from there.
"""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None

_TABLE = "discharge"
_ONE_EACH = "uq_discharge_infusion_id"
_EACH = f"CONSTRAINT {_ONE_EACH} UNIQUE (infusion_id)"
_FIRST = "uq_discharge_first"
_IS_FIRST = "supersedes_id IS NULL"
_CHECKS = (
    "CONSTRAINT uq_discharge_supersedes_id UNIQUE (supersedes_id)",
    "CONSTRAINT ck_discharge_correction_says_why CHECK (supersedes_id IS NULL OR correction_reason IS NOT NULL)",
)
_LAST = "CONSTRAINT fk_discharge_recorded_by_id FOREIGN KEY(recorded_by_id) REFERENCES staff (id)"
_FOREIGN = "CONSTRAINT fk_discharge_supersedes_id REFERENCES discharge (id)"
_COLUMNS = ("supersedes_id", "correction_reason", "is_void", "held_until")

_STATUS, _NOTE, _LINE = "closed_infusion_session_status", "signed_note_of_closed_session", "discharge_after_undoing"
_CLOSED = "('closed-home', 'closed-transfer', 'closed-against-advice', 'not-done')"
_SIGNED = "('signed', 'cosign-pending', 'cosigned')"
_STAYS_CLOSED = f"OLD.status IN {_CLOSED} AND NEW.status <> OLD.status"


def upgrade() -> None:
    key = "CHAR(32)" if guards.is_sqlite() else "UUID"
    op.execute(f"ALTER TABLE {_TABLE} ADD supersedes_id {key} {_FOREIGN}")
    op.add_column(_TABLE, sa.Column("correction_reason", sa.Text(), nullable=True))
    op.add_column(_TABLE, sa.Column("is_void", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column(_TABLE, sa.Column("held_until", sa.DateTime(timezone=True), nullable=True))
    if guards.is_sqlite():
        guards.rebuild(_TABLE, (_LAST, ", ".join([_LAST, *_CHECKS])), (f", \n\t{_EACH}", ""))
        op.execute(f"DROP TRIGGER never_replaced_{_TABLE}_insert")
        guards.never_replaced(_TABLE, [("supersedes_id", ""), ("infusion_id", _IS_FIRST)], ["INSERT"])
    else:
        for check in _CHECKS:
            op.execute(f"ALTER TABLE {_TABLE} ADD {check}")
        op.drop_constraint(_ONE_EACH, _TABLE, type_="unique")
    op.execute(f"CREATE UNIQUE INDEX {_FIRST} ON {_TABLE} (infusion_id) WHERE {_IS_FIRST}")
    op.create_index(op.f("ix_discharge_infusion_id"), _TABLE, ["infusion_id"])
    _drop(_STATUS, "infusion_session")
    _judge(_STATUS, "infusion_session", "UPDATE OF status", _STAYS_CLOSED, f"NOT ({_undone()})")
    _judge(_NOTE, "note", "UPDATE OF status", _is_signed_now(), _is_open(), first=_HOLD_SESSION)
    _judge(_LINE, _TABLE, "INSERT", "NEW.supersedes_id IS NOT NULL OR NEW.is_void", f"NOT EXISTS ({_before()})")


def downgrade() -> None:
    _drop(_LINE, _TABLE, has_function=True)
    _drop(_NOTE, "note", has_function=True)
    _drop(_STATUS, "infusion_session", has_function=True)
    guards.refuse(_STATUS, "infusion_session", "UPDATE OF status", _STAYS_CLOSED)
    op.drop_index(op.f("ix_discharge_infusion_id"), table_name=_TABLE)
    op.drop_index(_FIRST, table_name=_TABLE)
    _drop_what_was_undone()
    if guards.is_sqlite():
        op.execute(f"DROP TRIGGER never_replaced_{_TABLE}_insert")
        removed = ((f", {check}", "") for check in _CHECKS)
        guards.rebuild(_TABLE, *removed, (_FOREIGN, ""), (_LAST, f"{_LAST}, \n\t{_EACH}"))
        guards.never_replaced(_TABLE, [("infusion_id", "")], ["INSERT"])
    else:
        op.create_unique_constraint(_ONE_EACH, _TABLE, ["infusion_id"])
        op.execute(f"ALTER TABLE {_TABLE} DROP CONSTRAINT ck_discharge_correction_says_why")
    for column in _COLUMNS:
        op.drop_column(_TABLE, column)


def _drop_what_was_undone() -> None:
    """Leave the discharges that stand: the table as it was knows no others."""
    guard = f"never_deleted_{_TABLE}"
    op.execute(f"DROP TRIGGER {guard}" if guards.is_sqlite() else f"ALTER TABLE {_TABLE} DISABLE TRIGGER {guard}")
    if guards.is_sqlite():
        op.execute("PRAGMA defer_foreign_keys = ON")
    later = f"SELECT supersedes_id FROM {_TABLE} WHERE supersedes_id IS NOT NULL"
    op.execute(f"DELETE FROM {_TABLE} WHERE is_void OR id IN ({later})")
    if guards.is_sqlite():
        guards.refuse(guard, _TABLE, "DELETE")
    else:
        op.execute(f"ALTER TABLE {_TABLE} ENABLE TRIGGER {guard}")


# --- the guards ------------------------------------------------------------------------------------------------------

# Whoever undoes the discharge writes this row: one of the two waits, and then sees what the other did.
_HOLD_SESSION = "PERFORM 1 FROM infusion_session WHERE id = NEW.infusion_id FOR SHARE; "


def _judge(name: str, table: str, event: str, when: str, refused: str, *, first: str = "") -> None:
    """Refuse an event where a question about other rows says so."""
    if guards.is_sqlite():
        act = f"BEGIN SELECT RAISE(ABORT, '{name}') WHERE {refused}; END"
    else:
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {first}"
            f"IF {refused} THEN RAISE EXCEPTION USING MESSAGE = '{name}', "
            f"ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{name}'; END IF; RETURN NEW; END $$"
        )
        act = f"EXECUTE FUNCTION {name}()"
    op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW WHEN ({when}) {act}")


def _drop(name: str, table: str, *, has_function: bool = False) -> None:
    op.execute(f"DROP TRIGGER {name}" if guards.is_sqlite() else f"DROP TRIGGER {name} ON {table}")
    if has_function and not guards.is_sqlite():
        op.execute(f"DROP FUNCTION {name}()")


def _undone() -> str:
    """The session goes back into recovery: its last discharge was undone, and no signed note tells of it."""
    last = """
        SELECT 1 FROM discharge d WHERE d.infusion_id = OLD.id AND d.is_void
        AND NOT EXISTS (SELECT 1 FROM discharge later WHERE later.supersedes_id = d.id)
    """
    note = f"SELECT 1 FROM note n WHERE n.infusion_id = OLD.id AND n.kind = 'session' AND n.status IN {_SIGNED}"
    return f"NEW.status = 'recovering' AND OLD.status <> 'not-done' AND EXISTS ({last}) AND NOT EXISTS ({note})"


def _is_signed_now() -> str:
    return f"NEW.kind = 'session' AND OLD.status NOT IN {_SIGNED} AND NEW.status IN {_SIGNED}"


def _is_open() -> str:
    return f"EXISTS (SELECT 1 FROM infusion_session s WHERE s.id = NEW.infusion_id AND s.status NOT IN {_CLOSED})"


def _before() -> str:
    """What the row may follow: it undoes a discharge of the last ten minutes, or is the next after an undone one."""
    in_time = (
        "julianday(NEW.recorded_at) - julianday(d.recorded_at) <= 10.0 / 1440 + 0.000001"
        if guards.is_sqlite()
        else "NEW.recorded_at - d.recorded_at <= interval '10 minutes'"
    )
    return f"""
        SELECT 1 FROM discharge d WHERE d.id = NEW.supersedes_id AND d.infusion_id = NEW.infusion_id
        AND d.is_void <> NEW.is_void AND (NOT NEW.is_void OR {in_time})
    """
