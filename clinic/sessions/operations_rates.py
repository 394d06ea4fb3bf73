"""The rate on the pump, and the second person's own computation of it."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from clinic.accounts.models import Staff
from clinic.audit.rules import AuditAction
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission
from clinic.core.times import elapsed_minutes
from clinic.core.units import Unit, format_number, format_quantity
from clinic.orders.models import VerbalOrder
from clinic.orders.rules import Finding, FindingLevel, check_projected_total, check_rate, round_to_pump_step
from clinic.sessions import ordered_rates
from clinic.sessions.event_rules import Actuality, CheckPurpose
from clinic.sessions.models import AdverseEvent, DoubleCheck, InfusionSession, RateProposal
from clinic.sessions.operations_checks import update_readiness
from clinic.sessions.operations_shared import (
    add,
    locked,
    quantity,
    refuse_foreign_spoken_order,
    refuse_future,
    refuse_unless_may,
)
from clinic.sessions.progress import current, projected_mg, pump
from clinic.sessions.readiness import clinic_of


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
    # A start is judged as if the pump ran already: the whole dose it comes to counts against the maximum.
    state = replace(running.state, is_started=True, set_ml_h=rate_ml_h)
    projected = projected_mg(infusion, replace(running, state=state), when)
    maximum = infusion.order_version.terms.maximum_total_mg
    return check_rate(rate_ml_h, terms) + check_projected_total(projected or Decimal(0), maximum)


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


def refuse_check(infusion: InfusionSession, check: DoubleCheck, rate_ml_h: Decimal, happened_at: datetime) -> None:
    """Refuse a double check of something else: another session, another rate, a mismatch, one used up or too old."""
    proposal = check.proposal
    if check.infusion_id != infusion.id or proposal.infusion_id != infusion.id:
        raise RuleBroken("This double check belongs to another session.")
    if proposal.is_blocked:
        raise RuleBroken(proposal.findings or "This rate is blocked.")
    if not check.is_match:
        raise RuleBroken("The double check failed. Both compute the rate again.")
    if proposal.rate_ml_h != rate_ml_h:
        raise RuleBroken("Another rate was double-checked.", field="rate_ml_h")
    if any(row.double_check_id == check.id for row in infusion.administrations):
        raise RuleBroken("This double check was used already.")
    if check.checked_at > happened_at:
        raise RuleBroken("The double check comes before the pump is set.", field="happened_at")
    minutes = clinic_of(infusion).double_check_minutes
    if minutes is not None and elapsed_minutes(check.checked_at, happened_at) > minutes:
        raise RuleBroken(f"The double check is more than {minutes} min old. Do it again.")


def needs_second(infusion: InfusionSession, was_ml_h: Decimal, rate_ml_h: Decimal) -> bool:
    """Whether the clinic asks for a second person's own computation of this rate: of a raise, or of every change."""
    clinic = clinic_of(infusion)
    if clinic.is_every_rate_checked:
        return rate_ml_h != was_ml_h
    return clinic.double_check_minutes is not None and rate_ml_h > max(was_ml_h, _checked_rate(infusion))


def _checked_rate(infusion: InfusionSession) -> Decimal:
    """The rate in mL/h that a second person computed last."""
    rows = [row for row in current(infusion.administrations) if row.double_check_id and row.rate_ml_h]
    latest = max(rows, key=lambda row: row.happened_at, default=None)
    return Decimal(0) if latest is None or latest.rate_ml_h is None else latest.rate_ml_h
