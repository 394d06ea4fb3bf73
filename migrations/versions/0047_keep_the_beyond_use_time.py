"""A container that was opened with a time until which it may be used keeps that time."""

from alembic import op

from migrations import guards

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

NAME = "opened_container_beyond_use_at"


def upgrade() -> None:
    kept = f"OLD.beyond_use_at IS NOT NULL AND {guards.distinct('beyond_use_at')}"
    guards.refuse(NAME, "container", "UPDATE OF beyond_use_at", kept)


def downgrade() -> None:
    op.execute(f"DROP TRIGGER {NAME}" if guards.is_sqlite() else f"DROP TRIGGER {NAME} ON container")
