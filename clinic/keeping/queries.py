"""What left the clinic, for pages."""

import uuid

import sqlalchemy as sa

from clinic.core import db
from clinic.keeping.models import Disclosure


def disclosure(disclosure_id: uuid.UUID) -> Disclosure | None:
    """One export that was asked for."""
    return db.session.get(Disclosure, disclosure_id)


def disclosures(patient_id: uuid.UUID | None) -> list[Disclosure]:
    """What left about a patient, or of the whole clinic, the latest first."""
    asked = sa.select(Disclosure).where(Disclosure.patient_id.is_not_distinct_from(patient_id))
    return list(db.session.scalars(asked.order_by(Disclosure.recorded_at.desc(), Disclosure.id.desc())))
