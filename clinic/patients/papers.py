"""What else a chart holds: medicines that the patient takes, papers, and the numbers of others."""

import hashlib
from datetime import date, datetime

from sqlalchemy.exc import IntegrityError

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.rows import add_row, following
from clinic.patients import queries
from clinic.patients.models import Document, Medicine, MedicineCheck, Patient, PatientIdentifier
from clinic.patients.rules import media_type

# --- medicines -------------------------------------------------------------------------------------------------------


def record_medicine(
    patient: Patient, *, name: str, taken: str | None, since: str | None, by: Staff, at: datetime
) -> Medicine:
    """Write down that the patient takes a medicine. Raises RuleBroken for one that stands there already."""
    if any(row.name.lower() == name.strip().lower() for row in queries.current_medicines(patient.id)):
        raise RuleBroken(f"{name.strip()} is recorded already. Stop it first, with the reason.", field="name")
    medicine = Medicine(
        patient_id=patient.id, name=name.strip(), taken=taken, since=since, recorded_at=at, recorded_by_id=by.id
    )
    add_row(medicine)
    _audit_medicine(medicine, by=by, at=at)
    return medicine


def stop_medicine(medicine: Medicine, *, reason: str, by: Staff, at: datetime) -> Medicine:
    """Write down that the patient takes it no more; it stays readable with the reason."""
    stopped = following(medicine, reason=reason, by_id=by.id, at=at, is_void=True)
    add_row(stopped)
    _audit_medicine(stopped, by=by, at=at)
    return stopped


def _audit_medicine(medicine: Medicine, *, by: Staff, at: datetime) -> None:
    audit.record(
        AuditAction.MEDICINE_RECORDED,
        medicine,
        actor_id=by.id,
        at=at,
        name=medicine.name,
        taken=medicine.taken,
        since=medicine.since,
        reason=medicine.correction_reason,
        is_void=bool(medicine.is_void),
    )


def check_medicines(patient: Patient, *, by: Staff, at: datetime) -> MedicineCheck:
    """Write down that the list was gone through with the patient and is right as it stands; an empty one says: none."""
    check = MedicineCheck(patient_id=patient.id, recorded_at=at, recorded_by_id=by.id)
    db.session.add(check)
    names = [row.name for row in queries.current_medicines(patient.id)]
    audit.record(AuditAction.MEDICINES_CHECKED, check, actor_id=by.id, at=at, names=names)
    return check


# --- papers ----------------------------------------------------------------------------------------------------------


def add_document(
    patient: Patient, *, title: str, dated_on: date | None, content: bytes, by: Staff, at: datetime
) -> Document:
    """Keep a paper as it came. Raises RuleBroken for anything but a PDF, PNG or JPEG, judged by what is in it."""
    kind = media_type(content)
    if kind is None:
        raise RuleBroken("This is no PDF, PNG or JPEG.", field="file")
    document = Document(
        patient_id=patient.id,
        title=title.strip(),
        dated_on=dated_on,
        media_type=kind,
        digest=hashlib.sha256(content).hexdigest(),
        size=len(content),
        content=content,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    add_row(document)
    _audit_document(document, by=by, at=at)
    return document


def withdraw_document(document: Document, *, reason: str, by: Staff, at: datetime) -> Document:
    """Withdraw a paper that does not belong here; it stays in the database with the reason."""
    void = following(document, reason=reason, by_id=by.id, at=at, content=b"", is_void=True)
    add_row(void)
    _audit_document(void, by=by, at=at)
    return void


def _audit_document(document: Document, *, by: Staff, at: datetime) -> None:
    audit.record(
        AuditAction.DOCUMENT_RECORDED,
        document,
        actor_id=by.id,
        at=at,
        title=document.title,
        digest=document.digest,
        size=document.size,
        reason=document.correction_reason,
        is_void=bool(document.is_void),
    )


# --- the numbers of others -------------------------------------------------------------------------------------------


def add_identifier(patient: Patient, *, system: str, value: str, by: Staff, at: datetime) -> PatientIdentifier:
    """Write down the number that somebody else knows the patient by. Raises RuleBroken where it is taken."""
    made = PatientIdentifier(patient_id=patient.id, system=system.strip(), value=value.strip())
    try:
        with db.session.begin_nested():
            db.session.add(made)
            db.session.flush()  # the database judges whether the number is free
    except IntegrityError as clash:
        raise RuleBroken("This number is recorded already, here or for another patient.", field="value") from clash
    _audit_identifier(patient, "added", made, None, by=by, at=at)
    return made


def remove_identifier(patient: Patient, identifier: PatientIdentifier, *, reason: str, by: Staff, at: datetime) -> None:
    """Take away a number that is not the patient's; the trail keeps it with the reason."""
    _audit_identifier(patient, "removed", identifier, reason, by=by, at=at)
    db.session.delete(identifier)


def _audit_identifier(
    patient: Patient, what: str, identifier: PatientIdentifier, reason: str | None, *, by: Staff, at: datetime
) -> None:
    audit.record(
        AuditAction.PATIENT_CHANGED,
        patient,
        actor_id=by.id,
        at=at,
        patient_id=patient.id,
        identifier=what,
        system=identifier.system,
        value=identifier.value,
        reason=reason,
    )
