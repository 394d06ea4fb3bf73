"""A clinic may say within how many days a late entry or an addendum is written; empty until somebody decides."""

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    days = op.f("ck_clinic_late_entry_days_is_positive")
    op.execute(f"ALTER TABLE clinic ADD COLUMN late_entry_days INTEGER CONSTRAINT {days} CHECK (late_entry_days > 0)")


def downgrade() -> None:
    op.drop_column("clinic", "late_entry_days")
