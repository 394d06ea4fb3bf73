"""A signature covers exact content, says who and as what, and is never made twice."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from clinic.accounts.models import Staff
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.signatures import operations, queries
from clinic.signatures.models import Signature
from clinic.signatures.rules import Meaning, Verdict, canonical, digest
from tests.factories.accounts import PASSWORD

CONTENT = {"dose": 5}


@pytest.fixture
def sign(signing_physician, make_patient, frozen_clock):
    patient = make_patient()

    def do(content=CONTENT, *, by=signing_physician, password=PASSWORD, meaning=Meaning.AUTHOR):
        return operations.sign(
            patient, content, meaning=meaning, by=by, password=password, at=frozen_clock, patient_id=patient.id
        )

    return do


def test_keeps_the_text_its_hash_and_who_signed(sign, frozen_clock):
    signature = sign()
    assert signature.content == canonical(CONTENT)
    assert signature.digest == digest(signature.content)
    assert (signature.signer_name, signature.signer_roles) == ("Dr L. Marsh", "physician")
    assert signature.signed_at == frozen_clock


def test_the_name_stays_as_it_was_when_it_was_signed(sign, signing_physician):
    signature = sign()
    signing_physician.family_name = "Stone"
    assert signature.signer_name == "Dr L. Marsh"


def test_a_wrong_password_signs_nothing(sign):
    with pytest.raises(RuleBroken) as refusal:
        sign(password="guess")
    assert refusal.value.field == "password"
    assert db.session.scalars(sa.select(Signature)).all() == []


def test_nobody_signs_the_same_thing_twice(sign):
    sign()
    with pytest.raises(RuleBroken, match="already"):
        sign()


def test_the_same_person_may_sign_with_another_meaning(sign):
    sign()
    assert sign(meaning=Meaning.REVIEWED).meaning is Meaning.REVIEWED


def test_changed_content_no_longer_verifies(sign):
    signature = sign()
    assert operations.verify(signature, {"dose": 5}) is Verdict.VALID
    assert operations.verify(signature, {"dose": 6}) is Verdict.CHANGED


@pytest.mark.parametrize("column", ["content", "digest", "signer_name", "signed_at"])
def test_the_database_keeps_a_signature_as_it_is(sign, column):
    signature = sign()
    other = {"signed_at": signature.signed_at.replace(year=2020)}.get(column, "0" * 64)
    change = sa.update(Signature).where(Signature.id == signature.id).values({column: other})
    with pytest.raises(DatabaseError), db.session.begin_nested():
        db.session.execute(change.execution_options(synchronize_session=False))


def test_the_database_deletes_no_signature(sign):
    sign()
    with pytest.raises(DatabaseError), db.session.begin_nested():
        db.session.execute(sa.delete(Signature).execution_options(synchronize_session=False))


def test_a_signature_leaves_a_line(sign, signing_physician):
    signature = sign()
    line = db.session.scalar(sa.select(AuditEntry).where(AuditEntry.action == AuditAction.SIGNATURE_MADE))
    assert line.actor_id == signing_physician.id
    assert signature.digest in line.body


def test_signatures_are_found_by_their_subject(sign):
    signature = sign()
    assert queries.signatures_by_subject([signature.subject_id]) == {signature.subject_id: [signature]}
    assert queries.signature_with(signature.subject_id, Meaning.AUTHOR) is signature
    assert queries.signature_with(signature.subject_id, Meaning.WITNESS) is None


def test_an_unknown_persons_password_is_never_right(sign, make_staff):
    stranger: Staff = make_staff()
    with pytest.raises(RuleBroken):
        sign(by=stranger, password="")
