"""When a patient can come, and a guard that refuses other times unless the clinic lets its people override that."""

import sqlalchemy as sa
from alembic import op

from migrations import booking_rules, guards

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

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
    # Whoever writes down when a patient can come holds the patient, and so does whoever books.
    booking_rules.join(NAME, _outside(), others=_RULES, holds="patient WHERE id = NEW.patient_id", columns=_COLUMNS)


def downgrade() -> None:
    booking_rules.leave(NAME, others=_RULES)
    op.drop_table("patient_hours")


# --- the guard -------------------------------------------------------------------------------------------------------


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
        offset = booking_rules.offset(instant)
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
