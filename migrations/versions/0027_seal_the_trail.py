"""Seal the trail: each line has a link, so that a line changed, taken away or put in by hand is found."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_chain",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("start_key_id", sa.String(length=16), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("mac", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_chain")),
    )
    op.create_table(
        "audit_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("chain_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("mac", sa.String(length=64), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_audit_link_number_is_positive")),
        sa.ForeignKeyConstraint(["chain_id"], ["audit_chain.id"], name=op.f("fk_audit_link_chain_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["audit_entry.id"], name=op.f("fk_audit_link_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_link")),
        sa.UniqueConstraint("chain_id", "number", name=op.f("uq_audit_link_chain_id_number")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_audit_link_entry_id")),
    )
    guards.append_only(["audit_link"])
    guards.never_deleted(["audit_chain"])
    guards.fixed("audit_chain", ["id", "salt", "start_key_id", "started_at"])
    guards.refuse("audit_chain_only_grows", "audit_chain", "UPDATE OF number", "NEW.number < OLD.number")
    if guards.is_sqlite():
        guards.never_replaced("audit_link", [("chain_id, number", ""), ("entry_id", "")], ["INSERT"])
        guards.refuse(
            "never_replaced_audit_chain",
            "audit_chain",
            "INSERT",
            "EXISTS (SELECT 1 FROM audit_chain WHERE id = NEW.id)",
        )


def downgrade() -> None:
    op.drop_table("audit_link")
    op.drop_table("audit_chain")
