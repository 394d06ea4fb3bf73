"""How the sessions of a course follow each other: six kinds of spacing, each with its window."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_KINDS = ("weekdays", "consecutive", "interval", "decreasing", "as-needed", "block")
_NUMBERS = ("every_days", "early_days", "late_days")


def upgrade() -> None:
    kinds = ", ".join(f"'{kind}'" for kind in _KINDS)
    op.execute(
        f"ALTER TABLE terms ADD COLUMN spacing VARCHAR(40) "
        f"CONSTRAINT {op.f('ck_terms_spacing')} CHECK (spacing IN ({kinds}))"
    )
    op.add_column("terms", sa.Column("weekdays", sa.Text(), nullable=True))
    op.add_column("terms", sa.Column("gaps_days", sa.Text(), nullable=True))
    for column in _NUMBERS:
        op.add_column("terms", sa.Column(column, sa.Integer(), nullable=True))


def downgrade() -> None:
    for column in ("late_days", "early_days", "gaps_days", "every_days", "weekdays", "spacing"):
        op.drop_column("terms", column)
