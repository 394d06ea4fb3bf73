from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.core.units import Unit
from clinic.protocols.dose_rules import (
    DoseBasis,
    dose_rate_mg_h,
    planned_total_mg,
    pump_rate_ml_h,
    rate_from,
    rate_in,
    rate_mg_h,
    rate_steps,
    round_to_pump_step,
    total_mg,
)

TINY = Fraction(1, 10**38)


def quantities(low, high, places=4):
    return st.decimals(min_value=low, max_value=high, places=places, allow_nan=False)


doses = quantities("0.0001", 1000)
weights = quantities(20, 400, 2)
minutes = st.integers(1, 6000)
rate_units = st.sampled_from([Unit.MG_PER_H, Unit.MG_PER_MIN, Unit.MG_PER_KG_H, Unit.MCG_PER_KG_MIN])

ORACLE = {
    DoseBasis.MG_PER_KG: lambda dose, kg, min_: dose * kg * 60 / min_,
    DoseBasis.MG: lambda dose, kg, min_: dose * 60 / min_,
    DoseBasis.MG_PER_KG_H: lambda dose, kg, min_: dose * kg,
    DoseBasis.MG_PER_H: lambda dose, kg, min_: dose,
    DoseBasis.MCG_PER_KG_MIN: lambda dose, kg, min_: dose * kg * 60 / 1000,
}


@given(st.sampled_from(DoseBasis), doses, weights, minutes)
def test_every_basis_comes_to_its_rate(basis, dose, weight, duration):
    rate = rate_mg_h(basis, dose, weight_kg=weight, duration_min=duration)
    assert abs(Fraction(rate) - ORACLE[basis](Fraction(dose), Fraction(weight), duration)) < TINY


@given(rate_units, doses, weights)
def test_a_rate_comes_back_from_any_unit(unit, rate, weight):
    there = rate_in(unit, rate, weight_kg=weight)
    assert abs(Fraction(rate_from(unit, there, weight_kg=weight)) - Fraction(rate)) < TINY


def test_ten_mcg_per_kg_per_min_is_exactly_0_6_mg_per_kg_per_hour():
    rate = rate_from(Unit.MCG_PER_KG_MIN, Decimal(10), weight_kg=Decimal(70))
    assert rate_in(Unit.MG_PER_KG_H, rate, weight_kg=Decimal(70)) == Decimal("0.6")


def test_the_threads_precision_changes_no_dose():
    with localcontext(prec=2):
        assert rate_mg_h(DoseBasis.MG, Decimal(45), weight_kg=None, duration_min=40) == Decimal("67.5")


@given(doses, quantities("0.001", 100))
def test_pump_rate_and_dose_rate_undo_each_other(rate, concentration):
    pump = pump_rate_ml_h(rate, concentration_mg_ml=concentration)
    assert abs(Fraction(dose_rate_mg_h(pump, concentration_mg_ml=concentration)) - Fraction(rate)) < TINY


@pytest.mark.parametrize("basis", [basis for basis in DoseBasis if basis.uses_weight])
@pytest.mark.parametrize("weight", [None, Decimal(0), Decimal(-70)])
def test_a_weight_based_dose_without_a_weight_is_refused(basis, weight):
    with pytest.raises(ValueError, match="weight"):
        rate_mg_h(basis, Decimal(1), weight_kg=weight, duration_min=60)


@pytest.mark.parametrize("basis", [basis for basis in DoseBasis if basis.is_total])
def test_a_total_without_a_duration_has_no_rate(basis):
    with pytest.raises(ValueError, match="duration"):
        rate_mg_h(basis, Decimal(1), weight_kg=Decimal(70), duration_min=None)


def test_a_total_per_kg_is_taken_times_the_weight():
    assert total_mg(DoseBasis.MG_PER_KG, Decimal("0.5"), weight_kg=Decimal(90)) == 45


def test_a_rate_is_no_total():
    with pytest.raises(ValueError, match="not a total"):
        total_mg(DoseBasis.MG_PER_H, Decimal(20), weight_kg=None)


def test_a_volume_is_not_the_unit_of_a_dose_rate():
    with pytest.raises(ValueError, match="mL/h"):
        rate_in(Unit.ML_PER_H, Decimal(1), weight_kg=None)


def test_rounding_to_the_pump_shows_its_difference():
    assert round_to_pump_step(Decimal("25.23"), step_ml_h=Decimal("0.1")) == (Decimal("25.2"), Decimal("-0.12"))


@given(quantities(0, 999, 3), st.sampled_from(["0.01", "0.1", "0.5", "1", "0.25"]))
def test_the_set_rate_is_the_nearest_step_halves_up(rate, step):
    set_ml_h, _ = round_to_pump_step(rate, step_ml_h=Decimal(step))
    size = Fraction(step)
    assert Fraction(set_ml_h) == (Fraction(rate) / size + Fraction(1, 2)).__floor__() * size


@given(quantities(1, 999, 3), quantities(1, 999, 3))
def test_rounding_never_lifts_a_rate_over_its_maximum(rate, maximum):
    set_ml_h, _ = round_to_pump_step(rate, step_ml_h=Decimal("0.1"), at_most_ml_h=maximum)
    assert set_ml_h <= maximum


@given(quantities(1, 40, 1), quantities("0.1", 10, 1), quantities(1, 60, 1))
def test_steps_rise_to_the_highest_rate_and_no_further(start, step, highest):
    rates = rate_steps(start=start, step=step, highest=highest)
    assert rates[0] == start
    assert rates[-1] == max(start, highest)
    assert all(0 < after - before <= step for before, after in pairwise(rates))


@given(quantities(1, 40, 1), quantities("0.5", 10, 1), minutes, quantities(1, 60, 1), st.integers(1, 600))
def test_the_planned_total_is_the_sum_of_its_minutes(start, step, every, highest, duration):
    planned = planned_total_mg(
        start_mg_h=start, step_mg_h=step, step_every_min=every, highest_mg_h=highest, duration_min=duration
    )
    minute_by_minute = sum(
        max(Fraction(start), min(Fraction(highest), Fraction(start) + Fraction(step) * (minute // every))) / 60
        for minute in range(duration)
    )
    assert abs(Fraction(planned) - minute_by_minute) < TINY


def test_a_fixed_rate_needs_no_steps():
    assert planned_total_mg(start_mg_h=Decimal("24.6"), duration_min=120) == Decimal("49.2")
