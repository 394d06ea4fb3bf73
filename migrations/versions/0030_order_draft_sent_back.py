"""A draft of an order goes back to its author with a reason. `revision` is the text that was returned."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_TABLE = "order_return"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("order_version_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("length(trim(reason)) > 0", name=op.f("ck_order_return_reason_is_given")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_order_return_clinic_id")),
        sa.ForeignKeyConstraint(
            ["order_version_id"], ["order_version.id"], name=op.f("fk_order_return_order_version_id")
        ),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_order_return_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_return")),
        sa.UniqueConstraint("order_version_id", "revision", name=op.f("uq_order_return_order_version_id_revision")),
    )
    guards.append_only([_TABLE])
    if guards.is_sqlite():
        guards.never_replaced(_TABLE, [("order_version_id, revision", "")], ["INSERT"])


def downgrade() -> None:
    op.drop_table(_TABLE)
