"""A rule of the clinic is set aside on the pages of the desk by who may, with a reason, and never by others."""

import re

import pytest

from clinic.core import clock
from clinic.scheduling import operations_policy, queries
from clinic.scheduling.rules import BookingRule
from tests.factories.scheduling import DESK_OPENS, HOUR, NINE


@pytest.fixture
def sign_in(client):
    """Signs somebody in before the desk opens."""

    def enter(staff):
        client.sign_in(staff)
        return client

    with clock.standing_at(DESK_OPENS):
        yield enter


@pytest.fixture
def late(make_course, make_chair, make_hours, admin):
    """A course, and a wish after the clinic has closed, which the clinic allows by name."""
    make_hours()
    operations_policy.set_policy(BookingRule.SITE_IS_OPEN, is_allowed=True, reason="As agreed", by=admin, at=DESK_OPENS)
    course, chair = make_course(), make_chair()
    typed = {"patient_id": str(course.patient_id), "day_1": "19-Nov-2025", "clock_1": "18:00"}
    return course, typed | {"chair_1": str(chair.id), "nurse_1": "", "length": "60"}


def words(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.get_data(as_text=True)))


def post(client, late, **more):
    course, typed = late
    return client.post(f"/calendar/book?order={course.order_id}", data=typed | more)


def test_the_desk_is_offered_no_override(sign_in, scheduler, late):
    answer = post(sign_in(scheduler), late)
    assert answer.status_code == 422
    assert "Do it all the same" not in words(answer)
    again = post(sign_in(scheduler), late, act="override", override="site_is_open", override_reason="Asked")
    assert "Only a physician may override" in words(again)


def test_a_physician_books_against_a_rule_with_a_reason(sign_in, physician, late):
    client = sign_in(physician)
    assert "It would be: outside opening hours." in words(post(client, late))
    rule = {"act": "override", "override": "site_is_open"}
    refused = post(client, late, **rule)
    assert "Say why the rule is overridden." in words(refused)
    assert "Do it all the same" in words(refused)
    assert post(client, late, **rule, override_reason="Comes from far away").status_code == 303
    (made,) = queries.of_course(late[0].id)
    assert (made.override_reason, made.overridden_by_id) == ("Comes from far away", physician.id)


def test_a_physician_moves_against_a_rule_with_a_reason(sign_in, physician, late, make_booked):
    client, appointment = sign_in(physician), make_booked(late[0], starts_at=NINE, hours=1)
    known = {"patient_id": str(appointment.patient_id), "version": str(appointment.version)}
    typed = known | {"day": "19-Nov-2025", "clock": "18:00", "chair": str(appointment.chair_id), "nurse": ""}
    page = f"/calendar/appointments/{appointment.id}/move"
    assert "Do it all the same" in words(client.post(page, data=typed | {"reason": "Train"}))
    rule = {"act": "override", "override": "site_is_open", "override_reason": "Comes from far away"}
    assert client.post(page, data=typed | {"reason": "Train"} | rule).status_code == 303
    assert queries.of_course(late[0].id)[-1].starts_at == NINE + 9 * HOUR
