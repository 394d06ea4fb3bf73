"""Done on another page, an item of the inbox leads on to the next one."""

import re

import pytest

from clinic.core import clock, db
from clinic.courses.rules import CourseStatus
from clinic.orders.rules import OrderStatus
from tests.factories.accounts import PASSWORD
from tests.factories.notes import DAY, LATER


@pytest.fixture
def inbox(client, signing_physician):
    """Opens the inbox of the physician, or the page behind an address, and gives its text."""
    client.sign_in(signing_physician)

    def read(address="/inbox"):
        return client.get(address, follow_redirects=True).get_data(as_text=True)

    with clock.standing_at(LATER + DAY):
        yield read


def lead(page, verb):
    return re.search(rf'<a class="btn pri" href="([^"]+)"[^>]*>{verb}', page)[1].replace("&amp;", "&")


def test_an_order_signed_from_the_inbox_leads_to_the_next_item(inbox, client, make_course):
    first, second = make_course(sign=False), make_course(sign=False)
    page = inbox(lead(inbox(), "Read and sign the order"))
    form = {name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in ("seen", "version")}
    act = re.search(r'id="sign-order" method="post" action="([^"]+)"', page)[1]
    answer = client.post(act, data=form | {"password": PASSWORD, "excess_reason": "Discussed."})
    following = inbox(answer.location)
    db.session.expire_all()
    signed, waiting = sorted((first, second), key=lambda course: course.status is not CourseStatus.ACTIVE)
    assert signed.order.versions[0].status is OrderStatus.ACTIVE
    assert f"/courses/{waiting.id}/orders/1" in lead(following, "Read and sign the order")


def test_a_decision_leads_on_through_an_inbox_that_is_empty_then(inbox, client, make_course_of):
    course = make_course_of(1)
    data = {"decision": "continue", "text": "Better."}
    answer = client.post(f"/courses/{course.id}/reviews?inbox=end", data=data)
    assert answer.location == "/inbox"
    assert client.post(f"/courses/{course.id}/reviews", data=data).location == f"/courses/{course.id}"


def test_the_button_that_decides_keeps_the_place_in_the_inbox(inbox, make_course_of):
    course = make_course_of(1)
    page = inbox(f"/courses/{course.id}?inbox=end")
    assert "?inbox=end&amp;decision=hold" in page
    assert f'action="/courses/{course.id}/reviews?inbox=end"' in inbox(f"/courses/{course.id}?inbox=end&decision=hold")


def test_a_place_that_is_none_is_left_out(inbox, make_course_of):
    assert "evil" not in inbox(f"/courses/{make_course_of(1).id}?inbox=//evil.example")
