"""Closed sessions with their vitals and events, and notes about them."""

from datetime import timedelta

import pytest

from clinic.core import db
from clinic.core.permissions import Role
from clinic.notes import operations
from clinic.orders.rules import Vital
from clinic.sessions import operations as sessions
from clinic.sessions.event_rules import DischargeExit
from tests.factories.accounts import PASSWORD
from tests.factories.sessions import ARRIVED, START, minute

LATER = minute(150)
DAY = timedelta(days=1)


@pytest.fixture
def writing_nurse(make_staff):
    """A nurse who can sign with `PASSWORD`."""
    return make_staff(Role.NURSE, given_name="Mara", family_name="Reyes", credentials="RN", password=PASSWORD)


@pytest.fixture
def other_physician(make_staff):
    """A second physician who can sign with `PASSWORD`."""
    return make_staff(Role.PHYSICIAN, given_name="Paul", family_name="Benedek", title="Dr", password=PASSWORD)


@pytest.fixture
def take_vitals(nurse):
    """Records a set of vitals so many minutes after the start: `take_vitals(infusion, 15, sbp=164, dbp=94)`."""

    def make(infusion, minutes, *, at=None, **values):
        with db.unit_of_work():
            return sessions.record_observation(
                infusion,
                {Vital(name): value for name, value in values.items()},
                observed_at=at or minute(minutes),
                by=nurse,
                at=at or minute(minutes),
            )

    return make


@pytest.fixture
def make_event(nurse):
    """Records an adverse event, nausea and mild unless said otherwise."""

    def make(infusion, term="nausea", *, grade=1, minutes=9, **values):
        with db.unit_of_work():
            return sessions.record_adverse_event(
                infusion, term, onset_at=minute(minutes), grade=grade, by=nurse, at=minute(minutes), **values
            )

    return make


@pytest.fixture
def send_home(nurse):
    """Sends the patient of a stopped session home with Ivan Petrov."""

    def make(infusion, *, at=None):
        when = at or minute(130)
        with db.unit_of_work():
            sessions.discharge(
                infusion,
                discharged_at=when,
                exit=DischargeExit.HOME_WITH_ESCORT,
                is_cannula_removed=True,
                is_escort_present=True,
                escort_name="Ivan Petrov",
                instructions="sheet 3",
                by=nurse,
                at=when,
            )
        return infusion

    return make


@pytest.fixture
def plain_drug(make_drug):
    """A drug that is not controlled, so that a session closes without a drug account."""
    return make_drug("lidocaine", is_controlled=False)


@pytest.fixture
def make_closed(make_stopped, send_home, plain_drug):
    """Makes a session whose patient has gone home."""

    def make(**values):
        return send_home(make_stopped(**({"drug_id": plain_drug.id} | values)))

    return make


@pytest.fixture
def make_note(writing_nurse, signing_physician):
    """Makes a note on a closed session, signed by the nurse and waiting for the physician; `sign=False` leaves it."""

    def make(infusion, text="Calm course.", *, by=None, cosigner=signing_physician, sign=True, at=LATER):
        author = by or writing_nurse
        with db.unit_of_work():
            note = operations.draft_note(infusion, text, by=author, at=at)
            if sign:
                operations.sign_note(note, by=author, password=PASSWORD, at=at, cosigner=cosigner)
        return note

    return make


@pytest.fixture
def give_session(make_appointment, settle_checks, make_double_check, take_vitals, send_home):
    """Gives one session of a course from arrival to the door, so many days later; systolic reaches 164."""

    def give(course, number, *, later=0 * DAY, by):
        appointment = make_appointment(course, number=number, starts_at=ARRIVED + later)
        with db.unit_of_work():
            infusion = sessions.arrive(appointment, arrived_at=ARRIVED + later, by=by, at=ARRIVED + later)
        settle_checks(infusion, at=ARRIVED + later)
        take_vitals(infusion, 0, at=START + later, sbp=126, dbp=78, hr=70, spo2=97, pain=7)
        check = make_double_check(infusion, at=START + later)
        with db.unit_of_work():
            sessions.start(infusion, happened_at=START + later, double_check=check, by=by, at=START + later)
        take_vitals(infusion, 0, at=minute(30) + later, sbp=164, dbp=94, hr=80, spo2=95, pain=5)
        with db.unit_of_work():
            sessions.stop(infusion, happened_at=minute(60) + later, by=by, at=minute(60) + later)
        take_vitals(infusion, 0, at=minute(75) + later, sbp=130, dbp=80, hr=72, spo2=97, pain=4)
        return send_home(infusion, at=minute(130) + later)

    return give


@pytest.fixture
def make_plain_course(make_course, make_draft, make_protocol_version, plain_drug):
    """Makes a course of a drug that is not controlled."""

    def make(sessions_planned=6, *, terms=None, **values):
        draft = make_draft(drug_id=plain_drug.id, sessions_planned=sessions_planned, **terms or {})
        return make_course(protocol_version=make_protocol_version(draft=draft), draft=draft, **values)

    return make


@pytest.fixture
def make_course_of(make_plain_course, give_session, make_note, nurse):
    """Makes a course with so many sessions given, one a day, each with vitals and a signed note."""

    def make(count, **values):
        course = make_plain_course(count + 1, **values)
        for number in range(count):
            infusion = give_session(course, number + 1, later=number * DAY, by=nurse)
            make_note(infusion, at=LATER + number * DAY)
        return course

    return make
