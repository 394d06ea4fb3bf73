from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clinic.core.units import Unit
from clinic.orders.rules import (
    Finding,
    FindingLevel,
    RateTerms,
    check_duration,
    check_prn,
    check_projected_total,
    check_rate,
    check_step,
    check_validity,
    check_weight,
)

NOON = datetime(2026, 5, 11, 12, tzinfo=UTC)
rates = st.decimals(min_value="0.1", max_value=999, places=1, allow_nan=False)
weights = st.decimals(min_value=20, max_value=400, places=1, allow_nan=False)


def found(findings):
    return [(finding.code, finding.level.value) for finding in findings]


def words(findings):
    return [finding.message.replace("\u00a0", " ") for finding in findings]


def terms(**changes):
    usual = {"rate_unit": Unit.MG_PER_KG_H, "concentration_mg_ml": Decimal(4), "weight_kg": Decimal(50)}
    return RateTerms(**usual | {name: value and Decimal(value) for name, value in changes.items()})


def test_a_tenfold_rate_is_stopped_with_both_numbers():
    findings = check_rate(Decimal(125), terms(maximum_rate="3", calculated_ml_h="12.5", soft_difference_pct="5"))
    assert words(findings) == [
        "125 mL/h is 10 mg/kg/h; the order's maximum rate is 3 mg/kg/h (37.5 mL/h).",
        "125 mL/h differs by 900% from the calculated 12.5 mL/h.",
    ]
    assert {finding.level for finding in findings} == {FindingLevel.HARD}


@pytest.mark.parametrize(
    ("proposed", "expected"),
    [
        ("62.5", [("rate-far-from-calculated", "hard")]),
        ("62.4", [("rate-differs-from-calculated", "soft")]),
        ("13.2", [("rate-differs-from-calculated", "soft")]),
        ("13.1", []),
        ("12.5", []),
        ("2.6", [("rate-differs-from-calculated", "soft")]),
        ("2.5", [("rate-far-from-calculated", "hard")]),
    ],
)
def test_five_times_away_is_hard_and_beyond_the_clinics_per_cent_soft(proposed, expected):
    assert found(check_rate(Decimal(proposed), terms(calculated_ml_h="12.5", soft_difference_pct="5"))) == expected


def test_without_a_calculated_rate_there_is_nothing_to_differ_from():
    assert check_rate(Decimal(1), terms(calculated_ml_h=None, soft_difference_pct="5")) == []


@given(rates, weights, st.decimals(min_value="0.1", max_value=20, places=2, allow_nan=False))
def test_a_rate_is_refused_exactly_when_it_is_over_the_maximum(proposed, weight, maximum):
    findings = check_rate(proposed, terms(weight_kg=weight, maximum_rate=maximum))
    assert bool(findings) is (proposed * 4 > maximum * weight)


@given(weights, st.decimals(min_value="0.01", max_value=10, places=2, allow_nan=False))
def test_the_highest_step_may_be_set_as_the_pump_can_show_it(weight, highest):
    calculated = highest * weight / 4
    limits = terms(
        weight_kg=weight, highest_step_rate=highest, calculated_ml_h=calculated, soft_difference_pct="1",
        pump_step_ml_h="0.1",
    )  # fmt: skip
    nearest = (calculated + Decimal("0.05")).quantize(Decimal("0.1"), rounding="ROUND_FLOOR")
    assume(nearest)
    assert check_rate(nearest, limits) == []
    assert "rate-over-highest-step" in dict(found(check_rate(nearest + Decimal("0.1"), limits)))


@given(rates, st.decimals(min_value="0.01", max_value=9, places=4, allow_nan=False))
def test_an_excess_never_reads_the_same_as_its_bound(proposed, maximum):
    for finding in check_rate(proposed, terms(maximum_rate=maximum)):
        implied, bound = finding.message.replace(",", "").replace("\u00a0", " ").split(" mg/kg/h")[:2]
        assert implied.split()[-1] != bound.split()[-1]


@pytest.mark.parametrize(
    ("to", "since", "codes"),
    [
        ("17.0", 60, []),
        ("17.1", 60, []),
        ("17.2", 60, ["step-too-large"]),
        ("17.0", 59, ["step-too-soon"]),
        ("30", 5, ["step-too-large", "step-too-soon"]),
        ("13.6", 0, []),
        ("5", 0, []),
    ],
)
def test_a_step_is_judged_when_it_raises_the_rate(to, since, codes):
    findings = check_step(
        from_ml_h=Decimal("13.6"), to_ml_h=Decimal(to), step_ml_h=Decimal("3.4"), step_every_min=60,
        minutes_since_change=since, pump_step_ml_h=Decimal("0.1"),
    )  # fmt: skip
    assert [finding.code for finding in findings] == codes


