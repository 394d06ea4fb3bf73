"""One filling, shared by the run: it begins as an interrupted one, is found half filled and made anew."""

from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa

from clinic.accounts import queries as accounts
from clinic.accounts.models import Clinic
from clinic.accounts.passwords import matches
from clinic.accounts.rules import DEMO_PASSWORD
from clinic.audit.models import AuditEntry
from clinic.cases.schema import WORKED, read_file
from clinic.core import clock, db
from clinic.courses.models import Course
from clinic.courses.rules import CourseStatus
from clinic.demo.fill import fill_when_empty
from clinic.demo.people import STAFF
from clinic.notes.models import Letter, Note
from clinic.notes.rules import NoteStatus
from clinic.orders.models import OrderVersion, VerbalOrder
from clinic.orders.rules import OrderStatus
from clinic.patients import queries as patients
from clinic.patients.models import Patient
from clinic.protocols.models import Protocol
from clinic.protocols.queries import versions_in_use
from clinic.protocols.spacing_rules import SpacingKind
from clinic.reminders import operations as reminders
from clinic.reminders import queries as reminder_queries
from clinic.scheduling import queries_availability, queries_rooms, queries_skills, queries_waiting
from clinic.scheduling.models import Appointment
from clinic.scheduling.rules import AppointmentStatus
from clinic.sessions import queries as sessions
from clinic.sessions.due_rules import DueState
from clinic.sessions.rules import SessionStatus
from clinic.signatures.models import Signature
from tests.factories.demo import DEMO_MOMENT

MINUTE = timedelta(minutes=1)


@pytest.fixture
def said(demo_said):
    return demo_said


@pytest.fixture
def demo(demo_copy):
    """The filled clinic, to read from."""
    db.init(demo_copy)
    with clock.standing_at(DEMO_MOMENT), db.unit_of_work(write=False):
        clinic = db.session.scalars(sa.select(Clinic)).one()
        with db.in_clinic(clinic.id):
            yield clinic


def board():
    rows = sessions.board(DEMO_MOMENT - timedelta(hours=14), DEMO_MOMENT + timedelta(hours=9), now=DEMO_MOMENT)
    return {row.appointment.patient.family_name: row for row in rows}


def test_an_interrupted_filling_is_made_anew(demo, said):
    assert any("half filled" in line for line in said)
    assert len(accounts.staff_of_clinic()) == len(STAFF)


def test_nothing_that_the_demonstration_does_is_refused(said):
    assert not [line for line in said if "left out" in line]


def test_the_board_has_a_patient_at_every_stage(demo):
    found = Counter(
        row.infusion.status.value if row.infusion else row.appointment.status.value for row in board().values()
    )
    assert found == {
        SessionStatus.PRECHECKING.value: 2,
        SessionStatus.INFUSING.value: 3,
        SessionStatus.PAUSED.value: 1,
        SessionStatus.RECOVERING.value: 1,
        SessionStatus.CLOSED_HOME.value: 2,
        AppointmentStatus.BOOKED.value: 3,
        AppointmentStatus.NO_SHOW.value: 1,
    }


@pytest.mark.parametrize(
    ("family_name", "state", "minutes"),
    [("Almeida", DueState.UPCOMING, 3), ("Kim", DueState.OVERDUE, -4), ("Brandt", DueState.UPCOMING, 11)],
)
def test_vitals_are_due_as_the_board_means_to_show(demo, family_name, state, minutes):
    line = board()[family_name].progress.next_due
    assert (line.state, line.due.at) == (state, DEMO_MOMENT.replace(second=0) + minutes * MINUTE)


def test_vitals_were_missed_nowhere_else(demo):
    missed = {
        name: [line.due.at for line in row.progress.dues if line.state is DueState.MISSED]
        for name, row in board().items()
        if row.progress
    }
    assert not {name: dues for name, dues in missed.items() if dues}


def test_the_checklist_has_eight_of_eleven_and_waits_for_the_escort(demo):
    infusion = board()["Adeyemi"].infusion
    answered = {answer.check_item.text for answer in sessions.current(infusion.gate_answers)}
    asked = {check.text for check in infusion.order_version.terms.checks}
    assert (len(answered), len(asked)) == (8, 11)
    assert "Escort to go home" in asked - answered


def test_a_booked_patient_is_late(demo):
    late = DEMO_MOMENT - board()["Rossi"].appointment.starts_at
    assert 10 * MINUTE <= late < 15 * MINUTE


def test_every_protocol_is_marked_fictional(demo):
    protocols = db.session.scalars(sa.select(Protocol)).all()
    assert len(protocols) >= 4
    assert all(protocol.is_fictional and "(fictional)" in protocol.name for protocol in protocols)


def test_the_protocols_show_every_way_of_spacing_sessions(demo):
    assert {version.terms.spacing for version in versions_in_use()} >= set(SpacingKind)


