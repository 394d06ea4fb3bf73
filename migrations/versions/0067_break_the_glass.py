"""Restrict a chart to its team; others open it for an hour with a reason, and somebody else looks at each opening."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None

_TABLES = ("chart_restriction", "chart_team", "chart_opening", "opening_review")


def _recorded(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f(f"fk_{table}_clinic_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f(f"fk_{table}_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def upgrade() -> None:
    op.create_table(
        "chart_restriction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("is_restricted", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("length(trim(reason)) > 0", name=op.f("ck_chart_restriction_restriction_says_why")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_chart_restriction_patient_id")),
        *_recorded("chart_restriction"),
    )
    op.create_index(op.f("ix_chart_restriction_patient_id"), "chart_restriction", ["patient_id"])
    op.create_table(
        "chart_team",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("restriction_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_chart_team_clinic_id")),
        sa.ForeignKeyConstraint(
            ["restriction_id"], ["chart_restriction.id"], name=op.f("fk_chart_team_restriction_id")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_chart_team_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chart_team")),
        sa.UniqueConstraint("restriction_id", "staff_id", name=op.f("uq_chart_team_restriction_id_staff_id")),
    )
    op.create_table(
        "chart_opening",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                *("emergency", "cover", "question", "other"),
                name="opening_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(trim(reason)) >= 10", name=op.f("ck_chart_opening_opening_says_why")),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("until_at > opened_at", name=op.f("ck_chart_opening_ends_after_it_begins")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_chart_opening_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_chart_opening_patient_id")),
        sa.ForeignKeyConstraint(["opened_by_id"], ["staff.id"], name=op.f("fk_chart_opening_opened_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chart_opening")),
        sa.UniqueConstraint("id", "opened_by_id", name=op.f("uq_chart_opening_id_opened_by_id")),
    )
    op.create_index(op.f("ix_chart_opening_patient_id"), "chart_opening", ["patient_id"])
    op.create_table(
        "opening_review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("opening_id", sa.Uuid(), nullable=False),
        sa.Column("opened_by_id", sa.Uuid(), nullable=False),
        sa.Column("is_in_order", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint("length(trim(note)) > 0", name=op.f("ck_opening_review_review_says_why")),
        sa.CheckConstraint("opened_by_id <> recorded_by_id", name=op.f("ck_opening_review_another_reviews")),
        # Who opened it stands here too, and is the one of the opening: that is what makes the check above true.
        sa.ForeignKeyConstraint(
            ["opening_id", "opened_by_id"],
            ["chart_opening.id", "chart_opening.opened_by_id"],
            name=op.f("fk_opening_review_opening_id_opened_by_id"),
        ),
        sa.UniqueConstraint("opening_id", name=op.f("uq_opening_review_opening_id")),
        *_recorded("opening_review"),
    )
    guards.append_only(["chart_restriction", "chart_team", "opening_review"])
    guards.never_deleted(["chart_opening"])
    fixed = "id, clinic_id, patient_id, kind, reason, until_at, opened_at, opened_by_id"
    guards.refuse("opening_stays_as_it_was", "chart_opening", f"UPDATE OF {fixed}")
    guards.refuse("ended_opening_stays", "chart_opening", "UPDATE OF ended_at", "OLD.ended_at IS NOT NULL")


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
