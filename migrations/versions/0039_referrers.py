"""The clinic's list of those who refer patients, so that a letter's address is not typed each time."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

_TABLE = "referrer"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("practice", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL", name=op.f("ck_referrer_correction_says_why")
        ),
        sa.CheckConstraint("length(trim(name)) > 0", name=op.f("ck_referrer_referrer_has_name")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_referrer_clinic_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_referrer_recorded_by_id")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["referrer.id"], name=op.f("fk_referrer_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referrer")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_referrer_supersedes_id")),
    )
    guards.append_only([_TABLE])
    if guards.is_sqlite():
        guards.never_replaced(_TABLE, [("supersedes_id", "")], ("INSERT",))


def downgrade() -> None:
    op.drop_table(_TABLE)
