"""A draft of an order goes back to its author with a reason; the author answers by writing it again."""

from datetime import timedelta

import pytest

from clinic.core import clock, db
from clinic.core.errors import Conflict, RuleBroken
from clinic.notes.inbox import inbox_count
from clinic.orders import operations as orders
from clinic.orders.models import OrderReturn
from clinic.orders.operations_return import send_back
from clinic.protocols.terms import draft_of
from tests.factories.courses import DRAFTED

LATER = DRAFTED + timedelta(hours=1)


@pytest.fixture
def course(make_course):
    return make_course(sign=False)


@pytest.fixture
def draft(course):
    return course.order.versions[0]


@pytest.fixture
def reader(client, other_physician):
    with clock.standing_at(LATER):
        client.sign_in(other_physician)
        yield client


def write_again(version, by):
    with db.unit_of_work():
        orders.revise(
            version, draft_of(version.terms), weight=version.weight, valid_from=None, valid_until=None,
            sessions_allowed=6, by=by, at=LATER,
        )  # fmt: skip


def test_the_author_finds_it_in_the_inbox_with_its_reason(reader, course, draft, signing_physician):
    address = f"/courses/{course.id}/orders/1"
    sent = reader.post(f"{address}/send-back", data={"return_reason": "Which weight?", "version": draft.version})
    assert sent.status_code == 303
    assert "Not answered" in reader.get(address).text
    reader.sign_in(signing_physician)
    page = reader.get(f"/inbox/{draft.id}").text
    assert "Order sent back to you" in page
    assert "Which weight?" in page


def test_until_it_is_answered_it_waits_for_its_author_alone(make_course, other_physician, signing_physician):
    version = make_course(sign=False, physician=other_physician).order.versions[0]
    write_again(version, signing_physician)
    assert [inbox_count(one, LATER) for one in (other_physician, signing_physician)] == [1, 1]
    send_back(version, "Which weight?", by=other_physician, at=LATER)
    assert [inbox_count(one, LATER) for one in (other_physician, signing_physician)] == [0, 1]
    write_again(version, signing_physician)
    assert [inbox_count(one, LATER) for one in (other_physician, signing_physician)] == [1, 1]


@pytest.mark.parametrize("reason", ["", "  "])
def test_it_needs_a_reason(reader, course, reason):
    refused = reader.post(f"/courses/{course.id}/orders/1/send-back", data={"return_reason": reason})
    assert refused.status_code == 422
    assert "Say what is to be changed" in refused.text


def test_nobody_sends_back_an_own_draft_or_a_signed_order_or_twice(
    draft, make_course, signing_physician, other_physician
):
    with pytest.raises(RuleBroken, match="your own draft"):
        send_back(draft, "Why?", by=signing_physician, at=LATER)
    with pytest.raises(RuleBroken, match="no draft"):
        send_back(make_course().order.versions[0], "Why?", by=other_physician, at=LATER)
    send_back(draft, "Why?", by=other_physician, at=LATER)
    db.session.expire(draft, ["returns"])
    with pytest.raises(RuleBroken, match="with its author"):
        send_back(draft, "Why?", by=other_physician, at=LATER)


def test_what_was_written_again_meanwhile_is_not_sent_back(draft, other_physician, signing_physician):
    read = draft.version
    write_again(draft, signing_physician)
    with pytest.raises(Conflict):
        send_back(draft, "Why?", by=other_physician, at=LATER, drawn_version=read)


def test_of_two_who_send_it_back_at_once_the_second_is_told(draft, other_physician):
    assert draft.returns == []
    other = OrderReturn(
        order_version_id=draft.id, revision=draft.version, reason="First.", recorded_at=LATER,
        recorded_by_id=other_physician.id,
    )  # fmt: skip
    db.session.add(other)
    db.session.flush()
    with pytest.raises(Conflict, match="with its author already"):
        send_back(draft, "Second.", by=other_physician, at=LATER)
