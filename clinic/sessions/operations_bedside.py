"""What is done at the bedside besides the pump and the vitals: PRN medicines, cannula, events, adverse events."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from clinic.accounts.models import Staff
from clinic.audit.rules import AuditAction
from clinic.core.errors import RuleBroken
from clinic.core.units import dose_text
from clinic.orders.rules import OrderStatus, check_prn
from clinic.protocols.models import PrnItem
from clinic.sessions.event_rules import Actuality, AdverseOutcome, IvAction, SessionEventKind
from clinic.sessions.models import AdverseEvent, InfusionSession, IvRecord, ObservationSet, PrnDose, SessionEvent
from clinic.sessions.operations_drug_account import register_given
from clinic.sessions.operations_shared import (
    add,
    hold_order,
    locked,
    needed,
    optional,
    refuse_closed,
    refuse_future,
    refuse_hard,
)
from clinic.sessions.progress import current
from clinic.sessions.rules import SessionStatus


def give_prn(
    infusion: InfusionSession,
    prn_item: PrnItem,
    *,
    given_at: datetime,
    dose: Decimal | None = None,
    reason: str | None = None,
    by: Staff,
    at: datetime,
) -> PrnDose:
    """Give an as-needed medicine of the order. The dose is the ordered one; count and gap of the order are kept.

    A controlled one goes into the session's drug account as given.
    """
    locked(infusion)
    hold_order(infusion)
    refuse_future(given_at, at, field="given_at")
    refuse_closed(infusion, given_at, field="given_at")
    _refuse_unordered(infusion, prn_item, dose)
    given = [row.given_at for row in current(infusion.prn_doses) if _is_same_medicine(row.prn_item, prn_item)]
    refuse_hard(check_prn(given, given_at, prn_item.maximum_count, prn_item.minimum_gap_min), field="given_at")
    row = PrnDose(
        infusion=infusion,
        prn_item=prn_item,
        given_at=given_at,
        dose=prn_item.dose,
        unit=prn_item.unit,
        reason=optional(reason),
        recorded_at=at,
        recorded_by_id=by.id,
    )
    add(
        row,
        AuditAction.PRN_GIVEN,
        infusion,
        by=by,
        at=at,
        drug=prn_item.drug_name,
        dose=row.dose,
        unit=row.unit,
        given_at=given_at,
        reason=row.reason,
    )
    if prn_item.is_controlled:
        register_given(infusion, by=by, at=at)
    return row


def _refuse_unordered(infusion: InfusionSession, prn_item: PrnItem, dose: Decimal | None) -> None:
    """Raise RuleBroken for what the order in force does not say."""
    if infusion.status in {SessionStatus.PLANNED, SessionStatus.NOT_DONE}:
        raise RuleBroken("There is no visit to give a medicine in.")
    if prn_item.terms_id != infusion.order_version.terms_id:
        raise RuleBroken("This medicine is not part of the order in force.", field="prn_item")
    if infusion.order_version.status is OrderStatus.ENTERED_IN_ERROR:
        raise RuleBroken("This order was entered in error. Ask the physician for another one.", field="prn_item")
    if dose is not None and dose != prn_item.dose:
        message = f"The order says {dose_text(prn_item.dose, prn_item.unit)}."
        raise RuleBroken(message, field="dose")


def _is_same_medicine(one: PrnItem, other: PrnItem) -> bool:
    """A newer version of the order lists its medicines anew; doses given under the older one count."""
    return one.id == other.id or (one.drug_name.lower(), one.route) == (other.drug_name.lower(), other.route)


def record_iv(
    infusion: InfusionSession,
    action: IvAction,
    *,
    happened_at: datetime,
    site: str | None = None,
    gauge: str | None = None,
    vip_score: int | None = None,
    detail: str | None = None,
    by: Staff,
    at: datetime,
) -> IvRecord:
    """Record that a cannula was placed, looked at or removed. A placed one names its site; the VIP score is 0 to 5."""
    refuse_future(happened_at, at, field="happened_at")
    refuse_closed(infusion, happened_at, field="happened_at")
    refuse_odd_line(action, site, vip_score)
    row = IvRecord(
        infusion=infusion,
        action=action,
        happened_at=happened_at,
        site=optional(site),
        gauge=optional(gauge),
        vip_score=vip_score,
        detail=optional(detail),
        recorded_at=at,
        recorded_by_id=by.id,
    )
    add(row, AuditAction.IV_RECORDED, infusion, by=by, at=at, done=action, site=row.site, gauge=row.gauge)
    return row


def refuse_odd_line(action: IvAction, site: str | None, vip_score: int | None) -> None:
    """Raise RuleBroken for a cannula that was placed nowhere, or a score that is none."""
    if action is IvAction.PLACED:
        needed(site, "Say where the cannula is.", field="site")
    if vip_score is not None and vip_score not in range(6):
        raise RuleBroken("Enter a score from 0 to 5.", field="vip_score")


def notify(
    infusion: InfusionSession,
    text: str,
    *,
    happened_at: datetime,
    person: Staff | None = None,
    reply: str | None = None,
    observation: ObservationSet | None = None,
    by: Staff,
    at: datetime,
) -> SessionEvent:
    """Record who was told, what about and what was replied; `observation` is the set of vitals it was about."""
    if observation is not None and observation.infusion_id != infusion.id:
        raise RuleBroken("These vitals belong to another session.")
    return record_event(
        infusion,
        SessionEventKind.NOTIFY,
        text,
        happened_at=happened_at,
        person=person,
        reply=reply,
        observation=observation,
        by=by,
        at=at,
    )


def keep_refused(
    infusion: InfusionSession, said: str, *, entered_at: datetime, by: Staff, at: datetime
) -> SessionEvent:
    """Write into the flowsheet what was entered without the network at `entered_at` and refused when it came in.

    Nothing that the screen took may vanish, so this is taken in every state of the session, a closed one too.
    """
    row = SessionEvent(
        infusion=infusion,
        kind=SessionEventKind.OTHER,
        happened_at=min(entered_at, at),
        text=f"Entered without the network and not accepted: {needed(said, 'Say what was entered.', field='said')}",
        recorded_at=at,
        recorded_by_id=by.id,
    )
    add(row, AuditAction.EVENT_RECORDED, infusion, by=by, at=at, kind=row.kind, text=row.text, entered_at=entered_at)
    return row


def record_event(
    infusion: InfusionSession,
    kind: SessionEventKind,
    text: str,
    *,
    happened_at: datetime,
    person: Staff | None = None,
    reply: str | None = None,
    observation: ObservationSet | None = None,
    by: Staff,
    at: datetime,
) -> SessionEvent:
    """Record anything else that happened: an intervention, a note to a row of vitals, a call."""
    refuse_future(happened_at, at, field="happened_at")
    if kind is not SessionEventKind.CALL:
        refuse_closed(infusion, happened_at, field="happened_at")
    row = SessionEvent(
        infusion=infusion,
        kind=kind,
        happened_at=happened_at,
        text=needed(text, "Say what happened.", field="text"),
        person_id=person.id if person else None,
        reply=optional(reply),
        observation_set_id=observation.id if observation else None,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    add(
        row,
        AuditAction.EVENT_RECORDED,
        infusion,
        by=by,
        at=at,
        kind=kind,
        text=row.text,
        person_id=row.person_id,
        reply=row.reply,
    )
    return row


def record_adverse_event(
    infusion: InfusionSession,
    term: str,
    *,
    onset_at: datetime,
    actuality: Actuality = Actuality.ACTUAL,
    resolved_at: datetime | None = None,
    grade: int | None = None,
    is_serious: bool | None = None,
    serious_criterion: str | None = None,
    causality: str | None = None,
    action: str | None = None,
    outcome: AdverseOutcome | None = None,
    by: Staff,
    at: datetime,
) -> AdverseEvent:
    """Record something harmful, or nearly so (`actuality` potential). Grade is CTCAE 1 to 5; a serious one says why."""
    row = AdverseEvent(
        infusion=infusion,
        patient_id=infusion.patient_id,
        actuality=actuality,
        term=needed(term, "Name the event.", field="term"),
        onset_at=onset_at,
        resolved_at=resolved_at,
        grade=grade,
        is_serious=is_serious,
        serious_criterion=optional(serious_criterion),
        causality=optional(causality),
        action=optional(action),
        outcome=outcome,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    return _add_adverse_event(infusion, row, by=by, at=at)


def resolve_adverse_event(
    event: AdverseEvent, changes: Mapping[str, Any], reason: str, *, by: Staff, at: datetime
) -> AdverseEvent:
    """Say more of an adverse event: when it resolved, how grave it was, what it came from. The first row stays.

    `changes` may name term, resolved_at, grade, is_serious, serious_criterion, causality, action, outcome, onset_at.
    Any clinician may classify; it is possible after the session was closed.
    """
    infusion = locked(event.infusion)
    if event not in current(infusion.adverse_events):
        raise RuleBroken("This event was brought up to date already. Open the page again.")
    names = (
        "term", "onset_at", "resolved_at", "grade", "is_serious", "serious_criterion", "causality", "action", "outcome"
    )  # fmt: skip
    unknown = set(changes) - set(names)
    if unknown:
        raise RuleBroken("This part of the entry cannot be changed.", field=min(unknown))
    values = {name: getattr(event, name) for name in names} | dict(changes)
    values["term"] = needed(values["term"], "Name the event.", field="term")
    row = AdverseEvent(
        infusion=infusion,
        patient_id=event.patient_id,
        actuality=event.actuality,
        supersedes_id=event.id,
        correction_reason=needed(reason, "Say what changed.", field="correction_reason"),
        recorded_at=at,
        recorded_by_id=by.id,
        **values,
    )
    return _add_adverse_event(infusion, row, by=by, at=at)


def _add_adverse_event(infusion: InfusionSession, row: AdverseEvent, *, by: Staff, at: datetime) -> AdverseEvent:
    refuse_future(row.onset_at, at, field="onset_at")
    if row.resolved_at is not None:
        refuse_future(row.resolved_at, at, field="resolved_at")
        if row.resolved_at < row.onset_at:
            raise RuleBroken("It cannot resolve before it began.", field="resolved_at")
    if row.grade is not None and row.grade not in range(1, 6):
        raise RuleBroken("A grade is 1 to 5.", field="grade")
    if row.is_serious and not row.serious_criterion:
        raise RuleBroken("Say what makes it serious.", field="serious_criterion")
    add(
        row,
        AuditAction.ADVERSE_EVENT_RECORDED,
        infusion,
        by=by,
        at=at,
        term=row.term,
        actuality=row.actuality,
        grade=row.grade,
        onset_at=row.onset_at,
        resolved_at=row.resolved_at,
        outcome=row.outcome,
        supersedes_id=row.supersedes_id,
    )
    return row
