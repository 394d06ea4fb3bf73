"""Licences and certificates of the staff, each with its end, as dated rows."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None

_TABLE = "staff_credential"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL",
            name=op.f("ck_staff_credential_correction_says_why"),
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_staff_credential_clinic_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_credential_staff_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_staff_credential_recorded_by_id")),
        sa.ForeignKeyConstraint(
            ["supersedes_id"], ["staff_credential.id"], name=op.f("fk_staff_credential_supersedes_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_credential")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_staff_credential_supersedes_id")),
    )
    op.create_index(op.f("ix_staff_credential_staff_id"), _TABLE, ["staff_id"], unique=False)
    guards.append_only([_TABLE])
    if guards.is_sqlite():
        guards.never_replaced(_TABLE, [("supersedes_id", "")], ["INSERT"])


def downgrade() -> None:
    op.drop_table(_TABLE)
