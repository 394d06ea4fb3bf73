"""When a site is open: weekly hours, closed days. What a change would leave outside is shown before it is saved."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from clinic.accounts.models import Clinic, Site, Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.rows import following
from clinic.scheduling import queries_rooms
from clinic.scheduling.locking import lock
from clinic.scheduling.models_rooms import ClockOffset, ClosedDay, OpeningHours
from clinic.scheduling.operations_breaking import refuse_unseen
from clinic.scheduling.room_rules import clock_offsets, closed_then, is_within_hours

_DAY = timedelta(days=1)

Minutes = tuple[int, int]


def settle_clock(zone: ZoneInfo, *, is_anew: bool = False) -> None:
    """Let the database know a zone's offsets; `is_anew` compares them with the zone as it is defined today."""
    known = sa.select(ClockOffset.starts_at, ClockOffset.ends_at, ClockOffset.minutes).where(
        ClockOffset.zone == zone.key
    )
    if not is_anew and db.session.execute(known.limit(1)).first() is not None:
        return
    wanted = clock_offsets(zone)
    if sorted(map(tuple, db.session.execute(known))) == sorted(map(tuple, wanted)):
        return
    db.session.execute(sa.delete(ClockOffset).where(ClockOffset.zone == zone.key))
    db.session.add_all(
        ClockOffset(zone=zone.key, starts_at=each.starts_at, ends_at=each.ends_at, minutes=each.minutes)
        for each in wanted
    )
    db.session.flush()


def settle_own_clock(*, is_anew: bool = False) -> ZoneInfo:
    """The same for the zone of the clinic at work, which is given back."""
    zone = ZoneInfo(db.session.scalars(sa.select(Clinic.zone).where(Clinic.id == db.current_clinic_id())).one())
    settle_clock(zone, is_anew=is_anew)
    return zone


def set_hours(
    site: Site,
    weekdays: Collection[int],
    spans: Sequence[Minutes],
    *,
    valid_from: date,
    valid_until: date | None = None,
    by: Staff,
    at: datetime,
    seen: str | None = None,
) -> None:
    """Set the hours of some weekdays (ISO) from a date on, or for some dates; without spans the site is closed then.

    They take the place of what was set for these days; outside the dates the old hours stay. Raises `WouldBreak` while
    appointments that stand inside the hours now would stand outside and `seen` does not name them.
    """
    _refuse_odd_days(weekdays, valid_from, valid_until)
    _refuse_odd_spans(spans)
    lock(Site, {site.id})
    zone = settle_own_clock(is_anew=True)
    with db.session.begin_nested():
        before = queries_rooms.opening_hours(site.id)
        for row in before:
            if row.weekday in weekdays:
                _make_room(row, valid_from, valid_until, by=by, at=at)
        for weekday in sorted(weekdays):
            for start, end in spans:
                _add(site, weekday, (start, end), valid_from, valid_until, by=by, at=at)
        db.session.flush()  # what is in force now is read next
        after = queries_rooms.opening_hours(site.id)
        if not after:
            raise RuleBroken("No hours are set: a site without any hours is open at all times.", field="from_time")
        refuse_unseen(
            [
                each
                for each in queries_rooms.standing(at, site_id=site.id)
                if is_within_hours(each, before, zone) and not is_within_hours(each, after, zone)
            ],
            seen,
        )
    audit.record(
        AuditAction.HOURS_CHANGED,
        site,
        actor_id=by.id,
        at=at,
        weekdays=sorted(weekdays),
        spans=[list(span) for span in spans],
        valid_from=valid_from,
        valid_until=valid_until,
    )


def _refuse_odd_days(weekdays: Collection[int], valid_from: date, valid_until: date | None) -> None:
    if not weekdays:
        raise RuleBroken("Choose at least one day.", field="weekdays")
    if valid_until is not None and valid_until < valid_from:
        raise RuleBroken("The hours end after they begin.", field="valid_until")


