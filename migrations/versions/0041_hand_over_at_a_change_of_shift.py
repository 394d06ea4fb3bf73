"""Whoever takes over a patient who is there already is on duty from now on, not for the whole visit."""

from alembic import op

from migrations import guards

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

HOLDING = "('booked', 'arrived', 'fulfilled')"
# What they ask of a nurse, they ask for the whole visit or for its start. How many patients she has is asked always.
GUARDS = ("nurse_may_start", "nurse_is_on_duty", "nurse_has_no_break")


def upgrade() -> None:
    nurse = guards.distinct("nurse_id")
    _rewrite(nurse, f"(OLD.status = 'booked' AND {nurse})")


def downgrade() -> None:
    nurse = guards.distinct("nurse_id")
    _rewrite(f"(OLD.status = 'booked' AND {nurse})", nurse)


def _rewrite(was: str, now: str) -> None:
    """Let the guards look at a changed appointment on another condition; what they refuse stays."""
    for name in GUARDS:
        if guards.is_sqlite():
            found = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?"
            made = op.get_bind().exec_driver_sql(found, (f"{name}_update",)).scalar_one()
            if made.count(was) != 1:
                raise RuntimeError(f"{name} is not defined as this revision expects")
            op.execute(f"DROP TRIGGER {name}_update")
            op.get_bind().exec_driver_sql(made.replace(was, now))
        else:
            changed = " OR ".join(
                [f"OLD.status NOT IN {HOLDING}", now, guards.distinct("starts_at"), guards.distinct("ends_at")]
            )
            op.execute(f"DROP TRIGGER {name}_update ON appointment")
            op.execute(
                f"CREATE TRIGGER {name}_update BEFORE UPDATE OF status, nurse_id, starts_at, ends_at ON appointment "
                f"FOR EACH ROW WHEN (NEW.status IN {HOLDING} AND ({changed})) EXECUTE FUNCTION {name}()"
            )
