from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.protocols.rules import DischargeScale
from clinic.sessions.score_rules import SCORES, DischargeTerms, may_discharge_home, score_total

MPADSS = DischargeScale.MPADSS
scales = st.sampled_from(DischargeScale)
five = st.lists(st.integers(0, 2), min_size=5, max_size=5)


def scored(scale, values):
    return {item.key: value for item, value in zip(SCORES[scale].items, values, strict=True)}


@given(scales, five)
def test_the_total_is_the_sum_of_five_items(scale, values):
    assert score_total(scale, scored(scale, values)) == sum(values)


@given(scales, five, st.integers(0, 4))
def test_a_missing_item_is_never_counted_as_met(scale, values, missing):
    items = scored(scale, values)
    key = list(items)[missing]
    for incomplete in (items | {key: None}, {name: value for name, value in items.items() if name != key}):
        assert score_total(scale, incomplete) is None


@pytest.mark.parametrize("value", [-1, 3])
def test_a_value_outside_0_to_2_is_refused(value):
    with pytest.raises(ValueError, match="from 0 to 2"):
        score_total(MPADSS, scored(MPADSS, [value, 2, 2, 2, 2]))


def test_an_item_of_another_scale_is_refused():
    with pytest.raises(ValueError, match="Not an item of MPADSS: circulation"):
        score_total(MPADSS, {"circulation": 2})


@pytest.mark.parametrize("scale", DischargeScale)
def test_every_score_reaches_ten_and_says_what_each_value_means(scale):
    assert SCORES[scale].maximum == 10
    assert all(set(item.words) == {0, 1, 2} and all(item.words.values()) for item in SCORES[scale].items)


TERMS = DischargeTerms(MPADSS, cutoff=9, minimum_recovery_min=30, is_escort_needed=True)


def home(terms=TERMS, **changes):
    usual = {
        "items": scored(MPADSS, [2, 2, 2, 1, 2]),
        "recovery_min": 30,
        "is_escort_present": True,
        "are_instructions_given": True,
        "is_cannula_out": True,
        "unaccounted_mg": {"ketamine": Decimal("0.0000")},
    }
    return [reason.replace("\u00a0", " ") for reason in may_discharge_home(terms, **usual | changes)]


def test_a_patient_goes_home_when_all_is_met():
    assert home() == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"items": scored(MPADSS, [2, 2, 2, 1, 1])}, "MPADSS is 8; the order asks for at least 9."),
        ({"items": {}}, "MPADSS is not complete."),
        ({"recovery_min": Decimal("29.9")}, "29 min of recovery so far; the order asks for 30 min."),
        ({"is_escort_present": None}, "The escort has not taken over."),
        ({"are_instructions_given": None}, "The written instructions are not given."),
        ({"is_cannula_out": False}, "The cannula is not recorded as removed."),
        (
            {"unaccounted_mg": {"midazolam": Decimal(1)}},
            "The midazolam account does not balance: 1 mg unaccounted for.",
        ),
        (
            {"unaccounted_mg": {"ketamine": Decimal("-0.5")}},
            "The ketamine account does not balance: -0.5 mg unaccounted for.",
        ),
    ],
)
def test_each_reason_against_going_home_is_told(changes, reason):
    assert home(**changes) == [reason]


def test_a_physician_may_override_the_score_and_nothing_else():
    overridden = DischargeTerms(MPADSS, 9, 30, is_escort_needed=True, is_overridden=True)
    assert home(overridden, items={}, is_cannula_out=False) == ["The cannula is not recorded as removed."]


@given(five, st.integers(0, 10))
def test_the_cutoff_itself_is_enough(values, cutoff):
    terms = DischargeTerms(MPADSS, cutoff, minimum_recovery_min=30, is_escort_needed=True)
    assert (home(terms, items=scored(MPADSS, values)) == []) is (sum(values) >= cutoff)


def test_an_order_may_do_without_an_escort():
    assert home(DischargeTerms(MPADSS, 9, 30, is_escort_needed=False), is_escort_present=None) == []
