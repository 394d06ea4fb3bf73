"""A physician signs for another who is away, for days of the clinic, and the signature says for whom."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from clinic.accounts import cover
from clinic.accounts.models import Cover
from clinic.core import clock, db
from clinic.core.errors import Conflict, RuleBroken
from clinic.notes import operations, operations_review
from clinic.notes.inbox import inbox_count
from clinic.orders import operations as orders
from clinic.orders.rules import SpokenMode
from clinic.sessions import operations as sessions
from clinic.signatures.queries import signature_with
from clinic.signatures.rules import Meaning
from tests.factories.accounts import PASSWORD
from tests.factories.notes import LATER
from tests.factories.sessions import minute

TODAY = date(2025, 11, 18)
DAY = timedelta(days=1)


@pytest.fixture
def away(signing_physician):
    return signing_physician


@pytest.fixture
def covering(other_physician):
    return other_physician


@pytest.fixture
def make_cover(away, covering):
    """Makes `covering` sign for `away`, today alone unless said otherwise."""

    def make(from_on=TODAY, until_on=TODAY, *, by=None, at=LATER):
        with db.unit_of_work():
            return cover.arrange(away, covering, from_on, until_on, by=by or away, at=at)

    return make


def test_whoever_is_covered_sees_it_in_the_inbox_whoever_entered_it(client, away, covering, make_cover):
    make_cover(by=covering)
    client.sign_in(away)
    with clock.standing_at(LATER):
        page = client.get("/inbox").text
    assert f"<b>{covering.name}</b> signs for you 18-Nov to 18-Nov" in page


@pytest.fixture
def spoken(make_running, away, nurse):
    """An order that the physician who is away has spoken."""
    infusion = make_running()
    with db.unit_of_work():
        return orders.write_verbal_order(
            infusion.order_version, "Hold.", spoken_by=away, spoken_at=minute(20), mode=SpokenMode.VERBAL,
            is_read_back=True, by=nurse, at=minute(21),
        )  # fmt: skip


@pytest.fixture
def inbox(client, covering):
    """The browser of who covers, an hour after the notes were signed."""
    client.sign_in(covering)
    with clock.standing_at(LATER + timedelta(hours=1)):
        yield client


def text(page):
    return page.get_data(as_text=True)


def test_who_covers_signs_a_spoken_order_for_the_other(inbox, make_cover, spoken, away, covering):
    make_cover()
    page = text(inbox.get(f"/inbox/{spoken.id}"))
    assert f"for {away.name}" in page
    assert f"You sign for <b>{away.name}</b>" in page
    assert inbox.sign_as_read(f"/inbox/{spoken.id}", password=PASSWORD).status_code == 303
    signature = signature_with(spoken.id, Meaning.VERBAL_ORDER)
    assert (signature.signer_id, signature.for_id) == (covering.id, away.id)
    assert signature.signed_by == f"{covering.name} for {away.name}"


def test_without_a_cover_nobody_sees_or_signs_what_is_anothers(inbox, spoken, covering):
    assert "Nothing waits for you" in text(inbox.get("/inbox"))
    assert inbox.post(f"/inbox/{spoken.id}/sign", data={"password": PASSWORD}).status_code == 409
    with pytest.raises(RuleBroken, match="Only the person who spoke"):
        orders.sign_verbal_order(spoken, by=covering, password=PASSWORD, at=LATER)


@pytest.mark.parametrize(("from_on", "until_on"), [(TODAY - 9 * DAY, TODAY), (TODAY, TODAY + DAY)])
def test_both_days_are_included(make_cover, spoken, covering, from_on, until_on):
    make_cover(from_on, until_on)
    assert inbox_count(covering, LATER) == 1


def test_a_cover_ends_by_itself(make_cover, spoken, covering):
    make_cover()
    assert inbox_count(covering, LATER + DAY) == 0
    with pytest.raises(RuleBroken):
        orders.sign_verbal_order(spoken, by=covering, password=PASSWORD, at=LATER + DAY)


@pytest.mark.parametrize(
    ("instant", "is_covering"),
    [
        (datetime(2025, 11, 2, 3, 59, tzinfo=UTC), False),  # 23:59 on Saturday, summer time
        (datetime(2025, 11, 2, 4, 0, tzinfo=UTC), True),
        (datetime(2025, 11, 3, 4, 59, tzinfo=UTC), True),  # 23:59 on the Sunday of 25 hours
        (datetime(2025, 11, 3, 5, 0, tzinfo=UTC), False),
    ],
)
def test_a_day_of_twenty_five_hours_is_covered_whole(make_cover, away, covering, instant, is_covering):
    sunday = date(2025, 11, 2)
    make_cover(sunday, sunday, at=datetime(2025, 11, 1, 12, 0, tzinfo=UTC))
    assert cover.is_covering(covering, away.id, at=instant) is is_covering


def test_a_note_that_was_sent_to_the_other_is_read_for_that_person(make_running, make_cover, nurse, away, covering):
    make_cover()
    event = sessions.notify(make_running(), "Systolic 171.", happened_at=minute(9), person=away, by=nurse, at=minute(9))
    signature = operations_review.review_sent_note(event, by=covering, password=PASSWORD, at=LATER)
    assert signature.for_name == away.name


def test_a_note_to_cosign_is_cosigned_for_the_other(make_closed, make_note, make_cover, away, covering):
    note = make_note(make_closed())
    make_cover()
    operations.cosign_note(note, by=covering, password=PASSWORD, at=LATER)
    assert signature_with(note.id, Meaning.COSIGNER).for_id == away.id


def test_a_cover_does_not_reach_further(make_cover, spoken, covering, make_staff):
    third = make_staff("physician", password=PASSWORD)
    make_cover()
    with db.unit_of_work():
        cover.arrange(covering, third, TODAY, TODAY, by=third, at=LATER)
    assert inbox_count(third, LATER) == 0


def test_one_of_the_two_enters_it(make_cover, nurse, make_staff, covering):
    with pytest.raises(RuleBroken, match="One of the two"):
        make_cover(by=make_staff("physician"))
    assert make_cover(by=covering).covering_id == covering.id


def test_a_physician_covers_for_a_physician(away, nurse):
    with pytest.raises(RuleBroken, match="A physician covers"):
        cover.arrange(away, nurse, TODAY, TODAY, by=away, at=LATER)


@pytest.mark.parametrize(("from_on", "until_on"), [(TODAY, TODAY - DAY), (TODAY - 2 * DAY, TODAY - DAY)])
def test_days_that_are_over_or_turned_round_are_refused(make_cover, from_on, until_on):
    with pytest.raises(RuleBroken):
        make_cover(from_on, until_on)


def test_the_same_days_are_not_covered_twice(make_cover):
    make_cover(TODAY, TODAY + 3 * DAY)
    with pytest.raises(RuleBroken, match="already"):
        make_cover(TODAY + 3 * DAY, TODAY + 5 * DAY)


def test_a_cover_is_ended_before_its_last_day(inbox, make_cover, spoken, covering):
    made = make_cover(TODAY, TODAY + 3 * DAY)
    prefix = f"c{made.id.hex[-12:]}-"
    assert inbox.post(f"/inbox/cover/{made.id}/end", data={f"{prefix}reason": ""}).status_code == 422
    assert inbox.post(f"/inbox/cover/{made.id}/end", data={f"{prefix}reason": "Back early."}).status_code == 303
    assert inbox_count(covering, LATER) == 0
    with pytest.raises(Conflict):
        cover.withdraw(made, reason="Again.", by=covering, at=LATER)


def test_a_cover_is_entered_on_its_page(inbox, away, covering):
    assert "Nobody signs for you" in text(inbox.get("/inbox/cover"))
    form = {"away_id": str(away.id), "covering_id": str(covering.id), "from_on": "2025-11-18", "until_on": "2025-11-20"}
    assert inbox.post("/inbox/cover", data=form).status_code == 303
    assert "20-Nov-2025" in text(inbox.get("/inbox/cover"))
    assert inbox.post("/inbox/cover", data=form).status_code == 422
    assert inbox.post("/inbox/cover", data={}).status_code == 422


@pytest.mark.parametrize("statement", [sa.update(Cover).values(until_on=TODAY + DAY), sa.delete(Cover)])
def test_the_database_keeps_a_cover(make_cover, statement):
    make_cover()
    with pytest.raises(DatabaseError), db.session.begin_nested():
        db.session.execute(statement.execution_options(synchronize_session=False))
