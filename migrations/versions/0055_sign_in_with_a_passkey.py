"""Sign in with a passkey: the public half of each, and the challenges that were answered."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "passkey",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("credential_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("is_backed_up", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(trim(name)) > 0", name=op.f("ck_passkey_has_a_name")),
        sa.CheckConstraint("sign_count >= 0", name=op.f("ck_passkey_sign_count_is_a_count")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_passkey_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkey_credential_id")),
    )
    op.create_index(op.f("ix_passkey_staff_id"), "passkey", ["staff_id"], unique=False)
    op.create_table(
        "used_challenge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("challenge_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_used_challenge")),
        sa.UniqueConstraint("challenge_hash", name=op.f("uq_used_challenge_challenge_hash")),
    )
    # A removed passkey never counts again, nobody gets another's, and its counter only goes on.
    guards.never_deleted(["passkey"])
    guards.refuse("removed_passkey_stays", "passkey", "UPDATE", "OLD.removed_at IS NOT NULL")
    guards.refuse("passkey_stays_its_persons", "passkey", "UPDATE OF staff_id, credential_id, public_key")
    guards.refuse("passkey_only_goes_on", "passkey", "UPDATE OF sign_count", "NEW.sign_count < OLD.sign_count")


def downgrade() -> None:
    op.drop_table("used_challenge")
    op.drop_table("passkey")
