"""Take a passkey where a password is asked for again: what it proved, once, for two minutes."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "passkey_proof",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("word_hash", sa.String(length=64), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("login_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_passkey_proof_staff_id")),
        sa.ForeignKeyConstraint(["login_id"], ["login_session.id"], name=op.f("fk_passkey_proof_login_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey_proof")),
        sa.UniqueConstraint("word_hash", name=op.f("uq_passkey_proof_word_hash")),
    )
    guards.refuse("used_passkey_proof_stays", "passkey_proof", "UPDATE", "OLD.used_at IS NOT NULL")


def downgrade() -> None:
    op.drop_table("passkey_proof")
