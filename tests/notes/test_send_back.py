"""A note goes back to its author with a reason, and comes again with the answer."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from clinic.core import clock, db
from clinic.core.errors import Conflict, RuleBroken
from clinic.notes import operations
from clinic.notes.inbox import inbox_count
from clinic.notes.models import NoteReturn
from clinic.notes.rules import NoteStatus
from clinic.signatures.queries import signatures_of
from clinic.signatures.rules import Meaning
from tests.factories.accounts import PASSWORD
from tests.factories.notes import LATER

SOON = timedelta(minutes=5)


@pytest.fixture
def send_back(signing_physician):
    """Sends a note back, `SOON` after it was signed."""

    def make(note, reason="Which antiemetic?", *, by=signing_physician, at=LATER + SOON):
        with db.unit_of_work():
            return operations.send_back(note, reason, by=by, at=at)

    return make


@pytest.fixture
def answer(writing_nurse):
    """Answers as the author, by an addendum."""

    def make(note, text="Ondansetron 4 mg.", *, at=LATER + 2 * SOON):
        with db.unit_of_work():
            return operations.add_addendum(note, text, by=writing_nurse, password=PASSWORD, at=at)

    return make


@pytest.fixture
def inbox(client, signing_physician):
    """The browser of the physician, an hour after the notes were signed."""
    client.sign_in(signing_physician)
    with clock.standing_at(LATER + timedelta(hours=1)):
        yield client


def text(page):
    return page.get_data(as_text=True)


def test_sending_back_opens_the_next_item_and_takes_the_note_off_the_count(
    inbox, make_closed, make_note, signing_physician
):
    note = make_note(make_closed())
    reply = inbox.post(f"/inbox/{note.id}/send-back", data={"reason": "Which antiemetic?"})
    assert (reply.status_code, reply.location) == (303, "/inbox")
    assert inbox_count(signing_physician, LATER) == 0
    assert note.status is NoteStatus.COSIGN_PENDING


def test_sending_back_needs_a_reason(inbox, make_closed, make_note):
    note = make_note(make_closed())
    assert "What is to be changed" in text(inbox.get(f"/inbox/{note.id}?back=1"))
    reply = inbox.post(f"/inbox/{note.id}/send-back", data={"reason": "  "})
    assert reply.status_code == 422
    assert "Say what is to be changed" in text(reply)


def test_the_author_finds_the_note_with_its_reason(client, make_closed, make_note, send_back, writing_nurse):
    note = make_note(make_closed())
    send_back(note)
    client.sign_in(writing_nurse)
    with clock.standing_at(LATER + timedelta(hours=1)):
        assert "Which antiemetic?" in text(client.get("/notes"))
        assert "Which antiemetic?" in text(client.get(f"/sessions/{note.infusion_id}/note"))


def test_the_answer_brings_the_note_back_and_is_cosigned_with_it(inbox, make_closed, make_note, send_back, answer):
    note = make_note(make_closed())
    send_back(note)
    added = answer(note)
    assert inbox_count(note.cosigner, LATER) == 1
    assert "Ondansetron 4 mg." in text(inbox.get(f"/inbox/{note.id}"))
    assert inbox.sign_as_read(f"/inbox/{note.id}", password=PASSWORD).status_code == 303
    assert Meaning.COSIGNER in {row.meaning for row in signatures_of(added.id)}


def test_a_note_that_is_with_its_author_is_not_sent_back_again(make_closed, make_note, send_back, answer):
    note = make_note(make_closed())
    send_back(note)
    db.session.refresh(note)
    with pytest.raises(RuleBroken, match="with its author"):
        send_back(note)
    answer(note)
    db.session.refresh(note)
    assert send_back(note, "And the dose?", at=LATER + 3 * SOON).reason == "And the dose?"


def test_what_was_cosigned_meanwhile_is_not_sent_back(make_closed, make_note, send_back, other_physician):
    note = make_note(make_closed())
    operations.cosign_note(note, by=other_physician, password=PASSWORD, at=LATER)
    with pytest.raises(Conflict, match=other_physician.name):
        send_back(note)


def test_nobody_sends_back_an_own_note_and_no_nurse_any(make_closed, make_note, send_back, writing_nurse):
    with pytest.raises(RuleBroken, match="physician"):
        send_back(make_note(make_closed()), by=writing_nurse)


def test_a_physicians_own_note_comes_back_to_the_inbox(inbox, make_closed, make_note, send_back, request):
    own, other = request.getfixturevalue("signing_physician"), request.getfixturevalue("other_physician")
    note = make_note(make_closed(), by=own, cosigner=other)
    send_back(note, by=other)
    assert "Note sent back to you" in text(inbox.get(f"/inbox/{note.id}"))
    assert inbox_count(own, LATER) == 1


@pytest.mark.parametrize("statement", [sa.update(NoteReturn).values(reason="Fine."), sa.delete(NoteReturn)])
def test_the_database_keeps_what_was_sent_back(make_closed, make_note, send_back, statement):
    send_back(make_note(make_closed()))
    with pytest.raises(DatabaseError), db.session.begin_nested():
        db.session.execute(statement.execution_options(synchronize_session=False))
