"""Named reads about orders."""

import uuid
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from clinic.accounts.models import Staff
from clinic.core import db
from clinic.orders.models import Order, OrderCosignRule, OrderDraft, OrderError, OrderReturn, OrderVersion, VerbalOrder
from clinic.orders.rules import OrderStatus
from clinic.protocols.models import Terms
from clinic.protocols.queries import whole_terms
from clinic.signatures.models import Signature
from clinic.signatures.rules import Meaning


def version(version_id: uuid.UUID) -> OrderVersion | None:
    """A version with its order, patient, terms, weight and signature, in a fixed number of reads."""
    return _whole(OrderVersion.id == version_id)


def version_numbered(order_id: uuid.UUID, number: int) -> OrderVersion | None:
    """The same by its number."""
    return _whole(sa.and_(OrderVersion.order_id == order_id, OrderVersion.number == number))


def in_force(order_id: uuid.UUID, on: date) -> OrderVersion | None:
    """The version of an order that may be used on a day of the clinic: active, and valid on that day."""
    return _whole(
        sa.and_(
            OrderVersion.order_id == order_id,
            OrderVersion.status == OrderStatus.ACTIVE,
            sa.or_(OrderVersion.valid_from.is_(None), OrderVersion.valid_from <= on),
            sa.or_(OrderVersion.valid_until.is_(None), OrderVersion.valid_until >= on),
        )
    )


def order_in_force(order_id: uuid.UUID) -> OrderVersion | None:
    """The same as `current_version` without what it says: its days and the number of its sessions."""
    return db.session.scalar(
        sa.select(OrderVersion).where(OrderVersion.order_id == order_id, OrderVersion.status == OrderStatus.ACTIVE)
    )


def current_version(order_id: uuid.UUID) -> OrderVersion | None:
    """The version that is signed and stands, active or on hold, whatever its dates say."""
    return _whole(
        sa.and_(
            OrderVersion.order_id == order_id,
            OrderVersion.status.in_([OrderStatus.ACTIVE, OrderStatus.ON_HOLD]),
        )
    )


def version_to_follow(order_id: uuid.UUID) -> OrderVersion | None:
    """The version that the next one is written from: the one that stands, else one in error or not co-signed."""
    newest = sa.select(sa.func.max(OrderVersion.number)).where(
        OrderVersion.order_id == order_id,
        sa.or_(OrderVersion.status == OrderStatus.ENTERED_IN_ERROR, is_declined()),
    )
    return current_version(order_id) or _whole(
        sa.and_(OrderVersion.order_id == order_id, OrderVersion.number == newest.scalar_subquery())
    )


def draft_version(order_id: uuid.UUID) -> OrderVersion | None:
    """The version that is still being written."""
    return _whole(
        sa.and_(
            OrderVersion.order_id == order_id,
            OrderVersion.signature_id.is_(None),
            OrderVersion.status.in_([OrderStatus.DRAFT, OrderStatus.PENDING_SIGNATURE]),
        )
    )


# --- co-signatures ---------------------------------------------------------------------------------------------------


def is_declined() -> sa.ColumnElement[bool]:
    """Versions that were signed and sent back instead of co-signed."""
    signed_at = sa.select(Signature.signed_at).where(Signature.id == OrderVersion.signature_id)
    is_sent_back = sa.exists().where(
        OrderReturn.order_version_id == OrderVersion.id,
        OrderReturn.recorded_at >= signed_at.correlate(OrderVersion).scalar_subquery(),
    )
    return sa.and_(OrderVersion.status == OrderStatus.CANCELLED, is_sent_back.correlate(OrderVersion))


def waits_for_cosignature(person_id: uuid.UUID) -> sa.ColumnElement[bool]:
    """Versions that others signed and that need a second signature, in force or not."""
    own = sa.exists().where(Signature.id == OrderVersion.signature_id, Signature.signer_id == person_id)
    return sa.and_(
        OrderVersion.cosign.is_not(None),
        OrderVersion.cosignature_id.is_(None),
        OrderVersion.signature_id.is_not(None),
        OrderVersion.status.not_in([OrderStatus.CANCELLED, OrderStatus.ENTERED_IN_ERROR]),
        ~own.correlate(OrderVersion),
    )


