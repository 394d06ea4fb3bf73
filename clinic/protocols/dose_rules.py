"""Dose arithmetic of an order: from what the physician wrote to what the pump is set to, all in `Decimal`.

Every function names the unit of what it takes and gives. Factors are multiplied first and divided once at the end, in
50 digits, so that nothing is lost before a rate is rounded to the pump's step.
"""

from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from clinic.core.units import Unit, exact, round_half_up

_MINUTES_PER_HOUR: Final = 60
_MCG_PER_MG: Final = 1000


class DoseBasis(StrEnum):
    """How a physician expresses the dose. All five occur in pain clinics."""

    MG_PER_KG = "mg/kg"
    MG = "mg"
    MG_PER_KG_H = "mg/kg/h"
    MG_PER_H = "mg/h"
    MCG_PER_KG_MIN = "mcg/kg/min"

    @property
    def is_total(self) -> bool:
        """Whether the dose is an amount given over a time rather than a rate."""
        return self in {DoseBasis.MG_PER_KG, DoseBasis.MG}

    @property
    def uses_weight(self) -> bool:
        """Whether the dose means nothing without the patient's weight."""
        return self not in {DoseBasis.MG, DoseBasis.MG_PER_H}

    @property
    def unit(self) -> Unit:
        """The unit of the ordered dose itself."""
        return _UNITS[self][0]

    @property
    def rate_unit(self) -> Unit:
        """The unit in which this order's rates and its maximum rate are written."""
        return _UNITS[self][1]


_UNITS: Final = {
    DoseBasis.MG_PER_KG: (Unit.MG_PER_KG, Unit.MG_PER_KG_H),
    DoseBasis.MG: (Unit.MG, Unit.MG_PER_H),
    DoseBasis.MG_PER_KG_H: (Unit.MG_PER_KG_H, Unit.MG_PER_KG_H),
    DoseBasis.MG_PER_H: (Unit.MG_PER_H, Unit.MG_PER_H),
    DoseBasis.MCG_PER_KG_MIN: (Unit.MCG_PER_KG_MIN, Unit.MCG_PER_KG_MIN),
}


class PumpRate(NamedTuple):
    """What the pump is set to, and how far that is from the calculated rate in per cent (two decimals)."""

    set_ml_h: Decimal
    pct_difference: Decimal


@exact
def rate_mg_h(
    basis: DoseBasis, value: Decimal, *, weight_kg: Decimal | None, duration_min: Decimal | int | None
) -> Decimal:
    """Return the dose rate in mg/h of an ordered dose.

    `weight_kg` is needed by the bases that use it, `duration_min` by those that are a total. Raises `ValueError`
    without them.
    """
    amount = value * _weight(weight_kg) if basis.uses_weight else value
    if basis.is_total:
        return amount * _MINUTES_PER_HOUR / _positive(duration_min, "The duration")
    if basis is DoseBasis.MCG_PER_KG_MIN:
        return amount * _MINUTES_PER_HOUR / _MCG_PER_MG
    return amount


@exact
def total_mg(basis: DoseBasis, value: Decimal, *, weight_kg: Decimal | None) -> Decimal:
    """Return the ordered amount in mg of a dose that is a total. Raises `ValueError` for a dose that is a rate."""
    if not basis.is_total:
        raise ValueError(f"A dose in {basis} is a rate, not a total.")
    return value * _weight(weight_kg) if basis.uses_weight else value


@exact
def rate_in(unit: Unit, rate_mg_h: Decimal, *, weight_kg: Decimal | None) -> Decimal:
    """Return a rate of mg/h in another unit: mg/h, mg/min, mg/kg/h or mcg/kg/min."""
    match unit:
        case Unit.MG_PER_H:
            return rate_mg_h
        case Unit.MG_PER_MIN:
            return rate_mg_h / _MINUTES_PER_HOUR
        case Unit.MG_PER_KG_H:
            return rate_mg_h / _weight(weight_kg)
        case Unit.MCG_PER_KG_MIN:
            return rate_mg_h * _MCG_PER_MG / (_weight(weight_kg) * _MINUTES_PER_HOUR)
        case _:
            raise ValueError(f"{unit.short} is not the unit of a dose rate.")


