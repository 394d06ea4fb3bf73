"""One line of what the pump did: written only where the whole line makes sense, and the session follows it."""

from datetime import datetime
from typing import Any

from clinic.accounts.models import Staff
from clinic.audit.rules import AuditAction
from clinic.core.errors import RuleBroken
from clinic.sessions.models import AdministrationEvent, InfusionSession
from clinic.sessions.operations_drug_account import register_given
from clinic.sessions.operations_shared import add, become, refuse_closed, refuse_future
from clinic.sessions.progress import current, pump_event
from clinic.sessions.pump_rules import KIND_WORDS, DoesNotFit, status_of
from clinic.sessions.rules import SessionStatus


def refuse_times(infusion: InfusionSession, happened_at: datetime, at: datetime) -> None:
    """Raise RuleBroken for a time in the future or after the session was closed."""
    refuse_future(happened_at, at, field="happened_at")
    refuse_closed(infusion, happened_at, field="happened_at")


def write(infusion: InfusionSession, row: AdministrationEvent, *, by: Staff, at: datetime, **details: Any) -> None:
    """Add an entry about the pump where the whole line still makes sense, and let the session's state follow it."""
    standing = [each for each in current(infusion.administrations) if each.id != row.supersedes_id]
    added = None if row.is_void else pump_event(row)
    try:
        status = status_of([pump_event(each) for each in standing], added)
    except DoesNotFit as reason:
        raise RuleBroken(str(reason), field="happened_at") from reason
    if infusion.status.is_closed and status is not SessionStatus.RECOVERING:
        raise RuleBroken(f"This session is closed; a {KIND_WORDS[row.kind]} cannot be added to it.")
    row.infusion = infusion
    shown = {"kind": row.kind, "happened_at": row.happened_at, "rate_ml_h": row.rate_ml_h, "bolus_mg": row.bolus_mg}
    add(row, AuditAction.ADMINISTRATION_RECORDED, infusion, by=by, at=at, **shown, **details)
    if not infusion.status.is_closed and status is not infusion.status:
        become(infusion, status, happened_at=row.happened_at, by=by, at=at, reason=row.reason)
    if status is SessionStatus.RECOVERING:
        register_given(infusion, by=by, at=at)
