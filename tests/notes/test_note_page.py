"""The note of a session on its page, as each role sees it."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from clinic.accounts.models import Clinic
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import clock, db
from clinic.notes.models import Note
from clinic.notes.rules import NoteKind, NoteStatus
from tests.factories.accounts import PASSWORD
from tests.factories.notes import LATER


@pytest.fixture
def infusion(make_closed):
    return make_closed()


@pytest.fixture
def at_later():
    with clock.standing_at(LATER):
        yield


@pytest.fixture
def author(client, writing_nurse, at_later):
    """The browser of the nurse who writes."""
    client.sign_in(writing_nurse)
    return client


def notes():
    return list(db.session.scalars(sa.select(Note).execution_options(populate_existing=True)))


def text(page):
    return page.get_data(as_text=True)


def test_the_draft_is_put_together_from_the_record(author, infusion):
    page = text(author.get(f"/sessions/{infusion.id}/note"))
    assert "Lidocaine, session 1 of 6. Infusion 09:00 to 10:00." in page
    assert "Left with Ivan Petrov at 11:10." in page


def test_nothing_is_chosen_even_for_the_only_physician(author, infusion):
    assert "checked" not in text(author.get(f"/sessions/{infusion.id}/note"))


def test_a_draft_is_saved_and_found_again(author, infusion):
    answer = author.post(f"/sessions/{infusion.id}/note", data={"text": "So far."})
    assert (answer.status_code, [note.status for note in notes()]) == (303, [NoteStatus.DRAFT])
    assert "So far." in text(author.get(f"/sessions/{infusion.id}/note"))


def test_a_draft_is_its_authors_alone(author, infusion, second_nurse):
    author.post(f"/sessions/{infusion.id}/note", data={"text": "Secret so far."})
    author.sign_in(second_nurse)
    page = text(author.get(f"/sessions/{infusion.id}/note"))
    assert "Secret so far." not in page
    assert "M. Reyes RN has begun a note" in page


def test_signing_sends_the_note_to_the_chosen_physician(author, infusion, signing_physician):
    answer = author.post(
        f"/sessions/{infusion.id}/note/sign",
        data={"text": "Calm.", "cosigner_id": str(signing_physician.id), "password": PASSWORD},
    )
    (note,) = notes()
    assert (answer.status_code, note.status, note.cosigner_id) == (
        303,
        NoteStatus.COSIGN_PENDING,
        signing_physician.id,
    )
    page = text(author.get(f"/sessions/{infusion.id}/note"))
    assert "Signed, to be co-signed" in page
    assert "valid" in page


@pytest.mark.parametrize(
    ("missing", "complaint"),
    [("cosigner_id", "Choose who co-signs."), ("password", "This is not your password."), ("text", "Write the note")],
)
def test_a_refusal_keeps_what_was_typed(author, infusion, signing_physician, missing, complaint):
    typed = {"text": "Calm words.", "cosigner_id": str(signing_physician.id), "password": PASSWORD, missing: ""}
    answer = author.post(f"/sessions/{infusion.id}/note/sign", data=typed)
    assert (answer.status_code, notes()) == (422, [])
    assert complaint in text(answer)
    assert "<title>Error: " in text(answer)
    assert missing == "text" or "Calm words." in text(answer)
    assert PASSWORD not in text(answer)


def test_after_a_wrong_password_the_draft_can_be_signed(author, infusion, make_note, signing_physician):
    note = make_note(infusion, sign=False)
    form = {"text": "Better.", "cosigner_id": str(signing_physician.id), "version": str(note.version)}
    refused = author.post(f"/sessions/{infusion.id}/note/sign", data=form | {"password": "wrong"})
    assert f'name="version" value="{form["version"]}"' in text(refused)
    signed = author.post(f"/sessions/{infusion.id}/note/sign", data=form | {"password": PASSWORD})
    assert signed.status_code == 303


def test_an_older_drawing_of_the_draft_is_a_conflict_with_both_texts(author, infusion):
    author.post(f"/sessions/{infusion.id}/note", data={"text": "First."})
    version = notes()[0].version
    author.post(f"/sessions/{infusion.id}/note", data={"text": "Second.", "version": str(version)})
    answer = author.post(f"/sessions/{infusion.id}/note", data={"text": "Third.", "version": str(version)})
    assert answer.status_code == 409
    assert "Second." in text(answer)
    assert "Third." in text(answer)


def test_a_form_of_another_patient_is_refused(author, infusion, make_patient):
    form = {"text": "Whose?", "patient_id": str(make_patient().id)}
    assert author.post(f"/sessions/{infusion.id}/note", data=form).status_code == 409
    assert not notes()


def test_an_addendum_follows_the_note(author, infusion, make_note):
    note = make_note(infusion)
    form = {"kind": "addendum", "text": "Called: well.", "password": PASSWORD}
    assert author.post(f"/notes/{note.id}/addenda", data=form).status_code == 303
    page = text(author.get(f"/sessions/{infusion.id}/note"))
    assert page.index("Calm course.") < page.index("Called: well.")


def test_a_correction_strikes_the_note_through(author, infusion, make_note):
    note = make_note(infusion)
    form = {"kind": "correction", "text": "As it should read.", "password": PASSWORD}
    author.post(f"/notes/{note.id}/addenda", data=form)
    page = text(author.get(f"/sessions/{infusion.id}/note"))
    assert "<del>Calm course.</del>" in page
    assert {row.kind for row in notes()} == {NoteKind.SESSION, NoteKind.CORRECTION}
    assert "superseded by a correction" in page
    assert "content changed" not in page


def test_somebody_else_only_adds(author, infusion, make_note, second_nurse):
    make_note(infusion)
    author.sign_in(second_nurse)
    assert 'value="correction"' not in text(author.get(f"/sessions/{infusion.id}/note"))


def test_a_note_prints_with_its_signatures(author, infusion, make_note):
    make_note(infusion)
    page = text(author.get(f"/sessions/{infusion.id}/note/print"))
    assert "Calm course." in page
    assert "M. Reyes RN" in page


def test_reading_a_note_leaves_a_line(author, infusion, writing_nurse):
    author.get(f"/sessions/{infusion.id}/note")
    read = sa.select(AuditEntry.patient_id).where(
        AuditEntry.action == AuditAction.NOTE_READ, AuditEntry.actor_id == writing_nurse.id
    )
    assert db.session.scalars(read).all() == [infusion.patient_id]


@pytest.mark.parametrize("role", ["scheduler", "admin"])
def test_the_desk_and_the_admin_read_no_note(client, infusion, make_note, request, role):
    make_note(infusion)
    client.sign_in(request.getfixturevalue(role))
    answer = client.get(f"/sessions/{infusion.id}/note")
    assert answer.status_code == 403
    assert "Calm course." not in text(answer)


def test_another_clinic_finds_nothing(infusion, make_note, refuses_strangers):
    note = make_note(infusion)
    for address in (
        f"/sessions/{infusion.id}/note",
        f"/sessions/{infusion.id}/note/print",
        f"/inbox/{note.id}",
        f"/courses/{infusion.course_id}",
        f"/courses/{infusion.course_id}/print",
    ):
        refuses_strangers(address)
    for address in (
        f"/sessions/{infusion.id}/note",
        f"/sessions/{infusion.id}/note/sign",
        f"/notes/{note.id}/addenda",
        f"/notes/{note.id}/discard",
        f"/inbox/{note.id}/sign",
        f"/courses/{infusion.course_id}/reviews",
    ):
        assert (
            refuses_strangers(address, method="POST", data={"text": "Mine.", "password": PASSWORD}).status_code == 404
        )


@pytest.mark.parametrize("limit", [2, 3, None])
def test_what_is_added_beyond_the_clinics_days_is_warned_of_and_taken(
    client, writing_nurse, infusion, make_note, limit
):
    note = make_note(infusion)
    with db.unit_of_work():
        db.session.get_one(Clinic, db.current_clinic_id()).late_entry_days = limit
    with clock.standing_at(infusion.arrived_at + timedelta(days=3)):
        client.sign_in(writing_nurse)
        assert ("was 3 days ago" in text(client.get(f"/sessions/{infusion.id}/note"))) is (limit == 2)
        form = {"kind": "addendum", "text": "Called: well.", "password": PASSWORD}
        added = client.post(f"/notes/{note.id}/addenda", data=form, follow_redirects=True)
    assert "Called: well." in text(added)
