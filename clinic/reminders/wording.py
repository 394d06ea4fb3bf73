"""Messages to patients in words, as things stand when they go out."""

from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import current_app

from clinic.accounts.models import Clinic
from clinic.core import db, formats
from clinic.ical import content, writing
from clinic.ical import queries as calendars
from clinic.ical.rules import Life, lives
from clinic.notifications import queries as messages
from clinic.notifications.mail import Letter
from clinic.notifications.models import OutboxMessage
from clinic.notifications.rules import MessageKind
from clinic.notifications.sending import NothingToTell, word
from clinic.reminders import links, queries
from clinic.reminders.models import MailAgreement
from clinic.reminders.rules import Text, TextKind, names_a_drug, texts_for
from clinic.scheduling import notices
from clinic.scheduling import queries as scheduling
from clinic.scheduling.models import Appointment
from clinic.scheduling.rules import AppointmentStatus

_LINK: Final = "{link}"
_HEADS: Final = {
    TextKind.FASTING: "Eating and drinking",
    TextKind.ESCORT: "Going home",
    TextKind.PREPARATION: "Before you come",
}


def _subject_of(message: OutboxMessage) -> tuple[Appointment, MailAgreement, Clinic]:
    appointment = queries.appointment(message.about_id)
    if appointment is None:
        raise NothingToTell("the appointment is not there")
    agreement = queries.agreement(appointment.patient_id)
    if agreement is None:
        raise NothingToTell("the patient has not agreed to be written to")
    clinic = db.session.get(Clinic, appointment.clinic_id)
    if clinic is None:
        raise NothingToTell("the clinic is not there")
    formats.zone.set(ZoneInfo(clinic.zone))
    return appointment, agreement, clinic


def reminder(message: OutboxMessage, public_url: str, at: datetime) -> Letter:
    """Remind of an appointment that still stands."""
    appointment, agreement, clinic = _subject_of(message)
    if appointment.status is not AppointmentStatus.BOOKED:
        raise NothingToTell("the appointment is no longer booked at that time")
    if appointment.starts_at <= at:
        raise NothingToTell("the appointment's time has come")
    return _letter(appointment, agreement, clinic, public_url, "This is a reminder of your appointment.")


def change(message: OutboxMessage, public_url: str, at: datetime) -> Letter:
    """Tell of an appointment that was made, moved or cancelled; nothing of what was undone meanwhile."""
    appointment, agreement, clinic = _subject_of(message)
    family, _ = _life(appointment)
    if appointment.starts_at <= at:
        raise NothingToTell("the appointment's time has come")
    if appointment.status is AppointmentStatus.BOOKED:
        if appointment.moved_from_id and messages.may_have_been_told(family, besides=message.id):
            return _letter(appointment, agreement, clinic, public_url, "Your appointment was moved. It is now:")
        return _letter(appointment, agreement, clinic, public_url, "You have an appointment.")
    if appointment.status is not AppointmentStatus.CANCELLED or scheduling.moved_to(appointment) is not None:
        raise NothingToTell("the appointment stands elsewhere now")
    if not notices.tells_of_cancelling(message):
        raise NothingToTell("it was cancelled meanwhile, which another message tells")
    if not messages.may_have_been_told(family, besides=message.id):
        raise NothingToTell("the patient was never written to about it")
    return _letter(appointment, agreement, clinic, None, "Your appointment was cancelled. It was:")


def _life(appointment: Appointment) -> tuple[list[UUID], Life]:
    found = lives(calendars.rows_of_courses([appointment.course_id]))
    mine = found[appointment.id]
    return [key for key, life in found.items() if life.uid_of == mine.uid_of], mine


def when_words(appointment: Appointment) -> str:
    """When it is, on the clinic's clock."""
    start, end = formats.weekday_day(appointment.starts_at), formats.clock(appointment.ends_at)
    return f"{start}, {formats.clock(appointment.starts_at)} to about {end}"


def _letter(
    appointment: Appointment, agreement: MailAgreement, clinic: Clinic, public_url: str | None, first: str
) -> Letter:
    """The mail. Without an address to answer at it is about something that is over: no texts, no link."""
    lines = [first, "", when_words(appointment), f"{clinic.name}, {appointment.chair.site.name}", ""]
    if public_url is not None:
        lines += _texts(appointment, clinic)
        lines += ["Do you come? Please answer here:", _LINK, ""]
    lines += ["Please do not answer this mail; call the clinic if anything is unclear.", "", clinic.name]
    body = "\n".join(lines)
    link = f"{public_url}/answer/{links.token_for(appointment.id)}"
    entry = content.patients_entry(appointment, _life(appointment)[1], clinic)
    day = formats.weekday_day(appointment.starts_at)
    return Letter(
        to_address=agreement.address,
        subject=f"Your appointment on {day}" if public_url else f"Cancelled: your appointment on {day}",
        body=body.replace(_LINK, link),
        kept_body=body.replace(_LINK, "(the link to answer by)"),
        sender_name=clinic.name,
        calendar=writing.invitation(entry, current_app.config["MAIL_FROM"] or "nobody@localhost"),
        calendar_method="CANCEL" if entry.is_cancelled else "PUBLISH",
    )


def _texts(appointment: Appointment, clinic: Clinic) -> list[str]:
    protocol_id, drug_name = queries.protocol_of(appointment)
    known = [
        Text(each.kind, each.words, each.drug_name, str(each.protocol_id) if each.protocol_id else None)
        for each in queries.texts()
    ]
    drugs = [] if clinic.mails_tell_drug else queries.drug_names()
    lines: list[str] = []
    if clinic.mails_tell_drug:
        lines += [f"{drug_name.capitalize()}, session {appointment.session_number}", ""]
    for text in texts_for(known, drug_name=drug_name, protocol=str(protocol_id)):
        # Written while drugs could be named, which now they may not; the patient must still learn that there is a text.
        words = "Please call the clinic about this." if names_a_drug(text.words, drugs) else text.words
        lines += [f"{_HEADS[text.kind]}:", words, ""]
    return lines


word(MessageKind.REMINDER, reminder)
word(MessageKind.APPOINTMENT, change)
