"""The clinic's own rules about co-signatures, late entries and attestations."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from clinic.core import clock, db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Role
from clinic.notes import cosigning, operations
from clinic.notes.models import CosignRule, Note
from clinic.notes.rules import Addition, NoteKind, NoteStatus
from clinic.signatures.operations import verify
from clinic.signatures.queries import signatures_of
from clinic.signatures.rules import Verdict
from tests.factories.accounts import PASSWORD
from tests.factories.notes import LATER
from tests.factories.sessions import minute

RULE = {"role": "nurse", "kind": "addendum", "is_needed": "yes", "reason": "New staff.", "password": PASSWORD}


@pytest.fixture
def set_rule(signing_physician):
    def make(role, kind, *, is_needed):
        with db.unit_of_work():
            return cosigning.set_cosign_rule(
                role, kind, is_needed=is_needed, reason="Ours.", by=signing_physician, password=PASSWORD, at=LATER
            )

    return make


@pytest.fixture
def page(client, signing_physician):
    client.sign_in(signing_physician)
    with clock.standing_at(LATER + timedelta(hours=1)):
        yield client


def text(answer):
    return answer.get_data(as_text=True)


def test_a_nurses_note_needs_nobody_where_the_clinic_says_so(set_rule, make_closed, make_note):
    set_rule(Role.NURSE, NoteKind.SESSION, is_needed=False)
    assert make_note(make_closed(), cosigner=None).status is NoteStatus.SIGNED


def test_an_addendum_waits_for_the_cosigner_of_its_note_where_the_clinic_says_so(
    set_rule, make_closed, make_note, writing_nurse
):
    set_rule(Role.NURSE, NoteKind.ADDENDUM, is_needed=True)
    note = make_note(make_closed())
    added = operations.add_addendum(note, "Called.", by=writing_nurse, password=PASSWORD, at=LATER)
    assert (added.status, added.cosigner_id) == (NoteStatus.COSIGN_PENDING, note.cosigner_id)


def test_a_physicians_note_waits_for_another_where_the_clinic_says_so(set_rule, make_closed, make_note, request):
    own, other = request.getfixturevalue("signing_physician"), request.getfixturevalue("other_physician")
    set_rule(Role.PHYSICIAN, NoteKind.SESSION, is_needed=True)
    assert make_note(make_closed(), by=own, cosigner=other).status is NoteStatus.COSIGN_PENDING


def test_a_rule_is_set_on_its_page_with_a_reason_and_a_signature(page):
    assert "as delivered" in text(page.get("/clinic/co-signatures"))
    assert page.post("/clinic/co-signatures", data=RULE | {"reason": ""}).status_code == 422
    assert page.post("/clinic/co-signatures", data=RULE | {"password": "wrong"}).status_code == 422
    assert page.post("/clinic/co-signatures", data=RULE).status_code == 303
    assert "New staff." in text(page.get("/clinic/co-signatures"))
    assert "the rule already" in text(page.post("/clinic/co-signatures", data=RULE))


def test_a_late_entry_tells_when_it_happened_and_is_signed_now(make_closed, make_note, writing_nurse):
    note = make_note(make_closed())
    added = operations.add_addendum(
        note, "Patient coughed.", by=writing_nurse, password=PASSWORD, at=LATER, what=Addition.LATE_ENTRY,
        happened_at=minute(20),
    )  # fmt: skip
    assert (added.happened_at, added.signed_at) == (minute(20), LATER)
    (signature,) = signatures_of(added.id)
    assert verify(signature, operations.content_of(added)) is Verdict.VALID
    assert verify(signature, operations.content_of(added) | {"happened_at": minute(30)}) is Verdict.CHANGED


@pytest.mark.parametrize(
    ("what", "happened_at"),
    [(Addition.LATE_ENTRY, None), (Addition.ADDENDUM, minute(20)), (Addition.LATE_ENTRY, LATER + timedelta(hours=9))],
)
def test_a_late_entry_alone_has_a_time_and_not_a_future_one(make_closed, make_note, writing_nurse, what, happened_at):
    note = make_note(make_closed())
    with pytest.raises(RuleBroken):
        operations.add_addendum(
            note, "More.", by=writing_nurse, password=PASSWORD, at=LATER, what=what, happened_at=happened_at
        )


def test_only_the_author_attests(make_closed, make_note, signing_physician, writing_nurse):
    note = make_note(make_closed())
    with pytest.raises(RuleBroken, match="Only its author attests"):
        operations.add_addendum(
            note, "Mine.", by=signing_physician, password=PASSWORD, at=LATER, what=Addition.ATTESTATION
        )
    added = operations.add_addendum(
        note, "Mine.", by=writing_nurse, password=PASSWORD, at=LATER, what=Addition.ATTESTATION
    )
    assert added.is_attestation


def test_a_late_entry_is_written_on_the_page_of_the_note(page, make_closed, make_note):
    note = make_note(make_closed())
    form = {"kind": "late-entry", "text": "Coughed.", "password": PASSWORD, "day": "18-Nov-2025", "clock": "09:20"}
    assert page.post(f"/notes/{note.id}/addenda", data=form | {"clock": ""}).status_code == 422
    assert page.post(f"/notes/{note.id}/addenda", data=form).status_code == 303
    assert "Late entry about 18-Nov-2025 09:20" in text(page.get(f"/sessions/{note.infusion_id}/note"))


@pytest.mark.parametrize(
    "statement",
    [
        sa.update(CosignRule).values(is_needed=False),
        sa.delete(CosignRule),
        sa.update(Note).values(happened_at=LATER),
        sa.update(Note).values(is_attestation=True),
    ],
)
def test_the_database_keeps_rules_and_what_a_note_is(set_rule, make_closed, make_note, statement):
    set_rule(Role.NURSE, NoteKind.ADDENDUM, is_needed=True)
    make_note(make_closed())
    with pytest.raises(DatabaseError), db.session.begin_nested():
        db.session.execute(statement.execution_options(synchronize_session=False))
