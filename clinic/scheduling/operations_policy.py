"""The clinic's own rules and words about bookings: limits of nurses, what may be overridden, reasons."""

import uuid
from datetime import datetime
from typing import Final

from sqlalchemy.exc import IntegrityError

from clinic.accounts.models import Clinic, Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.scheduling import queries, queries_rooms
from clinic.scheduling.limit_rules import Limits, beyond
from clinic.scheduling.models import Appointment
from clinic.scheduling.models_rooms import BookingPolicy, LostReason
from clinic.scheduling.operations_breaking import refuse_other_edition, refuse_unseen
from clinic.scheduling.rules import BookingRule, LossKind

CLINIC_LIMITS: Final = ("patients_per_nurse", "starts_per_nurse")


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


def set_limits(
    clinic: Clinic,
    *,
    patients_per_nurse: int | None,
    starts_per_nurse: int | None,
    by: Staff | None,
    at: datetime,
    seen: str | None = None,
    drawn: str | None = None,
) -> None:
    """The clinic's own limits for one nurse, at once and per quarter of an hour; None sets none.

    `WouldBreak` shows the coming appointments that are within the limits now and would be beyond the new ones.
    `drawn` is the edition that the person changed; Conflict when it is another one now.
    """
    refuse_other_edition(clinic, CLINIC_LIMITS, drawn)
    now = Limits(clinic.patients_per_nurse, clinic.starts_per_nurse)
    then = Limits(patients_per_nurse, starts_per_nurse)
    refuse_unseen(_newly_beyond(now, then, at), seen)
    was = {"patients_per_nurse": clinic.patients_per_nurse, "starts_per_nurse": clinic.starts_per_nurse}
    clinic.patients_per_nurse, clinic.starts_per_nurse = patients_per_nurse, starts_per_nurse
    audit.record(
        AuditAction.CLINIC_SETTINGS_CHANGED,
        clinic,
        actor_id=by.id if by else None,
        at=at,
        was=was,
        patients_per_nurse=patients_per_nurse,
        starts_per_nurse=starts_per_nurse,
    )


def _newly_beyond(now: Limits, then: Limits, at: datetime) -> list[Appointment]:
    standing = [each for each in queries_rooms.standing(at) if each.nurse_id]
    if not standing:
        return []
    shifts = queries.shifts_between(at, max(each.ends_at for each in standing))
    found: set[uuid.UUID] = set()
    for nurse_id in {each.nurse_id for each in standing}:
        mine = [each for each in standing if each.nurse_id == nurse_id]
        duty = [each for each in shifts if each.staff_id == nurse_id]
        was = beyond(mine, duty, now)
        found |= {each.id for each in beyond(mine, duty, then) if each not in was}
    return [each for each in standing if each.id in found]


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
