"""An order may name the weight that its clinician chose for dosing: kilograms as typed, their basis, their day."""

from alembic import op

from migrations import guards

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_COLUMNS = ("dosing_weight_kg", "dosing_weight_basis", "dosing_weight_on")


def upgrade() -> None:
    quantity = "BIGINT" if guards.is_sqlite() else "NUMERIC(18, 2)"
    positive = op.f("ck_order_version_dosing_weight_is_positive")
    whole = op.f("ck_order_version_dosing_weight_is_whole")
    op.execute(
        f"ALTER TABLE order_version ADD COLUMN dosing_weight_kg {quantity} CONSTRAINT {positive} "
        "CHECK (dosing_weight_kg > 0)"
    )
    op.execute("ALTER TABLE order_version ADD COLUMN dosing_weight_basis TEXT")
    op.execute(
        f"ALTER TABLE order_version ADD COLUMN dosing_weight_on DATE CONSTRAINT {whole} CHECK ("
        "(dosing_weight_kg IS NULL) = (dosing_weight_on IS NULL) "
        "AND (dosing_weight_kg IS NULL) = (dosing_weight_basis IS NULL))"
    )
    for column in _COLUMNS:
        guards.refuse(
            f"signed_order_version_{column}",
            "order_version",
            f"UPDATE OF {column}",
            f"OLD.signature_id IS NOT NULL AND {guards.distinct(column)}",
        )


def downgrade() -> None:
    for column in reversed(_COLUMNS):
        trigger = f"signed_order_version_{column}"
        op.execute(f"DROP TRIGGER {trigger}" if guards.is_sqlite() else f"DROP TRIGGER {trigger} ON order_version")
        op.drop_column("order_version", column)
