"""Vitals: record, correct, withdraw, or say why they could not be taken."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

from clinic.accounts.models import Staff
from clinic.audit.rules import AuditAction
from clinic.core.errors import RuleBroken
from clinic.orders.rules import Vital
from clinic.protocols.rules import SedationScale
from clinic.sessions.due_rules import DueState
from clinic.sessions.event_rules import NotDoneReason
from clinic.sessions.models import InfusionSession, ObservationNotDone, ObservationSet
from clinic.sessions.operations_shared import (
    add,
    locked,
    needed,
    optional,
    refuse_closed,
    refuse_foreign_correction,
    refuse_future,
)
from clinic.sessions.progress import current, progress, reading_of
from clinic.sessions.rules import SessionStatus
from clinic.sessions.vital_rules import VITALS, impossible

Values: TypeAlias = Mapping[Vital, Decimal | int | None] | Mapping[str, Decimal | int | None]

_DECIMAL = frozenset({Vital.O2_L_MIN, Vital.TEMP})


def record_observation(
    infusion: InfusionSession,
    reading: Values,
    *,
    observed_at: datetime,
    note: str | None = None,
    by: Staff,
    at: datetime,
) -> ObservationSet:
    """Add one set of vitals. `reading` names each value by its `Vital`; what was not taken is left out or None.

    An impossible value is refused with its vital as the field; one outside the order's limits is kept, and
    `breaches_of(observation)` says which. `observed_at` is when the nurse looked; later by more than the clinic's
    grace it shows as a late entry by itself.
    """
    refuse_future(observed_at, at, field="observed_at")
    if infusion.status in {SessionStatus.PLANNED, SessionStatus.NOT_DONE}:
        raise RuleBroken("There is no visit to chart in.")
    refuse_closed(infusion, observed_at, field="observed_at")
    values = _checked_reading(infusion, reading)
    if not any(value is not None for value in values.values()) and not optional(note):
        raise RuleBroken("Enter at least one value.")
    row = ObservationSet(
        infusion=infusion,
        observed_at=observed_at,
        note=optional(note),
        order_version_id=infusion.order_version_id,
        sedation_scale=_sedation_scale(infusion, values),
        recorded_at=at,
        recorded_by_id=by.id,
        **{vital.value: value for vital, value in values.items()},
    )
    add(
        row,
        AuditAction.OBSERVATION_RECORDED,
        infusion,
        by=by,
        at=at,
        observed_at=observed_at,
        **_shown(values),
        note=note,
    )
    return row


def _checked_reading(infusion: InfusionSession, reading: Values) -> dict[Vital, Decimal | int | None]:
    values: dict[Vital, Decimal | int | None] = dict.fromkeys(Vital)
    for name, given in reading.items():
        if name not in set(Vital):
            raise RuleBroken("This is not one of the vitals.", field=str(name))
        values[Vital(name)] = given
    refused = impossible(values, scale=infusion.order_version.terms.sedation_scale)
    for vital, message in refused.items():
        raise RuleBroken(message, field=vital.value)
    return {vital: _as_kept(vital, value) for vital, value in values.items()}


def _as_kept(vital: Vital, value: Decimal | int | None) -> Decimal | int | None:
    if value is None:
        return None
    exact = Decimal(value)
    places = VITALS[vital].places
    if exact != round(exact, places):
        raise RuleBroken(f"Enter at most {places} decimal." if places else "Enter a whole number.", field=vital.value)
    return exact if vital in _DECIMAL else int(exact)


def _sedation_scale(infusion: InfusionSession, values: Mapping[Vital, Decimal | int | None]) -> SedationScale | None:
    if values[Vital.SEDATION] is None:
        return None
    scale = infusion.order_version.terms.sedation_scale
    if scale is None:
        raise RuleBroken("The order names no sedation scale.", field="sedation")
    return scale


def _shown(values: Mapping[Vital, Decimal | int | None]) -> dict[str, Decimal | int]:
    return {vital.value: value for vital, value in values.items() if value is not None}


def correct_observation(
    observation: ObservationSet, changes: Mapping[str, Any], reason: str, *, by: Staff, at: datetime
) -> ObservationSet:
    """Put a corrected set of vitals in the place of one; the first stays readable. By its author or a physician.

    `changes` names vitals, `note` or `observed_at`; everything else is kept.
    """
    infusion = locked(observation.infusion)
    said = _refuse_correcting(infusion, observation, reason, by)
    unknown = set(changes) - {vital.value for vital in Vital} - {"note", "observed_at"}
    if unknown:
        raise RuleBroken("This part of the entry cannot be corrected.", field=min(unknown))
    observed_at = changes.get("observed_at", observation.observed_at)
    refuse_future(observed_at, at, field="observed_at")
    refuse_closed(infusion, observed_at, field="observed_at")
    before = reading_of(observation)
    values = _checked_reading(infusion, before | {Vital(k): v for k, v in changes.items() if k in set(Vital)})
    note = optional(changes["note"]) if "note" in changes else observation.note
    was = {vital.value: before[vital] for vital in Vital if before[vital] != values[vital]}
    if not was and note == observation.note and observed_at == observation.observed_at:
        raise RuleBroken("Nothing was changed.")
    row = _successor(observation, values, said, is_void=False, observed_at=observed_at, note=note, by=by, at=at)
    new = {name: values[Vital(name)] for name in was}
    add(
        row,
        AuditAction.OBSERVATION_CORRECTED,
        infusion,
        by=by,
        at=at,
        was=was,
        new=new,
        was_observed_at=observation.observed_at,
        observed_at=observed_at,
        correction_reason=said,
    )
    return row


def void_observation(observation: ObservationSet, reason: str, *, by: Staff, at: datetime) -> ObservationSet:
    """Withdraw a set of vitals, as one of another patient; it stays readable. By its author or a physician."""
    infusion = locked(observation.infusion)
    said = _refuse_correcting(infusion, observation, reason, by)
    row = _successor(
        observation,
        reading_of(observation),
        said,
        is_void=True,
        observed_at=observation.observed_at,
        note=observation.note,
        by=by,
        at=at,
    )
    add(row, AuditAction.OBSERVATION_CORRECTED, infusion, by=by, at=at, is_void=True, correction_reason=said)
    return row


def _refuse_correcting(infusion: InfusionSession, observation: ObservationSet, reason: str, by: Staff) -> str:
    if observation not in current(infusion.observation_sets):
        raise RuleBroken("This entry was corrected already. Correct the entry that stands.")
    refuse_foreign_correction(observation.recorded_by_id, by)
    return needed(reason, "Say what was wrong.", field="correction_reason")


def _successor(
    observation: ObservationSet,
    values: Mapping[Vital, Decimal | int | None],
    reason: str,
    *,
    is_void: bool,
    observed_at: datetime,
    note: str | None,
    by: Staff,
    at: datetime,
) -> ObservationSet:
    kept = {vital.value: _as_kept(vital, value) for vital, value in values.items()}
    scale = observation.sedation_scale or observation.infusion.order_version.terms.sedation_scale
    return ObservationSet(
        infusion=observation.infusion,
        observed_at=observed_at,
        note=note,
        order_version_id=observation.order_version_id,
        sedation_scale=None if kept["sedation"] is None else scale,
        supersedes_id=observation.id,
        correction_reason=reason,
        is_void=is_void,
        recorded_at=at,
        recorded_by_id=by.id,
        **kept,
    )


def mark_not_done(
    infusion: InfusionSession,
    due_at: datetime,
    reason: NotDoneReason,
    *,
    detail: str | None = None,
    by: Staff,
    at: datetime,
) -> ObservationNotDone:
    """Say why due vitals could not be taken. `due_at` is one of the session's due times that nobody has answered."""
    locked(infusion)
    line = next((line for line in progress(infusion, at).dues if line.due.at == due_at), None)
    if line is None:
        raise RuleBroken("No vitals were due at this time.", field="due_at")
    if line.state in {DueState.DONE, DueState.NOT_DONE}:
        raise RuleBroken("These vitals are settled already.", field="due_at")
    if line.state is DueState.UPCOMING:
        raise RuleBroken("These vitals are not due yet.", field="due_at")
    row = ObservationNotDone(
        infusion=infusion,
        due_at=due_at,
        reason=reason,
        detail=optional(detail),
        recorded_at=at,
        recorded_by_id=by.id,
        **_after_withdrawal(infusion, due_at),
    )
    add(row, AuditAction.OBSERVATION_NOT_DONE, infusion, by=by, at=at, due_at=due_at, reason=reason, detail=detail)
    return row


def _after_withdrawal(infusion: InfusionSession, due_at: datetime) -> dict[str, Any]:
    """A time that was marked and withdrawn before goes on from there: it has one line of entries."""
    superseded = {row.supersedes_id for row in infusion.not_done}
    was = next((row for row in infusion.not_done if row.due_at == due_at and row.id not in superseded), None)
    return {} if was is None else {"supersedes_id": was.id, "correction_reason": "Marked again."}
