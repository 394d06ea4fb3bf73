"""Named reads of when patients can come."""

import uuid
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from clinic.core import db
from clinic.patients.models import Patient
from clinic.scheduling.models_availability import PatientHours


def patient(patient_id: uuid.UUID) -> Patient | None:
    """One patient."""
    return db.session.scalar(sa.select(Patient).where(Patient.id == patient_id))


def hours_of(patient_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[PatientHours]]:
    """What is said about when these patients can come and was not taken back, by patient, in one read."""
    later = aliased(PatientHours)
    found: dict[uuid.UUID, list[PatientHours]] = {}
    for each in db.session.scalars(
        sa.select(PatientHours)
        .where(
            PatientHours.patient_id.in_(set(patient_ids)),
            PatientHours.is_void.is_(False),
            ~sa.exists().where(later.supersedes_id == PatientHours.id),
        )
        .options(joinedload(PatientHours.recorded_by))
        .order_by(PatientHours.from_on, PatientHours.recorded_at)
    ):
        found.setdefault(each.patient_id, []).append(each)
    return found


def row(hours_id: uuid.UUID) -> PatientHours | None:
    """One row that was not taken back."""
    later = aliased(PatientHours)
    return db.session.scalar(
        sa.select(PatientHours)
        .where(
            PatientHours.id == hours_id,
            PatientHours.is_void.is_(False),
            ~sa.exists().where(later.supersedes_id == PatientHours.id),
        )
        .options(joinedload(PatientHours.patient))
    )
