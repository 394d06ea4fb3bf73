"""Ask for a second factor: an app with one-time codes, recovery codes, and the roles that need one."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "authenticator",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_authenticator_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authenticator")),
    )
    still_there = sa.text("removed_at IS NULL")
    op.create_index(
        "uq_authenticator_one_per_person",
        "authenticator",
        ["staff_id"],
        unique=True,
        sqlite_where=still_there,
        postgresql_where=still_there,
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_recovery_code_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_recovery_code_code_hash")),
    )
    op.create_index(op.f("ix_recovery_code_staff_id"), "recovery_code", ["staff_id"], unique=False)
    # A code that was used, and an app's time step, never count again.
    guards.never_deleted(["authenticator", "recovery_code"])
    guards.refuse("used_recovery_code_stays", "recovery_code", "UPDATE", "OLD.used_at IS NOT NULL")
    guards.refuse(
        "authenticator_only_goes_on", "authenticator", "UPDATE OF last_step", "NEW.last_step <= OLD.last_step"
    )
    op.add_column("clinic", sa.Column("factor_roles", sa.Text(), nullable=True))
    op.add_column("login_session", sa.Column("is_factor_due", sa.Boolean(), nullable=False, server_default=sa.false()))
    purpose = op.f("ck_invitation_link_purpose")
    op.execute(
        "ALTER TABLE invitation ADD COLUMN purpose VARCHAR(40) NOT NULL DEFAULT 'password' "
        f"CONSTRAINT {purpose} CHECK (purpose IN ('password', 'factor'))"
    )


def downgrade() -> None:
    op.drop_column("invitation", "purpose")
    op.drop_column("login_session", "is_factor_due")
    op.drop_column("clinic", "factor_roles")
    op.drop_table("recovery_code")
    op.drop_table("authenticator")
