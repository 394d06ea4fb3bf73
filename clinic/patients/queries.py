"""Named reads about patients. "Current" rows are those that no later row supersedes and that were not withdrawn."""

import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload, selectinload

from clinic.core import db, formats, times
from clinic.patients.models import (
    Allergy,
    Consent,
    ConsentForm,
    Document,
    Medicine,
    MedicineCheck,
    Patient,
    PatientIdentifier,
    ScreeningAnswer,
    ScreeningQuestion,
    Weight,
)
from clinic.patients.rules import ConsentStatus, WeightMethod, search_terms, valid_until

_MOST_FOUND = 50
_YEAR_DIGITS = {2, 4}


def patient(patient_id: uuid.UUID) -> Patient | None:
    """A patient of this clinic."""
    return db.session.scalar(sa.select(Patient).where(Patient.id == patient_id))


def patients_by_id(patient_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Patient]:
    """Patients by their id."""
    found = sa.select(Patient).where(Patient.id.in_(list(patient_ids)))
    return {patient.id: patient for patient in db.session.scalars(found)}


def by_mrn(mrn: str) -> Patient | None:
    """The patient with this record number."""
    return db.session.scalar(sa.select(Patient).where(Patient.mrn == mrn.strip()))


def chart(patient_id: uuid.UUID) -> Patient | None:
    """A patient with every row that hangs on the chart, superseded ones included, in a fixed number of reads."""
    return db.session.scalar(
        sa.select(Patient)
        .where(Patient.id == patient_id)
        .options(
            selectinload(Patient.allergies).joinedload(Allergy.recorded_by),
            selectinload(Patient.weights).joinedload(Weight.recorded_by),
            selectinload(Patient.screening_answers).options(
                joinedload(ScreeningAnswer.question), joinedload(ScreeningAnswer.recorded_by)
            ),
            selectinload(Patient.consents).joinedload(Consent.recorded_by),
        )
        .execution_options(populate_existing=True)
    )


def patients_by_name(*, limit: int = _MOST_FOUND) -> list[Patient]:
    """The clinic's patients by name."""
    return list(db.session.scalars(sa.select(Patient).order_by(Patient.family_key, Patient.given_name).limit(limit)))


def search(text: str, *, limit: int = _MOST_FOUND) -> list[Patient]:
    """Patients whose name, record number and birth date fit every word of `text`, by name; see `search_terms`."""
    terms = search_terms(text)
    if terms.is_empty:
        return []
    found = sa.select(Patient).order_by(Patient.family_key, Patient.given_name).limit(limit)
    if terms.born_on:
        found = found.where(Patient.born_on.in_(terms.born_on))
    for name in terms.names:
        found = found.where(_is_named(name))
    for number in terms.numbers:
        found = found.where(_has_number(number))
    return list(db.session.scalars(found))


def _is_named(word: str) -> sa.ColumnElement[bool]:
    # SQLite folds only ASCII letters, so a given name that begins with another letter is also tried in its own case.
    return sa.or_(
        Patient.family_key.startswith(word, autoescape=True),
        Patient.family_key.contains(f" {word}", autoescape=True),
        sa.func.lower(Patient.given_name).startswith(word, autoescape=True),
        Patient.given_name.startswith(word.capitalize(), autoescape=True),
    )


def _has_number(number: str) -> sa.ColumnElement[bool]:
    plain = number.replace("-", "")
    mrn = sa.func.lower(sa.func.replace(sa.func.replace(Patient.mrn, " ", ""), "-", ""))
    other = sa.func.lower(sa.func.replace(sa.func.replace(PatientIdentifier.value, " ", ""), "-", ""))
    fits: list[sa.ColumnElement[bool]] = [
        mrn.contains(plain, autoescape=True),
        Patient.identifiers.any(other.contains(plain, autoescape=True)),
    ]
    if number.isascii() and number.isdigit() and len(number) in _YEAR_DIGITS:
        year = sa.extract("year", Patient.born_on)
        fits.append(year == int(number) if len(number) == max(_YEAR_DIGITS) else year % 100 == int(number))
    return sa.or_(*fits)


# --- current rows ----------------------------------------------------------------------------------------------------


def _current(model: Any) -> tuple[sa.ColumnElement[bool], ...]:
    later = aliased(model)
    return (~sa.exists().where(later.supersedes_id == model.id), model.is_void.is_(False))


def current_allergies(patient_id: uuid.UUID) -> list[Allergy]:
    """What stands about a patient's allergies: known ones, or that there are none; empty when nobody asked."""
    return list(
        db.session.scalars(
            sa.select(Allergy)
            .where(Allergy.patient_id == patient_id, *_current(Allergy))
            .options(joinedload(Allergy.recorded_by))
            .order_by(Allergy.recorded_at, Allergy.id)
        )
    )


def current_weights(patient_id: uuid.UUID) -> list[Weight]:
    """A patient's weights that stand, the latest measured first."""
    return list(
        db.session.scalars(
            sa.select(Weight)
            .where(Weight.patient_id == patient_id, *_current(Weight))
            .options(joinedload(Weight.recorded_by))
            .order_by(Weight.measured_at.desc(), Weight.recorded_at.desc(), Weight.id.desc())
        )
    )


def last_weight(patient_id: uuid.UUID, *, measured_only: bool = False) -> Weight | None:
    """The latest weight that stands; on request only one that was measured, as doses ask for."""
    found = sa.select(Weight).where(Weight.patient_id == patient_id, *_current(Weight))
    if measured_only:
        found = found.where(Weight.method == WeightMethod.MEASURED)
    return db.session.scalar(
        found.order_by(Weight.measured_at.desc(), Weight.recorded_at.desc(), Weight.id.desc()).limit(1)
    )


