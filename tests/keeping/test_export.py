"""A copy of a clinic goes into an empty installation and is the same there; a copy of a patient holds nobody else."""

import csv
import io
import json
import zipfile

import pytest
import sqlalchemy as sa

from clinic.accounts.models import Clinic, Staff
from clinic.audit import verify
from clinic.audit.chain_rules import signing_key
from clinic.audit.models import AuditEntry
from clinic.core import db
from clinic.keeping import export, importing
from clinic.keeping.contents import NEVER
from clinic.keeping.rows import BadBackup
from clinic.patients.models import Patient
from clinic.sessions.models import InfusionSession
from config import Testing
from tests.factories.demo import DEMO_MOMENT

SECRET = Testing.SECRET_KEY
PUBLICS = [signing_key(SECRET).public_key()]


def whole_clinic():
    with db.unit_of_work(write=False):
        clinic_id = db.session.scalar(sa.select(Clinic.id).where(Clinic.is_demo))
    return b"".join(export.of_clinic(clinic_id, secret=SECRET, at=DEMO_MOMENT))


def opened(content):
    return zipfile.ZipFile(io.BytesIO(content))


def table(archive, name):
    return json.loads(archive.read(f"tables/{name}.json"))


@pytest.fixture(scope="module")
def made(demo_copy, tmp_path_factory):
    """The copy of the demonstration clinic, as a file."""
    db.init(demo_copy)
    file = tmp_path_factory.mktemp("export") / "clinic.zip"
    file.write_bytes(whole_clinic())
    return file


@pytest.fixture
def empty(databases):
    url = databases.fresh()
    yield db.init(url)
    databases.discard(url)


def test_a_clinic_that_was_brought_in_exports_the_same_bytes(made, empty):
    counts = importing.bring_in(made, empty, publics=PUBLICS)
    assert counts["observation_set"] > 100
    assert whole_clinic() == made.read_bytes()
    with db.unit_of_work(write=False):
        assert verify.faults(db.session) == []


def test_no_secret_leaves(made):
    with opened(made.read_bytes()) as archive:
        assert not any("password_hash" in person for person in table(archive, "staff"))
        assert not [name for name in archive.namelist() if name.split("/")[-1].split(".")[0] in NEVER]
        assert b"$argon2" not in b"".join(archive.read(name) for name in archive.namelist())


def test_the_csv_has_the_rows_of_the_json(made):
    with opened(made.read_bytes()) as archive:
        lines = list(csv.DictReader(io.TextIOWrapper(archive.open("csv/weight.csv"), "utf-8", newline="")))
        weights = table(archive, "weight")
    assert [(line["id"], line["kg"]) for line in lines] == [(row["id"], row["kg"]) for row in weights]
    assert len(weights) > 3


def changed(content, name, edit):
    """The same zip with one file in it changed."""
    made = io.BytesIO()
    with opened(content) as archive, zipfile.ZipFile(made, "w") as other:
        for each in archive.namelist():
            other.writestr(each, edit(archive.read(each)) if each == name else archive.read(each))
    return made.getvalue()


DAMAGE = {
    "a row": ("tables/weight.json", lambda text: text.replace(b'"kg":"', b'"kg":"1', 1), "was changed after"),
    "the list": ("manifest.json", lambda text: text.replace(b'"clinic"', b'"Clinic"', 1), "not signed by"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_copy_that_was_changed_is_refused(made, empty, tmp_path, damage):
    name, edit, words = DAMAGE[damage]
    file = tmp_path / "changed.zip"
    file.write_bytes(changed(made.read_bytes(), name, edit))
    with pytest.raises(BadBackup, match=words):
        importing.bring_in(file, empty, publics=PUBLICS)
    with db.unit_of_work(write=False):
        assert db.session.scalar(sa.select(sa.func.count(AuditEntry.id))) == 0


def test_a_copy_that_was_cut_off_is_refused(made, empty, tmp_path):
    file = tmp_path / "short.zip"
    file.write_bytes(made.read_bytes()[:-3000])
    with pytest.raises(BadBackup, match="damaged"):
        importing.bring_in(file, empty, publics=PUBLICS)


def test_a_copy_goes_into_no_database_with_rows(made, demo_copy):
    with pytest.raises(BadBackup, match="not empty"):
        importing.bring_in(made, db.init(demo_copy), publics=PUBLICS)


@pytest.fixture(scope="module")
def patients_copy(demo_copy):
    """The patient with the most sessions, and the copy of the record."""
    db.init(demo_copy)
    with db.unit_of_work(write=False):
        of = InfusionSession.__table__.c.patient_id
        key = db.session.scalar(sa.select(of).group_by(of).order_by(sa.func.count().desc(), of))
        patient = db.session.scalar(sa.select(Patient).where(Patient.id == key), execution_options={"unscoped": True})
    content = b"".join(export.of_patient(patient.id, patient.clinic_id, secret=SECRET, at=DEMO_MOMENT))
    with opened(content) as archive:
        yield patient, archive


def test_a_patients_copy_holds_the_record_and_nobody_else(patients_copy, demo_copy):
    patient, archive = patients_copy
    text = b"".join(archive.read(name) for name in archive.namelist()).decode()
    assert [row["id"] for row in table(archive, "patient")] == [str(patient.id)]
    with db.unit_of_work(write=False):
        keys = db.session.scalars(sa.select(Patient.__table__.c.id).where(Patient.__table__.c.id != patient.id)).all()
        emails = db.session.scalars(sa.select(Staff.__table__.c.email)).all()
    assert len(keys) > 5
    assert not [key for key in keys if str(key) in text]
    assert not [email for email in emails if email in text]


def test_a_patients_copy_has_every_row_that_the_sessions_have(patients_copy):
    patient, archive = patients_copy
    for name in ("observation_set", "administration_event", "signature", "audit_entry", "terms", "order_limit"):
        assert table(archive, name), name
    with db.unit_of_work(write=False):
        told = sa.select(sa.func.count()).where(AuditEntry.__table__.c.patient_id == patient.id)
        assert len(table(archive, "audit_entry")) == db.session.scalar(told)
    sessions = {row["id"] for row in table(archive, "infusion_session")}
    assert {row["infusion_id"] for row in table(archive, "observation_set")} <= sessions
