"""Another rate while the pump runs: the order's steps, its maxima, and what was spoken."""

from datetime import timedelta
from decimal import Decimal

import pytest

from clinic.core.errors import RuleBroken
from clinic.core.findings import FindingLevel
from clinic.orders import operations as orders
from clinic.orders.rules import SpokenMode
from clinic.protocols.rules import DoseBasis
from clinic.sessions import operations
from clinic.sessions.event_rules import CheckPurpose
from clinic.sessions.progress import progress
from tests.factories.sessions import minute


@pytest.fixture
def change(nurse):
    def act(infusion, rate, minutes, **values):
        when = minute(minutes)
        return operations.change_rate(
            infusion, rate_ml_h=Decimal(rate), happened_at=when, by=nurse, at=values.pop("at", when), **values
        )

    return act


@pytest.fixture
def make_spoken(nurse, physician):
    def make(infusion, text="Lower to 8 mL per hour", minutes=20):
        return orders.write_verbal_order(
            infusion.order_version,
            text,
            spoken_by=physician,
            spoken_at=minute(minutes),
            mode=SpokenMode.VERBAL,
            is_read_back=True,
            by=nurse,
            at=minute(minutes),
        )

    return make


def test_takes_the_orders_next_step(make_running, change):
    infusion = make_running()
    change(infusion, "17", 30)
    assert progress(infusion, minute(60)).delivered_mg == Decimal("6.8") + Decimal("8.5")


def test_a_step_that_comes_too_soon_asks_for_a_reason(make_running, change):
    infusion = make_running()
    with pytest.raises(RuleBroken, match="30\u00a0min apart") as refusal:
        change(infusion, "17", 20)
    assert refusal.value.field == "reason"
    assert change(infusion, "17", 20, reason="No effect at all")


def test_a_step_that_comes_too_soon_is_refused_where_the_clinic_wants_it_so(make_running, change, clinic):
    clinic.step_level = FindingLevel.HARD
    infusion = make_running()
    with pytest.raises(RuleBroken, match="30\u00a0min apart") as refusal:
        change(infusion, "17", 20, reason="No effect at all")
    assert refusal.value.field == "rate_ml_h"


def test_a_step_larger_than_the_orders_asks_for_a_reason(make_running, change):
    infusion = make_running()
    with pytest.raises(RuleBroken, match="the order's step is"):
        change(infusion, "20.4", 30)
    assert change(infusion, "20.4", 30, reason="Pain 9")


def test_a_rate_over_the_orders_highest_step_is_refused(make_running, change):
    with pytest.raises(RuleBroken, match="highest step"):
        change(make_running(), "25", 30, reason="Pain 9")


def test_lowering_asks_for_a_reason(make_running, change):
    infusion = make_running()
    with pytest.raises(RuleBroken, match="lowered"):
        change(infusion, "10", 20)
    assert change(infusion, "10", 20, reason="Blood pressure")


def test_the_same_rate_is_no_change(make_running, change):
    with pytest.raises(RuleBroken, match="at this rate already"):
        change(make_running(), "13.6", 20)


def test_a_total_over_the_orders_maximum_is_refused(make_running, change):
    infusion = make_running(maximum_total_mg=Decimal(33), highest_amount=Decimal("0.25"))
    with pytest.raises(RuleBroken, match="maximum is 33\u00a0mg"):
        change(infusion, "17", 10, reason="Pain 9")


def test_a_rise_after_the_orders_longest_time_is_refused(make_running, change):
    infusion = make_running(maximum_duration_min=120)
    with pytest.raises(RuleBroken, match="maximum is 120\u00a0min"):
        change(infusion, "17", 121)


def test_a_spoken_order_leaves_the_steps(make_running, make_spoken, change):
    infusion = make_running()
    spoken = make_spoken(infusion)
    event = change(infusion, "8", 20, verbal_order=spoken, reason="Spoken order")
    assert event.verbal_order_id == spoken.id


def test_a_spoken_order_never_goes_over_the_maximum(make_running, make_spoken, change):
    infusion = make_running()
    with pytest.raises(RuleBroken, match="maximum rate"):
        change(infusion, "35", 20, verbal_order=make_spoken(infusion), reason="Spoken order")


def test_a_spoken_order_for_another_patient_is_refused(make_running, make_infusion, make_spoken, change):
    spoken = make_spoken(make_infusion())
    with pytest.raises(RuleBroken, match="another patient"):
        change(make_running(), "8", 20, verbal_order=spoken, reason="Spoken order")


def test_above_the_last_checked_rate_a_second_person_computes(make_running, make_double_check, change, clinic):
    clinic.double_check_minutes = 15
    infusion = make_running()
    with pytest.raises(RuleBroken, match="second person"):
        change(infusion, "17", 30)
    check = make_double_check(infusion, "17", purpose=CheckPurpose.RATE_CHANGE, at=minute(30))
    assert change(infusion, "17", 30, double_check=check)


def test_a_double_check_of_another_rate_does_not_count(make_running, make_double_check, change, clinic):
    clinic.double_check_minutes = 15
    infusion = make_running()
    check = make_double_check(infusion, "17", purpose=CheckPurpose.RATE_CHANGE, at=minute(30))
    with pytest.raises(RuleBroken, match="Another rate"):
        change(infusion, "16", 30, double_check=check)


def test_a_dose_that_is_a_total_ends_when_it_is_given(make_running, change):
    """A lowered rate moves the end, not the dose: 67.5 for 20 min, then 30, reaches 45 mg at minute 65."""
    infusion = make_running(
        rate="67.5",
        basis=DoseBasis.MG,
        start_amount=Decimal(45),
        duration_min=40,
        maximum_duration_min=90,
        maximum_total_mg=Decimal(50),
        maximum_rate=Decimal(72),
        maximum_rate_unit=DoseBasis.MG_PER_H,
        step_amount=None,
        step_every_min=None,
        highest_amount=None,
    )
    assert progress(infusion, minute(10)).planned_stop == minute(40)
    change(infusion, "30", 20, reason="Blood pressure")
    now = progress(infusion, minute(30))
    assert now.planned_stop == minute(65)
    assert now.projected_total_mg == 45


def test_the_orders_longest_time_caps_a_total(make_running, change):
    infusion = make_running(
        rate="67.5",
        basis=DoseBasis.MG,
        start_amount=Decimal(45),
        duration_min=40,
        maximum_duration_min=50,
        maximum_rate=Decimal(72),
        maximum_rate_unit=DoseBasis.MG_PER_H,
        step_amount=None,
        step_every_min=None,
        highest_amount=None,
    )
    change(infusion, "30", 20, reason="Blood pressure")
    now = progress(infusion, minute(30))
    assert now.planned_stop == minute(50)
    assert now.projected_total_mg == Decimal("22.5") + 15


def test_refuses_a_time_in_the_future(make_running, change):
    with pytest.raises(RuleBroken, match="future"):
        change(make_running(), "17", 30, at=minute(30) - timedelta(seconds=1))
