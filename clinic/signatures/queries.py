"""Named reads about signatures."""

import uuid
from collections.abc import Iterable

import sqlalchemy as sa

from clinic.core import db
from clinic.signatures.models import Signature
from clinic.signatures.rules import Meaning


def signatures_of(subject_id: uuid.UUID) -> list[Signature]:
    """Every signature on a record, the earliest first."""
    return list(
        db.session.scalars(
            sa.select(Signature).where(Signature.subject_id == subject_id).order_by(Signature.signed_at, Signature.id)
        )
    )


def signatures_by_subject(subject_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Signature]]:
    """The signatures on several records, by the record's id, the earliest first."""
    found: dict[uuid.UUID, list[Signature]] = {}
    rows = db.session.scalars(
        sa.select(Signature).where(Signature.subject_id.in_(list(subject_ids))).order_by(Signature.signed_at)
    )
    for signature in rows:
        found.setdefault(signature.subject_id, []).append(signature)
    return found


def signature_with(subject_id: uuid.UUID, meaning: Meaning) -> Signature | None:
    """The earliest signature on a record with a meaning."""
    return next((found for found in signatures_of(subject_id) if found.meaning is meaning), None)


def has_signed_about(signer_id: uuid.UUID, patient_id: uuid.UUID) -> bool:
    """Whether a person has signed anything about a patient, who is then one of the person's own."""
    found = sa.select(Signature.id).where(Signature.signer_id == signer_id, Signature.patient_id == patient_id)
    return db.session.scalar(found.limit(1)) is not None
