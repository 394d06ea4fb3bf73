"""All limits for one nurse in one dated row: at once, begun in a quarter of an hour, and by phase.

The first two stood in the clinic's settings and held whenever. They go to a row that begins before everything that is
kept, and to each row of the limits by phase. The guards read the row of the wall's day instead of the settings.
"""

import sqlalchemy as sa
from alembic import op

from migrations import booking_rules, guards

revision = "0069"
down_revision = "0068"
branch_labels = None
depends_on = None

PHASES = ("precheck", "infusion", "recovery")
LIMITS = ("at_once", "per_quarter", *PHASES)
# What was kept in the clinic's settings: the column, the limit of today, the guard, the instant at which it is asked.
SETTINGS = (
    ("patients_per_nurse", "at_once", "nurse_has_room", "point.instant"),
    ("starts_per_nurse", "per_quarter", "nurse_may_start", "NEW.starts_at"),
)
_LAST = "ORDER BY p.valid_from DESC, p.recorded_at DESC, p.id DESC LIMIT 1"


def upgrade() -> None:
    _create("nurse_limit", LIMITS, is_signed=False)
    columns = ", ".join(PHASES)
    op.execute(
        "INSERT INTO nurse_limit (id, clinic_id, valid_from, at_once, per_quarter, "
        f"{columns}, recorded_at, recorded_by_id) "
        "SELECT p.id, p.clinic_id, p.valid_from, c.patients_per_nurse, c.starts_per_nurse, "
        f"{columns}, p.recorded_at, p.recorded_by_id FROM phase_limit p JOIN clinic c ON c.id = p.clinic_id"
    )
    op.execute(
        "INSERT INTO nurse_limit (id, clinic_id, valid_from, at_once, per_quarter, recorded_at) "
        f"SELECT {_new_key()}, c.id, {_before_everything()}, c.patients_per_nurse, c.starts_per_nurse, {_now()} "
        "FROM clinic c WHERE COALESCE(c.patients_per_nurse, c.starts_per_nurse) IS NOT NULL"
    )
    guards.append_only(["nurse_limit"])
    for setting, limit, guard, instant in SETTINGS:
        guards.reword(guard, _setting(setting), _limit(limit, instant))
    guards.reword("nurse_has_room_in_phase", "FROM phase_limit p", "FROM nurse_limit p")
    op.drop_table("phase_limit")
    check = ", \n\tCONSTRAINT ck_clinic_patients_per_nurse_is_positive CHECK (patients_per_nurse > 0)"
    if guards.is_sqlite() and check in _definition("clinic"):  # else it goes with its column, as a downgrade left it
        # Guards of other tables look up the clinic: without this, SQLite asks for it while it has no name.
        op.execute("PRAGMA legacy_alter_table = ON")
        guards.rebuild("clinic", (check, ""))
        op.execute("PRAGMA legacy_alter_table = OFF")
    for setting, *_ in SETTINGS:
        op.execute(f"ALTER TABLE clinic DROP COLUMN {setting}")


def downgrade() -> None:
    for setting, *_ in SETTINGS:
        check = f"CONSTRAINT ck_clinic_{setting}_is_positive CHECK ({setting} > 0)"
        op.execute(f"ALTER TABLE clinic ADD COLUMN {setting} INTEGER {check}")
    for setting, limit, *_ in SETTINGS:
        op.execute(
            f"UPDATE clinic SET {setting} = (SELECT p.{limit} FROM nurse_limit p "
            f"WHERE p.clinic_id = clinic.id AND p.valid_from <= CURRENT_DATE {_LAST})"
        )
    _create("phase_limit", PHASES, is_signed=True)
    columns = f"id, clinic_id, valid_from, {', '.join(PHASES)}, recorded_at, recorded_by_id"
    op.execute(
        f"INSERT INTO phase_limit ({columns}) SELECT {columns} FROM nurse_limit WHERE recorded_by_id IS NOT NULL"
    )
    guards.append_only(["phase_limit"])
    for setting, limit, guard, instant in SETTINGS:
        guards.reword(guard, _limit(limit, instant), _setting(setting))
    guards.reword("nurse_has_room_in_phase", "FROM nurse_limit p", "FROM phase_limit p")
    op.drop_table("nurse_limit")


def _create(table: str, limits: tuple[str, ...], *, is_signed: bool) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        *(sa.Column(limit, sa.Integer(), nullable=True) for limit in limits),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=not is_signed),
        *(sa.CheckConstraint(f"{limit} > 0", name=op.f(f"ck_{table}_{limit}_is_positive")) for limit in limits),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f(f"fk_{table}_clinic_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f(f"fk_{table}_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_clinic_id_valid_from"), table, ["clinic_id", "valid_from"], unique=False)


def _definition(table: str) -> str:
    found = sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table")
    return str(op.get_bind().scalar(found, {"table": table}))


def _setting(column: str) -> str:
    """How the guards asked for the limit before."""
    return f"(SELECT c.{column} FROM clinic c WHERE c.id = NEW.clinic_id)"


def _limit(limit: str, instant: str) -> str:
    """The limit on the wall's day of an instant. A clock that the database cannot read must not lift it."""
    utc = f"date({instant})" if guards.is_sqlite() else f"({instant} AT TIME ZONE 'UTC')::date"
    day = f"COALESCE({booking_rules.day_of_the_wall(instant)}, {utc})"
    return f"(SELECT p.{limit} FROM nurse_limit p WHERE p.clinic_id = NEW.clinic_id AND p.valid_from <= {day} {_LAST})"


def _before_everything() -> str:
    """The day before the first that anything kept is about."""
    if guards.is_sqlite():
        return (
            "date(min(date('now'), COALESCE((SELECT min(date(a.starts_at)) FROM appointment a WHERE a.clinic_id = c.id)"
            ", date('now')), COALESCE((SELECT min(p.valid_from) FROM phase_limit p WHERE p.clinic_id = c.id)"
            ", date('now'))), '-1 day')"
        )
    return (
        "LEAST(CURRENT_DATE, (SELECT min(a.starts_at AT TIME ZONE 'UTC')::date FROM appointment a "
        "WHERE a.clinic_id = c.id), (SELECT min(p.valid_from) FROM phase_limit p WHERE p.clinic_id = c.id)) - 1"
    )


def _new_key() -> str:
    return "lower(hex(randomblob(16)))" if guards.is_sqlite() else "gen_random_uuid()"


def _now() -> str:
    return "strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'" if guards.is_sqlite() else "now()"
