"""How many patients a nurse may have in one phase of a session, by date, and a guard that counts them.

The phases of a visit are those of its order as it is signed now: pre-check from the start, recovery and turnaround up
to the end, and the infusion between. Where the order leaves one open the visit counts as infusion for that part.
"""

import sqlalchemy as sa
from alembic import op

from migrations import booking_rules, guards

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None

NAME = "nurse_has_room_in_phase"
PHASES = ("precheck", "infusion", "recovery")
_COLUMNS = ("course_id", "starts_at", "ends_at")
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
    # Whoever takes over a patient who is there already is not asked: how far that patient is no plan can tell.
    booking_rules.join(
        NAME,
        f"SELECT 1 WHERE NEW.nurse_id IS NOT NULL AND ({' OR '.join(map(_is_full, PHASES))})",
        others=_RULES,
        holds="staff WHERE id = NEW.nurse_id",
        columns=_COLUMNS,
        not_once_there=["nurse_id"],
    )


def downgrade() -> None:
    booking_rules.leave(NAME, others=_RULES)
    op.drop_table("phase_limit")


# --- the guard -------------------------------------------------------------------------------------------------------


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
    WHERE o.nurse_id = NEW.nurse_id AND o.status IN {booking_rules.HOLDING} AND o.id <> NEW.id
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
    day = booking_rules.day_of_the_wall("NEW.starts_at")
    return f"""
        (SELECT p.{phase} FROM phase_limit p WHERE p.clinic_id = NEW.clinic_id AND p.valid_from <= {day}
        ORDER BY p.valid_from DESC, p.recorded_at DESC, p.id DESC LIMIT 1)
    """
