"""What the verbs of a session have in common: the lock, the state, the times, the audit line."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission
from clinic.orders.models import OrderVersion, VerbalOrder
from clinic.orders.rules import Finding, FindingLevel
from clinic.sessions.models import InfusionSession, SessionTransition
from clinic.sessions.progress import closed_at
from clinic.sessions.rules import SessionStatus, may_become

MOST_DIGITS = 14


def locked(infusion: InfusionSession) -> InfusionSession:
    """Hold the session until the transaction ends and read it anew, so that what is checked next still holds.

    On PostgreSQL a row lock; on SQLite the transaction of a writer holds the whole database already.
    """
    db.session.flush()  # a session that was only just made has no row to lock yet
    # Not the full lock: vitals that another person records at this moment need not wait. And a statement of its own:
    # the joins of a loaded sheet cannot be locked.
    row = sa.select(InfusionSession.id).where(InfusionSession.id == infusion.id)
    db.session.execute(row.with_for_update(key_share=True))
    db.session.refresh(infusion)
    return infusion


def hold_order(infusion: InfusionSession) -> None:
    """Keep the order of a session as it stands until the transaction ends, and read anew how that is.

    Sessions share it; whoever enters it in error waits, and then finds what was given under it.
    """
    version = sa.select(OrderVersion.id).where(OrderVersion.id == infusion.order_version_id)
    db.session.execute(version.with_for_update(read=True))
    db.session.refresh(infusion.order_version, ["status"])


def become(
    infusion: InfusionSession,
    wanted: SessionStatus,
    *,
    happened_at: datetime,
    by: Staff,
    at: datetime,
    reason: str | None = None,
) -> None:
    """Take a session to its next state and write the transition. Raises RuleBroken where the table has no such way."""
    was = infusion.status
    if not may_become(was, wanted):
        raise RuleBroken(f"This session is {words(was)}; it cannot become {words(wanted)}.")
    infusion.status = wanted
    move = SessionTransition(
        infusion=infusion,
        from_status=was,
        to_status=wanted,
        happened_at=happened_at,
        reason=reason,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    db.session.add(move)
    db.session.flush()  # a session that somebody else has changed meanwhile shows here
    audit.record(
        AuditAction.SESSION_STATUS_CHANGED,
        infusion,
        actor_id=by.id,
        at=at,
        was=was,
        status=wanted,
        happened_at=happened_at,
        reason=reason,
    )


def words(status: SessionStatus) -> str:
    """Return a state in words."""
    return status.value.replace("-", " ")


def add(row: Any, action: AuditAction, infusion: InfusionSession, *, by: Staff, at: datetime, **details: Any) -> None:
    """Write a row of the record and its audit line."""
    db.session.add(row)
    db.session.flush()  # the row is refused here, not at the end of the request
    audit.record(
        action,
        row,
        actor_id=by.id,
        at=at,
        patient_id=infusion.patient_id,
        infusion_id=infusion.id,
        **details,
    )


def refuse_future(happened_at: datetime, at: datetime, *, field: str) -> None:
    """Raise RuleBroken for something that has not happened yet."""
    if happened_at > at:
        raise RuleBroken("This time is in the future.", field=field)


def refuse_closed(infusion: InfusionSession, happened_at: datetime, *, field: str) -> None:
    """Raise RuleBroken for something that happened after the session was closed; before it, it is a late entry."""
    closed = closed_at(infusion)
    if closed is not None and happened_at > closed:
        raise RuleBroken("The session was closed before this time. Write an addendum to the note instead.", field=field)


def needed(text: str | None, message: str, *, field: str) -> str:
    """Return a text that must say something. Raises RuleBroken for an empty one."""
    stripped = (text or "").strip()
    if not stripped:
        raise RuleBroken(message, field=field)
    return stripped


def optional(text: str | None) -> str | None:
    """Return a text, or None for an empty one."""
    return (text or "").strip() or None


def quantity(value: Decimal, *, places: int, field: str) -> Decimal:
    """Return a positive quantity that its column can hold exactly. Raises RuleBroken otherwise."""
    if not value.is_finite() or value <= 0:
        raise RuleBroken("Enter a number above zero.", field=field)
    return volume(value, places=places, field=field)


def volume(value: Decimal, *, places: int, field: str) -> Decimal:
    """Return a quantity, zero allowed, that its column can hold exactly. Raises RuleBroken otherwise."""
    if not value.is_finite() or value < 0 or value.adjusted() >= MOST_DIGITS - places:
        raise RuleBroken("Enter a number that is possible.", field=field)
    if value != round(value, places):
        raise RuleBroken(f"Enter at most {places} decimals.", field=field)
    return value


def refuse_hard(findings: Iterable[Finding], *, field: str | None) -> None:
    """Raise RuleBroken with every hard finding's words."""
    hard = [finding.message for finding in findings if finding.level is FindingLevel.HARD]
    if hard:
        raise RuleBroken(" ".join(hard), field=field)


def soft_words(findings: Iterable[Finding]) -> str:
    """Return the words of what only asks for a reason."""
    return " ".join(finding.message for finding in findings if finding.level is FindingLevel.SOFT)


def refuse_unless_may(person: Staff, permission: Permission, message: str, *, field: str) -> None:
    """Raise RuleBroken when a named person does not hold the permission that the act asks of that person."""
    if not person.may(permission):
        raise RuleBroken(message, field=field)


def refuse_foreign_spoken_order(infusion: InfusionSession, spoken: VerbalOrder | None) -> None:
    """Raise RuleBroken for a spoken order that was given for somebody else."""
    if spoken is not None and spoken.patient_id != infusion.patient_id:
        raise RuleBroken("This spoken order is for another patient.", field="verbal_order")


def refuse_foreign_correction(author_id: object, by: Staff) -> None:
    """Raise RuleBroken unless the author or a physician corrects (SD-9)."""
    if by.id != author_id and not by.may(Permission.SIGN_ORDER):
        raise RuleBroken("Only the person who entered this, or a physician, corrects it. Write a note instead.")