def current_answers(patient_id: uuid.UUID) -> list[ScreeningAnswer]:
    """The screening answers that stand, in the order of the clinic's questions."""
    return list(
        db.session.scalars(
            sa.select(ScreeningAnswer)
            .join(ScreeningAnswer.question)
            .where(ScreeningAnswer.patient_id == patient_id, *_current(ScreeningAnswer))
            .options(
                joinedload(ScreeningAnswer.question),
                joinedload(ScreeningAnswer.recorded_by),
                joinedload(ScreeningAnswer.earlier),
            )
            .order_by(ScreeningQuestion.drug_name, ScreeningQuestion.position)
        )
    )


def screening_questions(drug_name: str | None = None) -> list[ScreeningQuestion]:
    """The questions that the clinic asks, for one drug or for all."""
    found = sa.select(ScreeningQuestion).where(ScreeningQuestion.is_retired.is_(False))
    if drug_name is not None:
        found = found.where(sa.func.lower(ScreeningQuestion.drug_name) == drug_name.lower())
    return list(db.session.scalars(found.order_by(ScreeningQuestion.drug_name, ScreeningQuestion.position)))


def answer_valid_until(answer: ScreeningAnswer) -> date | None:
    """The last day of the clinic on which an answer counts; None where the clinic gave its question no end."""
    return valid_until(times.local(answer.answered_at, formats.zone.get()).date(), answer.question.valid_days)


def is_expired(answer: ScreeningAnswer, on: date) -> bool:
    """Whether the patient has to be asked again on a day of the clinic."""
    until = answer_valid_until(answer)
    return until is not None and until < on


def screening_question(question_id: uuid.UUID) -> ScreeningQuestion | None:
    """One question of the clinic."""
    return db.session.scalar(sa.select(ScreeningQuestion).where(ScreeningQuestion.id == question_id))


def consent_forms() -> list[ConsentForm]:
    """Every version of the clinic's consent forms, by drug, the newest first."""
    return list(
        db.session.scalars(
            sa.select(ConsentForm)
            .options(joinedload(ConsentForm.recorded_by))
            .order_by(ConsentForm.drug_name, ConsentForm.number.desc())
        )
    )


def newest_consent_forms() -> list[ConsentForm]:
    """The form that is signed now for each drug; a retired one is left out."""
    newest: dict[str, ConsentForm] = {}
    for form in consent_forms():
        newest.setdefault(form.drug_name.lower(), form)
    return [form for form in newest.values() if not form.is_retired]


def consent(consent_id: uuid.UUID) -> Consent | None:
    """One consent, whatever became of it, with patient and form."""
    return db.session.scalar(
        sa.select(Consent)
        .where(Consent.id == consent_id)
        .options(joinedload(Consent.patient), joinedload(Consent.form), joinedload(Consent.recorded_by))
    )


def current_consents(patient_id: uuid.UUID) -> list[Consent]:
    """The consents that stand, withdrawn ones included, the newest first."""
    return list(
        db.session.scalars(
            sa.select(Consent)
            .where(Consent.patient_id == patient_id, *_current(Consent))
            .options(joinedload(Consent.recorded_by))
            .order_by(Consent.signed_on.desc(), Consent.recorded_at.desc())
        )
    )


def consent_covering(patient_id: uuid.UUID, drug_name: str, on: date) -> Consent | None:
    """The consent in force for a drug on a day of the clinic, if there is one."""
    return next(
        (
            consent
            for consent in current_consents(patient_id)
            if consent.status is ConsentStatus.ACTIVE
            and consent.drug_name.lower() == drug_name.lower()
            and consent.valid_from <= on
            and (consent.valid_until is None or on <= consent.valid_until)
        ),
        None,
    )


# --- medicines and papers --------------------------------------------------------------------------------------------


def medicines(patient_id: uuid.UUID) -> list[Medicine]:
    """Every row about a patient's medicines, what was corrected and stopped included, by name."""
    return list(
        db.session.scalars(
            sa.select(Medicine)
            .where(Medicine.patient_id == patient_id)
            .options(joinedload(Medicine.recorded_by))
            .order_by(sa.func.lower(Medicine.name), Medicine.recorded_at, Medicine.id)
        )
    )


def current_medicines(patient_id: uuid.UUID) -> list[Medicine]:
    """What the patient takes now, by name."""
    rows = medicines(patient_id)
    replaced = {row.supersedes_id for row in rows}
    return [row for row in rows if row.id not in replaced and not row.is_void]


def last_medicine_check(patient_id: uuid.UUID) -> MedicineCheck | None:
    """When the medicines were last gone through with the patient, and by whom."""
    return db.session.scalar(
        sa.select(MedicineCheck)
        .where(MedicineCheck.patient_id == patient_id)
        .options(joinedload(MedicineCheck.recorded_by))
        .order_by(MedicineCheck.recorded_at.desc(), MedicineCheck.id.desc())
        .limit(1)
    )


def documents(patient_id: uuid.UUID) -> list[Document]:
    """The papers of a chart that stand, the newest first; without their content."""
    return list(
        db.session.scalars(
            sa.select(Document)
            .where(Document.patient_id == patient_id, *_current(Document))
            .options(joinedload(Document.recorded_by))
            .order_by(Document.recorded_at.desc(), Document.id.desc())
        )
    )


def identifiers(patient_id: uuid.UUID) -> list[PatientIdentifier]:
    """The numbers that others know a patient by."""
    return list(
        db.session.scalars(
            sa.select(PatientIdentifier)
            .where(PatientIdentifier.patient_id == patient_id)
            .order_by(PatientIdentifier.system, PatientIdentifier.value)
        )
    )
