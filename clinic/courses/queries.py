"""Named reads about courses."""

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from clinic.core import db
from clinic.courses.models import Course, CourseReview
from clinic.courses.rules import CourseStatus
from clinic.orders.models import Order, OrderVersion
from clinic.orders.rules import OrderStatus
from clinic.protocols.models import ProtocolVersion, Terms
from clinic.protocols.queries import whole_terms


def course(course_id: uuid.UUID) -> Course | None:
    """A course with its patient, physician, protocol and order, without the versions' terms."""
    return db.session.scalar(
        sa.select(Course)
        .where(Course.id == course_id)
        .options(
            joinedload(Course.patient),
            joinedload(Course.physician),
            joinedload(Course.protocol_version).joinedload(ProtocolVersion.protocol),
            joinedload(Course.order).selectinload(Order.versions).joinedload(OrderVersion.signature),
        )
    )


def review_page(course_id: uuid.UUID) -> Course | None:
    """A course with everything that its review shows of its own: order versions whole, reviews and their authors.

    The number of reads does not grow with versions or reviews.
    """
    return db.session.scalar(
        sa.select(Course)
        .where(Course.id == course_id)
        .options(
            joinedload(Course.patient),
            joinedload(Course.physician),
            joinedload(Course.protocol_version).joinedload(ProtocolVersion.protocol),
            joinedload(Course.order)
            .selectinload(Order.versions)
            .options(
                joinedload(OrderVersion.signature),
                joinedload(OrderVersion.weight),
                joinedload(OrderVersion.drafted_by),
                selectinload(OrderVersion.excesses),
                whole_terms(OrderVersion.terms),
            ),
            selectinload(Course.reviews).joinedload(CourseReview.recorded_by),
        )
        .execution_options(populate_existing=True)
    )


def begun_with(version_id: uuid.UUID) -> dict[CourseStatus, int]:
    """How many courses began with a version of a protocol, by how they stand."""
    counted = sa.select(Course.status, sa.func.count()).where(Course.protocol_version_id == version_id)
    return {status: count for status, count in db.session.execute(counted.group_by(Course.status))}  # noqa: C416 rows


def courses_of(patient_id: uuid.UUID) -> list[Course]:
    """A patient's courses, the newest first, with what a list says of each."""
    return list(
        db.session.scalars(
            sa.select(Course)
            .where(Course.patient_id == patient_id)
            .options(
                joinedload(Course.physician),
                joinedload(Course.protocol_version).options(
                    joinedload(ProtocolVersion.protocol),
                    joinedload(ProtocolVersion.terms).joinedload(Terms.drug),
                ),
                joinedload(Course.order).selectinload(Order.versions).joinedload(OrderVersion.terms),
            )
            .order_by(Course.number.desc())
        )
    )


def bookable_courses() -> list[Course]:
    """The active courses whose order is in force, with their patient and the order's terms: what the desk can book."""
    return list(
        db.session.scalars(
            sa.select(Course)
            .join(Course.order)
            .join(Order.versions)
            .where(Course.status == CourseStatus.ACTIVE, OrderVersion.status == OrderStatus.ACTIVE)
            .options(
                joinedload(Course.patient),
                joinedload(Course.order).selectinload(Order.versions).joinedload(OrderVersion.terms),
            )
            .order_by(Course.created_at)
        ).unique()
    )
