"""Who gives a bolus, what a step beyond the order's is, how far the pump's number may be from the computed one.

A clinic decides these for itself; empty decides nothing. An entry about the pump keeps which of its two numbers is
right.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _checked(table: str, column: str, values: str) -> None:
    """A column of words: the list of them stands in a named check, written with the column."""
    words = ", ".join(f"'{value}'" for value in values.split())
    name = op.f(f"ck_{table}_{column}")
    check = f" CONSTRAINT {name} CHECK ({column} IN ({words}))"
    op.execute(f"ALTER TABLE {table} ADD COLUMN {column} VARCHAR(40){check}")


def upgrade() -> None:
    _checked("clinic", "bolus_role", "nurse physician scheduler admin")
    _checked("clinic", "step_level", "hard soft")
    op.add_column("clinic", sa.Column("pump_tolerance_percent", sa.Integer(), nullable=True))
    op.add_column("administration_event", sa.Column("volume_reason", sa.Text(), nullable=True))
    _checked("administration_event", "right_volume", "pump computed")


def downgrade() -> None:
    for column in ("right_volume", "volume_reason"):
        op.drop_column("administration_event", column)
    for column in ("pump_tolerance_percent", "step_level", "bolus_role"):
        op.drop_column("clinic", column)
