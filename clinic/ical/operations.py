"""Issue and revoke calendar addresses; note that one was read."""

import uuid
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from clinic.accounts.models import Clinic, Staff
from clinic.accounts.passwords import new_token, token_hash
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.sharing import TellsNames
from clinic.ical.models import CalendarFeed
from clinic.ical.rules import FeedKind
from clinic.patients.models import Patient
from clinic.scheduling.locking import lock
from clinic.scheduling.models import Chair

# A calendar program asks every few minutes; that it did is written less often.
_NOTED_EVERY: Final = timedelta(minutes=10)


def issue(kind: FeedKind, owner: Staff | Chair | Patient, *, by: Staff, at: datetime) -> str:
    """Make the one address of a nurse, a physician, a chair or a patient; an earlier one is dead from now on.

    Gives its secret, which is kept nowhere.
    """
    lock(type(owner), {owner.id})  # two who renew at once must not each leave a live one
    column = {Staff: CalendarFeed.staff_id, Chair: CalendarFeed.chair_id, Patient: CalendarFeed.patient_id}[type(owner)]
    earlier = sa.select(CalendarFeed).where(
        CalendarFeed.kind == kind, column == owner.id, CalendarFeed.revoked_at.is_(None)
    )
    for feed in db.session.scalars(earlier):
        revoke(feed, by=by, at=at)
    token = new_token()
    made = CalendarFeed(kind=kind, token_hash=token_hash(token), issued_at=at, issued_by_id=by.id)
    setattr(made, column.key, owner.id)
    db.session.add(made)
    db.session.flush()  # the index of live addresses is the last word
    audit.record(AuditAction.CALENDAR_ADDRESS_ISSUED, made, actor_id=by.id, at=at, kind=kind, of=owner.id)
    return token


def revoke(feed: CalendarFeed, *, by: Staff, at: datetime) -> None:
    """Let an address answer no more."""
    feed.revoked_at = at
    feed.revoked_by_id = by.id
    db.session.flush()  # before another takes its place
    audit.record(AuditAction.CALENDAR_ADDRESS_REVOKED, feed, actor_id=by.id, at=at, kind=feed.kind)


def note_fetched(feed_id: uuid.UUID, digest: str, *, at: datetime) -> None:
    """Write that an address was read: in the trail once a day, in its row every few minutes or with new content."""
    feed = db.session.get(CalendarFeed, feed_id)
    if feed is None:
        return
    if feed.fetched_at is None or feed.fetched_at.date() != at.date():
        audit.record(AuditAction.CALENDAR_FETCHED, feed, actor_id=None, at=at, kind=feed.kind)
    if feed.digest != digest:
        feed.digest, feed.changed_at = digest, at
    if feed.fetched_at is None or at - feed.fetched_at >= _NOTED_EVERY:
        feed.fetched_at = at


def is_to_be_noted(feed: CalendarFeed, digest: str, *, at: datetime) -> bool:
    """Whether this reading is worth a write."""
    return feed.digest != digest or feed.fetched_at is None or at - feed.fetched_at >= _NOTED_EVERY


def change_sharing(
    clinic: Clinic, values: dict[str, TellsNames | bool], reason: str, *, by: Staff, at: datetime
) -> list[str]:
    """Decide what leaves the clinic; gives what was changed. It holds from now on; what was read already is out."""
    changed = {name: value for name, value in values.items() if value != getattr(clinic, name)}
    if not changed:
        raise RuleBroken("Nothing was changed.")
    if not reason.strip():
        raise RuleBroken("Say why.", field="reason")
    was = {name: getattr(clinic, name) for name in changed}
    for name, value in changed.items():
        setattr(clinic, name, value)
    audit.record(
        AuditAction.SHARING_CHANGED,
        clinic,
        actor_id=by.id,
        at=at,
        clinic_id=clinic.id,
        was=was,
        settings=changed,
        reason=reason.strip(),
    )
    return sorted(changed)
