"""Notes with their addenda, outcome scores and follow-up calls."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "follow_up_call",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("infusion_id", sa.Uuid(), nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_reached", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_follow_up_call_clinic_id")),
        sa.ForeignKeyConstraint(["infusion_id"], ["infusion_session.id"], name=op.f("fk_follow_up_call_infusion_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_follow_up_call_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up_call")),
    )
    op.create_index(op.f("ix_follow_up_call_infusion_id"), "follow_up_call", ["infusion_id"], unique=False)
    op.create_table(
        "note",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("infusion_id", sa.Uuid(), nullable=True),
        sa.Column("follows_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "session",
                "progress",
                "addendum",
                "correction",
                name="note_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "discarded",
                "signed",
                "cosign-pending",
                "cosigned",
                name="note_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("cosigner_id", sa.Uuid(), nullable=True),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cosigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind NOT IN ('addendum', 'correction') OR follows_id IS NOT NULL", name=op.f("ck_note_addendum_follows")
        ),
        sa.CheckConstraint(
            "status = 'draft' OR status = 'discarded' OR signed_at IS NOT NULL", name=op.f("ck_note_signed_has_time")
        ),
        sa.ForeignKeyConstraint(["author_id"], ["staff.id"], name=op.f("fk_note_author_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_note_clinic_id")),
        sa.ForeignKeyConstraint(["cosigner_id"], ["staff.id"], name=op.f("fk_note_cosigner_id")),
        sa.ForeignKeyConstraint(["follows_id"], ["note.id"], name=op.f("fk_note_follows_id")),
        sa.ForeignKeyConstraint(["infusion_id"], ["infusion_session.id"], name=op.f("fk_note_infusion_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_note_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
    )
    op.create_index(op.f("ix_note_author_id"), "note", ["author_id"], unique=False)
    op.create_index(op.f("ix_note_clinic_id_status"), "note", ["clinic_id", "status"], unique=False)
    op.create_index(op.f("ix_note_cosigner_id"), "note", ["cosigner_id"], unique=False)
    op.create_index(op.f("ix_note_follows_id"), "note", ["follows_id"], unique=False)
    op.create_index(op.f("ix_note_infusion_id"), "note", ["infusion_id"], unique=False)
    op.create_index(op.f("ix_note_patient_id"), "note", ["patient_id"], unique=False)
    op.create_table(
        "outcome_result",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("infusion_id", sa.Uuid(), nullable=True),
        sa.Column(
            "instrument",
            sa.Enum(
                "NRS",
                "PEG",
                "PHQ-9",
                "GAD-7",
                "PGIC",
                name="instrument",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "occasion",
            sa.Enum(
                "baseline",
                "before-session",
                "after-session",
                "diary",
                "follow-up",
                name="occasion",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL", name=op.f("ck_outcome_result_correction_says_why")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_outcome_result_clinic_id")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_outcome_result_course_id")),
        sa.ForeignKeyConstraint(["infusion_id"], ["infusion_session.id"], name=op.f("fk_outcome_result_infusion_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_outcome_result_patient_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_outcome_result_recorded_by_id")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["outcome_result.id"], name=op.f("fk_outcome_result_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcome_result")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_outcome_result_supersedes_id")),
    )
    op.create_index(
        op.f("ix_outcome_result_course_id_answered_at"), "outcome_result", ["course_id", "answered_at"], unique=False
    )
    op.create_index(op.f("ix_outcome_result_infusion_id"), "outcome_result", ["infusion_id"], unique=False)
    op.create_index(op.f("ix_outcome_result_patient_id"), "outcome_result", ["patient_id"], unique=False)

    guards.never_deleted(["note"])
    guards.append_only(["outcome_result", "follow_up_call"])
    guards.fixed("note", ["patient_id", "infusion_id", "follows_id", "kind", "author_id"])
    for column in ("text", "signed_at"):
        guards.refuse(
            f"signed_note_{column}",
            "note",
            f"UPDATE OF {column}",
            f"OLD.status <> 'draft' AND {guards.distinct(column)}",
        )


def downgrade() -> None:
    op.drop_index(op.f("ix_outcome_result_patient_id"), table_name="outcome_result")
    op.drop_index(op.f("ix_outcome_result_infusion_id"), table_name="outcome_result")
    op.drop_index(op.f("ix_outcome_result_course_id_answered_at"), table_name="outcome_result")
    op.drop_table("outcome_result")
    op.drop_index(op.f("ix_note_patient_id"), table_name="note")
    op.drop_index(op.f("ix_note_infusion_id"), table_name="note")
    op.drop_index(op.f("ix_note_follows_id"), table_name="note")
    op.drop_index(op.f("ix_note_cosigner_id"), table_name="note")
    op.drop_index(op.f("ix_note_clinic_id_status"), table_name="note")
    op.drop_index(op.f("ix_note_author_id"), table_name="note")
    op.drop_table("note")
    op.drop_index(op.f("ix_follow_up_call_infusion_id"), table_name="follow_up_call")
    op.drop_table("follow_up_call")
