"""Named reads about calendar addresses and what they hold."""

import uuid
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload

from clinic.accounts.models import Clinic, Staff
from clinic.core import db
from clinic.courses.models import Course
from clinic.ical.models import CalendarFeed
from clinic.ical.rules import FeedKind, Row
from clinic.scheduling.models import Appointment, Chair
from clinic.scheduling.rules import AppointmentStatus

_NOT_YET = (AppointmentStatus.PROPOSED, AppointmentStatus.WAITLIST)


def feed_by_hash(token_hash: str) -> tuple[CalendarFeed, Clinic] | None:
    """The live address of a secret, whoever's it is, and its clinic."""
    found = db.session.execute(
        sa.select(CalendarFeed, Clinic)
        .join(Clinic, Clinic.id == CalendarFeed.clinic_id)
        .where(CalendarFeed.token_hash == token_hash, CalendarFeed.revoked_at.is_(None))
        .execution_options(unscoped=True)
    ).first()
    return (found[0], found[1]) if found else None


def feed(feed_id: uuid.UUID) -> CalendarFeed | None:
    """One address in force."""
    return db.session.scalar(
        sa.select(CalendarFeed).where(CalendarFeed.id == feed_id, CalendarFeed.revoked_at.is_(None))
    )


def live_feeds(*kinds: FeedKind, staff_id: uuid.UUID | None = None) -> list[CalendarFeed]:
    """The addresses in force of some kinds, of one person where it is given."""
    found = sa.select(CalendarFeed).where(CalendarFeed.revoked_at.is_(None), CalendarFeed.kind.in_(kinds))
    if staff_id is not None:
        found = found.where(CalendarFeed.staff_id == staff_id)
    people = (joinedload(CalendarFeed.patient), joinedload(CalendarFeed.chair), joinedload(CalendarFeed.issued_by))
    return list(db.session.scalars(found.options(*people).order_by(CalendarFeed.issued_at)))


def patients_feed(patient_id: uuid.UUID) -> CalendarFeed | None:
    """A patient's address in force."""
    return db.session.scalar(
        sa.select(CalendarFeed)
        .where(CalendarFeed.revoked_at.is_(None), CalendarFeed.patient_id == patient_id)
        .options(joinedload(CalendarFeed.issued_by))
    )


def chair(chair_id: uuid.UUID) -> Chair | None:
    """A chair that is in use."""
    return db.session.scalar(sa.select(Chair).where(Chair.id == chair_id, Chair.is_retired.is_(False)))


# --- what an address holds -------------------------------------------------------------------------------------------


def _is_of(feed: CalendarFeed) -> sa.ColumnElement[bool]:
    match feed.kind:
        case FeedKind.NURSE:
            return Appointment.nurse_id == feed.staff_id
        case FeedKind.PHYSICIAN:
            return Course.physician_id == feed.staff_id
        case FeedKind.CHAIR:
            return Appointment.chair_id == feed.chair_id
        case FeedKind.PATIENT:
            return Appointment.patient_id == feed.patient_id


def appointments_of(feed: CalendarFeed, start: datetime, end: datetime) -> list[Appointment]:
    """The appointments of an address in a time, lost ones included, the one that was made first before the others."""
    return list(
        db.session.scalars(
            sa.select(Appointment)
            .join(Appointment.course)
            .where(
                _is_of(feed),
                Appointment.ends_at > start,
                Appointment.starts_at < end,
                Appointment.status.not_in(_NOT_YET),
            )
            .options(
                contains_eager(Appointment.course),
                joinedload(Appointment.patient),
                joinedload(Appointment.chair).joinedload(Chair.site),
            )
            .order_by(Appointment.booked_at, Appointment.id)
        )
    )


def rows_of_courses(course_ids: Sequence[uuid.UUID]) -> list[Row]:
    """Every row of the lives of these courses' appointments: a move keeps its course."""
    found = db.session.execute(
        sa.select(
            Appointment.id, Appointment.moved_from_id, Appointment.version, Appointment.booked_at, Appointment.status_at
        ).where(Appointment.course_id.in_(course_ids))
    )
    return [Row(key, before, version, max(booked, stated)) for key, before, version, booked, stated in found]


def person_with_roles(staff_id: uuid.UUID) -> Staff | None:
    """A person with the roles that she holds in this clinic."""
    return db.session.scalar(sa.select(Staff).where(Staff.id == staff_id))
