"""A dose for each session of a course beside one dose for all: stepped from day to day, typed by the physician."""

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    name = op.f("ck_terms_one_dose_or_one_for_each_session")
    op.execute(
        f"ALTER TABLE terms ADD COLUMN session_amounts TEXT "
        f"CONSTRAINT {name} CHECK (session_amounts IS NULL OR start_amount IS NULL)"
    )


def downgrade() -> None:
    op.drop_column("terms", "session_amounts")
