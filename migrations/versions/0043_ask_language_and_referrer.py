"""Who referred a patient, the language that is spoken with them, and whether an interpreter is needed."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("patient", sa.Column("language", sa.Text(), nullable=True))
    op.add_column("patient", sa.Column("is_interpreter_needed", sa.Boolean(), nullable=True))
    op.add_column("patient", sa.Column("referred_by", sa.Text(), nullable=True))


def downgrade() -> None:
    for column in ("referred_by", "is_interpreter_needed", "language"):
        op.drop_column("patient", column)
