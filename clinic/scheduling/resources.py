"""What the optimiser is told of the clinic, read in a constant number of queries however long the time."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from clinic.scheduling import queries_planning as queries
from clinic.scheduling import queries_rooms, queries_skills
from clinic.scheduling.models import Chair, ClosedDay, NurseLimit, OpeningHours, Presence
from clinic.scheduling.models_skills import NurseSkill
from clinic.scheduling.phase_rules import Parts
from clinic.scheduling.queries_planning import Duty, Held, Shut


@dataclass(frozen=True, slots=True)
class Resources:
    """What was read: everything that a time is made of."""

    chairs: Sequence[Chair]
    shut: Sequence[Shut]
    duties: Sequence[Duty]
    held: Sequence[Held]
    hours: Sequence[OpeningHours] = ()
    closed: Sequence[ClosedDay] = ()
    presences: Sequence[Presence] = ()
    skills: Sequence[NurseSkill] = ()
    limits: Sequence[NurseLimit] = ()
    parts: Mapping[uuid.UUID, Parts] = field(default_factory=dict)  # by course, where a phase has a limit


def read(first: date, last: date, zone: ZoneInfo, *, without: Collection[uuid.UUID] = ()) -> Resources:
    """What stands from one day to another; appointments of `without` are left out."""
    start = datetime.combine(first, time(), tzinfo=zone).astimezone(UTC)
    end = datetime.combine(last + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
    left_out = set(without)
    held = [each for each in queries.held(start, end) if each.id not in left_out]
    limits = queries_rooms.nurse_limits()
    return Resources(
        chairs=queries.every_chair(),
        shut=queries.chairs_shut(start, end),
        duties=queries.duties(start, end),
        held=held,
        hours=queries_rooms.opening_hours(),
        closed=queries_rooms.closed_days(first, last),
        presences=queries_rooms.presences(start, end),
        skills=queries_skills.skills(),
        limits=limits,
        parts=queries.parts_of(each.course_id for each in held)
        if any(row.precheck or row.infusion or row.recovery for row in limits)
        else {},
    )
