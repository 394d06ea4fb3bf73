"""Who takes over a patient who is there is judged by the limits, by phase too, from then on.

A hand-over at the bedside has happened: an appointment whose patient has arrived may name what it goes beyond, whatever
the clinic lets a physician override.
"""

import sqlalchemy as sa
from alembic import op

from migrations import booking_rules, guards

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None

PHASE = "nurse_has_room_in_phase"
COLUMNS = ("course_id", "starts_at", "ends_at")


def upgrade() -> None:
    op.add_column("appointment", sa.Column("nurse_since", sa.DateTime(timezone=True), nullable=True))
    for guard, old, new in _words():
        guards.reword(guard, old, new)
    nurse = guards.distinct("nurse_id")
    _look_at(nurse, was=f"(OLD.status = 'booked' AND {nurse})")


def downgrade() -> None:
    nurse = guards.distinct("nurse_id")
    _look_at(f"(OLD.status = 'booked' AND {nurse})", was=nurse)
    for guard, old, new in reversed(_words()):
        guards.reword(guard, new, old)
    op.drop_column("appointment", "nurse_since")


def _words() -> list[tuple[str, str, str]]:
    """By guard, what is asked and what was: from when on the nurse has the patient, and who may go beyond."""
    later = "max" if guards.is_sqlite() else "GREATEST"
    found = [(PHASE, "n.f", f"{later}(n.f, COALESCE(NEW.nurse_since, n.f))")]
    for asked in ("SELECT {} AS instant", "a.starts_at > {}", "w.starts_at > {}", "w.ends_at > {}"):
        was, now = asked.format("NEW.starts_at"), asked.format("COALESCE(NEW.nurse_since, NEW.starts_at)")
        found.append(("nurse_has_room", was, now))
    # A clock that the database cannot read must not lift the limit.
    day = booking_rules.day_of_the_wall("NEW.starts_at")
    utc = "date(NEW.starts_at)" if guards.is_sqlite() else "(NEW.starts_at AT TIME ZONE 'UTC')::date"
    found.append((PHASE, f"<= {day}", f"<= COALESCE({day}, {utc})"))
    for guard in ("nurse_has_room", PHASE):
        named = f"LIKE '% {guard} %' AND COALESCE("
        found.append((guard, f"{named}(", f"{named}NULLIF(NEW.status = 'arrived', FALSE), ("))
    return found


def _look_at(nurse: str, *, was: str) -> None:
    """Let the guard look at another nurse on another condition."""
    if guards.is_sqlite():
        guards.reword(PHASE, was, nurse, ends=("update",))
        return
    changed = " OR ".join([f"OLD.status NOT IN {booking_rules.HOLDING}", nurse, *map(guards.distinct, COLUMNS)])
    op.execute(f"DROP TRIGGER {PHASE}_update ON appointment")
    op.execute(
        f"CREATE TRIGGER {PHASE}_update BEFORE UPDATE OF status, nurse_id, {', '.join(COLUMNS)} ON appointment "
        f"FOR EACH ROW WHEN (NEW.status IN {booking_rules.HOLDING} AND ({changed})) EXECUTE FUNCTION {PHASE}()"
    )
