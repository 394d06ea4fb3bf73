"""Corrections of what was recorded about the pump: a new row in the place of one that was wrong."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from clinic.accounts.models import Staff
from clinic.core.errors import RuleBroken
from clinic.sessions.event_rules import PumpReading
from clinic.sessions.models import AdministrationEvent, InfusionSession
from clinic.sessions.operations_pump_line import read_volume, refuse_times, write
from clinic.sessions.operations_shared import locked, needed, quantity, refuse_foreign_correction
from clinic.sessions.progress import current

_FIELDS_TO_CORRECT = frozenset(
    {
        "happened_at",
        "rate_ml_h",
        "bolus_mg",
        "bolus_over_min",
        "volume_to_infuse_ml",
        "pump_volume_ml",
        "right_volume",
        "volume_reason",
        "reason",
    }
)


def correct_administration(
    event: AdministrationEvent, changes: Mapping[str, Any], reason: str, *, by: Staff, at: datetime
) -> AdministrationEvent:
    """Put a corrected entry in the place of one about the pump; the first stays readable.

    `changes` may name happened_at, rate_ml_h, bolus_mg, bolus_over_min, volume_to_infuse_ml, pump_volume_ml,
    right_volume, volume_reason, reason.
    By its author or a physician. A correction says what truly happened: it is not held to the order's limits, but the
    whole line of events must still make sense. What was given is settled in the register again.
    """
    infusion = locked(event.infusion)
    _refuse_correcting(infusion, event, by)
    said = needed(reason, "Say what was wrong.", field="correction_reason")
    unknown = set(changes) - _FIELDS_TO_CORRECT
    if unknown:
        raise RuleBroken("This part of the entry cannot be corrected.", field=min(unknown))
    values: dict[str, Any] = {name: getattr(event, name) for name in sorted(_FIELDS_TO_CORRECT)} | dict(changes)
    if values == {name: getattr(event, name) for name in values}:
        raise RuleBroken("Nothing was changed.")
    refuse_times(infusion, values["happened_at"], at)
    for name in ("rate_ml_h", "bolus_mg"):
        if getattr(event, name) is not None:
            quantity(values[name] or Decimal(0), places=4, field=name)
    return _replace(infusion, event, values, said, is_void=False, by=by, at=at)


def say_why(
    event: AdministrationEvent,
    reason: str | None,
    *,
    shown: PumpReading | None = None,
    by: Staff,
    at: datetime,
) -> AdministrationEvent:
    """Say later why the pump was paused or stopped in a hurry, and what it showed. Whoever is at the chair may.

    It fills what was left out and touches nothing that was said; the first entry stays readable.
    """
    infusion = locked(event.infusion)
    if event not in current(infusion.administrations) or event.reason is not None:
        raise RuleBroken("The reason is there already. Open the page again.")
    values: dict[str, Any] = {name: getattr(event, name) for name in sorted(_FIELDS_TO_CORRECT)}
    values["reason"] = needed(reason, "Say why.", field="reason")
    if event.pump_volume_ml is None:
        values |= read_volume(infusion, event.happened_at, shown)
    return _replace(infusion, event, values, "The reason followed.", is_void=False, by=by, at=at)


def void_administration(event: AdministrationEvent, reason: str, *, by: Staff, at: datetime) -> AdministrationEvent:
    """Withdraw an entry about the pump that never happened; it stays readable. By its author or a physician."""
    infusion = locked(event.infusion)
    _refuse_correcting(infusion, event, by)
    said = needed(reason, "Say why.", field="correction_reason")
    values = {name: getattr(event, name) for name in sorted(_FIELDS_TO_CORRECT)}
    return _replace(infusion, event, values, said, is_void=True, by=by, at=at)


def _refuse_correcting(infusion: InfusionSession, event: AdministrationEvent, by: Staff) -> None:
    if event not in current(infusion.administrations):
        raise RuleBroken("This entry was corrected already. Correct the entry that stands.")
    refuse_foreign_correction(event.recorded_by_id, by)


def _replace(
    infusion: InfusionSession,
    event: AdministrationEvent,
    values: Mapping[str, Any],
    reason: str,
    *,
    is_void: bool,
    by: Staff,
    at: datetime,
) -> AdministrationEvent:
    row = AdministrationEvent(
        kind=event.kind,
        concentration_mg_ml=event.concentration_mg_ml,
        order_version_id=event.order_version_id,
        double_check_id=event.double_check_id,
        verbal_order_id=event.verbal_order_id,
        preparation_id=event.preparation_id,
        supersedes_id=event.id,
        correction_reason=reason,
        is_void=is_void,
        recorded_at=at,
        recorded_by_id=by.id,
        **values,
    )
    was = {name: getattr(event, name) for name in values if getattr(event, name) != values[name]}
    write(infusion, row, by=by, at=at, was=was, correction_reason=reason, is_void=is_void)
    return row
