"""The clinic's list of those who refer patients to it: letters choose from it."""

from datetime import datetime

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core.errors import RuleBroken
from clinic.core.rows import add_row, following
from clinic.notes.models import Referrer


def add_referrer(name: str, practice: str | None, address: str | None, *, by: Staff, at: datetime) -> Referrer:
    """Add somebody to the list. Raises RuleBroken without a name."""
    if not name.strip():
        raise RuleBroken("Enter the name.", field="name")
    referrer = Referrer(
        name=name.strip(), practice=practice or None, address=address or None, recorded_at=at, recorded_by_id=by.id
    )
    add_row(referrer)
    _audit(referrer, by=by, at=at)
    return referrer


def withdraw_referrer(referrer: Referrer, *, reason: str, by: Staff, at: datetime) -> Referrer:
    """Take somebody off the list; letters that were signed keep their address."""
    void = following(referrer, reason=reason, by_id=by.id, at=at, is_void=True)
    add_row(void)
    _audit(void, by=by, at=at)
    return void


def _audit(referrer: Referrer, *, by: Staff, at: datetime) -> None:
    audit.record(
        AuditAction.REFERRER_RECORDED,
        referrer,
        actor_id=by.id,
        at=at,
        patient_id=None,
        name=referrer.name,
        practice=referrer.practice,
        address=referrer.address,
        reason=referrer.correction_reason,
        is_void=bool(referrer.is_void),
    )
