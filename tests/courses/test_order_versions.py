"""The next version of an order on its pages: written, signed as it was read, or in conflict with another."""

import re
from decimal import Decimal
from html import unescape

import pytest

from clinic.core import clock, db
from clinic.courses import operations
from clinic.courses.rules import CourseDecision
from clinic.orders.models import AcknowledgedExcess
from clinic.protocols.terms import draft_of
from tests.courses.signing import signing
from tests.factories.accounts import PASSWORD
from tests.protocols.filled import filled


def adjusted(course, **changed):
    draft = draft_of(course.order.versions[0].terms)
    weight = course.order.versions[0].weight_id
    return filled(draft) | {"patient_id": course.patient_id, "weight_id": weight, "change_reason": "Nausea."} | changed


def test_the_next_version_marks_what_was(client, course):
    address = f"/courses/{course.id}/orders/new"
    assert client.get(address).status_code == 200
    page = client.post(address, data=adjusted(course, act="read", highest_amount="0.3"))
    assert "was 0.35" in page.text


def test_a_signed_next_version_supersedes(client, course):
    data = adjusted(course, act="sign", password=PASSWORD, highest_amount="0.3")
    signed = client.post(f"/courses/{course.id}/orders/new", data=data)
    assert signed.status_code == 303
    page = client.get(signed.location).text
    assert "<del>0.35\u00a0mg per kg per hour</del>" in page
    assert "Superseded" in page
    assert "Superseded by a later version" in client.get(f"/courses/{course.id}/orders/1").text


def test_the_page_says_what_became_of_an_order_and_why(client, course, signing_physician):
    operations.review(course, CourseDecision.HOLD, "Pressure 190.", by=signing_physician, at=clock.now())
    page = client.get(f"/courses/{course.id}/orders/1").text
    assert "On hold: no infusion starts under it" in page
    assert "Pressure 190." in page
    assert signing_physician.name in page


def test_the_signature_of_a_superseded_order_says_so(client, course):
    client.post(f"/courses/{course.id}/orders/new", data=adjusted(course, act="sign", password=PASSWORD))
    page = client.get(f"/courses/{course.id}/orders/1").text
    assert "Superseded by a later version." in page.split("Check code")[0].split("Signed by")[1]


def test_a_row_put_beside_a_signed_order_shows_as_changed_content(client, course, signing_physician):
    forged = AcknowledgedExcess(
        order_version_id=course.order.versions[0].id,
        position=9,
        code="forged",
        message="Forged.",
        facts={},
        reason="Forged.",
        recorded_at=clock.now(),
        recorded_by_id=signing_physician.id,
    )
    with db.unit_of_work():
        db.session.add(forged)
    db.session.expire_all()
    assert "The content has changed since it was signed." in client.get(f"/courses/{course.id}/orders/1").text


def test_a_change_needs_its_reason(client, course):
    refused = client.post(f"/courses/{course.id}/orders/new", data=adjusted(course, act="keep", change_reason=""))
    assert refused.status_code == 422
    assert "Say why the order changes" in refused.text


@pytest.fixture
def two_drafts(client, course, make_staff):
    """Draft 2 as one physician read it, and as another has written it since."""
    address = f"/courses/{course.id}/orders/2"
    client.post(f"/courses/{course.id}/orders/new", data=adjusted(course, act="keep"))
    assert client.get(f"{address}/draft").status_code == 200
    saved = client.post(f"{address}/draft", data=adjusted(course, act="keep", version=1, highest_amount="0.3"))
    assert saved.status_code == 303
    return address


def test_a_draft_written_by_somebody_else_meanwhile_shows_both_versions(client, course, two_drafts):
    late = client.post(f"{two_drafts}/draft", data=adjusted(course, act="sign", version=1, start_amount="0.15"))
    assert late.status_code == 409
    assert "start 0.15\u00a0mg per kg per hour" in late.text
    assert "<td>0.2\u00a0mg per kg per hour</td>" in late.text
    assert "<td>0.3\u00a0mg per kg per hour</td>" in late.text
    assert course.order.draft.terms.start_amount == Decimal("0.2")


