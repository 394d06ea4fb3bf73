"""Corrections of medicines, lines and events: a new row in the place of one that was wrong, which stays readable.

A correction says what truly happened: it is not held to the order's count and gap.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from clinic.accounts.models import Staff
from clinic.audit.rules import AuditAction
from clinic.core.errors import RuleBroken
from clinic.sessions.event_rules import CORRECTABLE_EVENTS, SessionEventKind
from clinic.sessions.models import AdverseEvent, InfusionSession, IvRecord, ObservationNotDone, PrnDose, SessionEvent
from clinic.sessions.operations_bedside import refuse_odd_line, resolve_adverse_event
from clinic.sessions.operations_drug_account import register_given
from clinic.sessions.operations_shared import (
    add,
    locked,
    needed,
    optional,
    quantity,
    refuse_closed,
    refuse_foreign_correction,
    refuse_future,
)
from clinic.sessions.progress import current

Row = TypeVar("Row", PrnDose, IvRecord, ObservationNotDone, SessionEvent, AdverseEvent)

_OF_DOSE: Final = ("given_at", "dose", "reason")
_OF_LINE: Final = ("happened_at", "site", "gauge", "vip_score", "detail")
_OF_NOT_DONE: Final = ("reason", "detail")
_OF_EVENT: Final = ("happened_at", "text", "reply")
_OF_ADVERSE: Final = (
    "actuality", "term", "onset_at", "resolved_at", "grade", "is_serious", "serious_criterion", "causality", "action",
    "outcome",
)  # fmt: skip


def correct_prn(dose: PrnDose, changes: Mapping[str, Any], reason: str, *, by: Staff, at: datetime) -> PrnDose:
    """Put a corrected entry in the place of an as-needed dose. By its author or a physician.

    `changes` may name given_at, dose, reason. Another medicine is another entry: withdraw this one. What was given of
    a controlled drug is settled in the register again.
    """
    infusion = locked(dose.infusion)
    said = _refuse_correcting(dose, infusion.prn_doses, reason, by)
    values = _changed(dose, _OF_DOSE, changes)
    refuse_future(values["given_at"], at, field="given_at")
    refuse_closed(infusion, values["given_at"], field="given_at")
    if values["dose"] is None:
        raise RuleBroken("Enter the dose that was given.", field="dose")
    quantity(values["dose"], places=4, field="dose")
    return _replace_dose(infusion, dose, values, said, is_void=False, by=by, at=at)


def void_prn(dose: PrnDose, reason: str, *, by: Staff, at: datetime) -> PrnDose:
    """Withdraw an as-needed dose that was never given; it stays readable. By its author or a physician."""
    infusion = locked(dose.infusion)
    said = _refuse_correcting(dose, infusion.prn_doses, reason, by)
    return _replace_dose(infusion, dose, _values(dose, _OF_DOSE), said, is_void=True, by=by, at=at)


def _replace_dose(
    infusion: InfusionSession,
    dose: PrnDose,
    values: dict[str, Any],
    said: str,
    *,
    is_void: bool,
    by: Staff,
    at: datetime,
) -> PrnDose:
    item = dose.prn_item
    row = PrnDose(infusion=infusion, prn_item=item, unit=dose.unit, **values, **_successor(dose, said, is_void, by, at))
    shown = {"drug": item.drug_name, "dose": row.dose, "unit": row.unit, "given_at": row.given_at}
    add(row, AuditAction.PRN_GIVEN, infusion, by=by, at=at, **shown, **_audited(dose, row, _OF_DOSE))
    if item.is_controlled:
        register_given(infusion, by=by, at=at)
    return row


def correct_line(line: IvRecord, changes: Mapping[str, Any], reason: str, *, by: Staff, at: datetime) -> IvRecord:
    """Put a corrected entry in the place of one about the cannula. By its author or a physician.

    `changes` may name happened_at, site, gauge, vip_score, detail. Another act is another entry: withdraw this one.
    """
    infusion = locked(line.infusion)
    said = _refuse_correcting(line, infusion.iv_records, reason, by)
    values = _changed(line, _OF_LINE, changes)
    refuse_future(values["happened_at"], at, field="happened_at")
    refuse_closed(infusion, values["happened_at"], field="happened_at")
    refuse_odd_line(line.action, values["site"], values["vip_score"])
    return _replace_line(infusion, line, values, said, is_void=False, by=by, at=at)


def void_line(line: IvRecord, reason: str, *, by: Staff, at: datetime) -> IvRecord:
    """Withdraw an entry about a cannula that was never done; it stays readable. By its author or a physician."""
    infusion = locked(line.infusion)
    said = _refuse_correcting(line, infusion.iv_records, reason, by)
    return _replace_line(infusion, line, _values(line, _OF_LINE), said, is_void=True, by=by, at=at)


def _replace_line(
    infusion: InfusionSession,
    line: IvRecord,
    values: dict[str, Any],
    said: str,
    *,
    is_void: bool,
    by: Staff,
    at: datetime,
) -> IvRecord:
    values |= {name: optional(values[name]) for name in ("site", "gauge", "detail")}
    row = IvRecord(infusion=infusion, action=line.action, **values, **_successor(line, said, is_void, by, at))
    add(row, AuditAction.IV_RECORDED, infusion, by=by, at=at, done=row.action, **_audited(line, row, _OF_LINE))
    return row


def correct_not_done(
    mark: ObservationNotDone, changes: Mapping[str, Any], reason: str, *, by: Staff, at: datetime
) -> ObservationNotDone:
    """Say rightly why due vitals were not taken. By its author or a physician. `changes` may name reason and detail."""
    infusion = locked(mark.infusion)
    said = _refuse_correcting(mark, infusion.not_done, reason, by)
    values = _changed(mark, _OF_NOT_DONE, changes)
    return _replace_mark(infusion, mark, values, said, is_void=False, by=by, at=at)


def void_not_done(mark: ObservationNotDone, reason: str, *, by: Staff, at: datetime) -> ObservationNotDone:
    """Withdraw that due vitals were not taken, so that vitals answer the time. By its author or a physician."""
    infusion = locked(mark.infusion)
    said = _refuse_correcting(mark, infusion.not_done, reason, by)
    return _replace_mark(infusion, mark, _values(mark, _OF_NOT_DONE), said, is_void=True, by=by, at=at)


def _replace_mark(
    infusion: InfusionSession,
    mark: ObservationNotDone,
    values: dict[str, Any],
    said: str,
    *,
    is_void: bool,
    by: Staff,
    at: datetime,
) -> ObservationNotDone:
    values |= {"detail": optional(values["detail"])}
    row = ObservationNotDone(infusion=infusion, due_at=mark.due_at, **values, **_successor(mark, said, is_void, by, at))
    details = _audited(mark, row, _OF_NOT_DONE)
    add(row, AuditAction.OBSERVATION_NOT_DONE, infusion, by=by, at=at, due_at=row.due_at, **details)
    return row


def correct_event(
    event: SessionEvent, changes: Mapping[str, Any], reason: str, *, by: Staff, at: datetime
) -> SessionEvent:
    """Put a corrected entry in the place of what was said or done. By its author or a physician.

    `changes` may name happened_at, text, reply. What was sent to somebody's inbox stands there again, as corrected.
    """
    infusion = locked(event.infusion)
    said = _refuse_correcting(event, infusion.events, reason, by)
    values = _changed(event, _OF_EVENT, changes)
    values["text"] = needed(values["text"], "Say what happened.", field="text")
    values["reply"] = optional(values["reply"])
    refuse_future(values["happened_at"], at, field="happened_at")
    if event.kind is not SessionEventKind.CALL:
        refuse_closed(infusion, values["happened_at"], field="happened_at")
    return _replace_event(infusion, event, values, said, is_void=False, by=by, at=at)


def void_event(event: SessionEvent, reason: str, *, by: Staff, at: datetime) -> SessionEvent:
    """Withdraw what was never said or done; it stays readable. By its author or a physician."""
    infusion = locked(event.infusion)
    said = _refuse_correcting(event, infusion.events, reason, by)
    return _replace_event(infusion, event, _values(event, _OF_EVENT), said, is_void=True, by=by, at=at)


def _replace_event(
    infusion: InfusionSession,
    event: SessionEvent,
    values: dict[str, Any],
    said: str,
    *,
    is_void: bool,
    by: Staff,
    at: datetime,
) -> SessionEvent:
    if event.kind not in CORRECTABLE_EVENTS:
        raise RuleBroken("This entry is not corrected. Write a note instead.")
    row = SessionEvent(
        infusion=infusion,
        kind=event.kind,
        person_id=event.person_id,
        observation_set_id=event.observation_set_id,
        **values,
        **_successor(event, said, is_void, by, at),
    )
    add(row, AuditAction.EVENT_RECORDED, infusion, by=by, at=at, kind=row.kind, **_audited(event, row, _OF_EVENT))
    return row


def correct_adverse_event(
    event: AdverseEvent, changes: Mapping[str, Any], reason: str, *, by: Staff, at: datetime
) -> AdverseEvent:
    """Put a corrected entry in the place of an adverse event. By its author or a physician.

    `changes` are those of `resolve_adverse_event`, by which any clinician says more of an event that went on.
    """
    _refuse_correcting(event, locked(event.infusion).adverse_events, reason, by)
    _changed(event, _OF_ADVERSE, changes)
    return resolve_adverse_event(event, changes, reason, by=by, at=at)


def void_adverse_event(event: AdverseEvent, reason: str, *, by: Staff, at: datetime) -> AdverseEvent:
    """Withdraw an adverse event that never happened; it stays readable. By its author or a physician."""
    infusion = locked(event.infusion)
    said = _refuse_correcting(event, infusion.adverse_events, reason, by)
    row = AdverseEvent(
        infusion=infusion,
        patient_id=event.patient_id,
        **_values(event, _OF_ADVERSE),
        **_successor(event, said, True, by, at),
    )
    details = _audited(event, row, _OF_ADVERSE)
    add(row, AuditAction.ADVERSE_EVENT_RECORDED, infusion, by=by, at=at, term=row.term, **details)
    return row


def _refuse_correcting(row: Row, rows: list[Row], reason: str, by: Staff) -> str:
    if row not in current(rows):
        raise RuleBroken("This entry was corrected already. Correct the entry that stands.")
    refuse_foreign_correction(row.recorded_by_id, by)
    return needed(reason, "Say what was wrong.", field="correction_reason")


def _values(row: Row, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _changed(row: Row, names: tuple[str, ...], changes: Mapping[str, Any]) -> dict[str, Any]:
    unknown = set(changes) - set(names)
    if unknown:
        raise RuleBroken("This part of the entry cannot be corrected.", field=min(unknown))
    before = _values(row, names)
    if before == before | dict(changes):
        raise RuleBroken("Nothing was changed.")
    return before | dict(changes)


def _successor(row: Row, reason: str, is_void: bool, by: Staff, at: datetime) -> dict[str, Any]:  # noqa: FBT001 a column
    return {
        "supersedes_id": row.id,
        "correction_reason": reason,
        "is_void": is_void,
        "recorded_at": at,
        "recorded_by_id": by.id,
    }


def _audited(was: Row, row: Row, names: tuple[str, ...]) -> dict[str, Any]:
    """Return what a correction changed, and why, for the trail."""
    changed = [name for name in names if getattr(was, name) != getattr(row, name)]
    return {
        "supersedes_id": was.id,
        "was": {name: getattr(was, name) for name in changed},
        "new": {name: getattr(row, name) for name in changed},
        "correction_reason": row.correction_reason,
        "is_void": row.is_void,
    }
