from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.outcomes.rules import (
    change_pct,
    gad7_total,
    peg_score,
    pgic_words,
    phq9_flags_item_nine,
    phq9_total,
)

scores = st.integers(0, 10)


@pytest.mark.parametrize(
    ("items", "score"),
    [([8, 7, 8], "7.7"), ([5, 5, 6], "5.3"), ([7, 8, 7], "7.3"), ([9, 8, 9], "8.7"), ([0, 0, 0], "0.0")],
)
def test_the_peg_is_the_mean_to_one_place(items, score):
    assert str(peg_score(items)) == score


@pytest.mark.parametrize(
    ("baseline", "now", "pct"), [(7, 4, "-42.9"), (8, 6, "-25.0"), (9, 8, "-11.1"), (8, 5, "-37.5"), (6, 7, "16.7")]
)
def test_a_change_is_in_per_cent_of_the_baseline(baseline, now, pct):
    assert change_pct(baseline, now) == Decimal(pct)


@given(st.integers(1, 1000), st.integers(0, 1000))
def test_a_change_is_rounded_by_at_most_half_a_tenth(baseline, now):
    exact = Fraction(now - baseline, baseline) * 100
    assert abs(Fraction(change_pct(baseline, now)) - exact) <= Fraction(1, 20)


@pytest.mark.parametrize(("baseline", "now"), [(None, 4), (7, None), (0, 4)])
def test_there_is_no_change_without_both_values(baseline, now):
    assert change_pct(baseline, now) is None


@given(st.lists(st.integers(0, 3), min_size=9, max_size=9))
def test_questionnaires_are_summed(items):
    assert phq9_total(items) == sum(items)
    assert gad7_total(items[:7]) == sum(items[:7])


@pytest.mark.parametrize(("score", "count"), [(peg_score, 3), (phq9_total, 9), (gad7_total, 7)])
def test_one_missing_answer_leaves_no_score(score, count):
    for missing in range(count):
        assert score([1] * missing + [None] + [1] * (count - missing - 1)) is None


@pytest.mark.parametrize(("score", "count", "beyond"), [(peg_score, 3, 11), (phq9_total, 9, 4), (gad7_total, 7, -1)])
def test_an_answer_outside_its_scale_is_refused(score, count, beyond):
    with pytest.raises(ValueError, match="Enter a value from 0"):
        score([beyond] + [0] * (count - 1))


def test_a_wrong_number_of_answers_is_refused():
    with pytest.raises(ValueError, match="9 answers"):
        phq9_total([1, 1])


def test_the_ninth_answer_is_flagged_even_when_others_are_missing():
    assert phq9_flags_item_nine([None] * 8 + [1])
    assert not phq9_flags_item_nine([3] * 8 + [0])
    assert not phq9_flags_item_nine([3] * 8 + [None])


def test_the_global_impression_is_said_in_words():
    assert pgic_words(4) == "no change"
    assert pgic_words(None) is None
    with pytest.raises(ValueError, match="from 1 to 7"):
        pgic_words(8)