def test_what_was_typed_can_be_kept_over_the_saved_version(client, course, two_drafts):
    late = client.post(f"{two_drafts}/draft", data=adjusted(course, act="sign", version=1, start_amount="0.15"))
    assert client.post(f"{two_drafts}/draft", data=sent_again(late.text)).status_code == 303
    assert course.order.draft.terms.start_amount == Decimal("0.15")
    assert course.order.current.number == 1


def sent_again(page):
    """What the button of a conflict page sends."""
    form = page[page.index('<form method="post" action="/courses/') :]
    return {
        unescape(name): unescape(value)
        for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', form)
        if name not in {"csrf_token", "idempotency_key"}
    }


@pytest.fixture
def read_before(client, course):
    """Draft 2: its address, and what the page of its reader sends after it was written again."""
    address = f"/courses/{course.id}/orders/2"
    client.post(f"/courses/{course.id}/orders/new", data=adjusted(course, act="keep"))
    read = signing(client, address)
    client.post(f"{address}/draft", data=adjusted(course, act="keep", version=1, highest_amount="0.3"))
    return address, read


def test_who_signs_what_was_written_again_sees_what_was_read_beside_it(client, course, read_before):
    address, read = read_before
    late = client.post(f"{address}/sign", data=read)
    assert late.status_code == 409
    assert "As you read it" in late.text
    assert "<td>0.3\u00a0mg per kg per hour</td><td><b>0.35\u00a0mg per kg per hour</b></td>" in late.text
    assert f'href="{address}"' in late.text
    assert course.order.current.number == 1


def test_what_was_read_again_is_signed(client, course, read_before):
    address, _ = read_before
    assert client.post(f"{address}/sign", data=signing(client, address)).status_code == 303
    assert course.order.current.terms.highest_amount == Decimal("0.3")


@pytest.mark.parametrize("forged", [{"seen": ""}, {"seen": None}, {"seen": "0" * 64, "version": "2"}])
def test_a_post_that_saw_nothing_signs_nothing(client, course, read_before, forged):
    address, _ = read_before
    data = {name: value for name, value in (signing(client, address) | forged).items() if value is not None}
    assert client.post(f"{address}/sign", data=data).status_code == 409
    assert course.order.current.number == 1


def test_a_signature_that_was_sent_before_signs_no_later_draft(client, course):
    """Two tabs: the form of draft 2 is sent again to draft 3."""
    address = f"/courses/{course.id}/orders"
    client.post(f"{address}/new", data=adjusted(course, act="keep"))
    old = signing(client, f"{address}/2")
    assert client.post(f"{address}/2/sign", data=old).status_code == 303
    client.post(f"{address}/new", data=adjusted(course, act="keep"))
    assert client.post(f"{address}/3/sign", data=old).status_code == 409
    assert course.order.current.number == 2


def test_an_order_adjusted_over_a_newer_one_shows_both_versions(client, course):
    first = course.order.versions[0].id
    address = f"/courses/{course.id}/orders"
    signed = client.post(f"{address}/new", data=adjusted(course, act="sign", password=PASSWORD, highest_amount="0.3"))
    assert signed.status_code == 303
    late = client.post(f"{address}/new", data=adjusted(course, act="keep", before_id=first, start_amount="0.15"))
    assert late.status_code == 409
    assert "Order 2 was signed by" in late.text
    assert client.post(f"{address}/new", data=sent_again(late.text)).status_code == 303
    assert course.order.draft.number == 3


def test_a_second_adjustment_beside_an_open_draft_shows_both_versions(client, course):
    address = f"/courses/{course.id}/orders/new"
    client.post(address, data=adjusted(course, act="keep"))
    late = client.post(address, data=adjusted(course, act="keep", start_amount="0.15"))
    assert late.status_code == 409
    assert "Order 2 was written by" in late.text


