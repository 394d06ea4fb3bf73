"""A physician takes a copy out: with the password, for a while, and never without a line in the trail."""

import io
import zipfile
from datetime import timedelta

import pytest
import sqlalchemy as sa

from clinic.audit.chain_rules import signing_key
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import clock, db
from clinic.core.permissions import Role
from clinic.keeping import importing
from clinic.keeping.models import Disclosure
from clinic.signatures.models import Signature
from clinic.signatures.rules import Meaning
from config import Testing
from tests.factories.accounts import PASSWORD

ASKED = {"recipient": "patient", "to_whom": "the patient", "reason": "asked for it", "password": PASSWORD}


@pytest.fixture(autouse=True)
def _commits(committed_db):
    """A copy is read in a transaction of its own."""


@pytest.fixture
def patient(make_patient):
    return make_patient(family_name="Fairweather")


@pytest.fixture
def doctor(make_staff):
    return make_staff(Role.PHYSICIAN, given_name="Ines", family_name="Okafor", title="Dr", password=PASSWORD)


def lines(action):
    with db.unit_of_work(write=False):
        return db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == action)).all()


def disclosures():
    with db.unit_of_work(write=False):
        return db.session.scalars(sa.select(Disclosure)).all()


def asked(client, page, **other):
    client.post(page, data={**ASKED, **other})
    (row,) = disclosures()
    return f"{page}/{row.id}"


def test_a_copy_of_a_patient_is_fetched_with_a_line_for_each_time(client, doctor, patient):
    client.sign_in(doctor)
    address = asked(client, f"/patients/{patient.id}/export")
    answer = client.get(address)
    assert answer.headers["Cache-Control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        assert patient.family_name in archive.read("tables/patient.json").decode()
    client.get(address)
    begun, sent = lines(AuditAction.EXPORT_BEGUN), lines(AuditAction.EXPORT_SENT)
    assert [line.patient_id for line in (*begun, *sent)] == [patient.id] * 3
    assert "the patient" not in begun[0].body  # somebody's name may stand there


def test_without_the_password_nothing_leaves(client, doctor, patient):
    client.sign_in(doctor)
    answer = client.post(f"/patients/{patient.id}/export", data={**ASKED, "password": "another one"})
    assert answer.status_code == 422
    assert "asked for it" in answer.text
    assert disclosures() == []


def test_a_copy_can_be_fetched_for_a_while_by_who_asked(client, doctor, make_staff, patient):
    client.sign_in(doctor)
    address = asked(client, f"/patients/{patient.id}/export")
    with clock.standing_at(clock.now() + timedelta(minutes=16)):
        assert client.get(address).status_code == 404
    client.sign_in(make_staff(Role.PHYSICIAN))
    assert client.get(address).status_code == 404


def test_a_copy_of_the_clinic_is_one_that_can_be_brought_in(client, doctor, patient, databases, tmp_path):
    client.sign_in(doctor)
    answer = client.get(asked(client, "/clinic/export", recipient="clinic"))
    file = tmp_path / "clinic.zip"
    file.write_bytes(answer.data)
    publics = [signing_key(Testing.SECRET_KEY).public_key()]
    url = databases.fresh()
    assert importing.bring_in(file, db.init(url), publics=publics)["patient"] == 1
    databases.discard(url)


def test_a_stranger_takes_nothing_out(refuses_strangers, patient):
    refuses_strangers(f"/patients/{patient.id}/export")


@pytest.mark.parametrize("missing", ["recipient", "to_whom", "reason", "password"])
def test_a_copy_asks_for_whom_and_why(client, doctor, patient, missing):
    client.sign_in(doctor)
    answer = client.post(f"/patients/{patient.id}/export", data={**ASKED, missing: ""})
    assert answer.status_code == 422
    assert disclosures() == []


@pytest.fixture
def signed(doctor, patient):
    """The doctor has signed something about the patient."""
    with db.unit_of_work():
        db.session.add(
            Signature(
                subject_kind="note",
                subject_id=patient.id,
                patient_id=patient.id,
                meaning=Meaning.AUTHOR,
                content="{}",
                digest="0" * 64,
                signed_at=clock.now(),
                signer_id=doctor.id,
                signer_name=doctor.name,
                signer_roles="physician",
            )
        )


def test_what_left_is_told_in_any_order_and_as_a_file(client, doctor, patient, signed):
    client.sign_in(doctor)
    client.get(asked(client, f"/patients/{patient.id}/export", to_whom="=HYPERLINK(1)"))
    page = f"/patients/{patient.id}/disclosures"
    for order in ("when", "what", "for", "why", "by"):
        assert "asked for it" in client.get(f"{page}?sort={order}").text
    assert client.get(f"{page}?sort=password").status_code == 400
    table = client.get(f"{page}/table").text.splitlines()
    assert table[1].split(",")[1:] == ["copy of the record", "the patient: =HYPERLINK(1)", "asked for it", doctor.name]
    assert len(lines(AuditAction.DISCLOSURES_EXPORTED)) == 1


def test_a_copy_that_nobody_fetched_did_not_leave(client, doctor, patient, signed):
    client.sign_in(doctor)
    asked(client, f"/patients/{patient.id}/export")
    assert "Nothing left yet" in client.get(f"/patients/{patient.id}/disclosures").text


def test_what_left_is_told_for_own_patients_alone(client, doctor, patient):
    client.sign_in(doctor)
    assert "Not one of your patients" in client.get(f"/patients/{patient.id}/disclosures").text
    assert client.get(f"/patients/{patient.id}/disclosures/table").status_code == 404


def test_a_stranger_learns_nothing_of_what_left(refuses_strangers, patient):
    refuses_strangers(f"/patients/{patient.id}/disclosures")
