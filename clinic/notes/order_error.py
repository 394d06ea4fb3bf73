"""Enter a signed order in error: only while no session ran under it, with the booked sessions before one's eyes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import orm

from clinic.accounts.models import Staff
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.times import clock_label, date_label, local
from clinic.courses.models import Course
from clinic.notes.decisions import still_booked
from clinic.orders.models import OrderError, OrderVersion
from clinic.orders.operations_error import enter_in_error as enter
from clinic.protocols.models import PrnItem
from clinic.scheduling.models import Appointment
from clinic.sessions.models import AdministrationEvent, InfusionSession, PrnDose
from clinic.sessions.readiness import USED
from clinic.signatures import operations as signatures

RAN: Final = (
    "A session ran under this order: what was given was given under it. Stop the course or sign a new version instead."
)


def ran_under(version: OrderVersion) -> bool:
    """Whether anything was given under a version of an order."""
    given = sa.exists().where(AdministrationEvent.order_version_id == version.id)
    begun = sa.exists().where(InfusionSession.order_version_id == version.id, InfusionSession.status.in_(USED))
    return bool(db.session.scalar(sa.select(sa.or_(given, begun, _medicine_given(version)))))


def _medicine_given(version: OrderVersion) -> sa.Exists:
    """An as-needed dose under a version, also before the start of the infusion, that was not withdrawn."""
    later = orm.aliased(PrnDose)
    return sa.exists().where(
        PrnDose.prn_item_id == PrnItem.id,
        PrnItem.terms_id == version.terms_id,
        PrnDose.is_void.is_(False),
        ~sa.exists().where(later.supersedes_id == PrnDose.id),
    )


def booked_under(course: Course) -> list[Appointment]:
    """The booked sessions of a course that nobody has arrived for."""
    arrived = sa.select(InfusionSession.appointment_id).where(InfusionSession.course_id == course.id)
    return still_booked(course.id, set(db.session.scalars(arrived)))


def booked_words(booked: Sequence[Appointment], zone: ZoneInfo) -> list[str]:
    """Each booked session in words: "session 2, 20-Nov-2025 09:00, chair 3"."""
    return [
        f"session {each.session_number}, {date_label(local(each.starts_at, zone).date())} "
        f"{clock_label(each.starts_at, zone)}, chair {each.chair.name}"
        for each in booked
    ]


def seen_content(version: OrderVersion, booked: Sequence[str]) -> Mapping[str, object]:
    """What the page shows before the order is entered in error."""
    signed = version.signature
    return {"order_version": version.id, "digest": signed.digest if signed else None, "booked": list(booked)}


def enter_in_error(
    course: Course,
    version: OrderVersion,
    reason: str,
    *,
    by: Staff,
    password: str,
    at: datetime,
    zone: ZoneInfo,
    seen: str | None = None,
) -> OrderError:
    """Sign that a version was entered in error, as it and the bookings were `seen` (Conflict otherwise).

    The booked sessions keep their places; none starts until a new version is signed.
    """
    db.session.execute(sa.select(Course.id).where(Course.id == course.id).with_for_update())
    booked = booked_words(booked_under(course), zone)
    signatures.refuse_unseen(seen, seen_content(version, booked), "This order with its booked sessions")
    # A start that holds the order is waited for, and found; one that comes later reads that it is an error.
    db.session.execute(sa.select(OrderVersion.id).where(OrderVersion.id == version.id).with_for_update(key_share=True))
    if ran_under(version):
        raise RuleBroken(RAN)
    return enter(version, reason=reason, booked=booked, by=by, password=password, at=at)
