"""How many patients a nurse may have in one phase of a session, by date, and a guard that counts them.

The phases of a visit are those of its order as it is signed now: pre-check from the start, recovery and turnaround up
to the end, and the infusion between. Where the order leaves one open the visit counts as infusion for that part.
"""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None

HOLDING = "('booked', 'arrived', 'fulfilled')"
NAME = "nurse_has_room_in_phase"
PHASES = ("precheck", "infusion", "recovery")
_COLUMNS = ("nurse_id", "course_id", "starts_at", "ends_at")
_RULES = (
    "chair_is_clean",
    "nurse_has_room",
    "nurse_may_start",
    "nurse_is_on_duty",
    "nurse_has_no_break",
    "site_is_open",
    "day_is_open",
    "clinician_is_present",
    "patient_can_come",
    "nurse_has_skill",
)


def upgrade() -> None:
    op.create_table(
        "phase_limit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("precheck", sa.Integer(), nullable=True),
        sa.Column("infusion", sa.Integer(), nullable=True),
        sa.Column("recovery", sa.Integer(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        *(sa.CheckConstraint(f"{each} > 0", name=op.f(f"ck_phase_limit_{each}_is_positive")) for each in PHASES),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_phase_limit_clinic_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_phase_limit_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phase_limit")),
    )
    op.create_index(
        op.f("ix_phase_limit_clinic_id_valid_from"), "phase_limit", ["clinic_id", "valid_from"], unique=False
    )
    guards.append_only(["phase_limit"])
    _allow(_RULES, (*_RULES, NAME))
    _guard()


def downgrade() -> None:
    if guards.is_sqlite():
        op.execute(f"DROP TRIGGER {NAME}_insert")
        op.execute(f"DROP TRIGGER {NAME}_update")
    else:
        op.execute(f"DROP FUNCTION {NAME}() CASCADE")
    _forget_policies()
    _allow((*_RULES, NAME), _RULES)
    op.drop_table("phase_limit")


def _forget_policies() -> None:
    """What was said about a rule that is gone goes as well: no check would let it stay."""
    if guards.is_sqlite():
        op.execute("DROP TRIGGER never_deleted_booking_policy")
    else:
        op.execute("ALTER TABLE booking_policy DISABLE TRIGGER never_deleted_booking_policy")
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
        SELECT 1 WHERE NEW.nurse_id IS NOT NULL AND ({" OR ".join(map(_is_full, PHASES))}) AND NOT (
            COALESCE(NEW.override_rules, '') LIKE '% {NAME} %' AND COALESCE((
                SELECT p.is_allowed FROM booking_policy p WHERE p.clinic_id = NEW.clinic_id AND p.rule = '{NAME}'
                ORDER BY p.recorded_at DESC, p.id DESC LIMIT 1
            ), FALSE)
        )
    """
    if not guards.is_sqlite():
        # It looks only once it holds the nurse, so that it sees what the others committed.
        op.execute(
            f"CREATE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "PERFORM 1 FROM staff WHERE id = NEW.nurse_id FOR NO KEY UPDATE; "
            f"IF EXISTS ({query}) THEN RAISE EXCEPTION USING MESSAGE = '{NAME}', "
            f"ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{NAME}'; END IF; RETURN NEW; END $$"
        )
    # Whoever takes over a patient who is there already is not asked: how far that patient is no plan can tell.
    nurse, others = guards.distinct("nurse_id"), [guards.distinct(column) for column in _COLUMNS[1:]]
    changed = " OR ".join([f"OLD.status NOT IN {HOLDING}", f"(OLD.status = 'booked' AND {nurse})", *others])
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


def _is_full(phase: str) -> str:
    """As many as the limit are in the phase when the new one enters it, or when one of them does while it is there."""
    limit, others = _limit(phase), _spans(phase, OTHERS)
    full = f"{limit} <= (SELECT count(*) FROM ({others}) c WHERE c.f <= {{0}} AND c.t > {{0}})"
    return f"""
        ({limit} IS NOT NULL AND EXISTS (
            SELECT 1 FROM ({_spans(phase, MINE)}) n WHERE n.f < n.t AND ({full.format("n.f")} OR EXISTS (
                SELECT 1 FROM ({others}) s WHERE s.f > n.f AND s.f < n.t AND s.f < s.t AND {full.format("s.f")}
            ))
        ))
    """


MINE = "(SELECT NEW.course_id AS course_id, NEW.starts_at AS starts_at, NEW.ends_at AS ends_at)"
OTHERS = f"""
    (SELECT o.course_id, o.starts_at, o.ends_at FROM appointment o
    WHERE o.nurse_id = NEW.nurse_id AND o.status IN {HOLDING} AND o.id <> NEW.id
    AND o.starts_at < NEW.ends_at AND o.ends_at > NEW.starts_at)
"""


def _spans(phase: str, rows: str) -> str:
    """From when (f) until when (t) each of the rows is in a phase, by its order as it is signed now."""
    least, most = ("min", "max") if guards.is_sqlite() else ("LEAST", "GREATEST")
    infusion = f"{least}(b.ends_at, {_plus('b.starts_at', 'COALESCE(m.precheck_slot_min, 0)')})"
    after = "-(COALESCE(m.recovery_slot_min, 0) + COALESCE(m.turnaround_min, 0))"
    recovery = f"{most}({infusion}, {_plus('b.ends_at', after)})"
    start, end = {
        "precheck": ("b.starts_at", infusion),
        "infusion": (infusion, recovery),
        "recovery": (recovery, "b.ends_at"),
    }[phase]
    return f"""
        SELECT {start} AS f, {end} AS t FROM {rows} b LEFT JOIN terms m ON m.id = (
            SELECT v.terms_id FROM course k JOIN order_version v ON v.order_id = k.order_id
            WHERE k.id = b.course_id AND v.signature_id IS NOT NULL ORDER BY v.number DESC LIMIT 1
        )
    """


def _plus(instant: str, minutes: str) -> str:
    """An instant so many minutes later, in the form in which instants are kept."""
    if guards.is_sqlite():
        return f"(strftime('%Y-%m-%d %H:%M:%f', {instant}, ({minutes}) || ' minutes') || '000')"
    return f"({instant} + ({minutes}) * interval '1 minute')"


def _limit(phase: str) -> str:
    """The limit of a phase on the wall's day on which the appointment begins; NULL for none."""
    offset = (
        "(SELECT o.minutes FROM clock_offset o JOIN clinic c ON c.zone = o.zone "
        "WHERE c.id = NEW.clinic_id AND o.starts_at <= NEW.starts_at AND o.ends_at > NEW.starts_at)"
    )
    if guards.is_sqlite():
        day = f"date(NEW.starts_at, {offset} || ' minutes')"
    else:
        day = f"((NEW.starts_at AT TIME ZONE 'UTC') + {offset} * interval '1 minute')::date"
    return f"""
        (SELECT p.{phase} FROM phase_limit p WHERE p.clinic_id = NEW.clinic_id AND p.valid_from <= {day}
        ORDER BY p.valid_from DESC, p.recorded_at DESC, p.id DESC LIMIT 1)
    """
