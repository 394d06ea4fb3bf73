"""Checks against what clinicians ordered. Each says what it compared, in both numbers, and never what to do.

A hard finding stops the act until a new order is signed or the value is corrected; a soft one asks for a reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from clinic.core.findings import Finding, FindingLevel
from clinic.core.times import date_label, elapsed_minutes
from clinic.core.units import Unit, exact, format_number, format_quantity, round_half_up, rounded_apart
from clinic.protocols.dose_rules import dose_rate_mg_h, pump_rate_ml_h, rate_from, rate_in, round_to_pump_step

# A rate five times too high or too low is a keying slip, not a rounding (REFERENCE 3.3).
_SLIP_FACTOR: Final = 5


@dataclass(frozen=True)
class RateTerms:
    """What a signed order says about pump rates.

    `maximum_rate` and `highest_step_rate` are in `rate_unit`. `calculated_ml_h` is what the order comes to before
    rounding; None when there is nothing to compare with, as when a nurse lowers the rate.
    """

    rate_unit: Unit
    concentration_mg_ml: Decimal
    weight_kg: Decimal | None = None
    maximum_rate: Decimal | None = None
    highest_step_rate: Decimal | None = None
    calculated_ml_h: Decimal | None = None
    soft_difference_pct: Decimal | None = None
    pump_step_ml_h: Decimal | None = None


def check_rate(proposed_rate_ml_h: Decimal, terms: RateTerms) -> list[Finding]:
    """Return what is wrong with setting the pump to `proposed_rate_ml_h` under `terms`.

    Hard: over the order's maximum rate or its highest titration rate, or five times away from the calculated rate.
    Soft: further from it than the clinic's per cent. Rounding to the pump's own step is no difference.
    """
    return [*_over_maximum(proposed_rate_ml_h, terms), *_away_from_calculated(proposed_rate_ml_h, terms)]


@exact
def _over_maximum(proposed_ml_h: Decimal, terms: RateTerms) -> list[Finding]:
    proposed_mg_h = dose_rate_mg_h(proposed_ml_h, concentration_mg_ml=terms.concentration_mg_ml)
    findings = []
    if terms.maximum_rate is not None:
        maximum_mg_h = rate_from(terms.rate_unit, terms.maximum_rate, weight_kg=terms.weight_kg)
        if proposed_mg_h > maximum_mg_h:
            findings.append(
                _over("rate-over-maximum", "the order's maximum rate", proposed_ml_h, terms.maximum_rate, terms)
            )
    if terms.highest_step_rate is not None:
        highest_mg_h = rate_from(terms.rate_unit, terms.highest_step_rate, weight_kg=terms.weight_kg)
        highest_ml_h = _as_set(pump_rate_ml_h(highest_mg_h, concentration_mg_ml=terms.concentration_mg_ml), terms)
        if proposed_ml_h > highest_ml_h:
            findings.append(
                _over(
                    "rate-over-highest-step", "the order's highest step", proposed_ml_h, terms.highest_step_rate, terms
                )
            )
    return findings


def _over(code: str, name: str, proposed_ml_h: Decimal, bound: Decimal, terms: RateTerms) -> Finding:
    mg_h = dose_rate_mg_h(proposed_ml_h, concentration_mg_ml=terms.concentration_mg_ml)
    implied = rate_in(terms.rate_unit, mg_h, weight_kg=terms.weight_kg)
    bound_mg_h = rate_from(terms.rate_unit, bound, weight_kg=terms.weight_kg)
    bound_ml_h = pump_rate_ml_h(bound_mg_h, concentration_mg_ml=terms.concentration_mg_ml)
    proposed_text = format_quantity(proposed_ml_h, Unit.ML_PER_H)
    implied_text = format_quantity(rounded_apart(implied, bound)[0], terms.rate_unit)
    bound_text = format_quantity(bound, terms.rate_unit)
    bound_pump_text = format_quantity(round_half_up(bound_ml_h, 2), Unit.ML_PER_H)
    return Finding(
        code,
        FindingLevel.HARD,
        f"{proposed_text} is {implied_text}; {name} is {bound_text} ({bound_pump_text}).",
        {
            "proposed_ml_h": format_number(proposed_ml_h),
            "implied_rate": format_number(round_half_up(implied, 6)),
            "bound": format_number(bound),
            "unit": terms.rate_unit.short,
        },
    )


@exact
def _away_from_calculated(proposed_ml_h: Decimal, terms: RateTerms) -> list[Finding]:
    calculated = terms.calculated_ml_h
    if calculated is None or calculated <= 0 or proposed_ml_h == _as_set(calculated, terms):
        return []
    pct = abs(proposed_ml_h - calculated) * 100 / calculated
    is_slip = proposed_ml_h >= calculated * _SLIP_FACTOR or proposed_ml_h * _SLIP_FACTOR <= calculated
    if not is_slip and (terms.soft_difference_pct is None or pct <= terms.soft_difference_pct):
        return []
    shown_pct = round_half_up(pct, 1)
    proposed_text = format_quantity(proposed_ml_h, Unit.ML_PER_H)
    calculated_text = format_quantity(round_half_up(calculated, 2), Unit.ML_PER_H)
    return [
        Finding(
            "rate-far-from-calculated" if is_slip else "rate-differs-from-calculated",
            FindingLevel.HARD if is_slip else FindingLevel.SOFT,
            f"{proposed_text} differs by {format_number(shown_pct)}% from the calculated {calculated_text}.",
            {
                "proposed_ml_h": format_number(proposed_ml_h),
                "calculated_ml_h": format_number(round_half_up(calculated, 6)),
                "difference_pct": format_number(shown_pct),
            },
        )
    ]


def _as_set(rate_ml_h: Decimal, terms: RateTerms) -> Decimal:
    if terms.pump_step_ml_h is None:
        return rate_ml_h
    return round_to_pump_step(rate_ml_h, step_ml_h=terms.pump_step_ml_h).set_ml_h


@exact
def check_step(
    *,
    from_ml_h: Decimal,
    to_ml_h: Decimal,
    step_ml_h: Decimal | None,
    step_every_min: Decimal | int | None,
    minutes_since_change: Decimal | int,
    pump_step_ml_h: Decimal = Decimal(0),
    level: FindingLevel = FindingLevel.SOFT,
) -> list[Finding]:
    """Return what is wrong with raising the rate: a larger step, or a sooner one, than the order's.

    Both rates were rounded to the pump's step, so one such step more is still the ordered step. Lowering is never a
    finding. Whether a finding is soft or hard is the clinic's choice (`level`).
    """
    if to_ml_h <= from_ml_h:
        return []
    findings = []
    raised = to_ml_h - from_ml_h
    raised_text, from_text, to_text = (format_quantity(rate, Unit.ML_PER_H) for rate in (raised, from_ml_h, to_ml_h))
    facts = {"from_ml_h": format_number(from_ml_h), "to_ml_h": format_number(to_ml_h)}
    by = f"This raises the rate by {raised_text}, from {from_text} to {to_text}"
    if not step_ml_h:
        findings.append(Finding("step-not-ordered", level, f"{by}; the order has no step up.", facts))
    elif raised - step_ml_h > pump_step_ml_h:
        step_text = format_quantity(round_half_up(step_ml_h, 2), Unit.ML_PER_H)
        larger = facts | {"step_ml_h": format_number(step_ml_h)}
        findings.append(Finding("step-too-large", level, f"{by}; the order's step is {step_text}.", larger))
    if step_every_min is not None and minutes_since_change < step_every_min:
        since = Decimal(int(minutes_since_change))
        since_text, every_text = format_quantity(since, Unit.MIN), format_quantity(step_every_min, Unit.MIN)
        sooner = facts | {"minutes_since_change": format_number(since), "step_every_min": format_number(step_every_min)}
        message = f"The last change was {since_text} ago; the order's steps are {every_text} apart."
        findings.append(Finding("step-too-soon", level, message, sooner))
    return findings


def check_projected_total(projected_mg: Decimal, maximum_mg: Decimal | None) -> list[Finding]:
    """Return a hard finding when the dose that the plan comes to is over the order's maximum in total (both mg)."""
    if maximum_mg is None or projected_mg <= maximum_mg:
        return []
    shown, _ = rounded_apart(projected_mg, maximum_mg)
    total_text, maximum_text = format_quantity(shown, Unit.MG), format_quantity(maximum_mg, Unit.MG)
    message = f"The total would come to {total_text}; the order's maximum is {maximum_text}."
    facts = {"projected_mg": format_number(shown), "maximum_mg": format_number(maximum_mg)}
    return [Finding("total-over-maximum", FindingLevel.HARD, message, facts)]


