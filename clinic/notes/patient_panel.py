"""The course in hand on the patient's page: its sessions side by side, with pain before and after."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import url_for

from clinic.core import formats
from clinic.courses import queries as courses
from clinic.courses.models import Course
from clinic.courses.pages import course_name
from clinic.courses.rules import CourseStatus
from clinic.notes import queries
from clinic.notes.session_facts import session_facts
from clinic.patients import pages
from clinic.patients.models import Patient
from clinic.scheduling import queries as scheduling
from clinic.scheduling.models import Appointment
from clinic.scheduling.rules import AppointmentStatus
from clinic.sessions.models import InfusionSession
from clinic.sessions.progress import Progress, progress
from clinic.sessions.rules import SessionStatus

_UNDER_WAY: Final = {
    SessionStatus.PRECHECKING: "checklist",
    SessionStatus.READY: "ready",
    SessionStatus.INFUSING: "infusing",
    SessionStatus.PAUSED: "paused",
    SessionStatus.RECOVERING: "recovering",
}


@dataclass(frozen=True, slots=True)
class SessionCell:
    """One session of the strip. `state` is set while it is under way; a booked one lies ahead."""

    number: int
    day: str
    text: str
    href: str
    state: str = ""
    is_booked: bool = False


def course_panel(patient: Patient, now: datetime) -> Mapping[str, object]:
    """The newest course that goes on, with its sessions; nothing when none does."""
    going_on = {CourseStatus.ACTIVE, CourseStatus.ON_HOLD}
    course = next((row for row in courses.courses_of(patient.id) if row.status in going_on), None)
    if course is None:
        return {"course": None}
    return {"course": course, "name": course_name(course), "cells": _cells(course, now)}


def _cells(course: Course, now: datetime) -> list[SessionCell]:
    sessions = queries.sessions_of_course(course.id)
    seated = {row.appointment_id for row in sessions}
    booked = [
        appointment
        for appointment in scheduling.of_course(course.id)
        if appointment.status is AppointmentStatus.BOOKED and appointment.id not in seated
    ]
    return [
        *(_held(row, progress(row, now), now) for row in sessions),
        *(_booked(appointment) for appointment in booked),
    ]


def _held(infusion: InfusionSession, going: Progress, now: datetime) -> SessionCell:
    facts = session_facts(infusion, going, formats.zone.get())
    day = formats.day(going.started_at or infusion.arrived_at)
    pain = f"{_score(facts.pain_before)} to {_score(facts.pain_after)}"
    return SessionCell(
        infusion.number,
        "today" if day == formats.day(now) else day[:6],
        "not done" if infusion.status is SessionStatus.NOT_DONE else pain,
        url_for("sessions.show_session", infusion_id=infusion.id),
        _UNDER_WAY.get(infusion.status, ""),
    )


def _booked(appointment: Appointment) -> SessionCell:
    return SessionCell(
        appointment.session_number,
        formats.short_day(appointment.starts_at),
        formats.clock(appointment.starts_at),
        url_for("scheduling.show_appointment", appointment_id=appointment.id),
        is_booked=True,
    )


def _score(value: int | None) -> str:
    return "–" if value is None else str(value)


pages.add_panel("notes/_patient_panel.html", course_panel, column=1)


def people_panel(patient: Patient, _now: datetime) -> Mapping[str, object]:
    """Who took the patient home last, who treats the patient, and to whom the last letter went."""
    course = next(iter(courses.courses_of(patient.id)), None)
    home = queries.last_escort(patient.id)
    letter = queries.last_letter(patient.id)
    escort = ", ".join(part for part in (home.escort_name, home.escort_phone) if part) if home else ""
    return {
        "escort": escort,
        "physician": course.physician.name if course else "",
        "letter": letter.addressee.splitlines()[0] if letter else "",
    }


pages.add_panel("notes/_people_panel.html", people_panel, column=2)
