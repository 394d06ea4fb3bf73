from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.druglog.rules import BalanceBelowZero, RegisterKind, balance_after, is_balanced, unaccounted_mg

amounts = st.decimals(min_value=0, max_value=1000, places=4, allow_nan=False)
UNCHANGED = {RegisterKind.PREPARE, RegisterKind.GIVE, RegisterKind.WASTE, RegisterKind.COUNT}
TAKING = {RegisterKind.WITHDRAW, RegisterKind.TRANSFER, RegisterKind.DESTROY}


def test_a_session_with_vial_and_bag_waste_balances():
    assert unaccounted_mg(Decimal(200), Decimal("74.8"), Decimal("25.2") + 100, Decimal(0)) == 0


@given(amounts, amounts, amounts)
def test_what_is_given_wasted_and_returned_accounts_for_itself(given_mg, wasted, returned):
    assert unaccounted_mg(given_mg + wasted + returned, given_mg, wasted, returned) == 0


@given(amounts, st.decimals(min_value="0.0001", max_value=10, places=4, allow_nan=False))
def test_a_missing_amount_is_found_to_the_last_digit(given_mg, missing):
    assert unaccounted_mg(given_mg + missing, given_mg, Decimal(0), Decimal(0)) == missing


@pytest.mark.parametrize(
    ("left", "expected"), [("0", True), ("0.05", True), ("-0.05", True), ("0.06", False), ("-0.06", False)]
)
def test_the_tolerance_counts_both_ways(left, expected):
    assert is_balanced(Decimal(left), tolerance_mg=Decimal("0.05")) is expected


@given(amounts, amounts, st.sampled_from(sorted(TAKING)))
def test_no_balance_goes_below_zero(held, wanted, kind):
    if wanted > held:
        with pytest.raises(BalanceBelowZero, match="cannot be taken"):
            balance_after(held, kind, wanted)
    else:
        assert balance_after(held, kind, wanted) == held - wanted


@given(amounts, amounts, st.sampled_from(sorted(UNCHANGED)))
def test_what_happens_to_withdrawn_drug_leaves_the_container_alone(held, amount, kind):
    assert balance_after(held, kind, amount) == held


@given(amounts, amounts, st.sampled_from([RegisterKind.RECEIVE, RegisterKind.RETURN]))
def test_what_comes_in_is_added(held, amount, kind):
    assert balance_after(held, kind, amount) == held + amount


def test_an_adjustment_carries_its_own_sign():
    assert balance_after(Decimal(150), RegisterKind.ADJUST, Decimal(-10)) == 140


@pytest.mark.parametrize("kind", [kind for kind in RegisterKind if kind is not RegisterKind.ADJUST])
def test_no_other_line_is_negative(kind):
    with pytest.raises(ValueError, match="never below zero"):
        balance_after(Decimal(100), kind, Decimal(-1))


def test_waste_and_count_need_a_second_person():
    assert RegisterKind.WASTE.needs_witness
    assert RegisterKind.COUNT.needs_witness
    assert not RegisterKind.WITHDRAW.needs_witness
