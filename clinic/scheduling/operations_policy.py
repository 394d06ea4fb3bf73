"""The clinic's own rules and words about bookings: what may be overridden, reasons."""

from datetime import datetime

from sqlalchemy.exc import IntegrityError

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.scheduling import queries_rooms
from clinic.scheduling.models_rooms import BookingPolicy, LostReason
from clinic.scheduling.rules import BookingRule, LossKind


def set_policy(rule: BookingRule, *, is_allowed: bool, reason: str, by: Staff, at: datetime) -> BookingPolicy:
    """Say whether a rule may be overridden here; the last word counts."""
    if not reason.strip():
        raise RuleBroken("Say why.", field="reason")
    now = queries_rooms.policies().get(rule)
    if is_allowed is bool(now and now.is_allowed):
        raise RuleBroken("That is so already.", field="rule")
    row = BookingPolicy(rule=rule, is_allowed=is_allowed, reason=reason.strip(), recorded_at=at, recorded_by_id=by.id)
    db.session.add(row)
    db.session.flush()  # the audit line needs the row
    audit.record(
        AuditAction.BOOKING_POLICY_SET, row, actor_id=by.id, at=at, rule=rule, is_allowed=is_allowed, reason=row.reason
    )
    return row


def add_lost_reason(kind: LossKind, text: str, *, by: Staff, at: datetime) -> LostReason:
    """Add a reason to the clinic's list; one that was retired is offered again."""
    text = text.strip()
    if not text:
        raise RuleBroken("Write the reason.", field="text")
    known = {row.text: row for row in queries_rooms.lost_reasons(kind, with_retired=True)}
    row = known.get(text)
    if row is not None and not row.is_retired:
        raise RuleBroken("This reason is on the list already.", field="text")
    if row is None:
        row = LostReason(kind=kind, text=text)
        try:
            with db.session.begin_nested():
                db.session.add(row)
                db.session.flush()  # the same reason from another desk shows here
        except IntegrityError as error:
            raise RuleBroken("This reason is on the list already.", field="text") from error
    row.is_retired = False
    audit.record(AuditAction.LOST_REASONS_CHANGED, row, actor_id=by.id, at=at, change="offered", kind=kind, text=text)
    return row


def retire_lost_reason(row: LostReason, *, by: Staff, at: datetime) -> None:
    """Offer a reason no more; what was lost for it keeps it."""
    row.is_retired = True
    audit.record(AuditAction.LOST_REASONS_CHANGED, row, actor_id=by.id, at=at, change="retired", text=row.text)
