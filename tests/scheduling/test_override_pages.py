"""A rule of the clinic is set aside on the pages of the desk by who may, with a reason, and never by others."""

import re

import pytest

from clinic.core import clock
from clinic.scheduling import operations_policy, queries
from clinic.scheduling.rules import BookingRule
from tests.factories.scheduling import DAY, DESK_OPENS, HOUR, NINE


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


RULE = {"act": "override", "override": "site_is_open", "override_reason": "Comes from far away"}


def fields(answer, form):
    """What a form of the page sends besides its keys, and the values of its buttons."""
    text = answer.get_data(as_text=True)
    inside = re.search(rf'<form[^>]*action="[^"]*/{form}"[^>]*>(.*?)</form>', text, re.DOTALL)[1]
    outside = re.findall(r'<input type="hidden" form="\w+" name="(\w+)" value="([^"]*)"', text)
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', inside) + outside)


@pytest.fixture
def spaced(late, make_booked):
    """Session 1 of a course, which a move to the evening before session 2 brings too near."""
    first = make_booked(late[0], starts_at=NINE, hours=1)
    make_booked(late[0], 2, starts_at=NINE + 2 * DAY, hours=1)
    known = {"patient_id": str(first.patient_id), "version": str(first.version), "reason": "Train", "nurse": ""}
    return first, known | {"day": "20-Nov-2025", "clock": "18:00", "chair": str(first.chair_id)}


def test_an_override_is_not_lost_when_the_spacing_is_asked(sign_in, physician, spaced):
    """The rule refuses, the spacing is asked, and each answer is kept while the other question is open."""
    client, (first, typed) = sign_in(physician), spaced
    page = f"/calendar/appointments/{first.id}/move"
    asked = client.post(page, data=typed)
    assert "This breaks the order" in words(asked)
    refused = client.post(page, data=fields(asked, "move") | {"rest": "leave"})
    assert "It would be: outside opening hours." in words(refused)
    assert fields(refused, "move")["rest"] == "leave"
    asked = client.post(page, data=typed | RULE)
    assert "This breaks the order" in words(asked)
    assert client.post(page, data=fields(asked, "move") | {"rest": "leave"}).status_code == 303
    assert queries.of_course(first.course_id)[-2].override_reason == "Comes from far away"


def test_what_was_decided_for_another_place_is_asked_again(sign_in, physician, spaced):
    client, (first, typed) = sign_in(physician), spaced
    stale = {"rest": "leave", "for": f"20-Nov-2025|16:00|{first.chair_id}|"}
    answer = client.post(f"/calendar/appointments/{first.id}/move", data=typed | RULE | stale)
    assert "This breaks the order" in words(answer)


@pytest.fixture
def others(make_active_course, make_patient):
    return lambda: make_active_course(make_patient(allergies=()))


@pytest.fixture
def full(limit_nurses, second_nurse, make_booked, others, admin):
    """A nurse with as many patients as the clinic allows, and another patient at the same time."""
    limit_nurses(1)
    rule = BookingRule.NURSE_HAS_ROOM
    operations_policy.set_policy(rule, is_allowed=True, reason="As agreed", by=admin, at=DESK_OPENS)
    make_booked(nurse=second_nurse)
    return make_booked(others())


CROWDED = {"act": "override", "override": "nurse_has_room", "override_reason": "For an hour"}


def test_a_full_nurse_takes_one_more_with_a_reason(sign_in, physician, second_nurse, full):
    client, page = sign_in(physician), f"/calendar/appointments/{full.id}/nurse"
    typed = {"patient_id": str(full.patient_id), "version": str(full.version), "nurse_id": str(second_nurse.id)}
    assert "It would be: more patients at once for a nurse." in words(client.post(page, data=typed))
    assert client.post(page, data=typed | CROWDED).status_code == 303
    assert (full.nurse_id, full.override_reason) == (second_nurse.id, "For an hour")


def test_a_plan_is_carried_out_against_a_rule_with_a_reason(sign_in, physician, second_nurse, full):
    client, page = sign_in(physician), f"/calendar/replan?what=nurse&who={second_nurse.id}&day=19-Nov-2025&until="
    move = f"{full.id}|{full.version}|19-Nov-2025|09:00|{full.chair_id}|{second_nurse.id}"
    assert "It would be: more patients at once for a nurse." in words(client.post(page, data={"move": move}))
    assert client.post(page, data={"move": move} | CROWDED).status_code == 303
    assert full.nurse_id == second_nurse.id
