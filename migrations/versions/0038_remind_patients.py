"""Who may be written to, when reminders go out and what they say, and what patients answer."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_FLAGS = ("mails_tell_drug", "mails_tell_changes")


def _table(table: str, *own: sa.schema.SchemaItem) -> None:
    """A table of rows that supersede each other."""
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        *own,
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL", name=op.f(f"ck_{table}_correction_says_why")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f(f"fk_{table}_clinic_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f(f"fk_{table}_recorded_by_id")),
        sa.ForeignKeyConstraint(["supersedes_id"], [f"{table}.id"], name=op.f(f"fk_{table}_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("supersedes_id", name=op.f(f"uq_{table}_supersedes_id")),
    )
    guards.append_only([table])
    if guards.is_sqlite():
        guards.never_replaced(table, [("supersedes_id", "")], ["INSERT"])


def _enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    for flag in _FLAGS:
        op.add_column("clinic", sa.Column(flag, sa.Boolean(), nullable=False, server_default=sa.false()))
    _table(
        "mail_agreement",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_mail_agreement_patient_id")),
    )
    op.create_index(op.f("ix_mail_agreement_patient_id"), "mail_agreement", ["patient_id"], unique=False)
    _table(
        "reminder_time",
        sa.Column("days_before", sa.Integer(), nullable=False),
        sa.Column("at_clock", sa.Time(), nullable=False),
        sa.CheckConstraint("days_before BETWEEN 0 AND 60", name=op.f("ck_reminder_time_days_are_near")),
    )
    _table(
        "reminder_text",
        sa.Column("kind", _enum("text_kind", "fasting", "escort", "preparation"), nullable=False),
        sa.Column("drug_name", sa.Text(), nullable=True),
        sa.Column("protocol_id", sa.Uuid(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.CheckConstraint("protocol_id IS NULL OR drug_name IS NULL", name=op.f("ck_reminder_text_text_is_for_one")),
        sa.ForeignKeyConstraint(["protocol_id"], ["protocol.id"], name=op.f("fk_reminder_text_protocol_id")),
    )
    op.create_table(
        "appointment_answer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("answer", _enum("answer_kind", "confirmed", "cancelled"), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_appointment_answer_clinic_id")),
        sa.ForeignKeyConstraint(
            ["appointment_id"], ["appointment.id"], name=op.f("fk_appointment_answer_appointment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment_answer")),
    )
    op.create_index(
        op.f("ix_appointment_answer_appointment_id"), "appointment_answer", ["appointment_id"], unique=False
    )
    guards.append_only(["appointment_answer"])


def downgrade() -> None:
    for table in ("appointment_answer", "reminder_text", "reminder_time", "mail_agreement"):
        op.drop_table(table)
    for flag in reversed(_FLAGS):
        op.drop_column("clinic", flag)
