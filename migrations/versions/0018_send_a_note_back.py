"""A note that waits for a co-signature is sent back to its author with a reason."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_TABLE = "note_return"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("note_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("length(trim(reason)) > 0", name=op.f("ck_note_return_reason_is_given")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_note_return_clinic_id")),
        sa.ForeignKeyConstraint(["note_id"], ["note.id"], name=op.f("fk_note_return_note_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_note_return_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note_return")),
    )
    op.create_index(op.f("ix_note_return_note_id"), _TABLE, ["note_id"], unique=False)
    guards.append_only([_TABLE])


def downgrade() -> None:
    op.drop_index(op.f("ix_note_return_note_id"), table_name=_TABLE)
    op.drop_table(_TABLE)
