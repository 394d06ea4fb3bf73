"""Orders with their versions, spoken orders, and courses."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "infusion_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_infusion_order_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_infusion_order_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_infusion_order")),
    )
    op.create_index(op.f("ix_infusion_order_patient_id"), "infusion_order", ["patient_id"], unique=False)
    op.create_table(
        "order_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "pending-signature",
                "active",
                "on-hold",
                "completed",
                "superseded",
                "stopped",
                "cancelled",
                "entered-in-error",
                name="order_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("terms_id", sa.Uuid(), nullable=False),
        sa.Column("weight_id", sa.Uuid(), nullable=True),
        sa.Column("weight_used_kg", sa.BigInteger().with_variant(sa.Numeric(18, 2), "postgresql"), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("sessions_allowed", sa.Integer(), nullable=True),
        sa.Column("change_reason", sa.Text(), nullable=True),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drafted_by_id", sa.Uuid(), nullable=False),
        sa.Column("signature_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status NOT IN ('active', 'on-hold', 'completed', 'superseded', 'stopped') OR signature_id IS NOT NULL",
            name=op.f("ck_order_version_order_in_force_is_signed"),
        ),
        sa.CheckConstraint("number > 0", name=op.f("ck_order_version_number_is_positive")),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until >= valid_from", name=op.f("ck_order_version_validity_runs_forward")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_order_version_clinic_id")),
        sa.ForeignKeyConstraint(["drafted_by_id"], ["staff.id"], name=op.f("fk_order_version_drafted_by_id")),
        sa.ForeignKeyConstraint(["order_id"], ["infusion_order.id"], name=op.f("fk_order_version_order_id")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_order_version_signature_id")),
        sa.ForeignKeyConstraint(["terms_id"], ["terms.id"], name=op.f("fk_order_version_terms_id")),
        sa.ForeignKeyConstraint(["weight_id"], ["weight.id"], name=op.f("fk_order_version_weight_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_version")),
        sa.UniqueConstraint("order_id", "number", name=op.f("uq_order_version_order_id_number")),
        sa.UniqueConstraint("terms_id", name=op.f("uq_order_version_terms_id")),
    )
    op.create_index(
        "uq_order_version_one_in_force",
        "order_version",
        ["order_id"],
        unique=True,
        sqlite_where=sa.text("status IN ('active', 'on-hold')"),
        postgresql_where=sa.text("status IN ('active', 'on-hold')"),
    )
    op.create_table(
        "course",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("protocol_version_id", sa.Uuid(), nullable=False),
        sa.Column("previous_course_id", sa.Uuid(), nullable=True),
        sa.Column("indication", sa.Text(), nullable=False),
        sa.Column("goal", sa.Text(), nullable=True),
        sa.Column(
            "intent",
            sa.Enum(
                "trial",
                "series",
                "booster",
                "maintenance",
                name="course_intent",
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
                "active",
                "on-hold",
                "completed",
                "revoked",
                "entered-in-error",
                name="course_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("physician_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_course_number_is_positive")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_course_clinic_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["staff.id"], name=op.f("fk_course_created_by_id")),
        sa.ForeignKeyConstraint(["order_id"], ["infusion_order.id"], name=op.f("fk_course_order_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_course_patient_id")),
        sa.ForeignKeyConstraint(["physician_id"], ["staff.id"], name=op.f("fk_course_physician_id")),
        sa.ForeignKeyConstraint(["previous_course_id"], ["course.id"], name=op.f("fk_course_previous_course_id")),
        sa.ForeignKeyConstraint(
            ["protocol_version_id"], ["protocol_version.id"], name=op.f("fk_course_protocol_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course")),
        sa.UniqueConstraint("order_id", name=op.f("uq_course_order_id")),
        sa.UniqueConstraint("patient_id", "number", name=op.f("uq_course_patient_id_number")),
    )
    op.create_index(op.f("ix_course_patient_id"), "course", ["patient_id"], unique=False)
    op.create_index(op.f("ix_course_physician_id"), "course", ["physician_id"], unique=False)
    op.create_index(op.f("ix_course_status"), "course", ["status"], unique=False)
    op.create_table(
        "verbal_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("order_version_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("spoken_by_id", sa.Uuid(), nullable=False),
        sa.Column("spoken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_read_back", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("is_read_back", name=op.f("ck_verbal_order_verbal_order_was_read_back")),
        sa.CheckConstraint("spoken_by_id <> recorded_by_id", name=op.f("ck_verbal_order_speaker_is_not_writer")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_verbal_order_clinic_id")),
        sa.ForeignKeyConstraint(
            ["order_version_id"], ["order_version.id"], name=op.f("fk_verbal_order_order_version_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_verbal_order_patient_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_verbal_order_recorded_by_id")),
        sa.ForeignKeyConstraint(["spoken_by_id"], ["staff.id"], name=op.f("fk_verbal_order_spoken_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verbal_order")),
    )
    op.create_index(op.f("ix_verbal_order_patient_id"), "verbal_order", ["patient_id"], unique=False)
    op.create_index(op.f("ix_verbal_order_spoken_by_id"), "verbal_order", ["spoken_by_id"], unique=False)
    op.create_table(
        "course_review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column(
            "decision",
            sa.Enum(
                "continue",
                "adjust",
                "hold",
                "resume",
                "discontinue",
                "complete",
                name="course_decision",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "from_status",
            sa.Enum(
                "draft",
                "active",
                "on-hold",
                "completed",
                "revoked",
                "entered-in-error",
                name="from_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "to_status",
            sa.Enum(
                "draft",
                "active",
                "on-hold",
                "completed",
                "revoked",
                "entered-in-error",
                name="to_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_course_review_clinic_id")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_course_review_course_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_course_review_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_review")),
    )
    op.create_index(op.f("ix_course_review_course_id"), "course_review", ["course_id"], unique=False)

    guards.never_deleted(["infusion_order", "order_version", "course"])
    guards.append_only(["verbal_order", "course_review"])
    guards.fixed("infusion_order", ["patient_id"])
    guards.fixed("course", ["patient_id", "order_id", "number", "protocol_version_id"])
    guards.fixed("order_version", ["order_id", "number", "terms_id"])
    for column in (
        "signature_id",
        "weight_id",
        "weight_used_kg",
        "valid_from",
        "valid_until",
        "sessions_allowed",
        "change_reason",
        "drafted_by_id",
    ):
        guards.refuse(
            f"signed_order_version_{column}",
            "order_version",
            f"UPDATE OF {column}",
            f"OLD.signature_id IS NOT NULL AND {guards.distinct(column)}",
        )


def downgrade() -> None:
    op.drop_index(op.f("ix_course_review_course_id"), table_name="course_review")
    op.drop_table("course_review")
    op.drop_index(op.f("ix_verbal_order_spoken_by_id"), table_name="verbal_order")
    op.drop_index(op.f("ix_verbal_order_patient_id"), table_name="verbal_order")
    op.drop_table("verbal_order")
    op.drop_index(op.f("ix_course_status"), table_name="course")
    op.drop_index(op.f("ix_course_physician_id"), table_name="course")
    op.drop_index(op.f("ix_course_patient_id"), table_name="course")
    op.drop_table("course")
    op.drop_index(
        "uq_order_version_one_in_force",
        table_name="order_version",
        sqlite_where=sa.text("status IN ('active', 'on-hold')"),
        postgresql_where=sa.text("status IN ('active', 'on-hold')"),
    )
    op.drop_table("order_version")
    op.drop_index(op.f("ix_infusion_order_patient_id"), table_name="infusion_order")
    op.drop_table("infusion_order")