@exact
def rate_from(unit: Unit, value: Decimal, *, weight_kg: Decimal | None) -> Decimal:
    """Return a rate written in `unit` as mg/h, the way back from `rate_in`."""
    match unit:
        case Unit.MG_PER_H:
            return value
        case Unit.MG_PER_MIN:
            return value * _MINUTES_PER_HOUR
        case Unit.MG_PER_KG_H:
            return value * _weight(weight_kg)
        case Unit.MCG_PER_KG_MIN:
            return value * _weight(weight_kg) * _MINUTES_PER_HOUR / _MCG_PER_MG
        case _:
            raise ValueError(f"{unit.short} is not the unit of a dose rate.")


@exact
def pump_rate_ml_h(rate_mg_h: Decimal, *, concentration_mg_ml: Decimal) -> Decimal:
    """Return the pump rate in mL/h that gives a dose rate in mg/h from a bag of `concentration_mg_ml`."""
    return rate_mg_h / _positive(concentration_mg_ml, "The concentration")


@exact
def dose_rate_mg_h(rate_ml_h: Decimal, *, concentration_mg_ml: Decimal) -> Decimal:
    """Return the dose rate in mg/h that a pump rate in mL/h gives, the way back from `pump_rate_ml_h`."""
    return rate_ml_h * _positive(concentration_mg_ml, "The concentration")


@exact
def round_to_pump_step(rate_ml_h: Decimal, *, step_ml_h: Decimal, at_most_ml_h: Decimal | None = None) -> PumpRate:
    """Return the nearest rate the pump can be set to, halves up, and its difference from the calculated rate.

    With `at_most_ml_h` a rate that rounding would lift over that maximum becomes the last step below it.
    """
    step = _positive(step_ml_h, "The pump's step")
    set_ml_h = _to_step(rate_ml_h, step, ROUND_HALF_UP)
    if at_most_ml_h is not None and set_ml_h > at_most_ml_h:
        set_ml_h = _to_step(at_most_ml_h, step, ROUND_FLOOR)
    difference = (set_ml_h - rate_ml_h) * 100 / rate_ml_h if rate_ml_h else Decimal(0)
    return PumpRate(set_ml_h, round_half_up(difference, 2))


@exact
def rate_steps(*, start: Decimal, step: Decimal | None, highest: Decimal | None) -> list[Decimal]:
    """Return every rate the order allows on the way up, from its start to its highest, in the unit of the arguments.

    The last step is shortened when the highest rate is not a whole number of steps away.
    """
    rates = [start]
    if not step or highest is None:
        return rates
    while rates[-1] < highest:
        rates.append(min(rates[-1] + _positive(step, "The step"), highest))
    return rates


@exact
def planned_total_mg(
    *,
    start_mg_h: Decimal,
    duration_min: Decimal | int,
    step_mg_h: Decimal | None = None,
    step_every_min: Decimal | int | None = None,
    highest_mg_h: Decimal | None = None,
) -> Decimal:
    """Return the mg that an order gives in its planned minutes when every step is taken as soon as it is allowed."""
    left = Decimal(duration_min)
    rates = rate_steps(start=start_mg_h, step=step_mg_h, highest=highest_mg_h)
    every = _positive(step_every_min, "The step interval") if len(rates) > 1 else left
    mg_minutes = Decimal(0)
    for rate in rates[:-1]:
        minutes = min(every, left)
        mg_minutes += rate * minutes
        left -= minutes
    return (mg_minutes + rates[-1] * left) / _MINUTES_PER_HOUR


def _to_step(rate_ml_h: Decimal, step_ml_h: Decimal, rounding: str) -> Decimal:
    return (rate_ml_h / step_ml_h).to_integral_value(rounding=rounding) * step_ml_h


def _weight(weight_kg: Decimal | None) -> Decimal:
    return _positive(weight_kg, "The weight")


def _positive(value: Decimal | int | None, name: str) -> Decimal:
    if value is None or value <= 0:
        raise ValueError(f"{name} is missing or not above zero.")
    return Decimal(value)
