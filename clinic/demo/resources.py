"""What the demonstration clinic has: hours, a holiday, breaks, clinicians on site, cleaning, pumps, its own rules.

All of it is entered after the visits were booked and counts from next week on, so that today is what it is whatever
day and hour the clinic was filled.
"""

from datetime import date, datetime, time, timedelta
from typing import Final

import sqlalchemy as sa

from clinic.accounts.models import Clinic, Site, Staff
from clinic.core import db
from clinic.demo.people import NURSE_OF, PER_NURSE, DemoWorld
from clinic.demo.timeline import Days
from clinic.patients.models import Patient
from clinic.reminders import operations as reminders
from clinic.reminders.rules import TextKind
from clinic.scheduling import (
    operations_availability,
    operations_hours,
    operations_limits,
    operations_people,
    operations_policy,
    operations_pumps,
    operations_rooms,
    operations_shifts,
    operations_skills,
    operations_waiting,
    queries,
    queries_rooms,
)
from clinic.scheduling.models import Appointment, Chair
from clinic.scheduling.operations_availability import Said
from clinic.scheduling.operations_breaking import WouldBreak
from clinic.scheduling.rules import AppointmentStatus, BookingRule, DayPart, LossKind, week_of

_HOURS: Final = ((7 * 60, 19 * 60),)
_WORKDAYS: Final = (1, 2, 3, 4, 5)
_HOLIDAY_AFTER: Final = 33
_PRESENT: Final = {"PHY-1": ("07:00", "14:00"), "PHY-2": ("12:00", "19:00")}
# One after the other, between the starts of the morning and of the afternoon.
_BREAKS: Final = {
    "RN-1": ("11:00", "11:30"),
    "RN-2": ("11:30", "12:00"),
    "RN-3": ("12:00", "12:30"),
    "RN-4": ("12:30", "13:00"),
}
_SKILLS: Final = {"ketamine": ("RN-1", "RN-2", "RN-3", "RN-4"), "magnesium sulfate": ("RN-1", "RN-2")}
_MOST: Final = PER_NURSE._replace(precheck=2, infusion=3)
_AWAY_AFTER: Final = timedelta(weeks=4)
_PUMPS: Final = 8
_CLEANING_MIN: Final = 10
_ROOMS: Final = {"A": "Garden", "B": "Harbour", "C": "Library"}
_REASONS: Final = (
    (LossKind.CANCELLED, "Nobody to take the patient home"),
    (LossKind.CANCELLED, "Patient is ill"),
    (LossKind.CANCELLED, "Not fasting"),
    (LossKind.CANCELLED, "Weather"),
    (LossKind.NO_SHOW, "Not reached"),
    (LossKind.NO_SHOW, "Forgot"),
)
_TEXTS: Final = {
    TextKind.ESCORT: "Bring the person who takes you home, or a telephone number where we reach them.",
    TextKind.PREPARATION: "Bring the list of the medicines that you take now.",
}
_WRITTEN_TO: Final = 3


def add_resources(world: DemoWorld, days: Days, *, at: datetime) -> None:
    """Enter everything, as the desk and an administrator would."""
    site = db.session.scalars(sa.select(Site)).one()
    monday = week_of(days.today) + timedelta(days=7)
    _open(world, days, site, monday, at=at)
    _staff(world, days, site, monday, at=at)
    _furnish(world, at=at)
    _settle(world, at=at)
    _limit_nurses(world, monday, at=at)
    _hear_patients(monday, by=world.person("DESK", at=at), at=at)
    _let_wait(world, at=at)
    _remind(world, at=at)


def _open(world: DemoWorld, days: Days, site: Site, monday: date, *, at: datetime) -> None:
    by, holiday = world.person("DESK", at=at), days.workday(_HOLIDAY_AFTER)
    operations_hours.set_hours(site, _WORKDAYS, _HOURS, valid_from=monday, by=by, at=at)
    operations_hours.close_days(site, from_on=holiday, until_on=holiday, reason="Founders' day", by=by, at=at)


def _staff(world: DemoWorld, days: Days, site: Site, monday: date, *, at: datetime) -> None:
    """Clinicians on site and breaks, on every day of the coming weeks for which nurses are on duty."""
    by = world.person("DESK", at=at)
    shifts = queries.shifts_between(days.at(monday, "00:00"), days.at(monday + timedelta(weeks=8), "00:00"))
    codes = {world.staff[code]: code for code in _BREAKS}
    for shift in shifts:
        if shift.staff_id in codes:
            day = shift.starts_at.astimezone(days.zone).date()
            start, end = (days.at(day, text) for text in _BREAKS[codes[shift.staff_id]])
            operations_shifts.add_break(shift, starts_at=start, ends_at=end, by=by, at=at)
    for day in sorted({shift.starts_at.astimezone(days.zone).date() for shift in shifts}):
        for code, (arrives, leaves) in _PRESENT.items():
            operations_people.add_presence(
                site,
                world.person(code, at=at),
                starts_at=days.at(day, arrives),
                ends_at=days.at(day, leaves),
                by=by,
                at=at,
            )


