"""Keep every text of a draft of an order.

A draft is written again in place. Whoever signs a page that was drawn before is told so, and could not be shown what
the page had said.
"""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_TABLE = "order_draft"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("order_version_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_order_draft_clinic_id")),
        sa.ForeignKeyConstraint(
            ["order_version_id"], ["order_version.id"], name=op.f("fk_order_draft_order_version_id")
        ),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_order_draft_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_draft")),
        sa.UniqueConstraint("order_version_id", "revision", name=op.f("uq_order_draft_order_version_id_revision")),
    )
    guards.append_only([_TABLE])
    if guards.is_sqlite():
        guards.never_replaced(_TABLE, [("order_version_id, revision", "")], ["INSERT"])


def downgrade() -> None:
    op.drop_table(_TABLE)
