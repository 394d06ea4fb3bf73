"""Sessions of a course that moves would leave too near or too far from each other, as they did not stand before."""

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime

from clinic.core import formats, times
from clinic.protocols.models import Terms
from clinic.protocols.spacing_words import days as days_words
from clinic.scheduling import queries_planning, queries_waiting
from clinic.scheduling.course_request import gap_of
from clinic.scheduling.operations_moves import Move

Days = Mapping[int, date]


def out_of_step(moves: Sequence[Move]) -> list[str]:
    """What moves do to the days between sessions, in words; a plan that is taken in part may leave two apart."""
    by_course: dict[uuid.UUID, list[Move]] = defaultdict(list)
    for move in moves:
        by_course[move.appointment.course_id].append(move)
    terms, held = queries_planning.terms_of(by_course), queries_waiting.held_by(by_course)
    found = []
    for course_id, mine in by_course.items():
        was = {each.session_number: _day(each.starts_at) for each in held.get(course_id, [])}
        will = was | {move.slot.session_number: _day(move.slot.starts_at) for move in mine}
        name = mine[0].appointment.patient.name
        found += [f"{name}: {words}." for words in _broken(terms.get(course_id), was, will)]
    return found


def is_out_of_step(terms: Terms | None, number: int, was: int | None, days: int) -> bool:
    """Whether a session would stand so many days after the one before against the order, as it did not before."""
    gap = gap_of(terms, number) if terms else None
    return gap is not None and days != was and not gap.least <= days <= gap.most


def _broken(terms: Terms | None, was: Days, will: Days) -> Iterator[str]:
    for number in sorted(will):
        if number - 1 in will:
            before = (was[number] - was[number - 1]).days if {number, number - 1} <= was.keys() else None
            after = (will[number] - will[number - 1]).days
            if is_out_of_step(terms, number, before, after):
                yield f"session {number} would stand {days_words(after)} after session {number - 1}"


def _day(instant: datetime) -> date:
    return times.local(instant, formats.zone.get()).date()
