"""News for the patient, written into the outbox with the change, where the clinic sends such mail."""

from datetime import datetime, timedelta
from typing import Final

from clinic.accounts.models import Clinic
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.notifications import operations as outbox
from clinic.notifications.models import OutboxMessage
from clinic.notifications.rules import MessageKind
from clinic.scheduling.models import Appointment
from clinic.scheduling.rules import AppointmentStatus

# A move that is taken back at once, or a second thought, is not mailed.
SETTLES_AFTER: Final = timedelta(minutes=2)
_TOLD: Final = {
    AuditAction.APPOINTMENT_BOOKED: {AppointmentStatus.BOOKED},
    AuditAction.APPOINTMENT_MOVED: {AppointmentStatus.BOOKED},
    AuditAction.APPOINTMENT_STATUS_CHANGED: {AppointmentStatus.CANCELLED},
}


def tells_of_cancelling(message: OutboxMessage) -> bool:
    """Whether a message was put because the appointment was cancelled."""
    return (message.once_key or "").endswith(f"/{AppointmentStatus.CANCELLED.value}")


def tell(action: AuditAction, appointment: Appointment, *, at: datetime) -> None:
    """Put a message about a time that was booked, moved or cancelled; its words are made when it goes out."""
    if appointment.starts_at <= at or appointment.status not in _TOLD.get(action, ()):
        return
    if action is AuditAction.APPOINTMENT_MOVED and appointment.booked_at != at:
        return  # another nurse or pump is no news
    clinic = db.session.get(Clinic, db.current_clinic_id())
    if clinic is not None and clinic.mails_tell_changes:
        key = f"appointment/{appointment.id}/{appointment.status.value}"
        not_before, expires_at = at + SETTLES_AFTER, appointment.starts_at
        outbox.put(
            MessageKind.APPOINTMENT, appointment.id, at=at, not_before=not_before, expires_at=expires_at, once_key=key
        )
