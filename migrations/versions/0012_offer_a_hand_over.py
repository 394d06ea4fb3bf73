"""A session is offered to another nurse and is hers once she accepts."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_TABLE = "hand_over_offer"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("infusion_id", sa.Uuid(), nullable=False),
        sa.Column("to_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_hand_over_offer_clinic_id")),
        sa.ForeignKeyConstraint(["infusion_id"], ["infusion_session.id"], name=op.f("fk_hand_over_offer_infusion_id")),
        sa.ForeignKeyConstraint(["to_id"], ["staff.id"], name=op.f("fk_hand_over_offer_to_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_hand_over_offer_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hand_over_offer")),
    )
    op.create_index(op.f("ix_hand_over_offer_infusion_id"), _TABLE, ["infusion_id"], unique=False)
    guards.append_only([_TABLE])


def downgrade() -> None:
    op.drop_index(op.f("ix_hand_over_offer_infusion_id"), table_name=_TABLE)
    op.drop_table(_TABLE)
