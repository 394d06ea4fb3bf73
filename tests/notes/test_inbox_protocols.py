"""A protocol in review waits in the inbox of those who may sign it into use."""

from datetime import timedelta

import pytest

from clinic.accounts.models import Clinic
from clinic.accounts.rules import Approver
from clinic.core import clock, db
from clinic.notes.inbox import inbox_count
from clinic.protocols import operations_review
from tests.factories.accounts import PASSWORD
from tests.factories.protocols import WRITTEN

LATER = WRITTEN + timedelta(hours=1)


@pytest.fixture
def in_review(make_protocol_version, signing_physician):
    """A version that its author sent to review."""
    version = make_protocol_version("KET-CALM", approve=False)
    with db.unit_of_work():
        operations_review.submit(version, by=signing_physician, at=LATER)
    return version


@pytest.fixture
def read(client):
    """Signs somebody in and gives the text of a page."""

    def page(person, address="/inbox"):
        client.sign_in(person)
        with clock.standing_at(LATER + timedelta(hours=2)):
            return client.get(address, follow_redirects=True).get_data(as_text=True)

    return page


def test_a_version_in_review_waits_with_what_it_says(read, in_review, other_physician):
    page = read(other_physician, f"/inbox/{in_review.id}")
    assert "KET-CALM" in page
    assert "start 0.2" in page
    assert "Read and sign the protocol" in page
    assert inbox_count(other_physician, LATER) == 1


@pytest.mark.parametrize(("approver", "count"), [(Approver.ANY, 1), (Approver.ANOTHER, 0)])
def test_its_author_sees_it_where_the_author_may_sign(in_review, signing_physician, read, approver, count):
    with db.unit_of_work():
        db.session.get_one(Clinic, in_review.clinic_id).protocol_approver = approver
    assert inbox_count(signing_physician, LATER) == count
    assert read(signing_physician).count("KET-CALM") == 2 * count


def test_signed_into_use_it_leads_on_through_the_inbox(in_review, other_physician, client, read):
    page = read(other_physician, f"/protocols/{in_review.protocol_id}/versions/1?inbox=end")
    seen = page.split('name="seen" value="')[1].split('"')[0]
    with clock.standing_at(LATER + timedelta(hours=2)):
        form = {"password": PASSWORD, "seen": seen}
        answer = client.post(f"/protocols/{in_review.protocol_id}/versions/1/approve?inbox=end", data=form)
    assert answer.location == "/inbox"
    assert inbox_count(other_physician, LATER) == 0
