"""After how many sessions a physician reviews a course, before the next one starts."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("terms", sa.Column("review_after", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("terms", "review_after")
