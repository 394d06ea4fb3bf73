"""Which drugs a nurse knows, and a guard that refuses others once anybody is written down for a drug."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

HOLDING = "('booked', 'arrived', 'fulfilled')"
NAME = "nurse_has_skill"
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
)


def upgrade() -> None:
    op.create_table(
        "nurse_skill",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("drug_name", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL", name=op.f("ck_nurse_skill_correction_says_why")
        ),
        sa.CheckConstraint("valid_until >= valid_from", name=op.f("ck_nurse_skill_skill_ends_after_it_begins")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_nurse_skill_clinic_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_nurse_skill_staff_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_nurse_skill_recorded_by_id")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["nurse_skill.id"], name=op.f("fk_nurse_skill_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nurse_skill")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_nurse_skill_supersedes_id")),
    )
    op.create_index(op.f("ix_nurse_skill_clinic_id_drug_name"), "nurse_skill", ["clinic_id", "drug_name"], unique=False)
    guards.append_only(["nurse_skill"])
    if guards.is_sqlite():
        guards.never_replaced("nurse_skill", [("supersedes_id", "")], ["INSERT"])
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
    op.drop_table("nurse_skill")


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
        SELECT 1 WHERE EXISTS ({_unskilled()}) AND NOT (
            COALESCE(NEW.override_rules, '') LIKE '% {NAME} %' AND COALESCE((
                SELECT p.is_allowed FROM booking_policy p WHERE p.clinic_id = NEW.clinic_id AND p.rule = '{NAME}'
                ORDER BY p.recorded_at DESC, p.id DESC LIMIT 1
            ), FALSE)
        )
    """
    if not guards.is_sqlite():
        # Whoever writes down a skill holds the nurse, and so does whoever books her.
        op.execute(
            f"CREATE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "PERFORM 1 FROM staff WHERE id = NEW.nurse_id FOR NO KEY UPDATE; "
            f"IF EXISTS ({query}) THEN RAISE EXCEPTION USING MESSAGE = '{NAME}', "
            f"ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{NAME}'; END IF; RETURN NEW; END $$"
        )
    # Whoever takes over a patient who is there already is not asked, as for the other rules about nurses (0041).
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


def _unskilled() -> str:
    """Somebody is written down for the drug of the course on that day, and the nurse is not."""
    drug = """
        SELECT d.name FROM course k JOIN order_version v ON v.order_id = k.order_id
        JOIN terms m ON m.id = v.terms_id JOIN drug d ON d.id = m.drug_id
        WHERE k.id = NEW.course_id AND v.signature_id IS NOT NULL ORDER BY v.number DESC LIMIT 1
    """
    known = """
        SELECT 1 FROM nurse_skill x WHERE x.clinic_id = NEW.clinic_id AND x.drug_name = t.drug
        AND x.valid_from <= t.day AND (x.valid_until IS NULL OR x.valid_until >= t.day)
        AND NOT x.is_void AND NOT EXISTS (SELECT 1 FROM nurse_skill later WHERE later.supersedes_id = x.id)
    """
    return f"""
        SELECT 1 FROM (SELECT {_day()} AS day, ({drug}) AS drug) t WHERE NEW.nurse_id IS NOT NULL
        AND EXISTS ({known}) AND NOT EXISTS ({known} AND x.staff_id = NEW.nurse_id)
    """


def _day() -> str:
    """The wall's day on which the appointment begins."""
    offset = (
        "(SELECT o.minutes FROM clock_offset o JOIN clinic c ON c.zone = o.zone "
        "WHERE c.id = NEW.clinic_id AND o.starts_at <= NEW.starts_at AND o.ends_at > NEW.starts_at)"
    )
    if guards.is_sqlite():
        return f"date(NEW.starts_at, {offset} || ' minutes')"
    return f"((NEW.starts_at AT TIME ZONE 'UTC') + {offset} * interval '1 minute')::date"
