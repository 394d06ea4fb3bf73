"""Chairs, shifts and appointments that cannot overlap."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "shift",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_shift_shift_ends_after_it_starts")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_shift_clinic_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_shift_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift")),
    )
    op.create_index(op.f("ix_shift_clinic_id_starts_at"), "shift", ["clinic_id", "starts_at"], unique=False)
    op.create_table(
        "chair",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("chair", "bed", "room", name="chair_kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("is_retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_chair_clinic_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_chair_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chair")),
        sa.UniqueConstraint("site_id", "name", name=op.f("uq_chair_site_id_name")),
    )
    op.create_table(
        "chair_closure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("chair_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_chair_closure_closure_ends_after_it_starts")),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL",
            name=op.f("ck_chair_closure_correction_says_why"),
        ),
        sa.ForeignKeyConstraint(["chair_id"], ["chair.id"], name=op.f("fk_chair_closure_chair_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_chair_closure_clinic_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_chair_closure_recorded_by_id")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["chair_closure.id"], name=op.f("fk_chair_closure_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chair_closure")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_chair_closure_supersedes_id")),
    )
    op.create_index(op.f("ix_chair_closure_chair_id"), "chair_closure", ["chair_id"], unique=False)
    op.create_table(
        "appointment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("session_number", sa.Integer(), nullable=False),
        sa.Column("chair_id", sa.Uuid(), nullable=False),
        sa.Column("nurse_id", sa.Uuid(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "proposed",
                "booked",
                "arrived",
                "fulfilled",
                "cancelled",
                "noshow",
                "waitlist",
                name="appointment_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("status_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moved_from_id", sa.Uuid(), nullable=True),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("booked_by_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status NOT IN ('cancelled', 'noshow') OR status_reason IS NOT NULL",
            name=op.f("ck_appointment_lost_appointment_says_why"),
        ),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_appointment_appointment_ends_after_it_starts")),
        sa.CheckConstraint("session_number > 0", name=op.f("ck_appointment_session_number_is_positive")),
        sa.ForeignKeyConstraint(["booked_by_id"], ["staff.id"], name=op.f("fk_appointment_booked_by_id")),
        sa.ForeignKeyConstraint(["chair_id"], ["chair.id"], name=op.f("fk_appointment_chair_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_appointment_clinic_id")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_appointment_course_id")),
        sa.ForeignKeyConstraint(["moved_from_id"], ["appointment.id"], name=op.f("fk_appointment_moved_from_id")),
        sa.ForeignKeyConstraint(["nurse_id"], ["staff.id"], name=op.f("fk_appointment_nurse_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_appointment_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment")),
        sa.UniqueConstraint("moved_from_id", name=op.f("uq_appointment_moved_from_id")),
    )
    op.create_index(op.f("ix_appointment_chair_id_starts_at"), "appointment", ["chair_id", "starts_at"], unique=False)
    op.create_index(op.f("ix_appointment_clinic_id_starts_at"), "appointment", ["clinic_id", "starts_at"], unique=False)
    op.create_index(op.f("ix_appointment_course_id"), "appointment", ["course_id"], unique=False)
    op.create_index(op.f("ix_appointment_nurse_id_starts_at"), "appointment", ["nurse_id", "starts_at"], unique=False)
    op.create_index(
        op.f("ix_appointment_patient_id_starts_at"), "appointment", ["patient_id", "starts_at"], unique=False
    )
    op.create_index(
        "uq_appointment_one_per_session",
        "appointment",
        ["course_id", "session_number"],
        unique=True,
        sqlite_where=sa.text("status IN ('booked', 'arrived', 'fulfilled')"),
        postgresql_where=sa.text("status IN ('booked', 'arrived', 'fulfilled')"),
    )

    guards.never_deleted(["chair", "appointment"])
    guards.append_only(["chair_closure"])
    guards.fixed("appointment", ["patient_id", "course_id"])
    if guards.is_sqlite():
        _keep_apart_on_sqlite()
    else:
        _keep_apart_on_postgres()


def downgrade() -> None:
    op.drop_index("uq_appointment_one_per_session", table_name="appointment")
    op.drop_index(op.f("ix_appointment_patient_id_starts_at"), table_name="appointment")
    op.drop_index(op.f("ix_appointment_nurse_id_starts_at"), table_name="appointment")
    op.drop_index(op.f("ix_appointment_course_id"), table_name="appointment")
    op.drop_index(op.f("ix_appointment_clinic_id_starts_at"), table_name="appointment")
    op.drop_index(op.f("ix_appointment_chair_id_starts_at"), table_name="appointment")
    op.drop_table("appointment")
    op.drop_index(op.f("ix_chair_closure_chair_id"), table_name="chair_closure")
    op.drop_table("chair_closure")
    op.drop_table("chair")
    op.drop_index(op.f("ix_shift_clinic_id_starts_at"), table_name="shift")
    op.drop_table("shift")
    if not guards.is_sqlite():
        op.execute("DROP FUNCTION nurse_has_room()")
        op.execute("DROP FUNCTION chair_is_open()")
        op.execute("DROP FUNCTION chair_is_free()")
        op.execute("DROP TYPE uuid_range")


# The states in which an appointment takes its chair, its patient and its nurse.
HOLDING = "('booked', 'arrived', 'fulfilled')"

# The most patients that a nurse would have at once: counted at the start of the new appointment and at every start
# inside it, which is where the number can rise.
BUSIEST = f"""
    SELECT max(here.patients) FROM (
        SELECT (
            SELECT count(*) FROM appointment b
            WHERE b.nurse_id = NEW.nurse_id AND b.status IN {HOLDING} AND b.id <> NEW.id
            AND b.starts_at <= point.instant AND b.ends_at > point.instant
        ) AS patients
        FROM (
            SELECT NEW.starts_at AS instant
            UNION
            SELECT a.starts_at FROM appointment a
            WHERE a.nurse_id = NEW.nurse_id AND a.status IN {HOLDING} AND a.id <> NEW.id
            AND a.starts_at > NEW.starts_at AND a.starts_at < NEW.ends_at
        ) AS point
    ) AS here
