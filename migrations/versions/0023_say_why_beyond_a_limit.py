"""An order beyond a limit is signed with a written reason, which is kept with the order.

Beyond a limit of the protocol it was begun from it asks for that reason or is refused, as the clinic chose.
"""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_TABLE = "acknowledged_excess"


def upgrade() -> None:
    name = op.f("ck_clinic_beyond_protocol_level")
    op.execute(
        f"ALTER TABLE clinic ADD COLUMN beyond_protocol_level VARCHAR(40) CONSTRAINT {name} "
        "CHECK (beyond_protocol_level IN ('hard', 'soft'))"
    )
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("order_version_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_acknowledged_excess_clinic_id")),
        sa.ForeignKeyConstraint(
            ["order_version_id"], ["order_version.id"], name=op.f("fk_acknowledged_excess_order_version_id")
        ),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_acknowledged_excess_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acknowledged_excess")),
        sa.UniqueConstraint(
            "order_version_id", "position", name=op.f("uq_acknowledged_excess_order_version_id_position")
        ),
    )
    guards.append_only([_TABLE])
    if guards.is_sqlite():
        guards.never_replaced(_TABLE, [("order_version_id, position", "")], ["INSERT"])


def downgrade() -> None:
    op.drop_table(_TABLE)
    op.drop_column("clinic", "beyond_protocol_level")
