"""Where an order has a dose for each session, the bedside shows this session's and holds to it."""

from datetime import timedelta
from decimal import Decimal

import pytest

from clinic.core import clock, db
from clinic.courses import operations as courses
from clinic.orders import operations as orders
from clinic.protocols.rules import DoseBasis
from clinic.protocols.terms import draft_of
from clinic.sessions import operations
from clinic.sessions.pages_session import sentence_of
from clinic.sessions.progress import ordered_total_mg
from clinic.sessions.readiness import order_findings
from tests.factories.accounts import PASSWORD
from tests.factories.sessions import ARRIVED, START

DAY = timedelta(days=1)
TODAY = ARRIVED.date()
STEPPED = {
    "start_amount": None,
    "session_amounts": (Decimal("0.2"), Decimal("0.4"), Decimal("0.6")),
    "sessions_planned": 3,
    "step_amount": None,
    "step_every_min": None,
    "highest_amount": None,
    "maximum_rate": None,
    "maximum_rate_unit": None,
    "maximum_total_mg": None,
}


@pytest.fixture
def stepped_course(make_course, make_draft, make_protocol_version):
    draft = make_draft(**STEPPED)
    return make_course(protocol_version=make_protocol_version(draft=draft), draft=draft)


@pytest.fixture
def arrived(stepped_course, make_appointment, nurse):
    """A session of the stepped course whose patient is there, by its number."""

    def make(number):
        appointment = make_appointment(stepped_course, number=number)
        with db.unit_of_work():
            return operations.arrive(appointment, arrived_at=ARRIVED, by=nurse, at=ARRIVED)

    return make


def codes(infusion):
    return [found.code for found in order_findings(infusion.order_version, TODAY, infusion)]


def test_the_first_session_starts_with_its_own_dose(arrived, settle_checks, make_double_check, nurse):
    infusion = settle_checks(arrived(1))
    assert "start 0.2\u00a0mg per kg per hour, for" in sentence_of(infusion)
    check = make_double_check(infusion, "13.6", at=START)
    event = operations.start(infusion, happened_at=START, double_check=check, by=nurse, at=START)
    assert event.rate_ml_h == Decimal("13.6")


def test_the_dose_of_a_later_session_is_refused_today(arrived, settle_checks, make_double_check, nurse):
    infusion = settle_checks(arrived(1))
    proposal = operations.propose_rate(
        infusion, rate_ml_h=Decimal("27.2"), purpose="start", proposed_at=START, by=nurse, at=START
    )
    assert proposal.is_blocked
    assert "highest step" in proposal.findings


def test_a_total_is_that_of_the_session(make_infusion):
    amounts = (Decimal(30), Decimal(40))
    terms = {"basis": DoseBasis.MG, "session_amounts": amounts, "sessions_planned": 2}
    infusion = make_infusion(**STEPPED | terms)
    assert ordered_total_mg(infusion) == 30


def test_a_session_beyond_the_doses_does_not_start(arrived):
    assert "no-dose-for-session" in codes(arrived(4))


def test_a_session_out_of_its_turn_waits_for_a_physician(arrived, stepped_course, signing_physician):
    infusion = arrived(2)
    assert codes(infusion) == ["session-out-of-turn"]
    before = stepped_course.order.current
    with clock.standing_at(ARRIVED), db.unit_of_work():
        version = courses.adjust(
            stepped_course,
            draft_of(before.terms),
            reason="The first session was missed.",
            weight=before.weight,
            valid_from=before.valid_from,
            valid_until=before.valid_until,
            sessions_allowed=3,
            by=signing_physician,
            at=ARRIVED,
        )
        reason = "Allergies are asked at the chair."
        orders.sign(version, by=signing_physician, password=PASSWORD, at=ARRIVED, reason=reason)
    with db.unit_of_work():
        infusion.order_version = version
    assert codes(infusion) == []
