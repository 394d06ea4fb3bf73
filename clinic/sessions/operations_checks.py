"""Before the infusion: the clinic's checks one by one, the rate, the second person's own computation."""

from datetime import datetime
from decimal import Decimal

from clinic.accounts.models import Staff
from clinic.audit.rules import AuditAction
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission
from clinic.core.units import Unit, format_number, format_quantity
from clinic.orders.models import VerbalOrder
from clinic.orders.rules import Finding, FindingLevel, check_rate, round_to_pump_step
from clinic.protocols.models import CheckItem
from clinic.protocols.rules import CheckKind, GateEffect
from clinic.sessions import ordered_rates
from clinic.sessions.event_rules import Actuality, CheckPurpose, SessionEventKind
from clinic.sessions.models import AdverseEvent, DoubleCheck, GateAnswer, InfusionSession, RateProposal, SessionEvent
from clinic.sessions.operations_shared import (
    add,
    become,
    locked,
    needed,
    optional,
    quantity,
    refuse_foreign_spoken_order,
    refuse_future,
    refuse_unless_may,
)
from clinic.sessions.progress import pump
from clinic.sessions.readiness import answer_to, asked, clinic_of, findings, gate_key, start_reasons
from clinic.sessions.rules import GateResult, SessionStatus

# Nobody can say for the patient who he is, and no order is made by overriding its absence.
_NEVER_OVERRIDDEN = frozenset({CheckKind.IDENTITY, CheckKind.ORDER, CheckKind.DOUBLE_CHECK})
_PRECHECK = frozenset({SessionStatus.PRECHECKING, SessionStatus.READY})


def answer_gate(
    infusion: InfusionSession,
    check_item: CheckItem,
    *,
    result: GateResult,
    detail: str | None = None,
    contact_name: str | None = None,
    contact_phone: str | None = None,
    by: Staff,
    at: datetime,
) -> GateAnswer:
    """Settle one check; an earlier answer stays readable and is superseded.

    Pass is refused where the software compares otherwise (consent, order, weight, start limits). Not applicable says
    why where a failure would block. An override needs a reason and a person with `OVERRIDE_GATE` who does not run
    this session. Identity is answered by `answer_identity`, the double check by `double_check`.
    """
    locked(infusion)
    _refuse_wrong_check(infusion, check_item)
    if check_item.kind is CheckKind.IDENTITY and result is GateResult.PASS:
        raise RuleBroken("Type the patient's year of birth.", field="year_of_birth")
    if check_item.kind is CheckKind.DOUBLE_CHECK:
        raise RuleBroken("The second person signs in and types the rate.", field="result")
    said = optional(detail)
    if result is GateResult.PASS:
        found = findings(infusion, check_item.kind, at)
        if found:
            raise RuleBroken(" ".join(finding.message for finding in found), field="result")
    if result is GateResult.NOT_APPLICABLE:
        _refuse_not_applicable(check_item, said)
    if result is GateResult.OVERRIDDEN:
        _refuse_override(infusion, check_item, said, by)
    answer = _answer(
        infusion, check_item, result, said, contact_name=contact_name, contact_phone=contact_phone, by=by, at=at
    )
    update_readiness(infusion, by=by, at=at)
    return answer


def answer_identity(
    infusion: InfusionSession, check_item: CheckItem, year_of_birth: int, *, by: Staff, at: datetime
) -> GateAnswer:
    """Check who the patient is by the year of birth, typed as the patient says it.

    Another year than the record's is kept as a failed answer, which is returned: the session cannot start on it.
    """
    locked(infusion)
    _refuse_wrong_check(infusion, check_item)
    if check_item.kind is not CheckKind.IDENTITY:
        raise RuleBroken("This check does not ask who the patient is.")
    is_same = infusion.patient.born_on.year == year_of_birth
    result = GateResult.PASS if is_same else GateResult.FAIL
    # The wrong year is not written down: it may be another patient's.
    detail = "Year of birth matches the record." if is_same else "The year of birth does not match the record."
    answer = _answer(infusion, check_item, result, detail, by=by, at=at)
    update_readiness(infusion, by=by, at=at)
    return answer


def _refuse_wrong_check(infusion: InfusionSession, check_item: CheckItem) -> None:
    if infusion.status not in _PRECHECK:
        raise RuleBroken("Checks are settled before the infusion starts.")
    if check_item.terms_id != infusion.order_version.terms_id:
        raise RuleBroken("This check is not part of the order in force. Open the page again.")


def _refuse_not_applicable(check_item: CheckItem, said: str | None) -> None:
    if check_item.kind in _NEVER_OVERRIDDEN:
        raise RuleBroken("This check applies to every session.", field="result")
    if check_item.effect is GateEffect.HARD:
        needed(said, "Say why this does not apply.", field="detail")


