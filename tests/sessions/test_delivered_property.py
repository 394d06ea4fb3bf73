"""Any legal sequence of acts at the pump gives exactly the integral of the rate over time."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic.core import db
from clinic.sessions import operations
from clinic.sessions.progress import progress
from clinic.sessions.rules import SessionStatus
from tests.factories.sessions import START

RATES = st.decimals("0.1", "20", places=4)
ACTS = st.lists(
    st.tuples(st.sampled_from(["rate", "pause", "resume", "bolus", "bag"]), st.integers(1, 900_000_000), RATES),
    max_size=6,
)
BOLUS = Decimal(1)


@pytest.fixture
def make_any_rate(make_running, make_draft):
    """An order without a maximum. Its drug is made here, outside of what each example takes back."""
    free = {"step_amount": None, "step_every_min": None, "highest_amount": None, "maximum_rate": None}
    terms = free | {"maximum_rate_unit": None, "maximum_total_mg": None, "bolus_mg": BOLUS}
    make_draft()
    return lambda: make_running(**terms)


def attempt(verb, infusion, rate, **when):
    """Do an act if the pump's state allows it; give the rate after it and the bolus in it."""
    running = infusion.status is SessionStatus.INFUSING
    match verb:
        case "rate" if running and rate != progress(infusion, when["at"]).set_ml_h:
            operations.change_rate(infusion, rate_ml_h=rate, reason="as it was", **when)
            return rate, 0
        case "pause" if running:
            operations.pause(infusion, **when)
            return 0, 0
        case "resume" if infusion.status is SessionStatus.PAUSED:
            operations.resume(infusion, rate_ml_h=rate, reason="as it was", **when)
            return rate, 0
        case "bolus":
            operations.bolus(infusion, bolus_mg=BOLUS, **when)
            return None, BOLUS
        case "bag":
            operations.change_bag(infusion, **when)
            return None, 0
    return None, 0


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_what_was_given_is_the_exact_integral(make_any_rate, nurse, acts):
    with db.unit_of_work() as savepoint:
        infusion = make_any_rate()
        now, rate, given_mg = START, Fraction(Decimal("13.6")), Fraction(0)
        for verb, microseconds, wanted in acts:
            later = now + timedelta(microseconds=microseconds)
            # Five times away from the order is a slip and refused; that is another test's matter.
            chosen = max(wanted, Decimal("2.8"))
            after, bolus = attempt(verb, infusion, chosen, happened_at=later, by=nurse, at=later)
            given_mg += rate * Fraction(microseconds, 3_600_000_000) + Fraction(bolus)
            now, rate = later, rate if after is None else Fraction(after)
        found = progress(infusion, now).delivered_mg
        assert abs(Fraction(found) - given_mg) < Fraction(1, 10**40)
        savepoint.rollback()