@exact
def check_pump_volume(pump_ml: Decimal, computed_ml: Decimal, tolerance_pct: Decimal | int | None) -> list[Finding]:
    """Return a soft finding when the pump's own volume infused and the computed one (mL) are too far apart.

    Somebody then says which is right and why; both are kept. A clinic without a tolerance is not asked.
    """
    apart = abs(pump_ml - computed_ml)
    if tolerance_pct is None or apart * 100 <= computed_ml * tolerance_pct:
        return []
    pump_text = format_quantity(pump_ml, Unit.ML)
    computed_text = format_quantity(round_half_up(computed_ml, 2), Unit.ML)
    message = f"The pump shows {pump_text} infused; its rates come to {computed_text}."
    facts = {"pump_ml": format_number(pump_ml), "computed_ml": format_number(round_half_up(computed_ml, 6))}
    return [Finding("pump-volume-differs", FindingLevel.SOFT, message, facts)]


def check_duration(elapsed_min: Decimal | int, maximum_min: Decimal | int | None) -> list[Finding]:
    """Return a hard finding when the infusion has lasted longer than the order's maximum duration (both minutes)."""
    if maximum_min is None or elapsed_min <= maximum_min:
        return []
    shown, _ = rounded_apart(Decimal(elapsed_min), Decimal(maximum_min))
    lasted_text, maximum_text = format_quantity(shown, Unit.MIN), format_quantity(maximum_min, Unit.MIN)
    message = f"The infusion has lasted {lasted_text}; the order's maximum is {maximum_text}."
    facts = {"elapsed_min": format_number(shown), "maximum_min": format_number(maximum_min)}
    return [Finding("duration-over-maximum", FindingLevel.HARD, message, facts)]