def _furnish(world: DemoWorld, *, at: datetime) -> None:
    """Rooms and cleaning of chairs, and pumps, of which one is away for service."""
    by = world.person("DESK", at=at)
    for name in NURSE_OF:
        chair = db.session.get_one(Chair, world.chairs[name])
        features = operations_rooms.Features(room=_ROOMS[name[0]], cleaning_min=_CLEANING_MIN)
        try:
            operations_rooms.change_chair(chair, features, by=by, at=at)
        except WouldBreak as shown:
            # Two visits follow each other without a gap; they were booked before and stay.
            operations_rooms.change_chair(chair, features, by=by, at=at, seen=shown.key)
    for number in range(1, _PUMPS + 1):
        operations_pumps.add_pump(f"P{number}", f"HPC-{number:04d}", by=by, at=at)
    db.session.flush()
    last = queries_rooms.pumps()[-1]
    operations_pumps.take_out_of_service(
        last, starts_at=at, ends_at=at + timedelta(days=10), reason="Yearly service", by=by, at=at
    )


def _settle(world: DemoWorld, *, at: datetime) -> None:
    by = world.person("DESK", at=at)
    for rule in (BookingRule.SITE_IS_OPEN, BookingRule.NURSE_HAS_ROOM):
        why = "Agreed by the physicians for single visits."
        operations_policy.set_policy(rule, is_allowed=True, reason=why, by=by, at=at)
    for kind, text in _REASONS:
        operations_policy.add_lost_reason(kind, text, by=by, at=at)


def _limit_nurses(world: DemoWorld, monday: date, *, at: datetime) -> None:
    """Who may look after whom, and how many of a nurse's patients are in one phase at once."""
    physician = world.person("PHY-1", at=at)
    for drug_name, codes in _SKILLS.items():
        nurses = [world.person(code, at=at) for code in codes]
        operations_skills.add_skills(nurses, drug_name, valid_from=monday, by=physician, at=at)
    operations_limits.set_nurse_limits(monday, _MOST, by=world.person("DESK", at=at), at=at)


def _hear_patients(monday: date, *, by: Staff, at: datetime) -> None:
    """What two patients said about when they cannot come."""
    said = {
        "Lindgren": Said(is_free=False, from_on=monday, weekdays=(5,), note="Teaches on Fridays"),
        "Gray": Said(is_free=False, from_on=monday + _AWAY_AFTER, until_on=monday + 2 * _AWAY_AFTER, note="Away"),
    }
    for family_name, words in said.items():
        patient = db.session.scalars(sa.select(Patient).where(Patient.family_name == family_name)).one()
        operations_availability.say(patient, words, by=by, at=at)


def _let_wait(world: DemoWorld, *, at: datetime) -> None:
    """The patient whose next session is farthest away would come earlier."""
    coming = sa.select(Appointment).where(Appointment.status == AppointmentStatus.BOOKED, Appointment.starts_at > at)
    last = db.session.scalars(coming.order_by(Appointment.starts_at.desc(), Appointment.id)).first()
    if last is not None:
        wishes = operations_waiting.Wishes(notice_hours=24, part=DayPart.MORNING, note="Rings back within the hour")
        operations_waiting.put_on_the_list(
            last.course, last.session_number, wishes, by=world.person("DESK", at=at), at=at
        )


def _remind(world: DemoWorld, *, at: datetime) -> None:
    """What a reminder says and when it goes out, and the patients who agreed to be written to."""
    clinic, by, desk = (
        db.session.get_one(Clinic, world.clinic_id),
        world.person("PHY-1", at=at),
        world.person("DESK", at=at),
    )
    reminders.add_time(2, time(9), by=by, at=at)
    for kind, words in _TEXTS.items():
        reminders.set_text(clinic, kind, words, drug_name=None, protocol_id=None, by=by, at=at)
    coming = sa.select(Appointment.patient_id).where(
        Appointment.status == AppointmentStatus.BOOKED, Appointment.starts_at > at
    )
    patients = sa.select(Patient).where(Patient.id.in_(coming)).order_by(Patient.family_name, Patient.id)
    for patient in db.session.scalars(patients.limit(_WRITTEN_TO)):
        reminders.agree(patient, f"{patient.family_name.lower()}@patients.example", by=desk, at=at)
