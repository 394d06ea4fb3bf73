"""Set how many patients one nurse may have, from a date on: at once, begun in a quarter of an hour, and by phase."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa

from clinic.accounts.models import Site, Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db, times
from clinic.core.errors import Conflict, RuleBroken
from clinic.scheduling import queries, queries_planning, queries_rooms
from clinic.scheduling.limit_rules import Most, Usual, beyond, in_force, most_on
from clinic.scheduling.locking import lock
from clinic.scheduling.models import Appointment, Shift
from clinic.scheduling.models_rooms import NurseLimit
from clinic.scheduling.operations_breaking import refuse_unseen
from clinic.scheduling.operations_hours import settle_own_clock
from clinic.scheduling.phase_rules import WHOLE, Parts, beyond_phases


def set_nurse_limits(
    valid_from: date, most: Most, *, by: Staff, at: datetime, seen: str | None = None, drawn: int | None = None
) -> NurseLimit:
    """All limits from a date on; they hold until a row with a later date.

    `WouldBreak` shows the coming appointments that are within the limits now and would be beyond the new ones; nobody
    is moved by it. `drawn` is how many rows there were when the person began; Conflict when there are others now.
    """
    lock(Site, db.session.scalars(sa.select(Site.id)).all())  # bookings on their way are waited for, and seen
    zone = settle_own_clock()  # the database must know the wall's day
    if valid_from < times.local(at, zone).date():
        raise RuleBroken("Choose today or a later day.", field="valid_from")
    rows = queries_rooms.nurse_limits()
    if drawn is not None and drawn != len(rows):
        raise Conflict("Somebody else set limits since you opened this page. Nothing of yours was saved.")
    now = in_force(rows, valid_from)
    if most == most_on(rows, valid_from) and (now is None or now.valid_from == valid_from):
        raise RuleBroken("That is so already.", field="valid_from")
    row = NurseLimit(valid_from=valid_from, **most._asdict(), recorded_at=at, recorded_by_id=by.id)
    refuse_unseen(_newly_beyond(rows, row, at), seen)
    db.session.add(row)
    db.session.flush()  # the audit line needs the row
    audit.record(AuditAction.NURSE_LIMITS_SET, row, actor_id=by.id, at=at, valid_from=valid_from, **most._asdict())
    return row


def usual_limits(rows: Sequence[NurseLimit]) -> Usual:
    """The limits for which a shift may have its own, at an instant."""
    zone = settle_own_clock()
    return lambda instant: most_on(rows, times.local(instant, zone).date()).usual


def _newly_beyond(rows: Sequence[NurseLimit], row: NurseLimit, at: datetime) -> list[Appointment]:
    """The appointments within the limits of now and beyond those of then."""
    standing = [each for each in queries_rooms.standing(at) if each.nurse_id]
    if not standing:
        return []
    parts = queries_planning.parts_of(each.course_id for each in standing)
    shifts = queries.shifts_between(at, max(each.ends_at for each in standing))
    was = _beyond(rows, standing, shifts, parts)
    found = _beyond([*rows, row], standing, shifts, parts) - was
    return [each for each in standing if each.id in found]


def _beyond(
    rows: Sequence[NurseLimit],
    standing: Sequence[Appointment],
    shifts: Sequence[Shift],
    parts: dict[uuid.UUID, Parts],
) -> set[uuid.UUID]:
    """What is beyond these limits: each nurse's own time by instants, the phases by the day on which a visit begins."""
    zone, usual = settle_own_clock(), usual_limits(rows)
    found: set[uuid.UUID] = set()
    for nurse_id in {each.nurse_id for each in standing}:
        mine = [each for each in standing if each.nurse_id == nurse_id]
        duty = [each for each in shifts if each.staff_id == nurse_id]
        found |= {each.id for each in beyond(mine, duty, usual)}
        days: dict[date, list[tuple[Appointment, Parts]]] = defaultdict(list)
        for each in mine:
            days[times.local(each.starts_at, zone).date()].append((each, parts.get(each.course_id, WHOLE)))
        for on, visits in days.items():
            found |= {each.id for each in beyond_phases(visits, most_on(rows, on).by_phase)}
    return found
