"""Draft, sign, co-sign, add: what is refused, and what the database refuses."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from clinic.core import db
from clinic.core.errors import Conflict, RuleBroken
from clinic.notes import operations, operations_review
from clinic.notes.models import Note
from clinic.notes.operations import content_of
from clinic.notes.rules import Addition, NoteKind, NoteStatus
from clinic.signatures.operations import verify
from clinic.signatures.queries import signatures_of
from clinic.signatures.rules import Meaning, Verdict
from tests.factories.accounts import PASSWORD
from tests.factories.notes import LATER


def test_a_signed_note_waits_for_the_named_physician(make_closed, make_note, signing_physician):
    note = make_note(make_closed())
    assert (note.status, note.cosigner_id) == (NoteStatus.COSIGN_PENDING, signing_physician.id)


def test_a_nurses_note_names_its_cosigner(make_closed, make_note):
    with pytest.raises(RuleBroken, match="Choose the physician") as refusal:
        make_note(make_closed(), cosigner=None)
    assert refusal.value.field == "cosigner_id"


def test_a_physicians_own_note_stands_alone(make_closed, make_note, signing_physician):
    note = make_note(make_closed(), by=signing_physician, cosigner=None)
    assert note.status is NoteStatus.SIGNED


def test_a_nurse_is_no_cosigner(make_closed, make_note, second_nurse):
    with pytest.raises(RuleBroken, match="Choose a physician"):
        make_note(make_closed(), cosigner=second_nurse)


def test_a_note_is_not_signed_before_the_session_is_closed(make_stopped, plain_drug, make_note):
    with pytest.raises(RuleBroken, match="still open"):
        make_note(make_stopped(drug_id=plain_drug.id))


def test_only_the_author_saves_and_signs(make_closed, make_note, other_physician):
    note = make_note(make_closed(), sign=False)
    with pytest.raises(RuleBroken, match="Only its author"):
        operations.save_draft(note, "Mine now.", by=other_physician, at=LATER)
    with pytest.raises(RuleBroken, match="Only its author"):
        operations.sign_note(note, by=other_physician, password=PASSWORD, at=LATER)


def test_a_wrong_password_signs_nothing(make_closed, make_note, writing_nurse, signing_physician):
    note = make_note(make_closed(), sign=False)
    with pytest.raises(RuleBroken) as refusal:
        operations.sign_note(note, by=writing_nurse, password="wrong", at=LATER, cosigner=signing_physician)
    assert refusal.value.field == "password"
    assert note.status is NoteStatus.DRAFT


def test_a_session_has_one_signed_note(make_closed, make_note, signing_physician):
    infusion = make_closed()
    make_note(infusion)
    with pytest.raises(RuleBroken, match="addendum"):
        make_note(infusion, by=signing_physician)


def test_two_drafts_end_in_one_signed_note(make_closed, make_note, signing_physician):
    infusion = make_closed()
    first, second = make_note(infusion, sign=False), make_note(infusion, by=signing_physician, sign=False)
    operations.sign_note(second, by=signing_physician, password=PASSWORD, at=LATER)
    with pytest.raises(RuleBroken, match="signed meanwhile"):
        operations.sign_note(first, by=first.author, password=PASSWORD, at=LATER, cosigner=signing_physician)


def test_the_cosignature_is_over_the_same_text(make_closed, make_note, signing_physician):
    note = make_note(make_closed())
    operations.cosign_note(note, by=signing_physician, password=PASSWORD, at=LATER)
    author, cosigner = signatures_of(note.id)
    assert (author.meaning, cosigner.meaning) == (Meaning.AUTHOR, Meaning.COSIGNER)
    assert author.digest == cosigner.digest
    assert verify(author, content_of(note)) is Verdict.VALID


def test_a_changed_text_shows_at_the_signature(make_closed, make_note):
    note = make_note(make_closed())
    (signature,) = signatures_of(note.id)
    assert verify(signature, {**content_of(note), "text": "Other words."}) is Verdict.CHANGED


def test_any_physician_may_cosign_the_author_never(make_closed, make_note, other_physician, writing_nurse):
    note = make_note(make_closed())
    with pytest.raises(RuleBroken):
        operations.cosign_note(note, by=writing_nurse, password=PASSWORD, at=LATER)
    operations.cosign_note(note, by=other_physician, password=PASSWORD, at=LATER)
    assert note.status is NoteStatus.COSIGNED


def test_the_second_cosigner_is_told_who_was_first(make_closed, make_note, signing_physician, other_physician):
    note = make_note(make_closed())
    operations.cosign_note(note, by=other_physician, password=PASSWORD, at=LATER)
    with pytest.raises(Conflict, match=other_physician.name):
        operations.cosign_note(note, by=signing_physician, password=PASSWORD, at=LATER)


def test_an_addendum_is_signed_at_once_and_leaves_the_note(make_closed, make_note, writing_nurse):
    note = make_note(make_closed())
    added = operations.add_addendum(note, "Called: no pain.", by=writing_nurse, password=PASSWORD, at=LATER)
    assert (added.kind, added.status, added.follows_id) == (NoteKind.ADDENDUM, NoteStatus.SIGNED, note.id)
    assert note.text == "Calm course."


def test_only_the_author_corrects(make_closed, make_note, writing_nurse, signing_physician):
    note = make_note(make_closed())
    with pytest.raises(RuleBroken, match="Only its author"):
        operations.add_addendum(
            note, "No.", by=signing_physician, password=PASSWORD, at=LATER, what=Addition.CORRECTION
        )
    corrected = operations.add_addendum(
        note, "Yes.", by=writing_nurse, password=PASSWORD, at=LATER, what=Addition.CORRECTION
    )
    assert corrected.kind is NoteKind.CORRECTION


def test_a_draft_takes_no_addendum(make_closed, make_note, writing_nurse):
    note = make_note(make_closed(), sign=False)
    with pytest.raises(RuleBroken, match="signed note"):
        operations.add_addendum(note, "More.", by=writing_nurse, password=PASSWORD, at=LATER)


def test_a_discarded_draft_leaves_room_for_another(make_closed, make_note, writing_nurse):
    infusion = make_closed()
    operations.discard_draft(make_note(infusion, sign=False), by=writing_nurse, at=LATER)
    assert make_note(infusion).status is NoteStatus.COSIGN_PENDING


@pytest.mark.parametrize(
    "values", [{"text": "Other words."}, {"signed_at": LATER.replace(hour=1)}, {"kind": "progress"}]
)
def test_the_database_refuses_to_change_a_signed_note(make_closed, make_note, values):
    note = make_note(make_closed())
    with pytest.raises(DatabaseError), db.session.begin_nested():
        db.session.execute(
            sa.update(Note).where(Note.id == note.id).values(**values).execution_options(synchronize_session=False)
        )


def test_the_database_refuses_to_remove_a_note(make_closed, make_note):
    note = make_note(make_closed(), sign=False)
    with pytest.raises(DatabaseError), db.session.begin_nested():
        db.session.execute(sa.delete(Note).where(Note.id == note.id).execution_options(synchronize_session=False))


def test_a_reviewed_event_is_signed_by_a_physician(
    make_stopped, plain_drug, make_event, signing_physician, writing_nurse
):
    event = make_event(make_stopped(drug_id=plain_drug.id))
    with pytest.raises(RuleBroken, match="physician"):
        operations_review.review_adverse_event(event, by=writing_nurse, password=PASSWORD, at=LATER)
    signature = operations_review.review_adverse_event(event, by=signing_physician, password=PASSWORD, at=LATER)
    assert signature.meaning is Meaning.REVIEWED