def test_an_order_without_steps_allows_no_raise_and_the_clinic_sets_the_level():
    findings = check_step(
        from_ml_h=Decimal(10), to_ml_h=Decimal(12), step_ml_h=None, step_every_min=None,
        minutes_since_change=0, level=FindingLevel.HARD,
    )  # fmt: skip
    assert found(findings) == [("step-not-ordered", "hard")]


@pytest.mark.parametrize(("projected", "is_over"), [("100", False), ("100.01", True), ("99.9", False)])
def test_a_total_over_the_maximum_is_stopped(projected, is_over):
    assert bool(check_projected_total(Decimal(projected), Decimal(100))) is is_over


def test_the_total_check_shows_both_numbers():
    assert words(check_projected_total(Decimal("62.504"), Decimal("62.5"))) == [
        "The total would come to 62.504 mg; the order's maximum is 62.5 mg."
    ]


def test_no_maximum_stops_nothing():
    assert check_projected_total(Decimal(10**6), None) == check_duration(10**6, None) == []


@pytest.mark.parametrize(("elapsed", "codes"), [(90, []), (91, ["duration-over-maximum"])])
def test_an_infusion_past_its_time_cap_is_found(elapsed, codes):
    assert [finding.code for finding in check_duration(elapsed, 90)] == codes


def test_pounds_typed_as_kilograms_are_noticed():
    findings = check_weight(Decimal(187), Decimal("84.9"), Decimal(10))
    assert found(findings) == [("weight-looks-like-pounds", "hard"), ("weight-changed", "hard")]
    assert words(findings)[1] == "Today 187 kg, last time 84.9 kg: a change of +120.3%, more than 10%."


@given(st.decimals(min_value=30, max_value=150, places=1, allow_nan=False), st.booleans())
def test_pounds_are_noticed_whichever_weight_they_were(weight, is_today):
    pounds = (weight * Decimal("2.20462")).quantize(Decimal("0.1"))
    pair = (pounds, weight) if is_today else (weight, pounds)
    assert ("weight-looks-like-pounds", "hard") in found(check_weight(*pair, Decimal(10)))


@pytest.mark.parametrize(
    ("today", "codes"), [("88", []), ("72", []), ("88.1", ["weight-changed"]), ("71.9", ["weight-changed"])]
)
def test_a_weight_may_change_by_the_clinics_per_cent(today, codes):
    assert [finding.code for finding in check_weight(Decimal(today), Decimal(80), Decimal(10))] == codes


def test_a_first_weight_has_nothing_to_be_compared_with():
    assert check_weight(Decimal(70), None, Decimal(10)) == []


@pytest.mark.parametrize(
    ("day", "used", "codes"),
    [
        (1, 0, []),
        (30, 9, []),
        (1, 10, ["order-no-sessions-left"]),
        (31, 0, ["order-expired"]),
        (31, 10, ["order-expired", "order-no-sessions-left"]),
    ],
)
def test_an_order_is_good_through_its_last_day_and_its_last_session(day, used, codes):
    findings = check_validity(date(2026, 3, day), date(2026, 3, 1), date(2026, 3, 30), used, 10)
    assert [finding.code for finding in findings] == codes


def test_an_order_is_not_good_before_its_first_day():
    findings = check_validity(date(2026, 2, 28), date(2026, 3, 1), None, 0, None)
    assert words(findings) == ["Today is 28-Feb-2026; the order is valid from 01-Mar-2026."]


def given_at(*minutes):
    return [NOON + timedelta(minutes=minute) for minute in minutes]


@pytest.mark.parametrize(
    ("earlier", "codes"),
    [
        ([], []),
        ([-10], []),
        ([-9], ["prn-gap"]),
        ([5], ["prn-gap"]),
        ([-60, -30], ["prn-count"]),
        ([-60, -5], ["prn-count", "prn-gap"]),
    ],
)
def test_an_as_needed_dose_keeps_its_number_and_its_gap(earlier, codes):
    assert [finding.code for finding in check_prn(given_at(*earlier), NOON, 2, 10)] == codes


@given(st.lists(st.integers(-600, 600)), st.integers(0, 5), st.integers(0, 60))
def test_the_order_of_the_doses_does_not_matter(minutes, count, gap):
    assert check_prn(given_at(*minutes), NOON, count, gap) == check_prn(given_at(*sorted(minutes)), NOON, count, gap)


def test_one_dose_is_said_in_the_singular():
    assert words(check_prn(given_at(-90), NOON, 1, None)) == ["1 dose was given; the order allows 1."]


def test_every_fact_of_a_finding_is_text_for_the_record():
    findings: list[Finding] = check_rate(Decimal(125), terms(maximum_rate="3", calculated_ml_h="12.5"))
    assert all(isinstance(fact, str) for finding in findings for fact in finding.facts.values())
    assert findings[0].facts["implied_rate"] == "10"
