"""A check before an infusion may say who has to answer it: a nurse or a physician."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        f"ALTER TABLE check_item ADD COLUMN role VARCHAR(40) CONSTRAINT {op.f('ck_check_item_check_role')} "
        "CHECK (role IN ('nurse', 'physician', 'scheduler', 'admin'))"
    )


def downgrade() -> None:
    op.drop_column("check_item", "role")
