"""What a calendar address holds now, in the words that the clinic lets out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from clinic.accounts.models import Clinic
from clinic.ical import queries, writing
from clinic.ical.models import CalendarFeed
from clinic.ical.rules import AHEAD, BACK, FeedKind, Life, lives, shown, who
from clinic.ical.writing import Entry
from clinic.scheduling import queries as scheduling
from clinic.scheduling.models import Appointment
from clinic.scheduling.queries import CourseFacts
from clinic.scheduling.rules import AppointmentStatus

_LOST: Final = frozenset({AppointmentStatus.CANCELLED, AppointmentStatus.NO_SHOW})
_CLINICAL: Final = frozenset({FeedKind.NURSE, FeedKind.PHYSICIAN})


def calendar_of(feed: CalendarFeed, clinic: Clinic, *, now: datetime) -> bytes:
    """The calendar that an address answers with; in a fixed number of reads."""
    appointments = queries.appointments_of(feed, now - BACK, now + AHEAD)
    course_ids = sorted({each.course_id for each in appointments})
    found = lives(queries.rows_of_courses(course_ids))
    facts: Mapping[UUID, CourseFacts] = {}
    if feed.kind in _CLINICAL and clinic.calendars_tell_drug:
        facts = scheduling.course_facts(course_ids)
    elsewhere = shown((each.id for each in appointments), found)
    entries = [
        _entry(each, found[each.id], feed.kind, clinic, facts.get(each.course_id), is_elsewhere=elsewhere[each.id])
        for each in sorted(appointments, key=lambda each: (each.starts_at, each.id))
        if each.id in elsewhere
    ]
    return writing.feed(_name(feed), clinic.zone, entries)


def _name(feed: CalendarFeed) -> str:
    if feed.kind is FeedKind.PATIENT:
        return "Appointments"
    return f"Chair {feed.chair.name}" if feed.chair is not None else "Sessions"


def uid(life: Life) -> str:
    """The name of an appointment in every calendar and mail, the same for all its life."""
    return f"{life.uid_of}@chairtime"


def _entry(
    appointment: Appointment,
    life: Life,
    kind: FeedKind,
    clinic: Clinic,
    facts: CourseFacts | None,
    *,
    is_elsewhere: bool,
) -> Entry:
    if kind is FeedKind.PATIENT:
        return patients_entry(appointment, life, clinic, is_elsewhere=is_elsewhere)
    patient = appointment.patient
    named = who(
        kind, clinic.calendars_tell, name=patient.name, initials=f"{patient.given_name[:1]}{patient.family_name[:1]}"
    )
    chair = f"chair {appointment.chair.name}"
    words = [f"Session {appointment.session_number}", *([chair] if kind is not FeedKind.CHAIR else []), named]
    return Entry(
        uid=uid(life),
        sequence=life.sequence,
        stamped_at=life.stamped_at,
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        summary=", ".join(word for word in words if word),
        is_cancelled=is_elsewhere or appointment.status in _LOST,
        location=f"{appointment.chair.site.name}, {chair}",
        description=f"{facts.drug_name} course {facts.number}" if facts else None,
        # A physician is responsible for a session and need not be there; her own day stays free.
        is_busy=kind is not FeedKind.PHYSICIAN,
    )


def patients_entry(appointment: Appointment, life: Life, clinic: Clinic, *, is_elsewhere: bool = False) -> Entry:
    """An appointment in the patient's own calendar: that there is one, and where only if the clinic says so."""
    return Entry(
        uid=uid(life),
        sequence=life.sequence,
        stamped_at=life.stamped_at,
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        summary="Appointment",
        is_cancelled=is_elsewhere or appointment.status in _LOST,
        location=appointment.chair.site.name if clinic.calendars_tell_place else None,
    )
