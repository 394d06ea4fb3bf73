"""Tablets, patches and other solid forms are counted in pieces: mg in each, and no volume."""

from alembic import op

from migrations import guards

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

_ONE_MEASURE = "piece_mg IS NULL OR (piece_mg > 0 AND strength_mg_ml IS NULL AND size_ml IS NULL)"
_COUNTED = "piece_count IS NULL OR (piece_count > 0 AND piece_mg IS NOT NULL)"
_FIXED = ("piece_mg", "piece_count")


def upgrade() -> None:
    amount = "BIGINT" if guards.is_sqlite() else "NUMERIC(18, 4)"
    for table in ("register", "container"):
        check = f"CONSTRAINT ck_{table}_a_piece_has_no_volume CHECK ({_ONE_MEASURE})"
        op.execute(f"ALTER TABLE {table} ADD COLUMN piece_mg {amount} {check}")
    check = f"CONSTRAINT ck_container_pieces_say_what_each_holds CHECK ({_COUNTED})"
    op.execute(f"ALTER TABLE container ADD COLUMN piece_count INTEGER {check}")
    guards.fixed("container", _FIXED)


def downgrade() -> None:
    for column in _FIXED:
        trigger = f"fixed_container_{column}"
        op.execute(f"DROP TRIGGER {trigger}" if guards.is_sqlite() else f"DROP TRIGGER {trigger} ON container")
    op.drop_column("container", "piece_count")
    op.drop_column("container", "piece_mg")
    op.drop_column("register", "piece_mg")
