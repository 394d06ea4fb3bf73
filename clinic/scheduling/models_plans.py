"""A plan of many waiting courses, made in the background. Nothing of it is booked before somebody accepts it."""

import uuid
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.types import enum_type
from clinic.scheduling.plan_rules import PlanStatus


class MonthPlan(ClinicScoped, Base):
    """One search for times, from a day to another, and how far it has come. A clinic has one at work at a time."""

    __tablename__ = "month_plan"
    __table_args__ = (
        sa.CheckConstraint("last_on >= first_on", name="period_ends_after_it_begins"),
        sa.CheckConstraint("seconds > 0", name="seconds_are_positive"),
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name="percent_is_a_share"),
        sa.CheckConstraint("(status IN ('asked', 'running')) = (ended_at IS NULL)", name="plan_ends_once"),
        sa.Index(
            "uq_month_plan_one_at_work",
            "clinic_id",
            unique=True,
            sqlite_where=sa.text("status IN ('asked', 'running')"),
            postgresql_where=sa.text("status IN ('asked', 'running')"),
        ),
        sa.Index(None, "clinic_id", "asked_at"),
    )

    first_on: Mapped[date]
    last_on: Mapped[date]
    seconds: Mapped[int]
    asked_at: Mapped[datetime]
    asked_by_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    status: Mapped[PlanStatus] = mapped_column(enum_type(PlanStatus, "plan_status"))
    # When its process was last heard of; before the first time, when it was asked for.
    heard_at: Mapped[datetime]
    percent: Mapped[int]
    is_stop_asked: Mapped[bool]
    ended_at: Mapped[datetime | None]
    asked_by: Mapped[Staff] = relationship()


class PlannedSession(ClinicScoped, Base):
    """A session that a plan looks for a place for, and the place it has in the best plan so far; or what is in its way.

    `appointment_id` stands once the place was accepted and booked.
    """

    __tablename__ = "planned_session"
    __table_args__ = (
        sa.UniqueConstraint("plan_id", "course_id", "session_number"),
        sa.CheckConstraint("session_number > 0", name="planned_number_is_positive"),
        sa.CheckConstraint("minutes > 0", name="planned_length_is_positive"),
        sa.CheckConstraint("(chair_id IS NULL) = (starts_at IS NULL)", name="place_is_whole"),
    )

    plan_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("month_plan.id"))
    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"))
    course_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("course.id"), index=True)
    session_number: Mapped[int]
    minutes: Mapped[int]
    chair_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("chair.id"))
    nurse_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff.id"))
    starts_at: Mapped[datetime | None]
    in_the_way: Mapped[str | None]
    appointment_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("appointment.id"))
