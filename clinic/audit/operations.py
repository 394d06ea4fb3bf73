"""Write the trail: in the same transaction as the change, so that neither stands without the other."""

import json
import uuid
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from clinic.audit import chain
from clinic.audit.models import AuditEntry
from clinic.audit.origin import Origin, origin, refuse_closed
from clinic.audit.rules import WITHOUT_THE_CHART, AuditAction
from clinic.core import db

__all__ = ["Origin", "origin", "record"]


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | str() if not isinstance(value, Enum):
            return value
        case Enum():
            return value.value
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.isoformat()
        case date() | uuid.UUID():
            return str(value)
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in value]
        case _:
            raise TypeError(f"The trail cannot hold a {type(value).__name__}.")


def record(
    action: AuditAction,
    subject: db.Base | None = None,
    *,
    actor_id: uuid.UUID | None,
    at: datetime,
    patient_id: uuid.UUID | None = None,
    clinic_id: uuid.UUID | None = None,
    **details: Any,
) -> AuditEntry:
    """Add a line about `subject`. `details` are the old and new values; floats and free objects are refused.

    The patient and the clinic are taken from the subject where it names them.
    """
    came = origin.get()
    patient_id = patient_id or getattr(subject, "patient_id", None)
    if patient_id is not None and action not in WITHOUT_THE_CHART:
        refuse_closed(patient_id)
    entry = AuditEntry(
        clinic_id=clinic_id or getattr(subject, "clinic_id", None) or db.settled_clinic_id(),
        at=at,
        actor_id=actor_id,
        action=action,
        subject_kind=subject.__tablename__ if subject is not None else None,
        subject_id=subject.id if subject is not None else None,
        patient_id=patient_id,
        body=json.dumps(_plain(details), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False),
        request_id=came.request_id,
        address=came.address,
    )
    db.session.add(entry)
    chain.remember(db.session, entry)
    return entry
