"""Chairs and their closures."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.rows import following
from clinic.scheduling import queries, queries_rooms
from clinic.scheduling.locking import lock
from clinic.scheduling.models import Appointment, Chair, ChairClosure
from clinic.scheduling.operations_breaking import refuse_other_edition, refuse_unseen
from clinic.scheduling.rules import ChairKind

_MINUTE = timedelta(minutes=1)


class ChairInUse(RuleBroken):
    """A chair cannot be closed: `standing` are the appointments that stand in it then."""

    def __init__(self, standing: Sequence[Appointment]) -> None:
        """Keep the appointments, so that the page can lead to each."""
        count = f"{len(standing)} appointments stand" if len(standing) > 1 else "1 appointment stands"
        super().__init__(f"{count} in this chair at that time. Move {'them' if len(standing) > 1 else 'it'} first.")
        self.standing = list(standing)


@dataclass(frozen=True, slots=True)
class Features:
    """What a chair has besides its name: the room it stands in, a bed, privacy, its minutes of cleaning."""

    room: str | None = None
    has_bed: bool = False
    is_private: bool = False
    cleaning_min: int | None = None


FEATURES: Final = tuple(each.name for each in fields(Features))


def add_chair(
    site_id: uuid.UUID,
    name: str,
    *,
    kind: ChairKind,
    by: Staff | None,
    at: datetime,
    position: int | None = None,
    features: Features | None = None,
) -> Chair:
    """Add a chair, bed or room to a site; it stands last unless its place among the others is given."""
    name = name.strip()
    if not name:
        raise RuleBroken("Give the chair a name.", field="name")
    if position is None:
        position = (db.session.scalar(sa.select(sa.func.max(Chair.position))) or 0) + 1
    features = features or Features()
    chair = Chair(site_id=site_id, name=name, position=position, kind=kind, **asdict(features))
    try:
        with db.session.begin_nested():
            db.session.add(chair)
            db.session.flush()  # a name that is taken shows here
    except IntegrityError as error:
        raise RuleBroken(f"A chair named {name} stands here already.", field="name") from error
    audit.record(
        AuditAction.CHAIR_CHANGED,
        chair,
        actor_id=by.id if by else None,
        at=at,
        name=name,
        kind=kind,
        **asdict(features),
    )
    return chair


def change_chair(
    chair: Chair, features: Features, *, by: Staff, at: datetime, seen: str | None = None, drawn: str | None = None
) -> None:
    """Change what a chair has. Raises `WouldBreak` while appointments stand too near for the new time of cleaning.

    `drawn` is the edition that the person changed; Conflict when it is another one now.
    """
    lock(Chair, {chair.id})
    refuse_other_edition(chair, FEATURES, drawn)
    was, now = chair.cleaning_min or 0, features.cleaning_min or 0
    standing = queries_rooms.standing(at, chair_id=chair.id)
    gaps = [(later, later.starts_at - earlier.ends_at) for earlier, later in pairwise(standing)]
    refuse_unseen([later for later, gap in gaps if was * _MINUTE <= gap < now * _MINUTE], seen)
    for name, value in asdict(features).items():
        setattr(chair, name, value)
    audit.record(AuditAction.CHAIR_CHANGED, chair, actor_id=by.id, at=at, **asdict(features))


def retire_chair(chair: Chair, *, by: Staff, at: datetime) -> None:
    """Offer a chair no more; refused while coming appointments stand in it."""
    lock(Chair, {chair.id})
    if standing := queries_rooms.standing(at, chair_id=chair.id):
        raise ChairInUse(standing)
    chair.is_retired = True
    audit.record(AuditAction.CHAIR_CHANGED, chair, actor_id=by.id, at=at, change="retired")


def close_chair(
    chair: Chair, *, starts_at: datetime, ends_at: datetime, reason: str, by: Staff, at: datetime
) -> ChairClosure:
    """Take a chair out of use for a time; `ChairInUse` while appointments stand in it."""
    if ends_at <= starts_at:
        raise RuleBroken("The chair opens again after it closes.", field="until_time")
    if ends_at <= at:
        raise RuleBroken("That time has passed.", field="until_day")
    if not reason.strip():
        raise RuleBroken("Say why.", field="reason")
    lock(Chair, {chair.id})  # a booking that is being made is seen, and waits for what is decided here
    standing = queries.appointments_in_chair(chair.id, starts_at, ends_at)
    if standing:
        raise ChairInUse(standing)
    closure = ChairClosure(
        chair_id=chair.id,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason.strip(),
        recorded_at=at,
        recorded_by_id=by.id,
    )
    db.session.add(closure)
    db.session.flush()  # the database has the last word
    audit.record(
        AuditAction.CHAIR_CHANGED,
        chair,
        actor_id=by.id,
        at=at,
        closed_from=starts_at,
        closed_until=ends_at,
        reason=closure.reason,
    )
    return closure


def reopen_chair(closure: ChairClosure, *, reason: str, by: Staff, at: datetime) -> ChairClosure:
    """Withdraw a closure: a void row supersedes it."""
    if not reason.strip():
        raise RuleBroken("Say why.", field="reason")
    lock(Chair, {closure.chair_id})  # whoever opens it at the same moment is seen
    if closure.is_void or queries.is_superseded(closure):
        raise RuleBroken("This chair is open again already.")
    void = following(closure, reason=reason.strip(), by_id=by.id, at=at, is_void=True)
    db.session.add(void)
    audit.record(
        AuditAction.CHAIR_CHANGED,
        closure.chair,
        actor_id=by.id,
        at=at,
        reopened_from=closure.starts_at,
        reopened_until=closure.ends_at,
        reason=void.correction_reason,
    )
    return void
