"""When a patient can come, and a guard that refuses other times unless the clinic lets its people override that."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

HOLDING = "('booked', 'arrived', 'fulfilled')"
NAME = "patient_can_come"
_COLUMNS = ("patient_id", "starts_at", "ends_at")
_RULES = (
    "chair_is_clean",
    "nurse_has_room",
    "nurse_may_start",
    "nurse_is_on_duty",
    "nurse_has_no_break",
    "site_is_open",
    "day_is_open",
    "clinician_is_present",
)


def upgrade() -> None:
    op.create_table(
        "patient_hours",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("is_free", sa.Boolean(), nullable=False),
        sa.Column("weekdays", sa.Text(), nullable=True),
        sa.Column("from_min", sa.Integer(), nullable=True),
        sa.Column("until_min", sa.Integer(), nullable=True),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL",
            name=op.f("ck_patient_hours_correction_says_why"),
        ),
        sa.CheckConstraint("until_on >= from_on", name=op.f("ck_patient_hours_hours_end_after_they_begin")),
        sa.CheckConstraint(
            "(from_min IS NULL) = (until_min IS NULL)"
            " AND (from_min IS NULL OR (from_min >= 0 AND until_min > from_min AND until_min <= 1440))",
            name=op.f("ck_patient_hours_hours_lie_within_a_day"),
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_patient_hours_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_patient_hours_patient_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_patient_hours_recorded_by_id")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["patient_hours.id"], name=op.f("fk_patient_hours_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_hours")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_patient_hours_supersedes_id")),
    )
    op.create_index(op.f("ix_patient_hours_patient_id"), "patient_hours", ["patient_id"], unique=False)
    guards.append_only(["patient_hours"])
    if guards.is_sqlite():
        guards.never_replaced("patient_hours", [("supersedes_id", "")], ["INSERT"])
    _allow(_RULES, (*_RULES, NAME))
    _guard()


def downgrade() -> None:
    if guards.is_sqlite():
        op.execute(f"DROP TRIGGER {NAME}_insert")
        op.execute(f"DROP TRIGGER {NAME}_update")
    else:
        op.execute(f"DROP FUNCTION {NAME}() CASCADE")
        op.execute("ALTER TABLE booking_policy DISABLE TRIGGER never_deleted_booking_policy")
    _forget_policies()
    _allow((*_RULES, NAME), _RULES)
    op.drop_table("patient_hours")


def _forget_policies() -> None:
    """What was said about a rule that is gone goes as well: no check would let it stay."""
    if guards.is_sqlite():
        op.execute("DROP TRIGGER never_deleted_booking_policy")
    op.execute(f"DELETE FROM booking_policy WHERE rule = '{NAME}'")
    if guards.is_sqlite():
        guards.refuse("never_deleted_booking_policy", "booking_policy", "DELETE")
    else:
        op.execute("ALTER TABLE booking_policy ENABLE TRIGGER never_deleted_booking_policy")


def _allow(was: tuple[str, ...], now: tuple[str, ...]) -> None:
    """Let the clinic's word be about these rules."""

    def listed(rules: tuple[str, ...]) -> str:
        return f"({', '.join(repr(rule) for rule in rules)})"

    if guards.is_sqlite():
        # Guards of other tables name this one, and would be asked about it while it is away.
        op.execute("PRAGMA legacy_alter_table=ON")
        guards.rebuild("booking_policy", (f"rule IN {listed(was)}", f"rule IN {listed(now)}"))
        op.execute("PRAGMA legacy_alter_table=OFF")
    else:
        name = "ck_booking_policy_booking_rule"
        op.execute(f"ALTER TABLE booking_policy DROP CONSTRAINT {name}")
        op.execute(f"ALTER TABLE booking_policy ADD CONSTRAINT {name} CHECK (rule IN {listed(now)})")


# --- the guard -------------------------------------------------------------------------------------------------------


