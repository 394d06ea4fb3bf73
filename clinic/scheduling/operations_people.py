"""When supervising clinicians are on site."""

from datetime import datetime

from clinic.accounts.models import Site, Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Role
from clinic.core.rows import following
from clinic.scheduling import queries_rooms
from clinic.scheduling.locking import lock
from clinic.scheduling.models import Appointment
from clinic.scheduling.models_rooms import Presence
from clinic.scheduling.operations_breaking import refuse_unseen
from clinic.scheduling.operations_hours import settle_own_clock
from clinic.scheduling.room_rules import is_covered


def add_presence(
    site: Site, staff: Staff, *, starts_at: datetime, ends_at: datetime, by: Staff, at: datetime
) -> Presence:
    """Say that a supervising clinician is at a site."""
    if ends_at <= starts_at:
        raise RuleBroken("It ends after it starts.", field="until_time")
    if not staff.has_any({Role.PHYSICIAN}):
        raise RuleBroken(f"{staff.name} is no physician here.", field="staff_id")
    lock(Site, {site.id})
    settle_own_clock()
    if any(each.staff_id == staff.id for each in queries_rooms.presences(starts_at, ends_at)):
        raise RuleBroken(f"{staff.name} is on site at that time already.", field="staff_id")
    made = Presence(
        site_id=site.id,
        staff_id=staff.id,
        starts_at=starts_at,
        ends_at=ends_at,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    db.session.add(made)
    db.session.flush()  # the next day of the same form looks for it
    _record(made, "added", by=by, at=at)
    return made


def remove_presence(presence: Presence, *, by: Staff, at: datetime, seen: str | None = None) -> Presence:
    """Take a clinician off the site; `WouldBreak` while nobody else covers appointments that stand then."""
    lock(Site, {presence.site_id})
    if presence.is_void or queries_rooms.is_superseded(presence):
        raise RuleBroken("This was removed already.")
    refuse_unseen(_left_alone(presence, at), seen)
    void = following(presence, reason="removed", by_id=by.id, at=at, is_void=True)
    db.session.add(void)
    db.session.flush()  # the audit line needs the row
    _record(void, "removed", by=by, at=at)
    return void


def _left_alone(presence: Presence, at: datetime) -> list[Appointment]:
    start, end = max(presence.starts_at, at), presence.ends_at
    standing = queries_rooms.standing(start, end, site_id=presence.site_id)
    if not standing or start >= end:
        return []
    first, last = min(each.starts_at for each in standing), max(each.ends_at for each in standing)
    there = queries_rooms.presences(first, last, site_id=presence.site_id)
    others = [each for each in there if each.id != presence.id]
    return [each for each in standing if is_covered(each, there) and not is_covered(each, others)]


def _record(presence: Presence, change: str, *, by: Staff, at: datetime) -> None:
    audit.record(
        AuditAction.PRESENCE_CHANGED,
        presence,
        actor_id=by.id,
        at=at,
        change=change,
        site_id=presence.site_id,
        staff_id=presence.staff_id,
        starts_at=presence.starts_at,
        ends_at=presence.ends_at,
    )
