"""A course from its first order to its end."""

from datetime import timedelta

import pytest

from clinic.core.errors import Conflict, RuleBroken
from clinic.courses import operations, queries
from clinic.courses.rules import CourseDecision, CourseStatus
from clinic.orders.rules import OrderStatus
from clinic.protocols.terms import draft_of
from tests.factories.accounts import PASSWORD
from tests.factories.courses import SIGNED

LATER = SIGNED + timedelta(days=7)


def test_the_first_signed_order_makes_the_course_active(make_course):
    course = make_course()
    assert course.status is CourseStatus.ACTIVE
    assert course.order.current.status is OrderStatus.ACTIVE


def test_courses_of_a_patient_are_numbered(make_course, make_patient):
    patient = make_patient(allergies=())
    assert [make_course(patient, sign=False).number for _ in range(2)] == [1, 2]


@pytest.mark.parametrize(
    ("decisions", "course_status", "order_status"),
    [
        (["continue"], CourseStatus.ACTIVE, OrderStatus.ACTIVE),
        (["adjust"], CourseStatus.ACTIVE, OrderStatus.ACTIVE),
        (["hold"], CourseStatus.ON_HOLD, OrderStatus.ON_HOLD),
        (["hold", "resume"], CourseStatus.ACTIVE, OrderStatus.ACTIVE),
        (["discontinue"], CourseStatus.REVOKED, OrderStatus.STOPPED),
        (["hold", "discontinue"], CourseStatus.REVOKED, OrderStatus.STOPPED),
        (["complete"], CourseStatus.COMPLETED, OrderStatus.COMPLETED),
    ],
)
def test_the_order_follows_what_is_decided_of_its_course(
    make_course, signing_physician, decisions, course_status, order_status
):
    course = make_course()
    for decision in decisions:
        operations.review(course, CourseDecision(decision), "As discussed.", by=signing_physician, at=LATER)
    assert course.status is course_status
    assert course.order.versions[0].status is order_status


def test_discontinuing_before_any_dose_cancels_the_order(make_course, signing_physician):
    course = make_course()
    operations.review(
        course, CourseDecision.DISCONTINUE, "Patient moved.", by=signing_physician, at=LATER, is_dose_given=False
    )
    assert course.order.versions[0].status is OrderStatus.CANCELLED


@pytest.mark.parametrize(("first", "then"), [("hold", "hold"), ("continue", "resume"), ("discontinue", "continue")])
def test_refuses_a_decision_that_does_not_fit(make_course, signing_physician, first, then):
    course = make_course()
    operations.review(course, CourseDecision(first), "As discussed.", by=signing_physician, at=LATER)
    with pytest.raises(RuleBroken, match="cannot be given"):
        operations.review(course, CourseDecision(then), "As discussed.", by=signing_physician, at=LATER)


def test_a_review_drawn_from_an_older_page_is_a_conflict(make_course, signing_physician):
    course = make_course()
    with pytest.raises(Conflict):
        operations.review(
            course,
            CourseDecision.HOLD,
            "Pressure.",
            by=signing_physician,
            at=LATER,
            drawn_version=course.version - 1,
        )


def test_an_adjusted_order_supersedes_when_it_is_signed(make_course, signing_physician):
    course = make_course()
    first = course.order.versions[0]
    second = operations.adjust(
        course,
        draft_of(first.terms),
        reason="Lower start.",
        weight=first.weight,
        valid_from=first.valid_from,
        valid_until=first.valid_until,
        by=signing_physician,
        at=LATER,
    )
    assert first.status is OrderStatus.ACTIVE
    operations.sign_order(course, second, by=signing_physician, password=PASSWORD, at=LATER)
    assert [first.status, second.status] == [OrderStatus.SUPERSEDED, OrderStatus.ACTIVE]


def test_an_order_signed_while_the_course_is_on_hold_waits_with_it(make_course, signing_physician):
    course = make_course()
    first = course.order.versions[0]
    operations.review(course, CourseDecision.HOLD, "Pressure.", by=signing_physician, at=LATER)
    second = operations.adjust(
        course,
        draft_of(first.terms),
        reason="Weight.",
        weight=first.weight,
        valid_from=None,
        valid_until=None,
        by=signing_physician,
        at=LATER,
    )
    operations.sign_order(course, second, by=signing_physician, password=PASSWORD, at=LATER)
    assert second.status is OrderStatus.ON_HOLD


def test_a_course_begun_by_mistake_is_withdrawn_with_its_draft(make_course, signing_physician):
    course = make_course(sign=False)
    operations.enter_in_error(course, reason="Wrong patient.", by=signing_physician, at=LATER)
    assert course.status is CourseStatus.ENTERED_IN_ERROR
    assert course.order.versions[0].status is OrderStatus.CANCELLED


def test_only_a_version_in_use_begins_a_course(make_course, make_protocol_version):
    with pytest.raises(RuleBroken, match="not in use"):
        make_course(protocol_version=make_protocol_version(approve=False))


def test_the_desk_can_book_what_is_active_and_in_force(make_course, signing_physician):
    booked, held = make_course(), make_course()
    make_course(sign=False)
    operations.review(held, CourseDecision.HOLD, "Pressure.", by=signing_physician, at=LATER)
    assert queries.bookable_courses() == [booked]
