"""From the first visit to the booked course: what is known of a patient, the order, the desk."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from clinic.core import db
from clinic.courses import operations as courses
from clinic.courses.models import Course
from clinic.demo.patients import Treatment
from clinic.demo.people import DemoWorld
from clinic.demo.protocols import QUESTIONS
from clinic.demo.timeline import MINUTE, Days, Timeline
from clinic.demo.visits import Visit
from clinic.outcomes import operations as outcomes
from clinic.outcomes.rules import Instrument, Occasion
from clinic.patients import operations as patients
from clinic.patients import queries as patient_queries
from clinic.patients.models import Patient
from clinic.patients.rules import Answer, WeightMethod
from clinic.protocols.models import ProtocolVersion
from clinic.protocols.rules import CourseIntent
from clinic.protocols.terms import draft_of
from clinic.scheduling import operations as scheduling
from clinic.scheduling.models import Chair

_WEEKS_VALID = 26
_WHY = "Discussed with the patient."


def add_opening(
    world: DemoWorld, days: Days, timeline: Timeline, treatment: Treatment, visits: Sequence[Visit], *, place: int
) -> None:
    """Put the patient's first day on the list; the desk books all visits of the course at its end."""
    day = days.workday(treatment.created - max(treatment.past, default=0))
    first = days.at(day, "13:00") + place * MINUTE
    name = treatment.family_name
    steps = (
        (0, "patient", lambda at: _patient(world, treatment, at)),
        (8, "screening", lambda at: _screen(world, treatment, at)),
        (20, "weight and consent", lambda at: _weigh_and_consent(world, days, treatment, at)),
        (30, "course", lambda at: _course(world, days, treatment, at)),
        (35, "baseline", lambda at: _baseline(world, treatment, at)),
    )
    for minutes, what, act in steps:
        timeline.add(first + minutes * MINUTE, f"{name}: {what}", act)
    if treatment.is_signed:
        timeline.add(first + 50 * MINUTE, f"{name}: order", lambda at: _sign(world, treatment, at))
    if visits:
        timeline.add(first + 75 * MINUTE, f"{name}: booking", lambda at: _book(world, treatment, visits, at))


def course_of(treatment: Treatment) -> Course:
    """The course, once it was begun."""
    return db.session.get_one(Course, treatment.course_id)


def _patient_of(treatment: Treatment) -> Patient:
    return db.session.get_one(Patient, treatment.patient_id)


def _patient(world: DemoWorld, treatment: Treatment, at: datetime) -> None:
    by = world.person("RN-1", at=at)
    patient = patients.create_patient(
        mrn=treatment.mrn,
        family_name=treatment.family_name,
        given_name=treatment.given_name,
        born_on=treatment.born_on,
        sex=treatment.sex,
        phone=treatment.phone,
        **treatment.details,
        problem=treatment.problem,
        by=by,
        at=at,
    )
    treatment.patient_id = patient.id
    for substance, reaction in treatment.allergies:
        patients.record_allergy(patient, substance=substance, reaction=reaction, by=by, at=at)
    if not treatment.allergies:
        patients.record_no_known_allergies(patient, by=by, at=at)


def _screen(world: DemoWorld, treatment: Treatment, at: datetime) -> None:
    """Ask the clinic's questions; where one was answered with yes, the physician has settled it."""
    patient, by = _patient_of(treatment), world.person("RN-1", at=at)
    drug = _protocol(world, treatment).terms.drug.name
    for question in patient_queries.screening_questions(drug):
        is_yes = treatment.settled is not None and question.text == QUESTIONS[drug][1]
        answer = Answer.YES if is_yes else Answer.NO
        given = patients.answer_screening(patient, question, answer, by=by, at=at)
        if is_yes and treatment.settled:
            physician = world.person(treatment.physician, at=at)
            patients.settle_screening(given, treatment.settled, by=physician, at=at)


def _weigh_and_consent(world: DemoWorld, days: Days, treatment: Treatment, at: datetime) -> None:
    patient, by = _patient_of(treatment), world.person("RN-2", at=at)
    patients.record_weight(patient, treatment.body.kg, method=WeightMethod.MEASURED, measured_at=at, by=by, at=at)
    on = at.astimezone(days.zone).date()
    patients.record_consent(
        patient,
        drug_name=_protocol(world, treatment).terms.drug.name,
        form_version="4",
        signed_on=on,
        valid_from=on,
        valid_until=on + timedelta(weeks=_WEEKS_VALID),
        witness_name=by.name,
        by=by,
        at=at,
    )


def _protocol(world: DemoWorld, treatment: Treatment) -> ProtocolVersion:
    return db.session.get_one(ProtocolVersion, world.protocols[treatment.regimen])


def _course(world: DemoWorld, days: Days, treatment: Treatment, at: datetime) -> None:
    protocol, by = _protocol(world, treatment), world.person(treatment.physician, at=at)
    on = at.astimezone(days.zone).date()
    course = courses.create_course(
        _patient_of(treatment),
        protocol,
        replace(draft_of(protocol.terms), sessions_planned=treatment.planned, **treatment.changes),
        indication=treatment.problem,
        goal=treatment.goal,
        intent=CourseIntent.SERIES,
        weight=patient_queries.last_weight(_patient_of(treatment).id),
        valid_from=on,
        valid_until=on + timedelta(weeks=_WEEKS_VALID),
        physician=by,
        by=by,
        at=at,
    )
    treatment.course_id = course.id


def _sign(world: DemoWorld, treatment: Treatment, at: datetime) -> None:
    course, by = course_of(treatment), world.person(treatment.physician, at=at)
    courses.sign_order(course, course.order.versions[0], by=by, password=world.password, at=at, reason=_WHY)


def _baseline(world: DemoWorld, treatment: Treatment, at: datetime) -> None:
    """What the patient answered before the course, at home, handed in on this day."""
    answers: Iterable[tuple[Instrument, list[int | None]]] = (
        (Instrument.PEG, list(treatment.peg)),
        (Instrument.NRS, [treatment.body.pain]),
    )
    for instrument, items in answers:
        outcomes.record_outcome(
            course_of(treatment),
            instrument,
            items,
            occasion=Occasion.BASELINE,
            answered_at=at,
            by=world.person("RN-1", at=at),
            at=at,
        )


def _book(world: DemoWorld, treatment: Treatment, visits: Sequence[Visit], at: datetime) -> None:
    slots = [
        scheduling.Slot(
            session_number=visit.number,
            chair=db.session.get_one(Chair, world.chairs[visit.chair]),
            starts_at=visit.booked_from,
            ends_at=visit.booked_until,
            nurse=world.person(visit.nurse, at=at),
        )
        for visit in visits
    ]
    booked = scheduling.book(course_of(treatment), slots, by=world.person("DESK", at=at), at=at)
    for visit in visits:
        visit.appointment_id = next(row.id for row in booked if row.session_number == visit.number)
