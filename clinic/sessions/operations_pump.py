"""What the pump is made to do: start, rate, pause, resume, bolus, bag, stop."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from clinic.accounts.models import Staff
from clinic.core.errors import RuleBroken
from clinic.core.findings import FindingLevel
from clinic.core.permissions import Permission, Role
from clinic.core.times import elapsed_minutes
from clinic.core.units import Unit, format_quantity
from clinic.orders.models import VerbalOrder
from clinic.orders.rules import check_duration, check_projected_total, check_rate, check_step
from clinic.sessions import ordered_rates
from clinic.sessions.event_rules import CheckPurpose, PumpReading
from clinic.sessions.models import AdministrationEvent, DoubleCheck, InfusionSession
from clinic.sessions.operations_drug_account import hung_on_the_pump
from clinic.sessions.operations_pump_line import read_volume, refuse_times, write
from clinic.sessions.operations_rates import needs_second, rate_findings, refuse_check
from clinic.sessions.operations_shared import (
    become,
    hold_order,
    locked,
    optional,
    quantity,
    refuse_foreign_spoken_order,
    refuse_future,
    refuse_hard,
    refuse_unless_may,
    soft_words,
)
from clinic.sessions.progress import Pump, current, first_start, projected_mg, pump
from clinic.sessions.readiness import clinic_of, start_reasons
from clinic.sessions.rules import AdministrationKind, SessionStatus


def start(
    infusion: InfusionSession,
    *,
    happened_at: datetime,
    double_check: DoubleCheck,
    volume_to_infuse_ml: Decimal | None = None,
    label: str | None = None,
    reason: str | None = None,
    by: Staff,
    at: datetime,
) -> AdministrationEvent:
    """Start the infusion at the rate of a passed double check, from the bag or syringe of the scanned `label`.

    Refused with every reason while a check is open, the order, weight, consent or vitals do not hold, the supervising
    clinician is missing where asked, or the double check is older than the clinic allows. A rate that differs from the
    calculated one asks for a `reason`. Starting again in recovery needs a newer version of the order.
    """
    locked(infusion)
    hold_order(infusion)
    refuse_future(happened_at, at, field="happened_at")
    if happened_at < infusion.arrived_at:
        raise RuleBroken("This is before the patient arrived.", field="happened_at")
    _refuse_second_start(infusion)
    proposal = double_check.proposal
    refuse_check(infusion, double_check, proposal.rate_ml_h, happened_at)
    found = rate_findings(infusion, proposal.rate_ml_h, CheckPurpose.START, happened_at, is_spoken=False)
    reasons = start_reasons(infusion, double_check, happened_at, found)
    if reasons:
        raise RuleBroken(" ".join(reasons))
    _need_reason(soft_words(found), reason)
    if volume_to_infuse_ml is not None:
        quantity(volume_to_infuse_ml, places=4, field="volume_to_infuse_ml")
    if infusion.status is SessionStatus.PRECHECKING:
        become(infusion, SessionStatus.READY, happened_at=happened_at, by=by, at=at)
    return _record(
        infusion,
        AdministrationKind.START,
        happened_at,
        by=by,
        at=at,
        rate_ml_h=proposal.rate_ml_h,
        concentration_mg_ml=ordered_rates.concentration_mg_ml(infusion),
        volume_to_infuse_ml=volume_to_infuse_ml,
        double_check=double_check,
        label=label,
        reason=optional(reason),
    )


def _refuse_second_start(infusion: InfusionSession) -> None:
    starts = [row for row in current(infusion.administrations) if row.kind is AdministrationKind.START]
    if not starts:
        return
    if infusion.status is not SessionStatus.RECOVERING:
        raise RuleBroken("The infusion has started already.")
    if any(row.order_version_id == infusion.order_version_id for row in starts):
        raise RuleBroken("The infusion was stopped. Starting again needs a new version of the order.")


def change_rate(
    infusion: InfusionSession,
    *,
    rate_ml_h: Decimal,
    happened_at: datetime,
    double_check: DoubleCheck | None = None,
    reason: str | None = None,
    verbal_order: VerbalOrder | None = None,
    shown: PumpReading | None = None,
    by: Staff,
    at: datetime,
) -> AdministrationEvent:
    """Set the running pump to another rate (mL/h).

    Hard, refused: over the order's maximum rate, total or duration. A larger or earlier step than the order's asks for
    a `reason`, and so does lowering. A spoken order may leave the steps, never the maximum. Where the clinic sets a
    time for double checks, a rate above the last checked one needs a double check of its own. `shown` is the volume
    that the pump says it infused until then.
    """
    locked(infusion)
    refuse_times(infusion, happened_at, at)
    quantity(rate_ml_h, places=4, field="rate_ml_h")
    running = pump(infusion, happened_at)
    if running.state.is_started and not running.state.is_paused and rate_ml_h == running.state.set_ml_h:
        raise RuleBroken("The pump runs at this rate already.", field="rate_ml_h")
    _check_flow(
        infusion, running, rate_ml_h, happened_at, double_check=double_check, verbal_order=verbal_order, reason=reason
    )
    if rate_ml_h < running.state.set_ml_h:
        _need_reason("The rate is lowered.", reason)
    return _record(
        infusion,
        AdministrationKind.RATE_CHANGE,
        happened_at,
        by=by,
        at=at,
        rate_ml_h=rate_ml_h,
        double_check=double_check,
        verbal_order=verbal_order,
        shown=shown,
        reason=optional(reason),
    )


def _check_flow(
    infusion: InfusionSession,
    running: Pump,
    rate_ml_h: Decimal,
    when: datetime,
    *,
    double_check: DoubleCheck | None = None,
    verbal_order: VerbalOrder | None,
    reason: str | None,
) -> None:
    """Compare a rate that the pump is to run at from `when` on with the order: maxima, steps, total, time."""
    refuse_foreign_spoken_order(infusion, verbal_order)
    terms, spoken = infusion.order_version.terms, verbal_order is not None
    bag = running.concentration_mg_ml
    is_rise = rate_ml_h > running.state.set_ml_h
    nearest = ordered_rates.nearest_step_ml_h(infusion, rate_ml_h, concentration=bag) if is_rise else None
    found = check_rate(
        rate_ml_h,
        ordered_rates.rate_terms(
            infusion, clinic_of(infusion), calculated_ml_h=nearest, is_spoken=spoken, concentration=bag
        ),
    )
    if is_rise:
        started_at = first_start(infusion)
        if started_at is not None:
            found += check_duration(elapsed_minutes(started_at, when), terms.maximum_duration_min)
        if not spoken:
            found += check_step(
                from_ml_h=running.state.set_ml_h,
                to_ml_h=rate_ml_h,
                step_ml_h=ordered_rates.step_ml_h(infusion, concentration=bag),
                step_every_min=terms.step_every_min,
                minutes_since_change=_minutes_since_change(infusion, when),
                pump_step_ml_h=terms.pump_step_ml_h or Decimal(0),
                level=clinic_of(infusion).step_level or FindingLevel.SOFT,
            )
    refuse_hard(found, field="rate_ml_h")
    _refuse_total(infusion, running, when, rate_ml_h=rate_ml_h)
    if double_check is not None:
        refuse_check(infusion, double_check, rate_ml_h, when)
    elif needs_second(infusion, running.state.set_ml_h, rate_ml_h):
        words = "A second person computes this rate first: go on at the rate that is set, then change the rate."
        raise RuleBroken(words, field="double_check")
    _need_reason(soft_words(found), reason)


def _minutes_since_change(infusion: InfusionSession, when: datetime) -> Decimal:
    kinds = {AdministrationKind.START, AdministrationKind.RATE_CHANGE}
    rows = [row for row in current(infusion.administrations) if row.kind in kinds and row.happened_at <= when]
    return elapsed_minutes(max((row.happened_at for row in rows), default=when), when)


def _refuse_total(
    infusion: InfusionSession,
    running: Pump,
    when: datetime,
    *,
    rate_ml_h: Decimal | None = None,
    bolus_mg: Decimal = Decimal(0),
) -> None:
    maximum = infusion.order_version.terms.maximum_total_mg
    projected = projected_mg(infusion, running, when, rate_ml_h=rate_ml_h)
    expected = (running.delivered_mg if projected is None else projected) + bolus_mg
    refuse_hard(check_projected_total(expected, maximum), field="bolus_mg" if bolus_mg else "rate_ml_h")


def pause(
    infusion: InfusionSession, *, happened_at: datetime, reason: str | None = None, by: Staff, at: datetime
) -> AdministrationEvent:
    """Hold the pump; the reason may follow later. Observations go on falling due."""
    locked(infusion)
    refuse_times(infusion, happened_at, at)
    return _record(infusion, AdministrationKind.PAUSE, happened_at, by=by, at=at, reason=optional(reason))


def resume(
    infusion: InfusionSession,
    *,
    happened_at: datetime,
    rate_ml_h: Decimal | None = None,
    double_check: DoubleCheck | None = None,
    reason: str | None = None,
    verbal_order: VerbalOrder | None = None,
    by: Staff,
    at: datetime,
) -> AdministrationEvent:
    """Let a paused pump run on, at the rate that is set or at another one (mL/h), under the rules of a rate change."""
    locked(infusion)
    refuse_times(infusion, happened_at, at)
    running = pump(infusion, happened_at)
    rate = running.state.set_ml_h if rate_ml_h is None else quantity(rate_ml_h, places=4, field="rate_ml_h")
    if not running.state.is_paused:
        raise RuleBroken("The pump is not paused at this time.", field="happened_at")
    _check_flow(
        infusion, running, rate, happened_at, double_check=double_check, verbal_order=verbal_order, reason=reason
    )
    return _record(
        infusion,
        AdministrationKind.RESUME,
        happened_at,
        by=by,
        at=at,
        rate_ml_h=rate,
        double_check=double_check,
        verbal_order=verbal_order,
        reason=optional(reason),
    )


def bolus(
    infusion: InfusionSession,
    *,
    bolus_mg: Decimal,
    happened_at: datetime,
    over_min: Decimal | None = None,
    reason: str | None = None,
    verbal_order: VerbalOrder | None = None,
    by: Staff,
    at: datetime,
) -> AdministrationEvent:
    """Give a bolus (mg) as ordered: the order's own dose, or a spoken order's; never over the maximum in total.

    By whom the clinic lets give one.
    """
    locked(infusion)
    if clinic_of(infusion).bolus_role is Role.PHYSICIAN:
        refuse_unless_may(by, Permission.SIGN_ORDER, "In this clinic a physician gives the bolus.", field="bolus_mg")
    refuse_times(infusion, happened_at, at)
    quantity(bolus_mg, places=4, field="bolus_mg")
    if over_min is not None:
        quantity(over_min, places=2, field="over_min")
    refuse_foreign_spoken_order(infusion, verbal_order)
    if verbal_order is None:
        _refuse_unordered_bolus(infusion.order_version.terms.bolus_mg, bolus_mg)
    _refuse_total(infusion, pump(infusion, happened_at), happened_at, bolus_mg=bolus_mg)
    return _record(
        infusion,
        AdministrationKind.BOLUS,
        happened_at,
        by=by,
        at=at,
        bolus_mg=bolus_mg,
        bolus_over_min=over_min,
        verbal_order=verbal_order,
        reason=optional(reason),
    )


def _refuse_unordered_bolus(ordered_mg: Decimal | None, bolus_mg: Decimal) -> None:
    if ordered_mg is None:
        raise RuleBroken("The order has no bolus. A physician orders it first.", field="bolus_mg")
    if bolus_mg != ordered_mg:
        raise RuleBroken(f"The order's bolus is {format_quantity(ordered_mg, Unit.MG)}.", field="bolus_mg")


def change_bag(
    infusion: InfusionSession,
    *,
    happened_at: datetime,
    concentration_mg_ml: Decimal | None = None,
    rate_ml_h: Decimal | None = None,
    volume_to_infuse_ml: Decimal | None = None,
    label: str | None = None,
    reason: str | None = None,
    shown: PumpReading | None = None,
    by: Staff,
    at: datetime,
) -> AdministrationEvent:
    """Hang another bag or syringe. Its label says the order's concentration (mg/mL); another one asks for the rate.

    `shown` is the volume that the pump says it infused from the bags before; `label` the scanned code of the new one.
    """
    locked(infusion)
    refuse_times(infusion, happened_at, at)
    ordered = ordered_rates.concentration_mg_ml(infusion)
    if concentration_mg_ml is not None and concentration_mg_ml != ordered:
        said = format_quantity(concentration_mg_ml, Unit.MG_PER_ML)
        message = f"The label says {said}; the order says {format_quantity(ordered, Unit.MG_PER_ML)}."
        raise RuleBroken(message, field="concentration_mg_ml")
    running = pump(infusion, happened_at)
    if running.concentration_mg_ml not in (None, ordered) and rate_ml_h is None:
        raise RuleBroken("The new bag has another concentration. Enter the rate.", field="rate_ml_h")
    if rate_ml_h is not None:
        quantity(rate_ml_h, places=4, field="rate_ml_h")
        hung = Pump(running.state, running.segments, running.delivered_mg, ordered)
        _check_flow(infusion, hung, rate_ml_h, happened_at, verbal_order=None, reason=reason)
    if volume_to_infuse_ml is not None:
        quantity(volume_to_infuse_ml, places=4, field="volume_to_infuse_ml")
    return _record(
        infusion,
        AdministrationKind.BAG_CHANGE,
        happened_at,
        by=by,
        at=at,
        concentration_mg_ml=ordered,
        rate_ml_h=rate_ml_h,
        volume_to_infuse_ml=volume_to_infuse_ml,
        shown=shown,
        label=label,
        reason=optional(reason),
    )


def stop(
    infusion: InfusionSession,
    *,
    happened_at: datetime,
    reason: str | None = None,
    shown: PumpReading | None = None,
    by: Staff,
    at: datetime,
) -> AdministrationEvent:
    """Stop for good: the session goes to recovery, and a controlled drug's given amount into the register.

    `shown` is what the pump itself says it gave; both numbers are kept. Reason and volume may follow later.
    """
    locked(infusion)
    refuse_times(infusion, happened_at, at)
    return _record(infusion, AdministrationKind.STOP, happened_at, by=by, at=at, shown=shown, reason=optional(reason))


def _need_reason(why: str, reason: str | None) -> None:
    if why and not optional(reason):
        raise RuleBroken(f"{why} Say why.", field="reason")


def _record(
    infusion: InfusionSession,
    kind: AdministrationKind,
    happened_at: datetime,
    *,
    by: Staff,
    at: datetime,
    double_check: DoubleCheck | None = None,
    verbal_order: VerbalOrder | None = None,
    shown: PumpReading | None = None,
    label: str | None = None,
    **values: Any,
) -> AdministrationEvent:
    row = AdministrationEvent(
        kind=kind,
        happened_at=happened_at,
        order_version_id=infusion.order_version_id,
        double_check_id=double_check.id if double_check else None,
        verbal_order_id=verbal_order.id if verbal_order else None,
        preparation_id=hung_on_the_pump(infusion, kind, happened_at, label),
        recorded_at=at,
        recorded_by_id=by.id,
        **values,
        **read_volume(infusion, happened_at, shown),
    )
    write(infusion, row, by=by, at=at)
    return row
