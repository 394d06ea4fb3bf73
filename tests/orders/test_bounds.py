"""An order is held against the limits of the protocol that it was begun from."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.core.findings import FindingLevel
from clinic.orders.bound_rules import beyond_protocol
from clinic.orders.rules import DoseBasis, breaches
from clinic.protocols.rules import Comparator, LimitLevel, Vital
from clinic.protocols.terms import LimitDraft, TermsDraft

DRUG = uuid4()
KG = Decimal(68)
PROTOCOL = TermsDraft(
    drug_id=DRUG,
    basis=DoseBasis.MG_PER_KG_H,
    start_amount=Decimal("0.2"),
    highest_amount=Decimal("0.35"),
    maximum_rate=Decimal("0.5"),
    maximum_rate_unit=DoseBasis.MG_PER_KG_H,
    maximum_total_mg=Decimal(60),
    course_maximum_mg=Decimal(360),
    maximum_duration_min=180,
    limits=(LimitDraft(LimitLevel.HOLD, Vital.SPO2, Comparator.LT, Decimal(92)),),
)


def codes(protocol=PROTOCOL, *, weight_kg=KG, **changes):
    order = replace(PROTOCOL, **changes)
    found = beyond_protocol(order, protocol, weight_kg=weight_kg, level=FindingLevel.SOFT)
    return [finding.code.removeprefix("beyond-protocol-") for finding in found]


def test_an_order_as_the_protocol_has_it_is_inside_every_limit():
    assert codes() == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"maximum_total_mg": Decimal("60.1")}, "session-maximum"),
        ({"maximum_total_mg": None}, "session-maximum"),
        ({"course_maximum_mg": Decimal(361)}, "course-maximum"),
        ({"maximum_duration_min": 181}, "longest-time"),
        ({"maximum_rate": Decimal("0.51")}, "maximum-rate"),
        ({"maximum_rate": None, "maximum_rate_unit": None}, "maximum-rate"),
        ({"highest_amount": Decimal("0.51")}, "highest-rate"),
        ({"start_amount": Decimal("0.6"), "highest_amount": None}, "highest-rate"),
        ({"limits": ()}, "hold-spo2"),
        ({"limits": (LimitDraft(LimitLevel.HOLD, Vital.SPO2, Comparator.LT, Decimal(91)),)}, "hold-spo2"),
        ({"limits": (LimitDraft(LimitLevel.NOTIFY, Vital.SPO2, Comparator.LT, Decimal(92)),)}, "hold-spo2"),
    ],
)
def test_every_limit_that_is_widened_or_left_out_is_named(changes, code):
    assert codes(**changes) == [code]


@pytest.mark.parametrize(
    "changes",
    [
        {"maximum_total_mg": Decimal(60), "highest_amount": Decimal("0.5")},
        {"limits": (LimitDraft(LimitLevel.HOLD, Vital.SPO2, Comparator.LE, Decimal(92)),)},
        {"limits": (LimitDraft(LimitLevel.HOLD, Vital.SPO2, Comparator.LT, Decimal(94)),)},
    ],
)
def test_what_is_as_tight_or_tighter_is_inside(changes):
    assert codes(**changes) == []


def test_a_protocol_without_a_maximum_rate_is_bounded_by_its_highest():
    bare = replace(PROTOCOL, maximum_rate=None, maximum_rate_unit=None)
    assert codes(bare, highest_amount=Decimal("0.36")) == ["highest-rate", "maximum-rate"]


def test_a_protocol_without_limits_bounds_nothing():
    bare = TermsDraft(drug_id=DRUG, basis=DoseBasis.MG_PER_KG_H)
    assert codes(bare, maximum_total_mg=Decimal(9999), maximum_rate=Decimal(99)) == []


@given(
    st.decimals("0.01", 100, places=2),
    st.decimals("0.01", 100, places=2),
    st.decimals(20, 200, places=1),
)
def test_rates_in_two_units_are_compared_exactly(per_hour, per_kg_min, weight_kg):
    order = {"maximum_rate": per_hour, "maximum_rate_unit": DoseBasis.MG_PER_H, "highest_amount": None}
    protocol = replace(PROTOCOL, maximum_rate=per_kg_min, maximum_rate_unit=DoseBasis.MCG_PER_KG_MIN)
    found = codes(protocol, weight_kg=weight_kg, start_amount=Decimal("0.0001"), **order)
    is_over = Fraction(per_hour) * 1000 / 60 / Fraction(weight_kg) > Fraction(per_kg_min)
    assert ("maximum-rate" in found) is is_over


@given(
    *(st.sampled_from([Comparator.LT, Comparator.LE, Comparator.GT, Comparator.GE]) for _ in range(2)),
    *(st.integers(80, 100) for _ in range(2)),
)
def test_a_limit_is_kept_when_every_value_that_breached_it_still_does(mine, theirs, ours, bound):
    kept, asked = (
        LimitDraft(LimitLevel.HOLD, Vital.SPO2, comparator, Decimal(number))
        for comparator, number in ((mine, ours), (theirs, bound))
    )
    found = codes(replace(PROTOCOL, limits=(asked,)), limits=(kept,))
    readings = [{Vital.SPO2: Decimal(halves) / 2} for halves in range(120, 240)]
    let_through = [reading for reading in readings if breaches([asked], reading) and not breaches([kept], reading)]
    assert bool(found) is bool(let_through)
