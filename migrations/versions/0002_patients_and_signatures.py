"""Patients, what is known of them before an infusion, and signatures."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "patient",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("mrn", sa.String(length=40), nullable=False),
        sa.Column("family_name", sa.Text(), nullable=False),
        sa.Column("given_name", sa.Text(), nullable=False),
        sa.Column("family_key", sa.Text(), nullable=False),
        sa.Column("born_on", sa.Date(), nullable=False),
        sa.Column(
            "sex",
            sa.Enum(
                "female", "male", "other", "unknown", name="sex", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_patient_clinic_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["staff.id"], name=op.f("fk_patient_created_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient")),
        sa.UniqueConstraint("clinic_id", "mrn", name=op.f("uq_patient_clinic_id_mrn")),
    )
    op.create_index(op.f("ix_patient_clinic_id_born_on"), "patient", ["clinic_id", "born_on"], unique=False)
    op.create_index(op.f("ix_patient_clinic_id_family_key"), "patient", ["clinic_id", "family_key"], unique=False)
    op.create_table(
        "screening_question",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("drug_name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_screening_question_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_screening_question")),
        sa.UniqueConstraint(
            "clinic_id", "drug_name", "text", name=op.f("uq_screening_question_clinic_id_drug_name_text")
        ),
    )
    op.create_table(
        "signature",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("subject_kind", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column(
            "meaning",
            sa.Enum(
                "author",
                "co-signer",
                "witness",
                "verbal order confirmed",
                "reviewed",
                name="meaning",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signer_id", sa.Uuid(), nullable=False),
        sa.Column("signer_name", sa.Text(), nullable=False),
        sa.Column("signer_credentials", sa.Text(), nullable=True),
        sa.Column("signer_roles", sa.Text(), nullable=False),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_signature_digest_is_sha256")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_signature_clinic_id")),
        sa.ForeignKeyConstraint(["signer_id"], ["staff.id"], name=op.f("fk_signature_signer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signature")),
        sa.UniqueConstraint(
            "subject_id", "signer_id", "meaning", name=op.f("uq_signature_subject_id_signer_id_meaning")
        ),
    )
    op.create_index(op.f("ix_signature_patient_id"), "signature", ["patient_id"], unique=False)
    op.create_index(
        op.f("ix_signature_subject_kind_subject_id"), "signature", ["subject_kind", "subject_id"], unique=False
    )
    op.create_table(
        "allergy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("known", "none-known", name="allergy_kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("substance", sa.Text(), nullable=True),
        sa.Column("reaction", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "kind = 'none-known' OR substance IS NOT NULL", name=op.f("ck_allergy_known_allergy_names_substance")
        ),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL", name=op.f("ck_allergy_correction_says_why")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_allergy_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_allergy_patient_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_allergy_recorded_by_id")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["allergy.id"], name=op.f("fk_allergy_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allergy")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_allergy_supersedes_id")),
    )
    op.create_index(op.f("ix_allergy_patient_id"), "allergy", ["patient_id"], unique=False)
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("drug_name", sa.Text(), nullable=False),
        sa.Column("form_version", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("active", "withdrawn", name="consent_status", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("witness_name", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL", name=op.f("ck_consent_correction_says_why")
        ),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until >= valid_from", name=op.f("ck_consent_consent_ends_after_it_begins")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_consent_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_consent_patient_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_consent_recorded_by_id")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["consent.id"], name=op.f("fk_consent_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_consent_supersedes_id")),
    )
    op.create_index(op.f("ix_consent_patient_id"), "consent", ["patient_id"], unique=False)
    op.create_table(
        "patient_identifier",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_patient_identifier_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_patient_identifier_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_identifier")),
        sa.UniqueConstraint("clinic_id", "system", "value", name=op.f("uq_patient_identifier_clinic_id_system_value")),
    )
    op.create_index(op.f("ix_patient_identifier_patient_id"), "patient_identifier", ["patient_id"], unique=False)
    op.create_table(
        "screening_answer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column(
            "answer",
            sa.Enum("yes", "no", "unknown", name="answer", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("settled_text", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL",
            name=op.f("ck_screening_answer_correction_says_why"),
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_screening_answer_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_screening_answer_patient_id")),
        sa.ForeignKeyConstraint(
            ["question_id"], ["screening_question.id"], name=op.f("fk_screening_answer_question_id")
        ),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_screening_answer_recorded_by_id")),
        sa.ForeignKeyConstraint(
            ["supersedes_id"], ["screening_answer.id"], name=op.f("fk_screening_answer_supersedes_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_screening_answer")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_screening_answer_supersedes_id")),
    )
    op.create_index(op.f("ix_screening_answer_patient_id"), "screening_answer", ["patient_id"], unique=False)
    op.create_table(
        "weight",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("kg", sa.BigInteger().with_variant(sa.Numeric(18, 2), "postgresql"), nullable=False),
        sa.Column(
            "method",
            sa.Enum("measured", "stated", name="weight_method", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kg > 0", name=op.f("ck_weight_weight_is_positive")),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL", name=op.f("ck_weight_correction_says_why")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_weight_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_weight_patient_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_weight_recorded_by_id")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["weight.id"], name=op.f("fk_weight_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weight")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_weight_supersedes_id")),
    )
    op.create_index(op.f("ix_weight_patient_id_measured_at"), "weight", ["patient_id", "measured_at"], unique=False)

    guards.append_only(["signature", "allergy", "weight", "screening_answer", "consent"])
    guards.never_deleted(["patient"])
    guards.fixed("patient", ["clinic_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_weight_patient_id_measured_at"), table_name="weight")
    op.drop_table("weight")
    op.drop_index(op.f("ix_screening_answer_patient_id"), table_name="screening_answer")
    op.drop_table("screening_answer")
    op.drop_index(op.f("ix_patient_identifier_patient_id"), table_name="patient_identifier")
    op.drop_table("patient_identifier")
    op.drop_index(op.f("ix_consent_patient_id"), table_name="consent")
    op.drop_table("consent")
    op.drop_index(op.f("ix_allergy_patient_id"), table_name="allergy")
    op.drop_table("allergy")
    op.drop_index(op.f("ix_signature_subject_kind_subject_id"), table_name="signature")
    op.drop_index(op.f("ix_signature_patient_id"), table_name="signature")
    op.drop_table("signature")
    op.drop_table("screening_question")
    op.drop_index(op.f("ix_patient_clinic_id_family_key"), table_name="patient")
    op.drop_index(op.f("ix_patient_clinic_id_born_on"), table_name="patient")
    op.drop_table("patient")
