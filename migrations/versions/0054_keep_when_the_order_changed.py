"""When a session went on under another version of its order: what was due before stays what that one said."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

_TABLE = "order_adoption"
_LINKS = {
    "clinic_id": "clinic",
    "infusion_id": "infusion_session",
    "was_version_id": "order_version",
    "version_id": "order_version",
    "recorded_by_id": "staff",
}


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in _LINKS),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        *(
            sa.ForeignKeyConstraint([name], [f"{table}.id"], name=op.f(f"fk_{_TABLE}_{name}"))
            for name, table in _LINKS.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{_TABLE}")),
    )
    op.create_index(op.f(f"ix_{_TABLE}_infusion_id"), _TABLE, ["infusion_id"], unique=False)
    guards.append_only([_TABLE])


def downgrade() -> None:
    op.drop_index(op.f(f"ix_{_TABLE}_infusion_id"), table_name=_TABLE)
    op.drop_table(_TABLE)
