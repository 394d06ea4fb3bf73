"""A signed order that was entered in error says so: with reason and signature, the bookings seen, and never deleted."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from clinic.core import clock, db
from clinic.core.errors import RuleBroken
from clinic.notes.order_error import enter_in_error, ran_under
from clinic.orders.models import OrderError, OrderVersion
from clinic.orders.rules import OrderStatus
from clinic.scheduling.rules import AppointmentStatus
from clinic.sessions import operations as sessions
from tests.factories.accounts import PASSWORD
from tests.factories.sessions import ARRIVED

BEFORE = ARRIVED - timedelta(hours=1)


@pytest.fixture
def desk(client, signing_physician):
    with clock.standing_at(BEFORE):
        client.sign_in(signing_physician)
        yield client


def address(course, number=1):
    return f"/courses/{course.id}/orders/{number}/error"


def sign(desk, course, **data):
    said = {"reason": "Wrong patient.", "password": PASSWORD} | data
    return desk.sign_as_read(address(course), address(course), **said)


def test_it_is_signed_with_its_reason_and_stays_readable(desk, make_course):
    course = make_course()
    assert sign(desk, course).status_code == 303
    version = course.order.versions[0]
    assert version.status is OrderStatus.ENTERED_IN_ERROR
    page = desk.get(f"/courses/{course.id}/orders/1").text
    assert "Wrong patient." in page
    assert page.count("Content unchanged") == 2  # the order's own signature, and the one that withdraws it


def test_the_booked_sessions_stand_there_before_and_keep_their_places(desk, make_appointment):
    booked = make_appointment()
    page = desk.get(address(booked.course)).text
    assert "Session 1, 18-Nov-2025" in page
    assert sign(desk, booked.course).status_code == 303
    assert booked.status is AppointmentStatus.BOOKED
    assert "session 1" in db.session.scalars(sa.select(OrderError)).one().booked[0]


@pytest.mark.parametrize(("data", "said"), [({"reason": ""}, "Say why"), ({"password": "guess"}, "password")])
def test_nothing_happens_without_reason_and_password(desk, make_course, data, said):
    course = make_course()
    refused = sign(desk, course, **data)
    assert refused.status_code == 422
    assert said in refused.text
    assert course.order.versions[0].status is OrderStatus.ACTIVE


def test_bookings_that_were_not_seen_are_a_conflict(desk, make_course, make_appointment):
    course = make_course()
    seen = desk.get(address(course)).text.split('name="seen" value="')[1][:64]
    make_appointment(course)
    refused = desk.post(address(course), data={"reason": "Wrong patient.", "password": PASSWORD, "seen": seen})
    assert refused.status_code == 409
    assert "session 1, 18-Nov-2025" in refused.text


def test_it_is_refused_once_a_session_ran_under_it(desk, make_running, plain_drug, signing_physician):
    course = make_running(drug_id=plain_drug.id).course
    version = course.order.versions[0]
    assert "cannot be entered in error" in desk.get(address(course)).text
    with pytest.raises(RuleBroken, match="A session ran under this order"):
        enter_in_error(
            course, version, "Wrong.", by=signing_physician, password=PASSWORD, at=ARRIVED, zone=ZoneInfo("UTC")
        )
    assert version.status is OrderStatus.ACTIVE


def test_a_medicine_given_before_the_start_was_given_under_it_unless_withdrawn(make_ready, plain_drug, nurse):
    infusion = make_ready(drug_id=plain_drug.id)
    version = infusion.order_version
    assert not ran_under(version)
    dose = sessions.give_prn(infusion, version.terms.prn_items[0], given_at=ARRIVED, by=nurse, at=ARRIVED)
    assert ran_under(version)
    sessions.void_prn(dose, "Another patient.", by=nurse, at=ARRIVED)
    assert not ran_under(version)


def test_the_next_version_is_written_from_it(desk, make_course):
    course = make_course()
    sign(desk, course)
    assert "Write the next version" in desk.get(f"/courses/{course.id}/orders/1").text
    assert desk.get(f"/courses/{course.id}/orders/new").status_code == 200


def test_a_draft_is_dropped_instead(desk, make_course):
    assert desk.get(address(make_course(sign=False))).status_code == 404


def test_the_database_takes_no_error_back_and_deletes_nothing(desk, make_course):
    course = make_course()
    sign(desk, course)
    for act in (
        sa.update(OrderVersion).where(OrderVersion.order_id == course.order_id).values(status=OrderStatus.ACTIVE),
        sa.delete(OrderVersion).where(OrderVersion.order_id == course.order_id),
        sa.delete(OrderError),
    ):
        with pytest.raises(DatabaseError), db.session.begin_nested():
            db.session.execute(act.execution_options(synchronize_session=False))