"""
FULL = f"""
    SELECT 1 FROM clinic c
    WHERE c.id = NEW.clinic_id AND c.patients_per_nurse IS NOT NULL AND c.patients_per_nurse <= ({BUSIEST})
"""
CLOSED = """
    SELECT 1 FROM chair_closure x
    WHERE x.chair_id = NEW.chair_id AND x.starts_at < NEW.ends_at AND x.ends_at > NEW.starts_at AND NOT x.is_void
    AND NOT EXISTS (SELECT 1 FROM chair_closure y WHERE y.supersedes_id = x.id)
"""
STANDING = f"""
    SELECT 1 FROM appointment b
    WHERE b.chair_id = NEW.chair_id AND b.status IN {HOLDING}
    AND b.starts_at < NEW.ends_at AND b.ends_at > NEW.starts_at
"""
# An appointment is judged when it takes its place, not when the patient arrives: a limit that was lowered since then
# refuses nobody at the door, and arriving waits for no lock.
PLACES = ("chair_id", "nurse_id", "starts_at", "ends_at")


def _overlaps(column: str) -> str:
    return f"""
        SELECT 1 FROM appointment b
        WHERE b.{column} = NEW.{column} AND b.status IN {HOLDING} AND b.id <> NEW.id
        AND b.starts_at < NEW.ends_at AND b.ends_at > NEW.starts_at
    """


def _events() -> list[tuple[str, str, str]]:
    """The end of a trigger's name, its event and the condition under which an appointment takes its place."""
    changed = " OR ".join([f"OLD.status NOT IN {HOLDING}", *map(guards.distinct, PLACES)])
    return [
        ("insert", "INSERT", f"NEW.status IN {HOLDING}"),
        ("update", f"UPDATE OF status, {', '.join(PLACES)}", f"NEW.status IN {HOLDING} AND ({changed})"),
    ]


def _keep_apart_on_sqlite() -> None:
    refusals = {
        "no_overlap_for_chair": _overlaps("chair_id"),
        "no_overlap_for_patient": _overlaps("patient_id"),
        "nurse_has_room": FULL,
        "chair_is_open": CLOSED,
    }
    for name, query in refusals.items():
        for end, event, condition in _events():
            op.execute(
                f"CREATE TRIGGER {name}_{end} BEFORE {event} ON appointment FOR EACH ROW WHEN {condition} "
                f"BEGIN SELECT RAISE(ABORT, '{name}') WHERE EXISTS ({query}); END"
            )
    op.execute(
        "CREATE TRIGGER chair_is_free BEFORE INSERT ON chair_closure FOR EACH ROW WHEN NOT NEW.is_void "
        f"BEGIN SELECT RAISE(ABORT, 'chair_is_free') WHERE EXISTS ({STANDING}); END"
    )


def _keep_apart_on_postgres() -> None:
    # A range over uuid lets GiST compare keys without an extension.
    op.execute("CREATE TYPE uuid_range AS RANGE (subtype = uuid)")
    for column in ("chair_id", "patient_id"):
        op.execute(
            f"ALTER TABLE appointment ADD CONSTRAINT no_overlap_for_{column.removesuffix('_id')} EXCLUDE USING gist "
            f"(uuid_range({column}, {column}, '[]') WITH &&, tstzrange(starts_at, ends_at) WITH &&) "
            f"WHERE (status IN {HOLDING})"
        )
    # Each looks only once it holds the row that the others would need, so that it sees what they committed. The names
    # make the chair come before the nurse, as everywhere.
    for name, query, lock in (
        ("chair_is_open", CLOSED, "chair WHERE id = NEW.chair_id"),
        ("nurse_has_room", FULL, "staff WHERE id = NEW.nurse_id"),
        ("chair_is_free", STANDING, "chair WHERE id = NEW.chair_id"),
    ):
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"PERFORM 1 FROM {lock} FOR NO KEY UPDATE; "
            f"IF EXISTS ({query}) THEN RAISE EXCEPTION USING MESSAGE = '{name}', "
            f"ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{name}'; END IF; RETURN NEW; END $$"
        )
    for name in ("chair_is_open", "nurse_has_room"):
        for end, event, condition in _events():
            op.execute(
                f"CREATE TRIGGER {name}_{end} BEFORE {event} ON appointment FOR EACH ROW WHEN ({condition}) "
                f"EXECUTE FUNCTION {name}()"
            )
    op.execute(
        "CREATE TRIGGER chair_is_free BEFORE INSERT ON chair_closure FOR EACH ROW WHEN (NOT NEW.is_void) "
        "EXECUTE FUNCTION chair_is_free()"
    )