def _refuse_override(infusion: InfusionSession, check_item: CheckItem, said: str | None, by: Staff) -> None:
    if check_item.kind in _NEVER_OVERRIDDEN:
        raise RuleBroken("Nobody can override this check.", field="result")
    refuse_unless_may(by, Permission.OVERRIDE_GATE, "Only a physician overrides a check.", field="result")
    if infusion.nurse_id == by.id:
        raise RuleBroken("Who runs the session cannot override its checks.", field="result")
    needed(said, "Say why.", field="detail")


def _answer(
    infusion: InfusionSession,
    check_item: CheckItem,
    result: GateResult,
    detail: str | None,
    *,
    contact_name: str | None = None,
    contact_phone: str | None = None,
    by: Staff,
    at: datetime,
) -> GateAnswer:
    earlier = answer_to(infusion, check_item)
    answer = GateAnswer(
        infusion=infusion,
        check_item=check_item,
        result=result,
        detail=detail,
        contact_name=optional(contact_name),
        contact_phone=optional(contact_phone),
        supersedes_id=earlier.id if earlier else None,
        correction_reason="Answered again." if earlier else None,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    add(
        answer,
        AuditAction.GATE_ANSWERED,
        infusion,
        by=by,
        at=at,
        check=gate_key(check_item),
        was=earlier.result if earlier else None,
        result=result,
        detail=detail,
    )
    return answer


def settle_by_software(
    infusion: InfusionSession, kind: CheckKind, *, is_passed: bool, detail: str, by: Staff, at: datetime
) -> None:
    """Answer the checks of a kind from what was just recorded, where the order asks them."""
    if infusion.status not in _PRECHECK:
        return
    for item in asked(infusion, kind):
        result = GateResult.PASS if is_passed else GateResult.FAIL
        _answer(infusion, item, result, detail, by=by, at=at)


def update_readiness(infusion: InfusionSession, *, by: Staff, at: datetime) -> None:
    """Take a session to ready when nothing stands in the way any more, and back when something does again."""
    if infusion.status not in _PRECHECK:
        return
    wanted = SessionStatus.PRECHECKING if start_reasons(infusion, passed_check(infusion), at) else SessionStatus.READY
    if wanted is not infusion.status:
        become(infusion, wanted, happened_at=at, by=by, at=at)


def passed_check(infusion: InfusionSession) -> DoubleCheck | None:
    """Return the latest double check for the start that a start can still rest on."""
    checks = [
        check
        for proposal in infusion.rate_proposals
        for check in proposal.double_checks
        if proposal.purpose is CheckPurpose.START and check.is_match and not proposal.is_blocked
    ]
    latest = max(infusion.rate_proposals, key=lambda row: (row.recorded_at, row.id), default=None)
    return next((check for check in checks if check.proposal_id == (latest.id if latest else None)), None)


def time_out(infusion: InfusionSession, text: str, *, happened_at: datetime, by: Staff, at: datetime) -> SessionEvent:
    """Record the team's pause before the start: who was there and what was said over."""
    locked(infusion)
    refuse_future(happened_at, at, field="happened_at")
    if infusion.status not in _PRECHECK:
        raise RuleBroken("The time-out comes before the start.")
    event = SessionEvent(
        infusion=infusion,
        kind=SessionEventKind.TIME_OUT,
        happened_at=happened_at,
        text=needed(text, "Say who was there and what was checked.", field="text"),
        recorded_at=at,
        recorded_by_id=by.id,
    )
    add(event, AuditAction.EVENT_RECORDED, infusion, by=by, at=at, kind=event.kind, text=event.text)
    update_readiness(infusion, by=by, at=at)
    return event


def propose_rate(
    infusion: InfusionSession,
    *,
    rate_ml_h: Decimal,
    purpose: CheckPurpose,
    proposed_at: datetime,
    verbal_order: VerbalOrder | None = None,
    by: Staff,
    at: datetime,
) -> RateProposal:
    """Keep the rate (mL/h) that a nurse read from the pump, with what stands against it.

    A proposal over the order's maximum, or five times away from what the order comes to, is kept with `is_blocked` and
    its `findings` in words: nothing can be started or changed on it. Softer findings are kept as words. Under a spoken
    order the rate may leave the order's steps, never its maximum.
    """
    locked(infusion)
    refuse_future(proposed_at, at, field="proposed_at")
    quantity(rate_ml_h, places=4, field="rate_ml_h")
    refuse_foreign_spoken_order(infusion, verbal_order)
    if not infusion.status.is_open:
        raise RuleBroken("This session is not open.")
    found = rate_findings(infusion, rate_ml_h, purpose, proposed_at, is_spoken=verbal_order is not None)
    proposal = RateProposal(
        infusion=infusion,
        purpose=purpose,
        rate_ml_h=rate_ml_h,
        proposed_at=proposed_at,
        findings=" ".join(finding.message for finding in found) or None,
        is_blocked=any(finding.level is FindingLevel.HARD for finding in found),
        recorded_at=at,
        recorded_by_id=by.id,
    )
    add(
        proposal,
        AuditAction.RATE_PROPOSED,
        infusion,
        by=by,
        at=at,
        purpose=purpose,
        rate_ml_h=rate_ml_h,
        is_blocked=proposal.is_blocked,
        found={finding.code: dict(finding.facts) for finding in found},
    )
    # A new rate on the table: what was checked before is no longer what will be started.
    update_readiness(infusion, by=by, at=at)
    return proposal


def rate_findings(
    infusion: InfusionSession, rate_ml_h: Decimal, purpose: CheckPurpose, when: datetime, *, is_spoken: bool
) -> list[Finding]:
    """Return what the order says against a rate: the start against its start, a rise against its nearest step."""
    running = pump(infusion, when)
    is_running = running.state.is_started and purpose is not CheckPurpose.START
    bag = running.concentration_mg_ml if is_running else None
    if not is_running:
        calculated = ordered_rates.start_rate_ml_h(infusion)
    elif rate_ml_h > running.state.set_ml_h:
        calculated = ordered_rates.nearest_step_ml_h(infusion, rate_ml_h, concentration=bag)
    else:
        calculated = None
    terms = ordered_rates.rate_terms(
        infusion, clinic_of(infusion), calculated_ml_h=calculated, is_spoken=is_spoken, concentration=bag
    )
    return check_rate(rate_ml_h, terms)


def double_check(
    infusion: InfusionSession,
    proposal: RateProposal,
    *,
    computed_rate_ml_h: Decimal,
    checker: Staff,
    at: datetime,
    checked_at: datetime | None = None,
) -> DoubleCheck:
    """Keep the rate (mL/h) that a second person computed alone, without having seen the first.

    `checker` has just proved who he or she is (`accounts.operations.check_password`), may witness, and did not propose
    the rate. Equal after the pump's rounding is a match. A mismatch is kept with `is_match` false, a near miss is
    recorded, and both do it again from a new proposal. `checked_at` is when it was done, `at` by default.
    """
    locked(infusion)
    checked = checked_at or at
    refuse_future(checked, at, field="checked_at")
    quantity(computed_rate_ml_h, places=4, field="computed_rate_ml_h")
    _refuse_checker(infusion, proposal, checker)
    is_match = _is_match(infusion, proposal.rate_ml_h, computed_rate_ml_h)
    check = DoubleCheck(
        infusion_id=infusion.id,
        proposal=proposal,
        proposer_id=proposal.recorded_by_id,
        checker_id=checker.id,
        computed_rate_ml_h=computed_rate_ml_h,
        checked_at=checked,
        is_match=is_match,
        recorded_at=at,
        recorded_by_id=checker.id,
    )
    add(
        check,
        AuditAction.DOUBLE_CHECKED,
        infusion,
        by=checker,
        at=at,
        proposed_ml_h=proposal.rate_ml_h,
        computed_ml_h=computed_rate_ml_h,
        is_match=is_match,
    )
    if not is_match:
        _record_near_miss(infusion, proposal, check, by=checker, at=at)
    update_readiness(infusion, by=checker, at=at)
    return check


def _refuse_checker(infusion: InfusionSession, proposal: RateProposal, checker: Staff) -> None:
    if proposal.infusion_id != infusion.id:
        raise RuleBroken("This rate belongs to another session.")
    if proposal.double_checks:
        raise RuleBroken("This rate was checked already. Start again with the rate on the pump.")
    if checker.id == proposal.recorded_by_id:
        raise RuleBroken("The second person is another one than the first.", field="checker")
    refuse_unless_may(checker, Permission.WITNESS, "A nurse or a physician checks the rate.", field="checker")


def _is_match(infusion: InfusionSession, proposed_ml_h: Decimal, computed_ml_h: Decimal) -> bool:
    step = infusion.order_version.terms.pump_step_ml_h
    if step is None:
        return proposed_ml_h == computed_ml_h
    rounded = [round_to_pump_step(rate, step_ml_h=step).set_ml_h for rate in (proposed_ml_h, computed_ml_h)]
    return rounded[0] == rounded[1]


def _record_near_miss(
    infusion: InfusionSession, proposal: RateProposal, check: DoubleCheck, *, by: Staff, at: datetime
) -> None:
    proposed = format_number(proposal.rate_ml_h)
    computed = format_quantity(check.computed_rate_ml_h, Unit.ML_PER_H)
    event = AdverseEvent(
        infusion=infusion,
        patient_id=infusion.patient_id,
        actuality=Actuality.POTENTIAL,
        term=f"Double check failed: {proposed} vs {computed}",
        onset_at=check.checked_at,
        resolved_at=check.checked_at,
        action=proposal.findings,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    add(event, AuditAction.ADVERSE_EVENT_RECORDED, infusion, by=by, at=at, term=event.term, actuality=event.actuality)
