"""Courses and what physicians decided about them."""

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.recorded import Recorded
from clinic.core.types import enum_type
from clinic.courses.rules import CourseDecision, CourseStatus
from clinic.orders.models import Order
from clinic.patients.models import Patient
from clinic.protocols.models import ProtocolVersion
from clinic.protocols.rules import CourseIntent


class Course(ClinicScoped, Base):
    """A planned series of sessions for one indication under one protocol and one order."""

    __tablename__ = "course"
    __table_args__ = (
        sa.UniqueConstraint("patient_id", "number"),
        sa.CheckConstraint("number > 0", name="number_is_positive"),
    )

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    number: Mapped[int]
    order_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("infusion_order.id"), unique=True)
    protocol_version_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("protocol_version.id"))
    previous_course_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("course.id"))
    indication: Mapped[str]
    goal: Mapped[str | None]
    intent: Mapped[CourseIntent] = mapped_column(enum_type(CourseIntent, "course_intent"))
    status: Mapped[CourseStatus] = mapped_column(enum_type(CourseStatus, "course_status"), index=True)
    physician_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    created_at: Mapped[datetime]
    created_by_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    version: Mapped[int] = mapped_column(sort_order=95)
    patient: Mapped[Patient] = relationship()
    order: Mapped[Order] = relationship()
    protocol_version: Mapped[ProtocolVersion] = relationship()
    physician: Mapped[Staff] = relationship(foreign_keys=[physician_id])
    reviews: Mapped[list["CourseReview"]] = relationship(back_populates="course", order_by="CourseReview.recorded_at")

    __mapper_args__ = {"version_id_col": version}


class CourseReview(ClinicScoped, Recorded, Base):
    """A physician's review of a course: the decision and why, and how the course stood before and after."""

    __tablename__ = "course_review"

    course_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("course.id"), index=True)
    decision: Mapped[CourseDecision] = mapped_column(enum_type(CourseDecision, "course_decision"))
    text: Mapped[str]
    from_status: Mapped[CourseStatus] = mapped_column(enum_type(CourseStatus, "from_status"))
    to_status: Mapped[CourseStatus] = mapped_column(enum_type(CourseStatus, "to_status"))
    decided_at: Mapped[datetime]
    course: Mapped[Course] = relationship(back_populates="reviews")
    recorded_by: Mapped[Staff] = relationship(foreign_keys="CourseReview.recorded_by_id")
