"""A beyond-use time that was entered wrongly is corrected by a line of the register; the first one stays."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None

_OLD = (
    "'receive', 'withdraw', 'prepare', 'give', 'waste', 'return', 'transfer', 'destroy', 'count', 'adjust', "
    "'transfer-in', 'prime', 'strike'"
)
_NEW = f"{_OLD}, 'time-corrected'"
_NAME = "ck_register_entry_time_is_corrected_before_a_witness"
_CHECK = (
    "(kind = 'time-corrected') = (beyond_use_at IS NOT NULL) AND (kind <> 'time-corrected' OR "
    "(quantity_mg = 0 AND witness_id IS NOT NULL AND reason IS NOT NULL "
    "AND (container_id IS NULL) <> (preparation_id IS NULL)))"
)
_STRIKE = "strike_undoes_its_line"
_STAY = "'strike', 'transfer', 'transfer-in', 'count', 'adjust'"


def upgrade() -> None:
    if guards.is_sqlite():
        op.execute(f"ALTER TABLE register_entry ADD COLUMN beyond_use_at DATETIME CONSTRAINT {_NAME} CHECK ({_CHECK})")
        guards.rebuild("register_entry", (f"({_in(_OLD)})", f"({_in(_NEW)})"))
    else:
        op.add_column("register_entry", sa.Column("beyond_use_at", sa.DateTime(timezone=True), nullable=True))
        _set_kinds(_NEW)
        op.execute(f"ALTER TABLE register_entry ADD CONSTRAINT {_NAME} CHECK ({_CHECK})")
    _judge_strikes(f"{_STAY}, 'time-corrected'")


def downgrade() -> None:
    _judge_strikes(_STAY)
    if guards.is_sqlite():
        op.drop_column("register_entry", "beyond_use_at")
        guards.rebuild("register_entry", (f"({_in(_NEW)})", f"({_in(_OLD)})"))
    else:
        op.execute(f"ALTER TABLE register_entry DROP CONSTRAINT {_NAME}")
        _set_kinds(_OLD)
        op.drop_column("register_entry", "beyond_use_at")


def _in(kinds: str) -> str:
    return f"kind IN ({kinds})"


def _set_kinds(kinds: str) -> None:
    name = "ck_register_entry_register_kind"
    op.execute(f"ALTER TABLE register_entry DROP CONSTRAINT {name}")
    op.execute(f"ALTER TABLE register_entry ADD CONSTRAINT {name} CHECK (kind IN ({kinds}))")


def _judge_strikes(stay: str) -> None:
    """The guard of revision 0034, with the kinds of line that no strike undoes."""
    condition = (
        "NEW.kind = 'strike' AND NOT EXISTS (SELECT 1 FROM register_entry AS struck WHERE struck.id = NEW.about_id "
        "AND struck.quantity_mg = NEW.quantity_mg "
        f"AND struck.kind NOT IN ({stay}) "
        "AND (struck.register_id = NEW.register_id OR (struck.register_id IS NULL AND NEW.register_id IS NULL))"
        " AND COALESCE(struck.register_after_mg - struck.register_before_mg, 0)"
        " = COALESCE(NEW.register_before_mg - NEW.register_after_mg, 0))"
    )
    if guards.is_sqlite():
        op.execute(f"DROP TRIGGER {_STRIKE}")
        guards.refuse(_STRIKE, "register_entry", "INSERT", condition)
        return
    op.execute(
        f"CREATE OR REPLACE FUNCTION {_STRIKE}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {condition} THEN "
        f"RAISE EXCEPTION USING MESSAGE = '{_STRIKE}', ERRCODE = 'integrity_constraint_violation', "
        f"CONSTRAINT = '{_STRIKE}'; END IF; RETURN NEW; END $$"
    )
