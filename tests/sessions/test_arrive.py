"""A patient arrives: the session begins under the order in force."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from clinic.core.errors import RuleBroken
from clinic.courses import operations as courses
from clinic.orders import operations as orders
from clinic.protocols.terms import draft_of
from clinic.scheduling.rules import AppointmentStatus
from clinic.sessions import operations
from clinic.sessions.rules import SessionStatus
from tests.factories.accounts import PASSWORD
from tests.factories.sessions import ARRIVED, START

SECOND = timedelta(seconds=1)


def test_takes_number_chair_nurse_and_order_from_the_appointment(make_appointment, nurse):
    appointment = make_appointment(number=3)
    infusion = operations.arrive(appointment, arrived_at=ARRIVED, by=nurse, at=ARRIVED)
    assert infusion.status is SessionStatus.PRECHECKING
    assert (infusion.number, infusion.chair_id, infusion.nurse_id) == (3, appointment.chair_id, nurse.id)
    assert infusion.order_version is appointment.course.order.current
    assert appointment.status is AppointmentStatus.ARRIVED


def test_writes_the_transition_from_planned(make_infusion):
    (move,) = make_infusion().transitions
    assert (move.from_status, move.to_status) == (SessionStatus.PLANNED, SessionStatus.PRECHECKING)


def test_refuses_an_arrival_in_the_future(make_appointment, nurse):
    with pytest.raises(RuleBroken, match="future"):
        operations.arrive(make_appointment(), arrived_at=ARRIVED + SECOND, by=nurse, at=ARRIVED)


def test_refuses_a_second_arrival(make_infusion, nurse):
    appointment = make_infusion().appointment
    with pytest.raises(RuleBroken, match="arrived"):
        operations.arrive(appointment, arrived_at=ARRIVED, by=nurse, at=START)


def test_refuses_an_order_on_hold(make_appointment, nurse, physician):
    appointment = make_appointment()
    orders.hold(appointment.course.order.current, reason="Blood pressure", by=physician, at=ARRIVED)
    with pytest.raises(RuleBroken, match="on hold"):
        operations.arrive(appointment, arrived_at=ARRIVED, by=nurse, at=ARRIVED)


def test_refuses_a_stopped_order(make_appointment, nurse, physician):
    appointment = make_appointment()
    orders.stop(appointment.course.order.current, reason="Changed plan", by=physician, at=ARRIVED)
    with pytest.raises(RuleBroken, match="not signed"):
        operations.arrive(appointment, arrived_at=ARRIVED, by=nurse, at=ARRIVED)


def test_refuses_an_order_that_has_ended(make_course, make_appointment, nurse):
    course = make_course(valid_until=date(2025, 11, 17))
    with pytest.raises(RuleBroken, match="valid until 17-Nov-2025"):
        operations.arrive(make_appointment(course), arrived_at=ARRIVED, by=nurse, at=ARRIVED)


def test_the_last_day_of_an_order_is_the_clinics_own(make_course, make_appointment, nurse):
    course = make_course(valid_until=date(2025, 11, 18))
    late = ARRIVED.replace(day=19, hour=3)  # still the 18th in New York
    appointment = make_appointment(course, starts_at=late)
    assert operations.arrive(appointment, arrived_at=late, by=nurse, at=late)


@pytest.fixture
def make_fewer(signing_physician):
    """Signs a version of the order that allows the one session that was given, and no more."""

    def make(infusion, *, at):
        before = infusion.order_version
        version = courses.adjust(
            infusion.course, replace(draft_of(before.terms), sessions_planned=1), reason="One was enough.",
            weight=before.weight, valid_from=None, valid_until=None, by=signing_physician, at=at,
        )  # fmt: skip
        courses.sign_order(
            infusion.course, version, by=signing_physician, password=PASSWORD, at=at, reason="Discussed."
        )

    return make


def test_refuses_when_every_session_of_the_order_is_used(make_stopped, make_appointment, make_fewer, nurse):
    infusion = make_stopped(sessions_planned=2)
    later = ARRIVED + timedelta(hours=6)
    appointment = make_appointment(infusion.course, number=2, starts_at=later)
    make_fewer(infusion, at=later)
    with pytest.raises(RuleBroken, match="the order allows 1"):
        operations.arrive(appointment, arrived_at=later, by=nurse, at=later)


def test_refuses_a_course_on_hold(make_appointment, nurse, physician):
    appointment = make_appointment()
    courses.review(appointment.course, courses.CourseDecision.HOLD, text="Wait for the ECG.", by=physician, at=ARRIVED)
    with pytest.raises(RuleBroken, match="on hold"):
        operations.arrive(appointment, arrived_at=ARRIVED, by=nurse, at=ARRIVED)
