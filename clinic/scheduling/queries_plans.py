"""Named reads of plans and of what they found."""

import uuid
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from clinic.accounts.models import Staff
from clinic.core import db
from clinic.courses.models import Course
from clinic.patients.models import Patient
from clinic.scheduling.models import Chair
from clinic.scheduling.models_plans import MonthPlan, PlannedSession
from clinic.scheduling.plan_rules import PlanStatus


def last_plan() -> MonthPlan | None:
    """The plan that was asked for last."""
    return db.session.scalar(
        sa.select(MonthPlan)
        .options(joinedload(MonthPlan.asked_by))
        .order_by(MonthPlan.asked_at.desc(), MonthPlan.id.desc())
        .limit(1)
    )


def plan(plan_id: uuid.UUID) -> MonthPlan | None:
    """One plan."""
    return db.session.scalar(sa.select(MonthPlan).where(MonthPlan.id == plan_id))


def planned(plan_id: uuid.UUID) -> list[PlannedSession]:
    """What a plan looks for, by course and session."""
    return list(
        db.session.scalars(
            sa.select(PlannedSession)
            .where(PlannedSession.plan_id == plan_id)
            .order_by(PlannedSession.course_id, PlannedSession.session_number)
        )
    )


def asked_for() -> list[MonthPlan]:
    """The plans of this clinic that nobody has begun."""
    return list(
        db.session.scalars(
            sa.select(MonthPlan).where(MonthPlan.status == PlanStatus.ASKED).order_by(MonthPlan.asked_at)
        )
    )


def patients_of(rows: Iterable[PlannedSession]) -> dict[uuid.UUID, Patient]:
    """The patients of some rows, by key."""
    keys = {each.patient_id for each in rows}
    return {each.id: each for each in db.session.scalars(sa.select(Patient).where(Patient.id.in_(keys)))}


def courses_of(rows: Iterable[PlannedSession]) -> dict[uuid.UUID, Course]:
    """The courses of some rows, by key."""
    keys = {each.course_id for each in rows}
    return {each.id: each for each in db.session.scalars(sa.select(Course).where(Course.id.in_(keys)))}


def chairs_of(rows: Iterable[PlannedSession]) -> dict[uuid.UUID, Chair]:
    """The chairs of some rows, by key."""
    keys = {each.chair_id for each in rows if each.chair_id}
    return {each.id: each for each in db.session.scalars(sa.select(Chair).where(Chair.id.in_(keys)))}


def nurses_of(rows: Iterable[PlannedSession]) -> dict[uuid.UUID, Staff]:
    """The nurses of some rows, by key."""
    keys = {each.nurse_id for each in rows if each.nurse_id}
    return {each.id: each for each in db.session.scalars(sa.select(Staff).where(Staff.id.in_(keys)))}
