"""Set how many patients a nurse may have in each phase of a session, from a date on."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db, times
from clinic.core.errors import RuleBroken
from clinic.scheduling import queries_planning, queries_rooms
from clinic.scheduling.models import Appointment
from clinic.scheduling.models_rooms import PhaseLimit
from clinic.scheduling.operations_breaking import refuse_unseen
from clinic.scheduling.operations_hours import settle_own_clock
from clinic.scheduling.phase_rules import WHOLE, Most, beyond_phases, in_force, most_on


def set_phase_limits(valid_from: date, most: Most, *, by: Staff, at: datetime, seen: str | None = None) -> PhaseLimit:
    """Limits from a date on, in the order of the phases; None sets none.

    They hold until a row with a later date. `WouldBreak` shows the coming appointments that are within the limits now
    and would be beyond the new ones; nobody is moved by it.
    """
    zone = settle_own_clock()  # the database must know the wall's day
    if valid_from < times.local(at, zone).date():
        raise RuleBroken("Choose today or a later day.", field="valid_from")
    rows = queries_rooms.phase_limits()
    now = in_force(rows, valid_from)
    if most == most_on(rows, valid_from) and (now is None or now.valid_from == valid_from):
        raise RuleBroken("That is so already.", field="valid_from")
    row = PhaseLimit(
        valid_from=valid_from,
        precheck=most[0],
        infusion=most[1],
        recovery=most[2],
        recorded_at=at,
        recorded_by_id=by.id,
    )
    refuse_unseen(_newly_beyond(rows, row, at), seen)
    db.session.add(row)
    db.session.flush()  # the audit line needs the row
    audit.record(
        AuditAction.PHASE_LIMITS_SET,
        row,
        actor_id=by.id,
        at=at,
        valid_from=valid_from,
        precheck=most[0],
        infusion=most[1],
        recovery=most[2],
    )
    return row


def _newly_beyond(rows: Sequence[PhaseLimit], row: PhaseLimit, at: datetime) -> list[Appointment]:
    """The appointments within the limits of now and beyond those of then, by nurse and day."""
    zone = settle_own_clock()
    standing = [each for each in queries_rooms.standing(at) if each.nurse_id]
    parts = queries_planning.parts_of(each.course_id for each in standing)
    days: dict[tuple[uuid.UUID | None, date], list[Appointment]] = defaultdict(list)
    for each in standing:
        on = times.local(each.starts_at, zone).date()
        if on >= row.valid_from:
            days[each.nurse_id, on].append(each)
    found: set[uuid.UUID] = set()
    for (_, on), mine in days.items():
        visits = [(each, parts.get(each.course_id, WHOLE)) for each in mine]
        was = beyond_phases(visits, most_on(rows, on))
        found |= {each.id for each in beyond_phases(visits, most_on([*rows, row], on)) if each not in was}
    return [each for each in standing if each.id in found]
