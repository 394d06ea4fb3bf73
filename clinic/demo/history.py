"""The worked cases as the clinic's history."""

from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from clinic.accounts.models import Staff
from clinic.cases.parts import Case
from clinic.cases.play import play_case
from clinic.cases.schema import WORKED, read_file
from clinic.core import clock, db
from clinic.courses import operations as courses
from clinic.courses import queries as course_queries
from clinic.courses.models import Course
from clinic.courses.rules import CourseDecision, CourseStatus
from clinic.demo.people import DemoWorld
from clinic.notes import operations as notes
from clinic.notes import operations_letter as letters
from clinic.notes.course_review import course_review
from clinic.notes.letter_facts import letter_facts
from clinic.notes.models import Note
from clinic.notes.rules import NoteStatus
from clinic.patients import queries as patient_queries
from clinic.patients.models import Patient

# History ends before the clinic's own recent weeks begin, so that no two visits meet in one chair.
_GAP: Final = timedelta(days=40)
# So many weeks hold whole years of weekdays: a Monday stays a Monday in the same season.
_YEAR: Final = timedelta(weeks=52)
_SOON: Final = timedelta(days=2)
_LATER: Final = timedelta(days=30)
_REFERRER: Final = "Dr H. Lindqvist\nHarbour Street Practice\n4 Harbour Street"


def worked_cases(now: datetime) -> list[Case]:
    """The worked cases as the clinic's history."""
    return before(now, read_file(WORKED).cases)


def before(now: datetime, cases: Iterable[Case]) -> list[Case]:
    """The cases at their own times; where those are too near or still to come, on the same weekdays years earlier."""
    cases = list(cases)
    shift = timedelta(0)
    while max(instants(cases)) + shift > now - _GAP:
        shift -= _YEAR
    return [shifted(case, shift) for case in cases] if shift else cases


def first_instant(cases: Iterable[Case]) -> datetime:
    """When the history begins."""
    return min(instants(cases))


def instants(value: Any) -> Iterable[datetime]:
    """Every instant in a case or a part of it."""
    if isinstance(value, datetime):
        yield value
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            yield from instants(getattr(value, each.name))
    elif isinstance(value, tuple | list):
        for each in value:
            yield from instants(each)


def shifted(value: Any, by: timedelta) -> Any:
    """The same with every instant and every date moved, except a date of birth."""
    if isinstance(value, datetime | date):
        return value + by
    if is_dataclass(value) and not isinstance(value, type):
        kept = {"born"}
        moved = {each.name: shifted(getattr(value, each.name), by) for each in fields(value) if each.name not in kept}
        return replace(value, **moved)
    if isinstance(value, tuple | list):
        return type(value)(shifted(each, by) for each in value)
    return value


def play_history(world: DemoWorld, cases: Iterable[Case], *, echo: Callable[[str], None]) -> list[str]:
    """Play the cases into the clinic; gives what was refused, in words."""
    refusals = []
    for case in cases:
        played = play_case(case, world)
        refusals += [f"{case.id} {refusal.line}" for refusal in played.refusals]
        _finish(world, case)
        echo(f"  {case.id} {case.patient.name}")
    return refusals


def _finish(world: DemoWorld, case: Case) -> None:
    """Two days after its last entry nothing of the case waits for anybody; a month after it the series is over."""
    last = max(instants(case))
    with db.in_clinic(world.clinic_id), db.unit_of_work():
        patient = patient_queries.by_mrn(case.patient.mrn)
        if patient is None:
            return
        with clock.standing_at(last + _SOON):
            _cosign(world, patient, at=last + _SOON)
        with clock.standing_at(last + _LATER):
            _complete(world, case, patient, at=last + _LATER)


def _cosign(world: DemoWorld, patient: Patient, *, at: datetime) -> None:
    waiting = sa.select(Note).where(Note.patient_id == patient.id, Note.status == NoteStatus.COSIGN_PENDING)
    for note in db.session.scalars(waiting).all():
        if note.cosigner is not None:
            notes.cosign_note(note, by=note.cosigner, password=world.password, at=at)


def _complete(world: DemoWorld, case: Case, patient: Patient, *, at: datetime) -> None:
    for course in course_queries.courses_of(patient.id):
        if course.status is CourseStatus.ACTIVE:
            by = world.physician(case.orders[0].signed_by, at=at)
            courses.review(course, CourseDecision.COMPLETE, "The series is over.", by=by, at=at)
            _write_letter(world, course, by=by, at=at)


def _write_letter(world: DemoWorld, course: Course, *, by: Staff, at: datetime) -> None:
    """The referrer reads what came of it."""
    found = course_queries.review_page(course.id) or course
    facts = letter_facts(course_review(found, by, zone=world.zone, now=at), world.zone)
    seen = letters.seen_mark(facts)
    letters.sign_letter(found, facts, _REFERRER, "", seen=seen, by=by, password=world.password, at=at)
