"""A record that was taken out is written down: of whom, for whom, why and by whom."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

_TABLE = "disclosure"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column(
            "recipient",
            sa.Enum(
                "patient",
                "chosen",
                "care",
                "authority",
                "clinic",
                name="disclosure_recipient",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("to_whom", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("length(trim(to_whom)) > 0", name=op.f("ck_disclosure_says_to_whom")),
        sa.CheckConstraint("length(trim(reason)) > 0", name=op.f("ck_disclosure_says_why")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_disclosure_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_disclosure_patient_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_disclosure_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disclosure")),
    )
    op.create_index(op.f("ix_disclosure_patient_id"), _TABLE, ["patient_id"])
    guards.append_only([_TABLE])


def downgrade() -> None:
    op.drop_table(_TABLE)
