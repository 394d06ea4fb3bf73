"""Orders in the inbox that need a second signature, and those that were sent back instead of getting it."""

import uuid
from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from clinic.core import db
from clinic.courses.models import Course
from clinic.notes import inbox_queries as queries
from clinic.notes.inbox_items import Desk, InboxItem
from clinic.notes.inbox_rules import ItemKind, group_of, until_words
from clinic.orders.models import Order, OrderReturn, OrderVersion
from clinic.orders.queries import is_declined, waits_for_cosignature
from clinic.orders.rules import OrderCosign, OrderStatus
from clinic.protocols.models import Terms
from clinic.scheduling.models import Appointment
from clinic.signatures.models import Signature


def is_declined_of(ids: queries.Ids) -> sa.ColumnElement[bool]:
    """What these physicians signed and got back, while the course goes on and nobody has written the next version."""
    later = aliased(OrderVersion)
    is_theirs = sa.exists().where(Signature.id == OrderVersion.signature_id, Signature.signer_id.in_(ids))
    is_followed = sa.exists().where(
        later.order_id == OrderVersion.order_id,
        later.number > OrderVersion.number,
        later.status != OrderStatus.CANCELLED,
    )
    goes_on = sa.exists().where(Course.order_id == OrderVersion.order_id, Course.status.in_(queries.GOING_ON))
    return sa.and_(
        is_declined(),
        is_theirs.correlate(OrderVersion),
        ~is_followed.correlate(OrderVersion),
        goes_on.correlate(OrderVersion),
    )


def _versions(condition: sa.ColumnElement[bool], *also: ORMOption) -> list[OrderVersion]:
    return list(
        db.session.scalars(
            sa.select(OrderVersion)
            .join(OrderVersion.signature)
            .where(condition)
            .options(
                joinedload(OrderVersion.order).joinedload(Order.patient),
                joinedload(OrderVersion.terms).joinedload(Terms.drug),
                joinedload(OrderVersion.signature),
                joinedload(OrderVersion.cosigner),
                *also,
            )
            .order_by(Signature.signed_at, OrderVersion.id)
        )
    )


def _next_booked(order_ids: queries.Ids, desk: Desk) -> dict[uuid.UUID, Appointment]:
    """The next session booked under each of these orders, within the days looked ahead, whoever's course it is."""
    first: dict[uuid.UUID, Appointment] = {}
    physicians = sa.select(Course.physician_id).where(Course.order_id.in_(order_ids))
    for appointment in queries.coming_appointments(physicians, desk.now, desk.until):
        first.setdefault(appointment.course.order_id, appointment)
    return first


def cosigns(desk: Desk) -> Iterator[InboxItem]:
    """Orders of others that need a second signature; one that a booked session waits for comes first."""
    found = _versions(waits_for_cosignature(desk.person.id))
    courses = queries.courses_by_order([version.order_id for version in found]) if found else {}
    booked = _next_booked(courses, desk) if found else {}
    for version in found:
        appointment = booked.get(version.order_id) if version.is_waiting else None
        signed_at = version.signature.signed_at if version.signature else version.drafted_at
        until = "It comes into force with it." if version.cosign is OrderCosign.FIRST else "It is used meanwhile."
        yield InboxItem(
            version.id,
            ItemKind.COSIGN_ORDER,
            group_of(ItemKind.COSIGN_ORDER, is_before_a_session=appointment is not None),
            version.order.patient,
            title="Order to co-sign",
            what=f"Version {version.number} of the order for {version.terms.drug.name}. {until}",
            when=desk.day(appointment.starts_at) if appointment else desk.when(signed_at),
            side=until_words(appointment.starts_at, desk.now) if appointment else _signer(version),
            since=appointment.starts_at if appointment else signed_at,
            record=version,
            is_mine=version.cosigner_id in desk.people,
            is_soon=appointment is not None,
            whose=desk.whose(version.cosigner),
            course_id=_course_id(courses, version),
        )


def declined(desk: Desk) -> Iterator[InboxItem]:
    """Orders that the physician signed and that were sent back instead of co-signed."""
    found = _versions(is_declined_of(desk.ids), selectinload(OrderVersion.returns).joinedload(OrderReturn.recorded_by))
    courses = queries.courses_by_order([version.order_id for version in found]) if found else {}
    for version in found:
        back = version.returns[-1]
        yield InboxItem(
            version.id,
            ItemKind.DECLINED,
            group_of(ItemKind.DECLINED),
            version.order.patient,
            title="Order not co-signed",
            what=back.reason,
            when=desk.when(back.recorded_at),
            side=back.recorded_by.name,
            since=back.recorded_at,
            record=version,
            whose="" if version.signature and version.signature.signer_id == desk.person.id else _signer(version),
            course_id=_course_id(courses, version),
        )


def _signer(version: OrderVersion) -> str:
    return version.signature.signer_name if version.signature else ""


def _course_id(courses: dict[uuid.UUID, Course], version: OrderVersion) -> uuid.UUID | None:
    course = courses.get(version.order_id)
    return course.id if course else None
