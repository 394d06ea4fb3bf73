"""Sign in at the clinic's own identity provider: who each person is there."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

_COUNTS = sa.text("removed_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "provider_identity",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_provider_identity_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_identity")),
    )
    for name, columns in (("one_account", ["issuer", "subject"]), ("one_per_person", ["staff_id", "issuer"])):
        op.create_index(
            f"uq_provider_identity_{name}",
            "provider_identity",
            columns,
            unique=True,
            sqlite_where=_COUNTS,
            postgresql_where=_COUNTS,
        )
    # A removed identity never counts again, and none becomes another person's.
    guards.never_deleted(["provider_identity"])
    guards.refuse("removed_identity_stays", "provider_identity", "UPDATE", "OLD.removed_at IS NOT NULL")
    guards.refuse("identity_stays_its_persons", "provider_identity", "UPDATE OF staff_id, issuer, subject")


def downgrade() -> None:
    op.drop_table("provider_identity")
