"""Plans of many waiting courses: what was asked, how far the search has come, and the best plan so far."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

_STATES = ("asked", "running", "finished", "stopped", "broken")
_AT_WORK = "status IN ('asked', 'running')"


def _own(*columns: sa.Column) -> tuple[sa.Column, ...]:
    return (
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        *columns,
    )


def _keys(table: str, **columns: str) -> list[sa.schema.SchemaItem]:
    found: list[sa.schema.SchemaItem] = [sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))]
    for column, other in {"clinic_id": "clinic", **columns}.items():
        found.append(sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}")))
    return found


def upgrade() -> None:
    op.create_table(
        "month_plan",
        *_own(
            sa.Column("first_on", sa.Date(), nullable=False),
            sa.Column("last_on", sa.Date(), nullable=False),
            sa.Column("seconds", sa.Integer(), nullable=False),
            sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
            sa.Column("asked_by_id", sa.Uuid(), nullable=False),
            sa.Column(
                "status",
                sa.Enum(*_STATES, name="plan_status", native_enum=False, create_constraint=True, length=40),
                nullable=False,
            ),
            sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
            sa.Column("percent", sa.Integer(), nullable=False),
            sa.Column("is_stop_asked", sa.Boolean(), nullable=False),
            sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        ),
        sa.CheckConstraint("last_on >= first_on", name=op.f("ck_month_plan_period_ends_after_it_begins")),
        sa.CheckConstraint("seconds > 0", name=op.f("ck_month_plan_seconds_are_positive")),
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name=op.f("ck_month_plan_percent_is_a_share")),
        sa.CheckConstraint(f"({_AT_WORK}) = (ended_at IS NULL)", name=op.f("ck_month_plan_plan_ends_once")),
        *_keys("month_plan", asked_by_id="staff"),
    )
    op.create_index(
        "uq_month_plan_one_at_work",
        "month_plan",
        ["clinic_id"],
        unique=True,
        sqlite_where=sa.text(_AT_WORK),
        postgresql_where=sa.text(_AT_WORK),
    )
    op.create_index(op.f("ix_month_plan_clinic_id_asked_at"), "month_plan", ["clinic_id", "asked_at"], unique=False)
    op.create_table(
        "planned_session",
        *_own(
            sa.Column("plan_id", sa.Uuid(), nullable=False),
            sa.Column("patient_id", sa.Uuid(), nullable=False),
            sa.Column("course_id", sa.Uuid(), nullable=False),
            sa.Column("session_number", sa.Integer(), nullable=False),
            sa.Column("minutes", sa.Integer(), nullable=False),
            sa.Column("chair_id", sa.Uuid(), nullable=True),
            sa.Column("nurse_id", sa.Uuid(), nullable=True),
            sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
            sa.Column("in_the_way", sa.Text(), nullable=True),
            sa.Column("appointment_id", sa.Uuid(), nullable=True),
        ),
        sa.CheckConstraint("session_number > 0", name=op.f("ck_planned_session_planned_number_is_positive")),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_planned_session_planned_length_is_positive")),
        sa.CheckConstraint("(chair_id IS NULL) = (starts_at IS NULL)", name=op.f("ck_planned_session_place_is_whole")),
        sa.UniqueConstraint(
            "plan_id",
            "course_id",
            "session_number",
            name=op.f("uq_planned_session_plan_id_course_id_session_number"),
        ),
        *_keys(
            "planned_session",
            plan_id="month_plan",
            patient_id="patient",
            course_id="course",
            chair_id="chair",
            nurse_id="staff",
            appointment_id="appointment",
        ),
    )
    op.create_index(op.f("ix_planned_session_course_id"), "planned_session", ["course_id"], unique=False)


def downgrade() -> None:
    op.drop_table("planned_session")
    op.drop_table("month_plan")
