"""A referral says who sent the patient and with which diagnosis; a physician accepts it or not, or asks for more."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def _recorded(table: str) -> list[sa.schema.SchemaItem]:
    """The columns and keys that every row of a chart has."""
    return [
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f(f"fk_{table}_clinic_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f(f"fk_{table}_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def upgrade() -> None:
    op.create_table(
        "referral",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("referrer", sa.Text(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("diagnosis", sa.Text(), nullable=False),
        sa.Column("icd10_codes", sa.Text(), nullable=True),
        sa.Column("prior_treatments", sa.Text(), nullable=True),
        sa.Column("records", sa.Text(), nullable=True),
        sa.Column("payment", _choice("payment", "insurance", "self-pay"), nullable=True),
        sa.Column("payer", sa.Text(), nullable=True),
        *_recorded("referral"),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL", name=op.f("ck_referral_correction_says_why")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_referral_patient_id")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["referral.id"], name=op.f("fk_referral_supersedes_id")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_referral_supersedes_id")),
    )
    op.create_index(op.f("ix_referral_patient_id"), "referral", ["patient_id"])
    op.create_table(
        "referral_verdict",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("decision", _choice("referral_decision", "accepted", "declined", "more-information"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        *_recorded("referral_verdict"),
        sa.CheckConstraint(
            "decision = 'accepted' OR length(trim(reason)) > 0", name=op.f("ck_referral_verdict_says_why_or_what")
        ),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_referral_verdict_referral_id")),
    )
    op.create_index(op.f("ix_referral_verdict_referral_id"), "referral_verdict", ["referral_id"])
    guards.append_only(["referral", "referral_verdict"])
    if guards.is_sqlite():
        guards.never_replaced("referral", [("supersedes_id", "")], ["INSERT"])


def downgrade() -> None:
    op.drop_table("referral_verdict")
    op.drop_table("referral")