def check_validity(
    on_date: date, valid_from: date | None, valid_until: date | None, sessions_used: int, sessions_allowed: int | None
) -> list[Finding]:
    """Return why an order may not be used on a clinic date. `valid_until` is its last good day; None sets no bound."""
    findings = []
    day = date_label(on_date)
    if valid_from is not None and on_date < valid_from:
        message = f"Today is {day}; the order is valid from {date_label(valid_from)}."
        findings.append(
            Finding("order-not-yet-valid", FindingLevel.HARD, message, {"valid_from": valid_from.isoformat()})
        )
    if valid_until is not None and on_date > valid_until:
        message = f"Today is {day}; the order was valid until {date_label(valid_until)}."
        findings.append(Finding("order-expired", FindingLevel.HARD, message, {"valid_until": valid_until.isoformat()}))
    if sessions_allowed is not None and sessions_used >= sessions_allowed:
        message = f"{_counted(sessions_used, 'session')} used; the order allows {sessions_allowed}."
        facts = {"sessions_used": str(sessions_used), "sessions_allowed": str(sessions_allowed)}
        findings.append(Finding("order-no-sessions-left", FindingLevel.HARD, message, facts))
    return findings


def refusal_to_book(
    on: date, valid_until: date | None, sessions_allowed: int | None, *, held: int, wished: int
) -> str | None:
    """Return why no session is booked under an order on a clinic date, or None.

    `held` sessions hold a time or were given already, `wished` are to come. A day after the last good one is no reason
    as long as the order is in force: it may be signed anew until then.
    """
    if valid_until is not None and on > valid_until:
        return f"The order was valid until {date_label(valid_until)}. A physician signs a new version first."
    if sessions_allowed is not None and held + wished > sessions_allowed:
        allowed = f"{sessions_allowed} session{'' if sessions_allowed == 1 else 's'}"
        return f"The order allows {allowed}; {held} have a time or were given. A physician signs a new version first."
    return None


def check_prn(
    given_times: Sequence[datetime], now: datetime, max_count: int | None, min_gap_min: Decimal | int | None
) -> list[Finding]:
    """Return why one more as-needed dose at `now` is outside its order: too many, or too close to another dose.

    A dose charted late may lie after `now`; the gap is kept to it as well.
    """
    findings = []
    if max_count is not None and len(given_times) >= max_count:
        message = f"{_counted(len(given_times), 'dose')} given; the order allows {max_count}."
        facts = {"given": str(len(given_times)), "max_count": str(max_count)}
        findings.append(Finding("prn-count", FindingLevel.HARD, message, facts))
    gap = min((abs(elapsed_minutes(given, now)) for given in given_times), default=None)
    if gap is not None and min_gap_min is not None and gap < min_gap_min:
        shown = Decimal(int(gap))
        gap_text, asked_text = format_quantity(shown, Unit.MIN), format_quantity(min_gap_min, Unit.MIN)
        message = f"{gap_text} between two doses; the order asks for at least {asked_text}."
        facts = {"gap_min": format_number(shown), "min_gap_min": format_number(min_gap_min)}
        findings.append(Finding("prn-gap", FindingLevel.HARD, message, facts))
    return findings


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun} {'was' if number == 1 else 'were'}" if number == 1 else f"{number} {noun}s were"
