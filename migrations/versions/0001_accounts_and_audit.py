"""Clinics, staff, sign-in and the append-only trail."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "clinic",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("patients_per_nurse", sa.Integer(), nullable=True),
        sa.Column("late_entry_after_min", sa.Integer(), nullable=True),
        sa.Column("weight_change_percent", sa.Integer(), nullable=True),
        sa.Column("rate_difference_percent", sa.Integer(), nullable=True),
        sa.Column("drug_tolerance_mg", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=True),
        sa.Column("double_check_minutes", sa.Integer(), nullable=True),
        sa.CheckConstraint("patients_per_nurse > 0", name=op.f("ck_clinic_patients_per_nurse_is_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinic")),
        sa.UniqueConstraint("name", name=op.f("uq_clinic_name")),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_key")),
        sa.UniqueConstraint("actor_id", "key", name=op.f("uq_idempotency_key_actor_id_key")),
    )
    op.create_index(op.f("ix_idempotency_key_saved_at"), "idempotency_key", ["saved_at"], unique=False)
    op.create_table(
        "login_failure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_failure")),
    )
    op.create_index(op.f("ix_login_failure_subject_failed_at"), "login_failure", ["subject", "failed_at"], unique=False)
    op.create_table(
        "staff",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("given_name", sa.Text(), nullable=False),
        sa.Column("family_name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("credentials", sa.Text(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "invited",
                "active",
                "disabled",
                name="staff_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_staff_email_is_lower_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("email", name=op.f("uq_staff_email")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column(
            "action",
            sa.Enum(
                "accounts:login:started",
                "accounts:login:refused",
                "accounts:login:ended",
                "accounts:login:locked",
                "accounts:login:unlocked",
                "accounts:access:denied",
                "accounts:clinic:created",
                "accounts:clinic:changed",
                "accounts:staff:invited",
                "accounts:staff:activated",
                "accounts:staff:changed",
                "accounts:staff:disabled",
                "accounts:staff:enabled",
                "accounts:password:changed",
                "signatures:signature:made",
                "signatures:signature:refused",
                "patients:patient:read",
                "patients:patient:searched",
                "patients:patient:created",
                "patients:patient:changed",
                "patients:allergy:recorded",
                "patients:weight:recorded",
                "patients:weight:refused",
                "patients:screening:recorded",
                "patients:screening:settled",
                "patients:consent:recorded",
                "protocols:drug:added",
                "protocols:protocol:drafted",
                "protocols:protocol:approved",
                "protocols:protocol:retired",
                "orders:order:drafted",
                "orders:order:read",
                "orders:order:signed",
                "orders:order:status-changed",
                "orders:verbal-order:written",
                "orders:verbal-order:signed",
                "courses:course:created",
                "courses:course:read",
                "courses:course:status-changed",
                "courses:course:reviewed",
                "scheduling:chair:changed",
                "scheduling:shift:changed",
                "scheduling:appointment:booked",
                "scheduling:appointment:moved",
                "scheduling:appointment:status-changed",
                "druglog:entry:recorded",
                "druglog:discrepancy:opened",
                "sessions:board:read",
                "sessions:session:read",
                "sessions:session:printed",
                "sessions:session:status-changed",
                "sessions:gate:answered",
                "sessions:rate:proposed",
                "sessions:double-check:recorded",
                "sessions:administration:recorded",
                "sessions:prn:given",
                "sessions:observation:recorded",
                "sessions:observation:corrected",
                "sessions:observation:not-done",
                "sessions:event:recorded",
                "sessions:iv-access:recorded",
                "sessions:adverse-event:recorded",
                "sessions:discharge:assessed",
                "sessions:discharge:recorded",
                "notes:note:drafted",
                "notes:note:read",
                "notes:note:signed",
                "notes:note:cosigned",
                "notes:note:addended",
                "outcomes:outcome:recorded",
                "outcomes:follow-up:recorded",
                "demo:clinic:created",
                name="audit_action",
                native_enum=False,
                length=60,
            ),
            nullable=False,
        ),
        sa.Column("subject_kind", sa.String(length=40), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("request_id", sa.String(length=40), nullable=True),
        sa.Column("address", sa.String(length=60), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["staff.id"], name=op.f("fk_audit_entry_actor_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_audit_entry_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index(op.f("ix_audit_entry_actor_id_at"), "audit_entry", ["actor_id", "at"], unique=False)
    op.create_index(op.f("ix_audit_entry_clinic_id_at"), "audit_entry", ["clinic_id", "at"], unique=False)
    op.create_index(op.f("ix_audit_entry_patient_id_at"), "audit_entry", ["patient_id", "at"], unique=False)
    op.create_index(op.f("ix_audit_entry_subject_id"), "audit_entry", ["subject_id"], unique=False)
    op.create_table(
        "invitation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["staff.id"], name=op.f("fk_invitation_created_by_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_invitation_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitation_token_hash")),
    )
    op.create_index(op.f("ix_invitation_staff_id"), "invitation", ["staff_id"], unique=False)
    op.create_table(
        "login_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("browser", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_login_session_clinic_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_login_session_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_login_session_token_hash")),
    )
    op.create_index(op.f("ix_login_session_staff_id"), "login_session", ["staff_id"], unique=False)
    op.create_table(
        "site",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_site_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
        sa.UniqueConstraint("clinic_id", "name", name=op.f("uq_site_clinic_id_name")),
    )
    op.create_table(
        "staff_role",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "nurse",
                "physician",
                "scheduler",
                "admin",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_by_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_staff_role_clinic_id")),
        sa.ForeignKeyConstraint(["granted_by_id"], ["staff.id"], name=op.f("fk_staff_role_granted_by_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_role_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_role")),
        sa.UniqueConstraint("staff_id", "clinic_id", "role", name=op.f("uq_staff_role_staff_id_clinic_id_role")),
    )

    guards.create_refusal()
    guards.append_only(["audit_entry"])
    guards.never_deleted(["clinic", "site", "staff", "login_session"])


def downgrade() -> None:
    op.drop_table("staff_role")
    op.drop_table("site")
    op.drop_index(op.f("ix_login_session_staff_id"), table_name="login_session")
    op.drop_table("login_session")
    op.drop_index(op.f("ix_invitation_staff_id"), table_name="invitation")
    op.drop_table("invitation")
    op.drop_index(op.f("ix_audit_entry_subject_id"), table_name="audit_entry")
    op.drop_index(op.f("ix_audit_entry_patient_id_at"), table_name="audit_entry")
    op.drop_index(op.f("ix_audit_entry_clinic_id_at"), table_name="audit_entry")
    op.drop_index(op.f("ix_audit_entry_actor_id_at"), table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_table("staff")
    op.drop_index(op.f("ix_login_failure_subject_failed_at"), table_name="login_failure")
    op.drop_table("login_failure")
    op.drop_index(op.f("ix_idempotency_key_saved_at"), table_name="idempotency_key")
    op.drop_table("idempotency_key")
    op.drop_table("clinic")
    guards.drop_refusal()