def cosign_rules() -> list[OrderCosignRule]:
    """The clinic's rules about co-signing orders: the latest for each physician, and for all; the named ones first."""
    rows = db.session.scalars(
        sa.select(OrderCosignRule)
        .options(
            joinedload(OrderCosignRule.staff),
            joinedload(OrderCosignRule.cosigner),
            joinedload(OrderCosignRule.recorded_by),
        )
        .order_by(OrderCosignRule.recorded_at, OrderCosignRule.id)
    )
    latest = {row.staff_id: row for row in rows}
    return sorted(latest.values(), key=lambda row: (row.staff is None, row.staff.family_name if row.staff else ""))


def cosign_rule_for(staff_id: uuid.UUID) -> OrderCosignRule | None:
    """The rule that says that what this physician signs is co-signed; None where it is not."""
    rules = {row.staff_id: row for row in cosign_rules()}
    rule = rules.get(staff_id, rules.get(None))
    return rule if rule is not None and rule.cosign is not None else None


def kept_draft(version_id: uuid.UUID, revision: int | None) -> OrderDraft | None:
    """What a version said as a draft when it was saved for the `revision`th time."""
    return db.session.scalar(
        sa.select(OrderDraft).where(OrderDraft.order_version_id == version_id, OrderDraft.revision == revision)
    )


def _whole(condition: sa.ColumnElement[bool]) -> OrderVersion | None:
    return db.session.scalar(
        sa.select(OrderVersion)
        .where(condition)
        .options(
            joinedload(OrderVersion.order).options(joinedload(Order.patient), selectinload(Order.versions)),
            joinedload(OrderVersion.weight),
            joinedload(OrderVersion.drafted_by),
            joinedload(OrderVersion.signature),
            joinedload(OrderVersion.cosignature),
            joinedload(OrderVersion.cosigner),
            joinedload(OrderVersion.error).joinedload(OrderError.recorded_by),
            selectinload(OrderVersion.excesses),
            selectinload(OrderVersion.returns).joinedload(OrderReturn.recorded_by),
            whole_terms(OrderVersion.terms),
        )
    )


def drafts_by(staff: Staff) -> list[OrderVersion]:
    """The versions that a person began and nobody has signed, the oldest first."""
    return list(
        db.session.scalars(
            sa.select(OrderVersion)
            .where(OrderVersion.drafted_by_id == staff.id, OrderVersion.signature_id.is_(None))
            .where(OrderVersion.status.in_([OrderStatus.DRAFT, OrderStatus.PENDING_SIGNATURE]))
            .options(
                joinedload(OrderVersion.order).joinedload(Order.patient),
                joinedload(OrderVersion.terms).joinedload(Terms.drug),
            )
            .order_by(OrderVersion.drafted_at)
        )
    )


def unsigned_verbal_orders(physician: Staff) -> list[VerbalOrder]:
    """What a physician spoke and has not signed yet, the oldest first."""
    return list(
        db.session.scalars(
            sa.select(VerbalOrder)
            .where(VerbalOrder.spoken_by_id == physician.id, ~_is_confirmed())
            .options(joinedload(VerbalOrder.patient), joinedload(VerbalOrder.recorded_by))
            .order_by(VerbalOrder.spoken_at)
        )
    )


def _is_confirmed() -> sa.ColumnElement[bool]:
    return (
        sa.exists()
        .where(Signature.subject_id == VerbalOrder.id, Signature.meaning == Meaning.VERBAL_ORDER)
        .correlate(VerbalOrder)
    )


def verbal_order(verbal_order_id: uuid.UUID) -> VerbalOrder | None:
    """An order that was spoken, with its people."""
    return db.session.scalar(
        sa.select(VerbalOrder)
        .where(VerbalOrder.id == verbal_order_id)
        .options(
            joinedload(VerbalOrder.spoken_by), joinedload(VerbalOrder.recorded_by), joinedload(VerbalOrder.patient)
        )
    )


def verbal_orders_of(order_id: uuid.UUID, *, since: datetime | None = None) -> list[tuple[VerbalOrder, bool]]:
    """What was spoken under any version of an order, and whether the speaker has signed it, the earliest first."""
    found = (
        sa.select(VerbalOrder, _is_confirmed())
        .join(OrderVersion, OrderVersion.id == VerbalOrder.order_version_id)
        .join(VerbalOrder.spoken_by)
        .where(OrderVersion.order_id == order_id)
        .options(contains_eager(VerbalOrder.spoken_by), joinedload(VerbalOrder.recorded_by))
        .order_by(VerbalOrder.spoken_at)
    )
    if since is not None:
        found = found.where(VerbalOrder.spoken_at >= since)
    return [(row[0], row[1]) for row in db.session.execute(found)]
