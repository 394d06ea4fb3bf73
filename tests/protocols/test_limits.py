from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.protocols.limit_rules import Comparator, Limit, LimitLevel, Vital, breaches, is_breached, limit_text

bounds = st.integers(0, 300).map(Decimal)
limits = st.builds(Limit, st.sampled_from(LimitLevel), st.sampled_from(Vital), st.sampled_from(Comparator), bounds)


def limit(text, vital=Vital.SBP):
    comparator, bound = text.split()
    return Limit(LimitLevel.NOTIFY, vital, Comparator(comparator), Decimal(bound))


@pytest.mark.parametrize(
    ("stated", "value", "expected"),
    [
        ("ge 170", 169, False), ("ge 170", 170, True), ("gt 170", 170, False), ("gt 170", 171, True),
        ("lt 93", 93, False), ("lt 93", 92, True), ("le -3", -3, True), ("le -3", -2, False), ("eq 3", 3, True),
        ("eq 3", 2, False),
    ],
)  # fmt: skip
def test_a_limit_is_breached_exactly_at_its_bound(stated, value, expected):
    assert is_breached(limit(stated), value) is expected


@given(st.lists(limits))
def test_a_vital_that_was_not_taken_breaches_nothing(entered):
    assert breaches(entered, dict.fromkeys(Vital)) == []
    assert breaches(entered, {}) == []


@given(limits, bounds)
def test_a_breach_keeps_the_limit_and_the_value(entered, value):
    found = breaches([entered], {entered.vital: value})
    assert [(breach.limit, breach.value) for breach in found] == (
        [(entered, value)] if is_breached(entered, value) else []
    )


@pytest.mark.parametrize(
    ("stated", "text"),
    [
        (["lt 90", "gt 160"], "90 to 160"),
        (["ge 170"], "under 170"),
        (["gt 2"], "2 or less"),
        (["lt 50"], "at least 50"),
        (["le -3"], "over -3"),
        (["le -3", "ge 2"], "over -3 and under 2"),
        (["lt 50", "ge 120"], "at least 50 and under 120"),
        (["le 50", "gt 120"], "over 50 and at most 120"),
        (["eq 3"], "not 3"),
        (["ge 170", "ge 185"], "under 170"),
        (["gt 1000"], "1,000 or less"),
        ([], ""),
    ],
)
def test_limits_are_said_in_words(stated, text):
    assert limit_text([limit(one) for one in stated]) == text


@pytest.mark.parametrize(("stated", "text"), [(["lt 94"], "at least 94%"), (["lt 94", "gt 98"], "94 to 98%")])
def test_saturation_carries_its_percent_sign(stated, text):
    assert limit_text([limit(one, Vital.SPO2) for one in stated]) == text


@given(st.lists(st.builds(Limit, st.sampled_from(LimitLevel), st.just(Vital.HR), st.sampled_from(Comparator), bounds)))
def test_no_limit_text_has_a_sign_that_is_misread(entered):
    assert not set(limit_text(entered)) & set("<>=@&")


def test_limits_of_two_vitals_are_not_one_text():
    with pytest.raises(ValueError, match="one vital"):
        limit_text([limit("ge 170"), limit("ge 100", Vital.DBP)])
