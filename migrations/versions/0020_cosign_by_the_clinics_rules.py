"""Which notes wait for a co-signature is the clinic's own rule; late entries and attestations are told apart."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_TABLE = "cosign_rule"
_ADDED = ("happened_at", "is_attestation")


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
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
        sa.Column("is_needed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_cosign_rule_clinic_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_cosign_rule_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cosign_rule")),
    )
    guards.append_only([_TABLE])
    op.add_column("note", sa.Column("happened_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("note", sa.Column("is_attestation", sa.Boolean(), nullable=False, server_default=sa.false()))
    guards.fixed("note", _ADDED)


def downgrade() -> None:
    for column in _ADDED:
        trigger = f"fixed_note_{column}"
        op.execute(f"DROP TRIGGER {trigger}" if guards.is_sqlite() else f"DROP TRIGGER {trigger} ON note")
        op.drop_column("note", column)
    op.drop_table(_TABLE)