def test_a_finished_course_has_its_letter_to_the_referrer(demo):
    assert db.session.scalars(sa.select(Letter)).first().addressee.startswith("Dr ")


@pytest.mark.parametrize("case", read_file(WORKED).cases, ids=lambda case: case.id)
def test_the_worked_cases_are_its_history(demo, case):
    patient = patients.by_mrn(case.patient.mrn)
    (course,) = db.session.scalars(sa.select(Course).where(Course.patient_id == patient.id))
    closed = [row for row in sessions.of_course(course.id) if row.status is SessionStatus.CLOSED_HOME]
    assert len(closed) == len(case.sessions)


def test_the_physicians_have_something_to_sign(demo):
    notes = Counter(db.session.scalars(sa.select(Note.status)))
    signed = sa.select(Signature.subject_id)
    spoken = db.session.scalars(sa.select(VerbalOrder).where(VerbalOrder.id.not_in(signed))).all()
    drafts = db.session.scalars(sa.select(OrderVersion).where(OrderVersion.status == OrderStatus.DRAFT)).all()
    assert notes[NoteStatus.COSIGNED]
    assert notes[NoteStatus.COSIGN_PENDING] >= 3
    assert len(spoken) == len(drafts) == 1


def test_a_note_says_what_the_vitals_say(demo):
    patient = patients.by_mrn("0039 4410")
    (course,) = db.session.scalars(sa.select(Course).where(Course.patient_id == patient.id))
    last = sessions.of_course(course.id)[-1]
    (note,) = db.session.scalars(sa.select(Note).where(Note.infusion_id == last.id))
    scores = [row.pain for row in last.observation_sets]
    assert f"Pain {scores[0]} before, {scores[-1]} after." in note.text
    assert scores[-1] < scores[0]


def test_one_active_course_waits_for_the_desk(demo):
    booked = sa.select(Appointment.course_id)
    active = sa.select(Course).where(Course.status == CourseStatus.ACTIVE, Course.id.not_in(booked))
    assert [course.patient.family_name for course in db.session.scalars(active)] == ["Lindgren"]


def test_nothing_was_recorded_later_than_the_moment(demo):
    assert db.session.scalar(sa.select(sa.func.max(AuditEntry.at))) <= DEMO_MOMENT


def test_the_nurse_signs_in_with_the_password_that_is_printed(demo, said):
    assert any(DEMO_PASSWORD in line for line in said)
    assert all(matches(DEMO_PASSWORD, staff.password_hash) for staff in accounts.staff_of_clinic()[:1])


def test_a_second_start_changes_nothing_and_says_again_who_can_sign_in(demo_copy, app):
    db.init(demo_copy)
    before, said = lines_of_the_trail(), []
    with app.app_context():
        fill_when_empty(said.append)
    assert lines_of_the_trail() == before
    assert any("amara.quill@clinic.example" in line for line in said)


def lines_of_the_trail():
    with db.unit_of_work(write=False):
        return db.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry))


def test_it_has_hours_a_holiday_breaks_clinicians_pumps_and_somebody_who_waits(demo):
    coming = (DEMO_MOMENT, DEMO_MOMENT + timedelta(weeks=3))
    assert {row.weekday for row in queries_rooms.opening_hours()} == {1, 2, 3, 4, 5}
    assert len(queries_rooms.closed_days()) == 1
    assert len(queries_rooms.pumps()) == 8
    assert {len(shift.breaks) for shift in queries_rooms.shifts_of(nurse_id("RN-1"), *coming)} <= {0, 1}
    assert queries_rooms.breaks_of(nurse_id("RN-1"), *coming)
    assert queries_rooms.presences(*coming)
    assert len(queries_waiting.waiting()) == 1


def test_nurses_have_skills_and_limits_and_patients_have_hours(demo):
    assert {row.drug_name for row in queries_skills.skills()} == {"ketamine", "magnesium sulfate"}
    assert [row.precheck for row in queries_rooms.nurse_limits()] == [None, 2]
    said = queries_availability.hours_of(db.session.scalars(sa.select(Patient.id)))
    assert sorted(row.note for rows in said.values() for row in rows) == ["Away", "Teaches on Fridays"]


def test_whoever_agreed_is_reminded_two_days_before(demo):
    clinic = db.session.scalars(sa.select(Clinic)).one()
    coming = reminder_queries.to_remind(DEMO_MOMENT, DEMO_MOMENT + timedelta(weeks=5))
    first = min(appointment.starts_at for appointment, _agreed_at in coming)
    assert reminders.plan_reminders(clinic, at=first - timedelta(hours=6)) >= 1


def nurse_id(code):
    email = next(person.email for person in STAFF if person.code == code)
    return accounts.by_email(email).id
