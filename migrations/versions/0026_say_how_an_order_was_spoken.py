"""An order was spoken face to face or by telephone; the clinic may say within how long its speaker signs it.

Rows from before say neither, and their signatures stay as they are. A new row says which.
"""

from alembic import op

from migrations import guards

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_SAYS_HOW = "verbal_order_says_how"


def upgrade() -> None:
    mode, hours = op.f("ck_verbal_order_spoken_mode"), op.f("ck_clinic_spoken_order_sign_hours_is_positive")
    op.execute(
        f"ALTER TABLE verbal_order ADD COLUMN mode VARCHAR(40) CONSTRAINT {mode} "
        "CHECK (mode IN ('verbal', 'telephone'))"
    )
    guards.refuse(_SAYS_HOW, "verbal_order", "INSERT", "NEW.mode IS NULL")
    op.execute(
        f"ALTER TABLE clinic ADD COLUMN spoken_order_sign_hours INTEGER CONSTRAINT {hours} "
        "CHECK (spoken_order_sign_hours > 0)"
    )


def downgrade() -> None:
    op.drop_column("clinic", "spoken_order_sign_hours")
    op.execute(f"DROP TRIGGER {_SAYS_HOW}" if guards.is_sqlite() else f"DROP TRIGGER {_SAYS_HOW} ON verbal_order")
    op.drop_column("verbal_order", "mode")