def test_an_order_over_an_ended_course_is_a_conflict(client, course, signing_physician):
    operations.review(course, CourseDecision.DISCONTINUE, "Enough.", by=signing_physician, at=clock.now())
    late = client.post(f"/courses/{course.id}/orders/new", data=adjusted(course, act="keep"))
    assert late.status_code == 409
    assert "no order of it is in force" in late.text
    assert client.get(f"/courses/{course.id}/orders/new").location == f"/courses/{course.id}"


def test_a_dropped_draft_leaves_the_order_in_force(client, course, patient):
    address = f"/courses/{course.id}/orders"
    client.post(f"{address}/new", data=adjusted(course, act="keep"))
    dropped = client.post(f"{address}/2/cancel", data={"reason": "Not needed.", "patient_id": patient.id})
    assert dropped.status_code == 303
    assert course.order.current.number == 1


def test_a_draft_is_not_dropped_without_a_reason(client, course, patient):
    address = f"/courses/{course.id}/orders"
    client.post(f"{address}/new", data=adjusted(course, act="keep"))
    refused = client.post(f"{address}/2/cancel", data={"reason": "", "patient_id": patient.id})
    assert refused.status_code == 422
    assert 'href="#reason"' in refused.text
    assert course.order.draft is not None


def test_a_dose_for_each_session_is_typed_read_and_signed(client, course):
    data = adjusted(course, start_amount="", step_amount="", step_every_min="", highest_amount="")
    data["session_amounts"] = "0.1, 2 x 0.15, 3 x 0.2"
    page = client.post(f"/courses/{course.id}/orders/new", data=data | {"act": "read"}).text.replace("\u00a0", " ")
    assert "start 0.1 mg per kg per hour in session 1, 0.15 mg per kg per hour in sessions 2 to 3" in page
    assert "<dt>Planned in sessions 2 to 3</dt><dd>20.4 mg of at most 60 mg" in page  # for 68 kg and two hours
    signed = client.post(f"/courses/{course.id}/orders/new", data=data | {"act": "sign", "password": PASSWORD})
    assert signed.status_code == 303
    assert len(course.order.versions[-1].terms.session_amounts) == 6
    assert "Content unchanged since it was signed" in client.get(signed.location).text


def test_a_dose_of_one_session_over_the_maximum_refuses_the_signature(client, course):
    data = adjusted(course, start_amount="", step_amount="", step_every_min="", highest_amount="")
    data["session_amounts"] = "5 x 0.1, 0.5"
    refused = client.post(f"/courses/{course.id}/orders/new", data=data | {"act": "sign", "password": PASSWORD})
    assert refused.status_code == 422
    assert "68\u00a0mg in session 6; the session maximum is 60\u00a0mg" in refused.text


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("0,2, 0,4", "Write 0.2 with a point"),
        ("0.1, 0.2", "6 sessions planned, 2 sessions with a dose"),
        ("7 x 0.1", "6 sessions planned, 7 sessions with a dose"),
        ("5 x 0.1, 0.6", "The start of session 6 comes to 40.8\u00a0mg/h"),
        ("x" * 3000, "xxxxxxxxxxxxxxxxxxxx: Enter a value"),
    ],
)
def test_doses_that_cannot_be_read_or_do_not_fit_sign_nothing_and_stay_typed(client, course, typed, words):
    data = adjusted(course, start_amount="", step_amount="", step_every_min="", highest_amount="", act="sign")
    refused = client.post(
        f"/courses/{course.id}/orders/new", data=data | {"session_amounts": typed, "password": PASSWORD}
    )
    assert refused.status_code == 422
    assert words in refused.text
    assert f'value="{typed}"' in refused.text
    assert len(course.order.versions) == 1
