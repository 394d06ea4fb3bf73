"""A signed order that was entered in error says so, with reason and signature, and stays readable."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_TABLE = "order_error"
_STAYS = "order_version_stays_in_error"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("order_version_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("booked", sa.JSON(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("length(trim(reason)) > 0", name=op.f("ck_order_error_reason_is_given")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_order_error_clinic_id")),
        sa.ForeignKeyConstraint(
            ["order_version_id"], ["order_version.id"], name=op.f("fk_order_error_order_version_id")
        ),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_order_error_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_error")),
        sa.UniqueConstraint("order_version_id", name=op.f("uq_order_error_order_version_id")),
    )
    guards.append_only([_TABLE])
    if guards.is_sqlite():
        guards.never_replaced(_TABLE, [("order_version_id", "")], ["INSERT"])
    guards.refuse(
        _STAYS,
        "order_version",
        "UPDATE OF status",
        "OLD.status = 'entered-in-error' AND NEW.status <> 'entered-in-error'",
    )


def downgrade() -> None:
    op.execute(f"DROP TRIGGER {_STAYS}" if guards.is_sqlite() else f"DROP TRIGGER {_STAYS} ON order_version")
    op.drop_table(_TABLE)
