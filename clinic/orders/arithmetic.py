"""What an order comes to, with every number that goes into it: rates for the pump, and the plan beside its maxima."""

from decimal import Decimal
from typing import Final, NamedTuple

from clinic.core.units import Unit, exact, format_number, format_quantity, round_half_up, rounded_apart
from clinic.orders.plan_rules import session_plans
from clinic.protocols.dose_rules import DoseBasis, pump_rate_ml_h, rate_in, rate_mg_h, round_to_pump_step
from clinic.protocols.session_doses import dose_runs
from clinic.protocols.terms import TermsDraft

_PER_HOUR: Final = {
    DoseBasis.MG_PER_KG: " × {kg} × 60 ÷ {minutes}",
    DoseBasis.MG: " × 60 ÷ {minutes}",
    DoseBasis.MG_PER_KG_H: " × {kg}",
    DoseBasis.MG_PER_H: "",
    DoseBasis.MCG_PER_KG_MIN: " × {kg} × 60 ÷ 1,000",
}


_MAXIMUM: Final = "Maximum rate"


class PumpLine(NamedTuple):
    """What an ordered rate comes to; "" where it cannot be worked out. `how` is what was multiplied and divided."""

    label: str
    mg_h: str
    mg_kg_h: str
    ml_h: str
    how: str


@exact
def pump_lines(terms: TermsDraft, weight_kg: Decimal | None) -> list[PumpLine]:
    """Return what the ordered rates come to, as far as it can be worked out."""
    return [
        PumpLine(
            label,
            _two_places(mg_h, Unit.MG_PER_H),
            _per_kg_text(mg_h, weight_kg),
            _pump_text(mg_h, terms),
            _how(basis, amount, terms, weight_kg) + ("" if label == _MAXIMUM else _set_text(mg_h, terms)),
        )
        for label, basis, amount, mg_h in _rates(terms, weight_kg)
    ]


def _rates(terms: TermsDraft, weight_kg: Decimal | None) -> list[tuple[str, DoseBasis, Decimal, Decimal]]:
    """Every rate that can be worked out: label, basis, the amount as it was written, mg per hour."""
    basis = terms.basis
    start = "Rate" if basis.is_total else "Start"
    written: list[tuple[str, DoseBasis, Decimal | None]] = [(start, basis, terms.start_amount)]
    if terms.session_amounts:
        written = [(f"{start}, {run.words}", basis, run.amount) for run in dose_runs(terms.session_amounts)]
    if not basis.is_total:
        written.append(("Highest rate", basis, terms.highest_amount))
    if terms.maximum_rate_unit is not None and not terms.maximum_rate_unit.is_total:
        written.append((_MAXIMUM, terms.maximum_rate_unit, terms.maximum_rate))
    return [
        (
            label,
            unit,
            amount,
            rate_mg_h(unit, amount, weight_kg=weight_kg, duration_min=terms.duration_min),
        )
        for label, unit, amount in written
        if amount and (weight_kg or not unit.uses_weight) and (terms.duration_min or not unit.is_total)
    ]


def _per_kg_text(mg_h: Decimal, weight_kg: Decimal | None) -> str:
    if not weight_kg:
        return ""
    per_kg = rate_in(Unit.MG_PER_KG_H, mg_h, weight_kg=weight_kg)
    return format_quantity(round_half_up(per_kg, 3), Unit.MG_PER_KG_H)


def _pump_text(mg_h: Decimal, terms: TermsDraft) -> str:
    if not terms.concentration_mg_ml:
        return ""
    return _two_places(pump_rate_ml_h(mg_h, concentration_mg_ml=terms.concentration_mg_ml), Unit.ML_PER_H)


def _set_text(mg_h: Decimal, terms: TermsDraft) -> str:
    """What the pump can be set to, where its step leaves a difference: ": set 25.2 mL/h, −0.12%"."""
    if not terms.concentration_mg_ml or not terms.pump_step_ml_h:
        return ""
    calculated = pump_rate_ml_h(mg_h, concentration_mg_ml=terms.concentration_mg_ml)
    rate = round_to_pump_step(calculated, step_ml_h=terms.pump_step_ml_h)
    if rate.set_ml_h == calculated:
        return ""
    sign = "\N{MINUS SIGN}" if rate.pct_difference < 0 else ""
    return f": set {format_quantity(rate.set_ml_h, Unit.ML_PER_H)}, {sign}{format_number(abs(rate.pct_difference))}%"


def _how(basis: DoseBasis, amount: Decimal, terms: TermsDraft, weight_kg: Decimal | None) -> str:
    factors = _PER_HOUR[basis].format(
        kg=format_quantity(weight_kg, Unit.KG) if weight_kg else "",
        minutes=format_quantity(terms.duration_min, Unit.MIN) if terms.duration_min else "",
    )
    if terms.concentration_mg_ml:
        factors += f" ÷ {format_quantity(terms.concentration_mg_ml, Unit.MG_PER_ML)}"
    return f"{format_quantity(amount, basis.unit)}{factors}" if factors else ""


@exact
def total_lines(terms: TermsDraft, weight_kg: Decimal | None) -> list[tuple[str, str]]:
    """Return what a session and the course come to, each beside the maximum that a clinician entered for it."""
    lines, total = [], Decimal(0)
    plans = session_plans(terms, weight_kg)
    for plan in plans:
        if plan.stepped_mg is None or plan.flat_mg is None:
            return []
        lines.append((f"Planned in {plan.words}", _beside(plan.flat_mg, terms.maximum_total_mg)))
        if plan.stepped_mg != plan.flat_mg:
            label = f"With every step, {plan.words}" if terms.session_amounts else "With every step"
            lines.append((label, _beside(plan.stepped_mg, terms.maximum_total_mg)))
        total += plan.stepped_mg * plan.sessions
    if plans and terms.sessions_planned:
        label = f"In {format_number(terms.sessions_planned)} session{'' if terms.sessions_planned == 1 else 's'}"
        lines.append((label, _beside(total, terms.course_maximum_mg)))
    return lines


def _beside(planned: Decimal, maximum: Decimal | None) -> str:
    if maximum is None:
        return f"{_two_places(planned, Unit.MG)}, no maximum entered"
    shown, _ = rounded_apart(planned, maximum) if planned != maximum else (planned, maximum)
    return f"{format_quantity(shown, Unit.MG)} of at most {format_quantity(maximum, Unit.MG)}"


def _two_places(value: Decimal, unit: Unit) -> str:
    return format_quantity(round_half_up(value, 2), unit)