def _refuse_odd_spans(spans: Sequence[Minutes]) -> None:
    ordered = sorted(spans)
    if any(end <= start for start, end in ordered):
        raise RuleBroken("The site closes after it opens.", field="until_time")
    if any(later[0] <= earlier[1] for earlier, later in pairwise(ordered)):
        raise RuleBroken("The second opening begins after the first one has ended.", field="second_from")


def _add(
    site: Site, weekday: int, span: Minutes, valid_from: date, valid_until: date | None, *, by: Staff, at: datetime
) -> None:
    db.session.add(
        OpeningHours(
            site_id=site.id,
            weekday=weekday,
            from_min=span[0],
            until_min=span[1],
            valid_from=valid_from,
            valid_until=valid_until,
            recorded_at=at,
            recorded_by_id=by.id,
        )
    )


def _make_room(row: OpeningHours, first: date, last: date | None, *, by: Staff, at: datetime) -> None:
    """Keep of a row what lies outside the dates."""
    if (row.valid_until is not None and row.valid_until < first) or (last is not None and row.valid_from > last):
        return
    is_gone = row.valid_from >= first
    db.session.add(
        OpeningHours(
            site_id=row.site_id,
            weekday=row.weekday,
            from_min=row.from_min,
            until_min=row.until_min,
            valid_from=row.valid_from,
            valid_until=row.valid_until if is_gone else first - _DAY,
            supersedes_id=row.id,
            correction_reason="other hours",
            is_void=is_gone,
            recorded_at=at,
            recorded_by_id=by.id,
        )
    )
    if last is not None and (row.valid_until is None or row.valid_until > last):
        span = (row.from_min, row.until_min)
        _add(row.site, row.weekday, span, last + _DAY, row.valid_until, by=by, at=at)


# --- closed days -----------------------------------------------------------------------------------------------------


def close_days(
    site: Site,
    *,
    from_on: date,
    until_on: date,
    span: Minutes | None = None,
    reason: str,
    by: Staff,
    at: datetime,
    seen: str | None = None,
) -> ClosedDay:
    """Close a site on some days, or in a part of each; `WouldBreak` while appointments stand then that nobody saw."""
    if until_on < from_on:
        raise RuleBroken("The last day comes after the first.", field="until_on")
    if span is not None and span[1] <= span[0]:
        raise RuleBroken("The site opens again after it closes.", field="until_time")
    if not reason.strip():
        raise RuleBroken("Say why.", field="reason")
    lock(Site, {site.id})
    zone = settle_own_clock(is_anew=True)
    closed = ClosedDay(
        site_id=site.id,
        from_on=from_on,
        until_on=until_on,
        from_min=span[0] if span else None,
        until_min=span[1] if span else None,
        reason=reason.strip(),
        recorded_at=at,
        recorded_by_id=by.id,
    )
    standing = queries_rooms.standing(at, site_id=site.id)
    refuse_unseen([each for each in standing if closed_then(each, [closed], zone)], seen)
    db.session.add(closed)
    db.session.flush()  # the audit line needs the row
    _record_closed(closed, "closed", by=by, at=at)
    return closed


def reopen_days(closed: ClosedDay, *, reason: str, by: Staff, at: datetime) -> ClosedDay:
    """Take closed days back: a void row supersedes the one that closed them."""
    if not reason.strip():
        raise RuleBroken("Say why.", field="reason")
    lock(Site, {closed.site_id})  # whoever takes it back at the same moment is seen
    if closed.is_void or queries_rooms.is_superseded(closed):
        raise RuleBroken("These days are open again already.")
    void = following(closed, reason=reason.strip(), by_id=by.id, at=at, is_void=True)
    db.session.add(void)
    db.session.flush()  # the audit line needs the row
    _record_closed(void, "open again", by=by, at=at)
    return void


def _record_closed(row: ClosedDay, change: str, *, by: Staff, at: datetime) -> None:
    audit.record(
        AuditAction.HOURS_CHANGED,
        row,
        actor_id=by.id,
        at=at,
        change=change,
        from_on=row.from_on,
        until_on=row.until_on,
        from_min=row.from_min,
        until_min=row.until_min,
        reason=row.correction_reason or row.reason,
    )
