"""What a patient takes, that it was gone through with the patient, and papers that belong to the chart."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def _recorded(table: str, *, supersedes: bool) -> list[sa.schema.SchemaItem]:
    """The columns and keys that every row of a chart has."""
    made: list[sa.schema.SchemaItem] = [
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f(f"fk_{table}_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f(f"fk_{table}_patient_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f(f"fk_{table}_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]
    if not supersedes:
        return made
    return [
        *made,
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL", name=op.f(f"ck_{table}_correction_says_why")
        ),
        sa.ForeignKeyConstraint(["supersedes_id"], [f"{table}.id"], name=op.f(f"fk_{table}_supersedes_id")),
        sa.UniqueConstraint("supersedes_id", name=op.f(f"uq_{table}_supersedes_id")),
    ]


def _key() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "medicine",
        *_key(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("taken", sa.Text(), nullable=True),
        sa.Column("since", sa.Text(), nullable=True),
        *_recorded("medicine", supersedes=True),
    )
    op.create_table("medicine_check", *_key(), *_recorded("medicine_check", supersedes=False))
    op.create_table(
        "document",
        *_key(),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("dated_on", sa.Date(), nullable=True),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        *_recorded("document", supersedes=True),
    )
    for table in ("medicine", "medicine_check", "document"):
        op.create_index(op.f(f"ix_{table}_patient_id"), table, ["patient_id"], unique=False)
    guards.append_only(["medicine", "medicine_check", "document"])
    if guards.is_sqlite():
        for table in ("medicine", "document"):
            guards.never_replaced(table, [("supersedes_id", "")], ("INSERT",))


def downgrade() -> None:
    for table in ("document", "medicine_check", "medicine"):
        op.drop_index(op.f(f"ix_{table}_patient_id"), table_name=table)
        op.drop_table(table)
