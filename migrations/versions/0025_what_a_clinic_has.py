"""What a clinic has: hours, closed days, clinicians on site, pumps, breaks, limits, reasons and a waiting list."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

# Written once, each row superseded by another at most once.
_WRITTEN_ONCE = ("opening_hours", "closed_day", "presence", "pump_closure")
# Rows that change but stay, with what is unique in them.
_LASTING = {
    "pump": [("id", ""), ("clinic_id, name", ""), ("clinic_id, serial", "")],
    "lost_reason": [("id", ""), ("clinic_id, kind, text", "")],
    "waiting_entry": [("id", ""), ("course_id, session_number", "status = 'waiting'")],
}
_FIXED = {
    "pump": ("clinic_id",),
    "lost_reason": ("clinic_id", "kind"),
    "waiting_entry": ("clinic_id", "patient_id", "course_id", "session_number", "recorded_at", "recorded_by_id"),
}
_NEW_COLUMNS = {
    "clinic": ("starts_per_nurse",),
    "shift": ("starts_per_quarter", "patients_at_once"),
    "chair": ("cleaning_min", "is_private", "has_bed", "room"),
    # A column that a check names goes after the one that carries the check.
    "appointment": ("overridden_by_id", "override_reason", "override_rules", "lost_reason_id", "pump_id"),
}


def upgrade() -> None:
    _create_places()
    _create_people()
    _create_words()
    _create_waiting()
    _widen_chairs_and_shifts()
    _widen_appointments()
    guards.append_only([*_WRITTEN_ONCE, "booking_policy"])
    guards.never_deleted(_LASTING)
    for table, columns in _FIXED.items():
        guards.fixed(table, columns)
    if guards.is_sqlite():
        for table in _WRITTEN_ONCE:
            guards.never_replaced(table, [("supersedes_id", "")], ("INSERT",))
        for table, uniques in _LASTING.items():
            guards.never_replaced(table, uniques, ("INSERT", "UPDATE"))


def downgrade() -> None:
    op.drop_index(op.f("ix_appointment_pump_id_starts_at"), table_name="appointment")
    for table, columns in _NEW_COLUMNS.items():
        for column in columns:
            op.drop_column(table, column)
    for table in (
        "waiting_entry",
        "shift_break",
        "pump_closure",
        "pump",
        "presence",
        "opening_hours",
        "closed_day",
        "lost_reason",
        "booking_policy",
        "clock_offset",
    ):
        op.drop_table(table)


def _widen_chairs_and_shifts() -> None:
    op.add_column("chair", sa.Column("room", sa.Text(), nullable=True))
    op.add_column("chair", sa.Column("has_bed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("chair", sa.Column("is_private", sa.Boolean(), nullable=False, server_default=sa.false()))
    # What is called a bed has one, and a room is one's own: whoever set them up said so.
    op.execute("UPDATE chair SET has_bed = (kind = 'bed'), is_private = (kind = 'room')")
    for table, column, name, bound in (
        ("chair", "cleaning_min", "cleaning_takes_no_less_than_nothing", ">= 0"),
        ("shift", "patients_at_once", "patients_at_once_is_positive", "> 0"),
        ("shift", "starts_per_quarter", "starts_per_quarter_is_positive", "> 0"),
        ("clinic", "starts_per_nurse", "starts_per_nurse_is_positive", "> 0"),
    ):
        check = f"CONSTRAINT ck_{table}_{name} CHECK ({column} {bound})"
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} INTEGER {check}")


def _widen_appointments() -> None:
    key = "CHAR(32)" if guards.is_sqlite() else "UUID"
    check = (
        "CONSTRAINT ck_appointment_override_says_why CHECK "
        "(override_rules IS NULL OR (override_reason IS NOT NULL AND overridden_by_id IS NOT NULL))"
    )
    for column, kind, target in (("pump_id", key, "pump"), ("lost_reason_id", key, "lost_reason")):
        name = f"fk_appointment_{column}"
        op.execute(f"ALTER TABLE appointment ADD COLUMN {column} {kind} CONSTRAINT {name} REFERENCES {target} (id)")
    op.execute("ALTER TABLE appointment ADD COLUMN override_rules TEXT")
    op.execute("ALTER TABLE appointment ADD COLUMN override_reason TEXT")
    op.execute(
        f"ALTER TABLE appointment ADD COLUMN overridden_by_id {key} "
        f"CONSTRAINT fk_appointment_overridden_by_id REFERENCES staff (id) {check}"
    )
    op.create_index(op.f("ix_appointment_pump_id_starts_at"), "appointment", ["pump_id", "starts_at"], unique=False)


def _create_places() -> None:
    op.create_table(
        "clock_offset",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_offset")),
        sa.UniqueConstraint("zone", "starts_at", name=op.f("uq_clock_offset_zone_starts_at")),
    )
    op.create_table(
        "opening_hours",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("from_min", sa.Integer(), nullable=False),
        sa.Column("until_min", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "from_min >= 0 AND until_min > from_min AND until_min <= 1440",
            name=op.f("ck_opening_hours_opens_within_a_day"),
        ),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL", name=op.f("ck_opening_hours_correction_says_why")
        ),
        sa.CheckConstraint("valid_until >= valid_from", name=op.f("ck_opening_hours_validity_ends_after_it_begins")),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7", name=op.f("ck_opening_hours_weekday_is_iso")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_opening_hours_clinic_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_opening_hours_recorded_by_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_opening_hours_site_id")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["opening_hours.id"], name=op.f("fk_opening_hours_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening_hours")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_opening_hours_supersedes_id")),
    )
    op.create_index(op.f("ix_opening_hours_site_id"), "opening_hours", ["site_id"], unique=False)
    op.create_table(
        "closed_day",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("from_min", sa.Integer(), nullable=True),
        sa.Column("until_min", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "(from_min IS NULL) = (until_min IS NULL)"
            " AND (from_min IS NULL OR (from_min >= 0 AND until_min > from_min AND until_min <= 1440))",
            name=op.f("ck_closed_day_closed_within_a_day"),
        ),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL", name=op.f("ck_closed_day_correction_says_why")
        ),
        sa.CheckConstraint("until_on >= from_on", name=op.f("ck_closed_day_closed_days_end_after_they_begin")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_closed_day_clinic_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_closed_day_recorded_by_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_closed_day_site_id")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["closed_day.id"], name=op.f("fk_closed_day_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closed_day")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_closed_day_supersedes_id")),
    )
    op.create_index(op.f("ix_closed_day_site_id"), "closed_day", ["site_id"], unique=False)
    op.create_table(
        "pump",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("is_retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_pump_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pump")),
        sa.UniqueConstraint("clinic_id", "name", name=op.f("uq_pump_clinic_id_name")),
        sa.UniqueConstraint("clinic_id", "serial", name=op.f("uq_pump_clinic_id_serial")),
    )
    op.create_table(
        "pump_closure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("pump_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_pump_closure_pump_closure_ends_after_it_starts")),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL", name=op.f("ck_pump_closure_correction_says_why")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_pump_closure_clinic_id")),
        sa.ForeignKeyConstraint(["pump_id"], ["pump.id"], name=op.f("fk_pump_closure_pump_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_pump_closure_recorded_by_id")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["pump_closure.id"], name=op.f("fk_pump_closure_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pump_closure")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_pump_closure_supersedes_id")),
    )
    op.create_index(op.f("ix_pump_closure_pump_id"), "pump_closure", ["pump_id"], unique=False)


def _create_people() -> None:
    op.create_table(
        "presence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_presence_presence_ends_after_it_starts")),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL", name=op.f("ck_presence_correction_says_why")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_presence_clinic_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_presence_recorded_by_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_presence_site_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_presence_staff_id")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["presence.id"], name=op.f("fk_presence_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presence")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_presence_supersedes_id")),
    )
    op.create_index(op.f("ix_presence_site_id_starts_at"), "presence", ["site_id", "starts_at"], unique=False)
    op.create_table(
        "shift_break",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_shift_break_break_ends_after_it_starts")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_shift_break_clinic_id")),
        sa.ForeignKeyConstraint(["shift_id"], ["shift.id"], name=op.f("fk_shift_break_shift_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift_break")),
    )
    op.create_index(op.f("ix_shift_break_shift_id"), "shift_break", ["shift_id"], unique=False)


def _create_words() -> None:
    op.create_table(
        "booking_policy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column(
            "rule",
            sa.Enum(
                "chair_is_clean",
                "nurse_has_room",
                "nurse_may_start",
                "nurse_is_on_duty",
                "nurse_has_no_break",
                "site_is_open",
                "day_is_open",
                "clinician_is_present",
                name="booking_rule",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("is_allowed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_booking_policy_clinic_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_booking_policy_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_policy")),
    )
    op.create_table(
        "lost_reason",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("cancelled", "noshow", name="loss_kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("is_retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_lost_reason_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lost_reason")),
        sa.UniqueConstraint("clinic_id", "kind", "text", name=op.f("uq_lost_reason_clinic_id_kind_text")),
    )


def _create_waiting() -> None:
    op.create_table(
        "waiting_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("session_number", sa.Integer(), nullable=False),
        sa.Column("weekdays", sa.Text(), nullable=True),
        sa.Column(
            "part",
            sa.Enum("morning", "afternoon", name="day_part", native_enum=False, create_constraint=True, length=40),
            nullable=True,
        ),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("notice_hours", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "waiting",
                "placed",
                "withdrawn",
                name="waiting_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", sa.Uuid(), nullable=True),
        sa.Column("ended_reason", sa.Text(), nullable=True),
        sa.Column("appointment_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(status = 'waiting') = (ended_at IS NULL) AND (status = 'placed') = (appointment_id IS NOT NULL)",
            name=op.f("ck_waiting_entry_wish_ends_one_way"),
        ),
        sa.CheckConstraint("notice_hours >= 0", name=op.f("ck_waiting_entry_notice_is_not_negative")),
        sa.CheckConstraint("session_number > 0", name=op.f("ck_waiting_entry_waiting_session_is_positive")),
        sa.CheckConstraint("until_on >= from_on", name=op.f("ck_waiting_entry_wish_ends_after_it_begins")),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointment.id"], name=op.f("fk_waiting_entry_appointment_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_waiting_entry_clinic_id")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_waiting_entry_course_id")),
        sa.ForeignKeyConstraint(["ended_by_id"], ["staff.id"], name=op.f("fk_waiting_entry_ended_by_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_waiting_entry_patient_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_waiting_entry_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting_entry")),
    )
    op.create_index(op.f("ix_waiting_entry_course_id"), "waiting_entry", ["course_id"], unique=False)
    op.create_index(op.f("ix_waiting_entry_patient_id"), "waiting_entry", ["patient_id"], unique=False)
    op.create_index(
        "uq_waiting_entry_one_per_session",
        "waiting_entry",
        ["course_id", "session_number"],
        unique=True,
        sqlite_where=sa.text("status = 'waiting'"),
        postgresql_where=sa.text("status = 'waiting'"),
    )