def _guard() -> None:
    query = f"""
        SELECT 1 WHERE EXISTS ({_outside()}) AND NOT (
            COALESCE(NEW.override_rules, '') LIKE '% {NAME} %' AND COALESCE((
                SELECT p.is_allowed FROM booking_policy p WHERE p.clinic_id = NEW.clinic_id AND p.rule = '{NAME}'
                ORDER BY p.recorded_at DESC, p.id DESC LIMIT 1
            ), FALSE)
        )
    """
    if not guards.is_sqlite():
        # Whoever writes down when a patient can come holds the patient, and so does whoever books.
        op.execute(
            f"CREATE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "PERFORM 1 FROM patient WHERE id = NEW.patient_id FOR NO KEY UPDATE; "
            f"IF EXISTS ({query}) THEN RAISE EXCEPTION USING MESSAGE = '{NAME}', "
            f"ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{NAME}'; END IF; RETURN NEW; END $$"
        )
    changed = " OR ".join([f"OLD.status NOT IN {HOLDING}", *map(guards.distinct, _COLUMNS)])
    for end, event, condition in (
        ("insert", "INSERT", f"NEW.status IN {HOLDING}"),
        ("update", f"UPDATE OF status, {', '.join(_COLUMNS)}", f"NEW.status IN {HOLDING} AND ({changed})"),
    ):
        act = (
            f"BEGIN SELECT RAISE(ABORT, '{NAME}') WHERE EXISTS ({query}); END"
            if guards.is_sqlite()
            else f"EXECUTE FUNCTION {NAME}()"
        )
        op.execute(f"CREATE TRIGGER {NAME}_{end} BEFORE {event} ON appointment FOR EACH ROW WHEN ({condition}) {act}")


def _outside() -> str:
    """The visit touches hours in which the patient cannot come, or lies not whole in those in which the patient can.

    A day that the clock cannot name is refused where anything is said.
    """
    taken = (
        f"({_said('x', 't.day')} AND {_weekday('x', 't.day')}"
        " AND (x.from_min IS NULL OR (t.s < x.until_min * 60 AND t.e > x.from_min * 60)))"
        f" OR (t.e > 86400 AND {_said('x', 't.next')} AND {_weekday('x', 't.next')}"
        " AND (x.from_min IS NULL OR t.e - 86400 > x.from_min * 60))"
    )
    fits = "x.from_min IS NULL OR (x.from_min * 60 <= t.s AND x.until_min * 60 >= t.e)"
    mine = f"FROM patient_hours x WHERE x.patient_id = NEW.patient_id AND {_in_force('x')}"
    return f"""
        SELECT 1 FROM {_on_the_wall()} WHERE EXISTS (
            SELECT 1 {mine} AND (t.day IS NULL OR (NOT x.is_free AND ({taken})))
        ) OR (
            EXISTS (SELECT 1 {mine} AND x.is_free AND {_said("x", "t.day")})
            AND NOT EXISTS (
                SELECT 1 {mine} AND x.is_free AND {_said("x", "t.day")} AND {_weekday("x", "t.day")} AND ({fits})
            )
        )
    """


def _said(row: str, day: str) -> str:
    return f"{row}.from_on <= {day} AND ({row}.until_on IS NULL OR {row}.until_on >= {day})"


def _weekday(row: str, day: str) -> str:
    if guards.is_sqlite():
        number = f"((CAST(strftime('%w', {day}) AS INTEGER) + 6) % 7 + 1)"
    else:
        number = f"CAST(EXTRACT(ISODOW FROM {day}) AS INTEGER)"
    return f"({row}.weekdays IS NULL OR ',' || {row}.weekdays || ',' LIKE '%,' || {number} || ',%')"


def _in_force(row: str) -> str:
    return f"NOT {row}.is_void AND NOT EXISTS (SELECT 1 FROM patient_hours later WHERE later.supersedes_id = {row}.id)"


def _on_the_wall() -> str:
    """The wall's day on which the appointment begins, and its seconds from that midnight."""

    def wall(instant: str) -> str:
        offset = (
            "(SELECT o.minutes FROM clock_offset o JOIN clinic c ON c.zone = o.zone "
            f"WHERE c.id = NEW.clinic_id AND o.starts_at <= {instant} AND o.ends_at > {instant})"
        )
        if guards.is_sqlite():
            return f"datetime({instant}, {offset} || ' minutes')"
        return f"(({instant} AT TIME ZONE 'UTC') + {offset} * interval '1 minute')"

    start, end = wall("NEW.starts_at"), wall("NEW.ends_at")
    if guards.is_sqlite():
        day = f"date({start})"
        seconds = [f"CAST(strftime('%s', {each}) AS INTEGER)" for each in (start, end, day)]
        return (
            f"(SELECT {day} AS day, {seconds[0]} - {seconds[2]} AS s, {seconds[1]} - {seconds[2]} AS e,"
            f" date({day}, '+1 day') AS next) t"
        )
    day = f"({start})::date"
    return (
        f"(SELECT {day} AS day, EXTRACT(EPOCH FROM {start} - {day}::timestamp) AS s,"
        f" EXTRACT(EPOCH FROM {end} - {day}::timestamp) AS e, {day} + 1 AS next) t"
    )
