"""The clinic says whether a second person computes every rate, lower ones too, and the rate at each hand-over."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

SETTINGS = ("is_every_rate_checked", "is_hand_over_checked")
KEY = "fk_hand_over_offer_proposal_id"


def upgrade() -> None:
    for name in SETTINGS:
        op.add_column("clinic", sa.Column(name, sa.Boolean(), nullable=True))
    kind = "CHAR(32)" if guards.is_sqlite() else "UUID"
    op.execute(
        f"ALTER TABLE hand_over_offer ADD COLUMN proposal_id {kind} CONSTRAINT {KEY} REFERENCES rate_proposal (id)"
    )


def downgrade() -> None:
    op.drop_column("hand_over_offer", "proposal_id")
    for name in SETTINGS:
        op.drop_column("clinic", name)
