"""A physician signs for another who is away, and the signature says for whom."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_TABLE = "cover"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("away_id", sa.Uuid(), nullable=False),
        sa.Column("covering_id", sa.Uuid(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint("away_id <> covering_id", name=op.f("ck_cover_another_covers")),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL", name=op.f("ck_cover_correction_says_why")
        ),
        sa.CheckConstraint("until_on >= from_on", name=op.f("ck_cover_ends_after_it_begins")),
        sa.ForeignKeyConstraint(["away_id"], ["staff.id"], name=op.f("fk_cover_away_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_cover_clinic_id")),
        sa.ForeignKeyConstraint(["covering_id"], ["staff.id"], name=op.f("fk_cover_covering_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_cover_recorded_by_id")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["cover.id"], name=op.f("fk_cover_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cover")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_cover_supersedes_id")),
    )
    op.create_index(op.f("ix_cover_away_id"), _TABLE, ["away_id"], unique=False)
    op.create_index(op.f("ix_cover_covering_id"), _TABLE, ["covering_id"], unique=False)
    guards.append_only([_TABLE])
    if guards.is_sqlite():
        guards.never_replaced(_TABLE, [("supersedes_id", "")], ["INSERT"])
    op.add_column("signature", sa.Column("for_id", sa.Uuid(), nullable=True))
    op.add_column("signature", sa.Column("for_name", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("signature", "for_name")
    op.drop_column("signature", "for_id")
    op.drop_index(op.f("ix_cover_covering_id"), table_name=_TABLE)
    op.drop_index(op.f("ix_cover_away_id"), table_name=_TABLE)
    op.drop_table(_TABLE)
