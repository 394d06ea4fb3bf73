"""Say which app takes the place of a lost one: until it is confirmed the password alone opens nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("authenticator", sa.Column("is_replacement", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("authenticator", "is_replacement")
