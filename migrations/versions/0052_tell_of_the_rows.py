"""A link of the trail tells of the rows that were written with its line, so that a change by hand is named."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit_link", sa.Column("rows", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("audit_link", "rows")
