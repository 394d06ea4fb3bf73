"""The rate on the pump and the second person's own computation."""

from decimal import Decimal

import pytest

from clinic.core.errors import RuleBroken
from clinic.protocols.rules import DoseBasis
from clinic.sessions import operations
from clinic.sessions.event_rules import Actuality, CheckPurpose
from tests.factories.sessions import START


@pytest.fixture
def propose(nurse):
    def act(infusion, rate, *, by=nurse, at=START):
        return operations.propose_rate(
            infusion, rate_ml_h=Decimal(rate), purpose=CheckPurpose.START, proposed_at=at, by=by, at=at
        )

    return act


@pytest.fixture
def check(second_nurse):
    def act(infusion, proposal, rate, *, checker=second_nurse, at=START):
        return operations.double_check(infusion, proposal, computed_rate_ml_h=Decimal(rate), checker=checker, at=at)

    return act


def test_the_same_rate_twice_is_a_match(make_ready, propose, check):
    infusion = make_ready()
    assert check(infusion, propose(infusion, "13.6"), "13.6").is_match


def test_rates_are_compared_after_the_pumps_rounding(make_ready, propose, check):
    infusion = make_ready(pump_step_ml_h=Decimal("0.1"), start_amount=Decimal("0.3"), maximum_rate=Decimal("0.5"))
    proposal = propose(infusion, "20.4")
    assert check(infusion, proposal, "20.43").is_match


def test_without_a_pump_step_they_are_compared_exactly(make_ready, propose, check):
    infusion = make_ready()
    assert not check(infusion, propose(infusion, "13.6"), "13.61").is_match


def test_a_mismatch_is_kept_and_recorded_as_a_near_miss(make_ready, propose, check):
    infusion = make_ready()
    found = check(infusion, propose(infusion, "13.6"), "1.36")
    assert not found.is_match
    (event,) = infusion.adverse_events
    assert event.actuality is Actuality.POTENTIAL
    assert event.term == "Double check failed: 13.6 vs 1.36\u00a0mL/h"


def test_after_a_mismatch_both_do_it_again(make_ready, propose, check, nurse):
    infusion = make_ready()
    proposal = propose(infusion, "13.6")
    failed = check(infusion, proposal, "13.5")
    with pytest.raises(RuleBroken, match="checked already"):
        check(infusion, proposal, "13.6")
    with pytest.raises(RuleBroken, match="failed"):
        operations.start(infusion, happened_at=START, double_check=failed, by=nurse, at=START)


def test_nobody_checks_their_own_rate(make_ready, propose, check, nurse):
    infusion = make_ready()
    with pytest.raises(RuleBroken, match="another one"):
        check(infusion, propose(infusion, "13.6"), "13.6", checker=nurse)


def test_the_checker_is_a_clinician(make_ready, propose, check, scheduler):
    infusion = make_ready()
    with pytest.raises(RuleBroken, match="nurse or a physician"):
        check(infusion, propose(infusion, "13.6"), "13.6", checker=scheduler)


def test_a_tenfold_rate_is_kept_blocked_with_both_numbers(make_ready, propose):
    proposal = propose(make_ready(), "136")
    assert proposal.is_blocked
    assert "136\u00a0mL/h" in proposal.findings
    assert "900%" in proposal.findings


def test_a_rate_that_comes_to_too_much_in_total_is_blocked(make_ready, propose):
    infusion = make_ready(maximum_total_mg=Decimal(40))
    assert not propose(infusion, "20").is_blocked
    proposal = propose(infusion, "20.1")
    assert proposal.is_blocked
    assert "maximum is 40\u00a0mg" in proposal.findings


def test_nothing_starts_on_a_blocked_rate(make_ready, propose, check, nurse):
    infusion = make_ready()
    agreed = check(infusion, propose(infusion, "136"), "136")
    with pytest.raises(RuleBroken, match="maximum rate"):
        operations.start(infusion, happened_at=START, double_check=agreed, by=nurse, at=START)


def test_a_small_difference_asks_for_a_reason_at_the_start(make_ready, make_double_check, clinic, nurse):
    clinic.rate_difference_percent = 2
    infusion = make_ready()
    passed = make_double_check(infusion, "14", at=START)
    with pytest.raises(RuleBroken, match=r"differs by 2\.9%"):
        operations.start(infusion, happened_at=START, double_check=passed, by=nurse, at=START)
    assert operations.start(
        infusion, happened_at=START, double_check=passed, reason="Pump has whole steps", by=nurse, at=START
    )


@pytest.mark.parametrize(
    ("basis", "amount", "rate"),
    [
        (DoseBasis.MG_PER_KG, "0.5", "51"),
        (DoseBasis.MG, "45", "67.5"),
        (DoseBasis.MG_PER_KG_H, "0.2", "13.6"),
        (DoseBasis.MG_PER_H, "20", "20"),
        (DoseBasis.MCG_PER_KG_MIN, "5", "20.4"),
    ],
)
def test_every_way_to_write_a_dose_comes_to_a_pump_rate(make_ready, propose, basis, amount, rate):
    infusion = make_ready(
        basis=basis,
        start_amount=Decimal(amount),
        duration_min=40,
        step_amount=None,
        step_every_min=None,
        highest_amount=None,
        maximum_rate=None,
        maximum_rate_unit=None,
    )
    assert propose(infusion, rate).findings is None


def test_refuses_a_rate_of_nothing(make_ready, propose):
    with pytest.raises(RuleBroken, match="above zero"):
        propose(make_ready(), "0")


def test_refuses_more_decimals_than_the_record_keeps(make_ready, propose):
    with pytest.raises(RuleBroken, match="4 decimals"):
        propose(make_ready(), "13.60001")
