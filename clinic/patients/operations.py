"""Patients and what is known of them change here. Rows of the chart are added, never changed."""

from datetime import date, datetime

from sqlalchemy.exc import IntegrityError

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.rows import add_row, following
from clinic.patients import queries
from clinic.patients.consenting import record_consent, sign_consent, withdraw_consent, write_consent_form
from clinic.patients.models import Allergy, Patient
from clinic.patients.rules import AllergyKind, Sex
from clinic.patients.screening import (
    add_screening_question,
    answer_screening,
    change_screening_question,
    settle_screening,
)
from clinic.patients.weighing import WeightHeld, correct_weight, note_refused_weight, record_weight

__all__ = [
    "WeightHeld",
    "add_screening_question",
    "answer_screening",
    "change_patient",
    "change_problem",
    "change_screening_question",
    "correct_weight",
    "create_patient",
    "note_refused_weight",
    "record_allergy",
    "record_consent",
    "record_no_known_allergies",
    "record_weight",
    "retire_allergy",
    "settle_screening",
    "sign_consent",
    "withdraw_consent",
    "write_consent_form",
]

# --- the person ------------------------------------------------------------------------------------------------------


def create_patient(
    *,
    mrn: str,
    family_name: str,
    given_name: str,
    born_on: date,
    sex: Sex,
    phone: str | None = None,
    language: str | None = None,
    is_interpreter_needed: bool | None = None,
    referred_by: str | None = None,
    problem: str | None = None,
    by: Staff,
    at: datetime,
) -> Patient:
    """Add a patient. Raises RuleBroken for a birth date that is still to come and for a record number in use."""
    _refuse_unborn(born_on, at)
    patient = Patient(
        mrn=mrn.strip(),
        family_name=family_name.strip(),
        given_name=given_name.strip(),
        family_key=_key(family_name),
        born_on=born_on,
        sex=sex,
        phone=phone or None,
        language=language or None,
        is_interpreter_needed=is_interpreter_needed,
        referred_by=referred_by or None,
        problem=problem or None,
        created_at=at,
        created_by_id=by.id,
    )
    try:
        with db.session.begin_nested():
            db.session.add(patient)
            db.session.flush()  # the database judges whether the number is free
    except IntegrityError as clash:
        raise RuleBroken("Another patient has this record number. Look for the patient first.", field="mrn") from clash
    audit.record(
        AuditAction.PATIENT_CREATED,
        patient,
        actor_id=by.id,
        at=at,
        patient_id=patient.id,
    )
    return patient


def change_patient(
    patient: Patient,
    *,
    family_name: str,
    given_name: str,
    born_on: date,
    sex: Sex,
    phone: str | None,
    language: str | None,
    is_interpreter_needed: bool | None,
    referred_by: str | None,
    drawn_version: int | None,
    by: Staff,
    at: datetime,
) -> Patient:
    """Change who the patient is. Raises Conflict when somebody else changed it since the form was drawn."""
    _refuse_unborn(born_on, at)
    new = {
        "family_name": family_name.strip(),
        "given_name": given_name.strip(),
        "born_on": born_on,
        "sex": sex,
        "phone": phone or None,
        "language": language or None,
        "is_interpreter_needed": is_interpreter_needed,
        "referred_by": referred_by or None,
    }
    old = {name: getattr(patient, name) for name in new}
    if drawn_version is not None and drawn_version != patient.version:
        raise Conflict("Somebody else changed this patient's details.", mine=_lines(new), theirs=_lines(old))
    for name, value in new.items():
        setattr(patient, name, value)
    patient.family_key = _key(family_name)
    db.session.flush()  # the next form carries the new version
    # The row keeps only the new values, so the line keeps the old ones: nothing that was known is lost.
    changed = [name for name in new if new[name] != old[name]]
    audit.record(
        AuditAction.PATIENT_CHANGED,
        patient,
        actor_id=by.id,
        at=at,
        patient_id=patient.id,
        old={name: old[name] for name in changed},
        new={name: new[name] for name in changed},
    )
    return patient


def change_problem(patient: Patient, problem: str | None, *, by: Staff, at: datetime) -> None:
    """Write down the problem that the patient is treated for."""
    old, patient.problem = patient.problem, problem or None
    db.session.flush()
    audit.record(
        AuditAction.PATIENT_CHANGED,
        patient,
        actor_id=by.id,
        at=at,
        patient_id=patient.id,
        old={"problem": old},
        new={"problem": patient.problem},
    )


def _key(family_name: str) -> str:
    return " ".join(family_name.lower().split())


def _refuse_unborn(born_on: date, at: datetime) -> None:
    if born_on > at.date():
        raise RuleBroken("The birth date is in the future.", field="born_on")


def _lines(values: dict[str, object]) -> list[tuple[str, str]]:
    return [(name.replace("_", " "), str(value or "")) for name, value in values.items()]


# --- allergies -------------------------------------------------------------------------------------------------------


def record_allergy(patient: Patient, *, substance: str, reaction: str | None, by: Staff, at: datetime) -> Allergy:
    """Add a known allergy. It takes the place of "no known allergies"."""
    current = queries.current_allergies(patient.id)
    wanted = substance.strip()
    if any((known.substance or "").lower() == wanted.lower() for known in current):
        raise RuleBroken(f"{wanted} is recorded already.", field="substance")
    none_known = [row for row in current if row.kind is AllergyKind.NONE_KNOWN]
    allergy = Allergy(
        patient_id=patient.id,
        kind=AllergyKind.KNOWN,
        substance=wanted,
        reaction=reaction or None,
        recorded_at=at,
        recorded_by_id=by.id,
        supersedes_id=none_known[-1].id if none_known else None,
        correction_reason="A known allergy was recorded." if none_known else None,
    )
    for row in none_known[:-1]:
        add_row(following(row, reason="A known allergy was recorded.", by_id=by.id, at=at, is_void=True))
    add_row(allergy)
    _audit_allergy(allergy, by=by, at=at)
    return allergy


def record_no_known_allergies(patient: Patient, *, by: Staff, at: datetime) -> Allergy:
    """Write down that the patient was asked and has no allergy. Raises RuleBroken while a known one stands."""
    if any(row.kind is AllergyKind.KNOWN for row in queries.current_allergies(patient.id)):
        raise RuleBroken("Known allergies are recorded. Retire them first, each with its reason.")
    allergy = Allergy(patient_id=patient.id, kind=AllergyKind.NONE_KNOWN, recorded_at=at, recorded_by_id=by.id)
    add_row(allergy)
    _audit_allergy(allergy, by=by, at=at)
    return allergy


def retire_allergy(allergy: Allergy, *, reason: str, by: Staff, at: datetime) -> Allergy:
    """Withdraw an allergy that was found not to be one; it stays readable with the reason."""
    void = following(allergy, reason=reason, by_id=by.id, at=at, is_void=True)
    add_row(void)
    _audit_allergy(void, by=by, at=at)
    return void


def _audit_allergy(allergy: Allergy, *, by: Staff, at: datetime) -> None:
    audit.record(
        AuditAction.ALLERGY_RECORDED,
        allergy,
        actor_id=by.id,
        at=at,
        kind=allergy.kind,
        substance=allergy.substance,
        reaction=allergy.reaction,
        supersedes_id=allergy.supersedes_id,
        reason=allergy.correction_reason,
        is_void=bool(allergy.is_void),
    )
