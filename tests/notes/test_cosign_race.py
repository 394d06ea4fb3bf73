"""Two physicians co-sign one note at the same moment: one does, the other is told."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa

from clinic.accounts.models import Staff
from clinic.core import db
from clinic.core.errors import Conflict
from clinic.notes import operations, queries
from clinic.notes.rules import NoteStatus
from clinic.signatures.models import Signature
from clinic.signatures.rules import Meaning
from tests.factories.accounts import PASSWORD
from tests.factories.notes import LATER


@pytest.fixture
def people(committed_db, clinic, nurse, second_nurse, physician):
    """Those who were made in an earlier piece of work and take part in this one."""
    return [clinic, nurse, second_nurse, physician]


@pytest.fixture
def cosigners(signing_physician, other_physician):
    return [signing_physician, other_physician]


def test_one_of_two_cosigners_wins(people, cosigners, make_closed, make_note, writing_nurse):
    with db.unit_of_work():
        db.session.add_all([*people, *cosigners, writing_nurse])
        note_id = make_note(make_closed()).id
    clinic_id, together = people[0].id, Barrier(2, timeout=20)

    def cosign(staff_id):
        together.wait()
        try:
            with db.in_clinic(clinic_id), db.unit_of_work():
                note = queries.note(note_id)
                operations.cosign_note(note, by=db.session.get(Staff, staff_id), password=PASSWORD, at=LATER)
        except Conflict as told:
            return told.what
        return ""

    with ThreadPoolExecutor(2) as pool:
        done, told = sorted(pool.map(cosign, [person.id for person in cosigners]))
    assert (done, "co-signed this note already" in told) == ("", True)
    with db.unit_of_work():
        count = sa.select(sa.func.count()).select_from(Signature).where(Signature.meaning == Meaning.COSIGNER)
        assert db.session.scalar(count) == 1
        assert queries.note(note_id).status is NoteStatus.COSIGNED
