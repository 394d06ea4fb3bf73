"""Take back a new plan as a whole: its moves, the nurses it gave, the duty it took and the chair it closed.

Which nurse somebody had before stands in the trail alone, so the act is read there, by its person and its instant.
"""

import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from clinic.accounts.models import Staff
from clinic.audit import queries as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.scheduling import queries, queries_planning
from clinic.scheduling.models import Appointment
from clinic.scheduling.operations import _same_place, reopen_chair
from clinic.scheduling.operations_moves import TAKEN_BACK, Move, accept_plan, hold, moved_at, ways_back
from clinic.scheduling.operations_shifts import ShiftAsItWas, put_back_on_duty
from clinic.scheduling.operations_waits import wait_again

_NEXT: Final = timedelta(microseconds=1)


def undo_plan(act: datetime, *, by: Staff, at: datetime) -> int:
    """Take back what this person did of a plan at that instant, all of it or nothing; gives how many appointments.

    Whoever has arrived since, or was given to somebody else, stops it: a person looks then.
    """
    given, duties = _read(act, by)
    moved, closures = moved_at(act, by.id), queries.closures_made(act, by.id)
    if not (given or duties or moved or closures):
        raise RuleBroken("There is nothing to take back.")
    back = [*ways_back(moved), *given]
    chairs, nurses = {each.chair_id for each in closures}, {each.staff.id for each in duties}
    hold(back, chairs=chairs, nurses=nurses)
    with db.session.begin_nested():
        for closure in closures:
            reopen_chair(closure, reason=TAKEN_BACK, by=by, at=at)
        for duty in duties:
            put_back_on_duty(duty, by=by, at=at)
        db.session.flush()  # chair and nurse are there before anybody goes back to them
        accept_plan(back, by=by, at=at)
        wait_again([each.id for each in moved], by=by, at=at)
    return len(back)


def _read(act: datetime, by: Staff) -> tuple[list[Move], list[ShiftAsItWas]]:
    """Whom the act gave to another nurse, as ways back, and the shifts of which it took a time."""
    acts = {AuditAction.APPOINTMENT_MOVED, AuditAction.SHIFT_CHANGED}
    lines = audit.trail(actions=acts, actor_id=by.id, first=act, until=act + _NEXT)
    nurses = [line for line in lines if "was_nurse_id" in line.details.get("details", {})]
    rows = queries_planning.appointments(line.entry.subject_id for line in nurses if line.entry.subject_id)
    people = _people(line.details["details"]["was_nurse_id"] for line in nurses)
    given = [
        _way_back(rows[line.entry.subject_id], line.details, people)
        for line in nurses
        if line.entry.subject_id is not None
    ]
    return given, [_shift(line.details) for line in lines if "kept" in line.details]


def _people(keys: Iterable[str | None]) -> dict[str, Staff]:
    return {key: db.session.get_one(Staff, uuid.UUID(key)) for key in keys if key}


def _way_back(row: Appointment, line: dict[str, Any], people: dict[str, Staff]) -> Move:
    if line["nurse_id"] != (str(row.nurse_id) if row.nurse_id else None):
        raise RuleBroken(f"{row.patient.name} was given to another nurse since.")
    was = line["details"]["was_nurse_id"]
    return Move(row, replace(_same_place(row), nurse=people.get(was) if was else None), TAKEN_BACK)


def _shift(line: dict[str, Any]) -> ShiftAsItWas:
    had = line["had"]
    return ShiftAsItWas(
        staff=db.session.get_one(Staff, uuid.UUID(line["staff_id"])),
        starts_at=datetime.fromisoformat(line["starts_at"]),
        ends_at=datetime.fromisoformat(line["ends_at"]),
        kept=_spans(line["kept"]),
        patients_at_once=had["patients_at_once"],
        starts_per_quarter=had["starts_per_quarter"],
        breaks=_spans(had["breaks"]),
    )


def _spans(pairs: Iterable[tuple[str, str]]) -> list[tuple[datetime, datetime]]:
    return sorted((datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in pairs)
