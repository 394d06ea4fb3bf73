"""One line of what the pump did: written only where the whole line makes sense, and the session follows it."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from clinic.accounts.models import Staff
from clinic.audit.rules import AuditAction
from clinic.core.errors import RuleBroken
from clinic.core.units import EXACT
from clinic.orders.rules import check_pump_volume
from clinic.sessions.delivery_rules import boluses_mg as boluses_mg_of
from clinic.sessions.delivery_rules import delivered_ml
from clinic.sessions.event_rules import PumpReading
from clinic.sessions.models import AdministrationEvent, InfusionSession
from clinic.sessions.operations_drug_account import register_given
from clinic.sessions.operations_shared import (
    add,
    become,
    optional,
    refuse_closed,
    refuse_future,
    soft_words,
    volume,
)
from clinic.sessions.progress import current, pump, pump_event, pump_events
from clinic.sessions.pump_rules import KIND_WORDS, DoesNotFit, status_of
from clinic.sessions.readiness import clinic_of
from clinic.sessions.rules import SessionStatus


def refuse_times(infusion: InfusionSession, happened_at: datetime, at: datetime) -> None:
    """Raise RuleBroken for a time in the future or after the session was closed."""
    refuse_future(happened_at, at, field="happened_at")
    refuse_closed(infusion, happened_at, field="happened_at")


def read_volume(infusion: InfusionSession, when: datetime, shown: PumpReading | None) -> dict[str, Any]:
    """Hold the volume that the pump shows against what its rates come to, and return it as columns of an entry.

    Boluses count as given from the same bag or by hand, whichever is nearer. Raises RuleBroken at `right_volume` where
    the two are further apart than the clinic allows and nobody says which is right and why.
    """
    if shown is None:
        return {}
    volume(shown.volume_ml, places=4, field="pump_volume_ml")
    running = pump(infusion, when)
    flowed = delivered_ml(running.segments)
    boluses_mg = sum(boluses_mg_of(pump_events(infusion), when), Decimal(0))
    by_pump = EXACT.divide(boluses_mg, running.concentration_mg_ml) if running.concentration_mg_ml else Decimal(0)
    computed = min(flowed, flowed + by_pump, key=lambda sum_ml: abs(sum_ml - shown.volume_ml))
    found = soft_words(check_pump_volume(shown.volume_ml, computed, clinic_of(infusion).pump_tolerance_percent))
    if found and shown.right is None:
        raise RuleBroken(f"{found} Say which is right, and why.", field="right_volume")
    if shown.right is not None and not optional(shown.why):
        raise RuleBroken("Say why this number is the right one.", field="volume_reason")
    return {
        "pump_volume_ml": shown.volume_ml,
        "right_volume": shown.right,
        "volume_reason": optional(shown.why),
    }


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
