"""Take a record out of the clinic."""

from datetime import datetime

from clinic.accounts import operations as accounts
from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.keeping.models import Disclosure
from clinic.keeping.rules import Recipient
from clinic.patients.models import Patient


def begin_export(
    patient: Patient | None,
    *,
    recipient: Recipient,
    to_whom: str,
    reason: str,
    password: str,
    by: Staff,
    at: datetime,
) -> Disclosure:
    """Write down that a record leaves, and let its file be fetched for a while; no patient means the whole clinic.

    The person proves once more who that is. The trail has the keys alone: the words may name somebody.
    """
    accounts.check_password(by, password, at=at, refused=AuditAction.SIGN_IN_REFUSED)
    made = Disclosure(
        patient_id=patient.id if patient else None,
        recipient=recipient,
        to_whom=to_whom,
        reason=reason,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    db.session.add(made)
    audit.record(
        AuditAction.EXPORT_BEGUN, made, actor_id=by.id, at=at, of="patient" if patient else "clinic", to=recipient
    )
    return made
