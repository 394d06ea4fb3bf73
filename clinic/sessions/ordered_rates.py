"""What the order in force says about this session's pump rates: the rate it comes to, its steps, its maxima."""

from decimal import Decimal

from clinic.accounts.models import Clinic
from clinic.core.errors import RuleBroken
from clinic.core.units import Unit
from clinic.orders.rules import (
    RateTerms,
    pump_rate_ml_h,
    rate_from,
    rate_in,
    rate_mg_h,
    rate_steps,
)
from clinic.protocols.models import Terms
from clinic.protocols.session_doses import amount_for
from clinic.sessions.models import InfusionSession
from clinic.sessions.progress import weight_kg


def needed_weight_kg(infusion: InfusionSession) -> Decimal | None:
    """Return the weight that the order's dose needs, or None where it needs none. Raises RuleBroken when missing."""
    weight = weight_kg(infusion)
    if weight is None and uses_weight(infusion.order_version.terms):
        raise RuleBroken("The dose is per kg and no weight is recorded. Record today's weight first.", field="weight")
    return weight


def uses_weight(terms: Terms) -> bool:
    """Return whether the order's dose or its maximum rate means nothing without the patient's weight."""
    units = {terms.basis, terms.maximum_rate_unit or terms.basis}
    return any(unit.uses_weight for unit in units)


def concentration_mg_ml(infusion: InfusionSession) -> Decimal:
    """Return the concentration of the order. Raises RuleBroken when it names none."""
    concentration = infusion.order_version.terms.concentration_mg_ml
    if concentration is None:
        raise RuleBroken("The order names no concentration. A physician signs a new version first.")
    return concentration


def ordered_amount(infusion: InfusionSession) -> Decimal | None:
    """Return the dose that the order names for this session, in the order's own unit."""
    return amount_for(infusion.order_version.terms, infusion.number)


def ordered_rate_ml_h(
    infusion: InfusionSession, amount: Decimal | None, *, concentration: Decimal | None = None
) -> Decimal | None:
    """Return the pump rate in mL/h, not rounded, that an amount in the order's own unit comes to."""
    terms = infusion.order_version.terms
    if amount is None:
        return None
    weight = needed_weight_kg(infusion)
    if terms.basis.is_total and terms.duration_min is None:
        return None
    mg_h = rate_mg_h(terms.basis, amount, weight_kg=weight, duration_min=terms.duration_min)
    return pump_rate_ml_h(mg_h, concentration_mg_ml=concentration or concentration_mg_ml(infusion))


def start_rate_ml_h(infusion: InfusionSession) -> Decimal | None:
    """Return the rate in mL/h that the order starts at, before the pump's rounding; None where it does not say."""
    return ordered_rate_ml_h(infusion, ordered_amount(infusion))


def step_ml_h(infusion: InfusionSession, *, concentration: Decimal | None = None) -> Decimal | None:
    """Return the order's step up in mL/h, or None when it has none."""
    terms = infusion.order_version.terms
    if terms.basis.is_total:
        return None
    return ordered_rate_ml_h(infusion, terms.step_amount or None, concentration=concentration)


def ordered_steps_ml_h(infusion: InfusionSession, *, concentration: Decimal | None = None) -> list[Decimal]:
    """Return every rate the order allows on the way up, in mL/h before rounding; empty where it names no start."""
    terms, start = infusion.order_version.terms, ordered_amount(infusion)
    if start is None:
        return []
    is_stepped = not terms.basis.is_total
    amounts = rate_steps(
        start=start,
        step=terms.step_amount if is_stepped else None,
        highest=terms.highest_amount if is_stepped else None,
    )
    found = [ordered_rate_ml_h(infusion, amount, concentration=concentration) for amount in amounts]
    return [rate for rate in found if rate is not None]


def nearest_step_ml_h(
    infusion: InfusionSession, rate_ml_h: Decimal, *, concentration: Decimal | None = None
) -> Decimal | None:
    """Return the ordered rate nearest to one that was typed: what it is compared with when the rate goes up."""
    steps = ordered_steps_ml_h(infusion, concentration=concentration)
    return min(steps, key=lambda step: abs(step - rate_ml_h), default=None)


def rate_terms(
    infusion: InfusionSession,
    clinic: Clinic,
    *,
    calculated_ml_h: Decimal | None,
    is_spoken: bool = False,
    concentration: Decimal | None = None,
) -> RateTerms:
    """Return what the order says about rates, for `check_rate`.

    A spoken order may leave the steps, never the maximum. `concentration` is that of the bag that runs, where it is
    not the order's.
    """
    terms = infusion.order_version.terms
    unit = (terms.maximum_rate_unit or terms.basis).rate_unit
    weight = needed_weight_kg(infusion)
    return RateTerms(
        rate_unit=unit,
        concentration_mg_ml=concentration or concentration_mg_ml(infusion),
        weight_kg=weight,
        maximum_rate=terms.maximum_rate,
        highest_step_rate=None if is_spoken else _highest(infusion, unit, weight),
        calculated_ml_h=None if is_spoken else calculated_ml_h,
        soft_difference_pct=None if clinic.rate_difference_percent is None else Decimal(clinic.rate_difference_percent),
        pump_step_ml_h=terms.pump_step_ml_h,
    )


def _highest(infusion: InfusionSession, unit: Unit, weight: Decimal | None) -> Decimal | None:
    """The order's highest step in the unit of its maximum.

    Where each session has its own dose and no step up is ordered, that dose is the highest: the next is not for today.
    """
    terms = infusion.order_version.terms
    highest = terms.highest_amount
    if highest is None and terms.session_amounts:
        highest = ordered_amount(infusion)
    if highest is None or terms.basis.is_total:
        return None
    if terms.basis.rate_unit is unit:
        return highest
    return rate_in(unit, rate_from(terms.basis.rate_unit, highest, weight_kg=weight), weight_kg=weight)
