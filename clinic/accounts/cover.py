"""A physician signs for another who is away: entered by one of the two, for days of the clinic; it ends by itself."""

import uuid
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from clinic.accounts.models import Cover, Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db, formats
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission
from clinic.core.rows import add_row
from clinic.core.times import local


def clinic_day(at: datetime) -> date:
    """The day of the clinic at an instant: a cover begins and ends at the clinic's midnight, however long the day."""
    return local(at, formats.zone.get()).date()


def arrange(away: Staff, covering: Staff, from_on: date, until_on: date, *, by: Staff, at: datetime) -> Cover:
    """Write down that `covering` signs for `away` on these days, both included. One of the two enters it.

    For somebody who leaves, an admin may write it down.

    Raises RuleBroken where either is no physician, for days that are over, and where they meet another cover of the
    same two people.
    """
    if by.id not in {away.id, covering.id} and not by.may(Permission.MANAGE_STAFF):
        raise RuleBroken("One of the two enters a cover.", field="covering_id")
    if away.id == covering.id:
        raise RuleBroken("Another physician covers.", field="covering_id")
    if not away.may(Permission.READ_INBOX) or not covering.may(Permission.READ_INBOX):
        raise RuleBroken("A physician covers for a physician.", field="covering_id")
    if until_on < from_on:
        raise RuleBroken("The last day is before the first.", field="until_on")
    if until_on < clinic_day(at):
        raise RuleBroken("These days are over.", field="until_on")
    # Two people who enter the same at once stand in line here.
    db.session.execute(sa.select(Staff.id).where(Staff.id == away.id).with_for_update())
    for other in covers_of(away.id, clinic_day(at)):
        if other.covering_id == covering.id and other.from_on <= until_on and from_on <= other.until_on:
            raise RuleBroken(f"{covering.name} covers for {away.name} on some of these days already.", field="from_on")
    cover = Cover(
        away=away, covering=covering, from_on=from_on, until_on=until_on, recorded_at=at, recorded_by_id=by.id
    )
    add_row(cover)
    audit.record(
        AuditAction.COVER_ARRANGED,
        cover,
        actor_id=by.id,
        at=at,
        away_id=away.id,
        covering_id=covering.id,
        from_on=from_on,
        until_on=until_on,
    )
    return cover


def withdraw(cover: Cover, *, reason: str, by: Staff, at: datetime) -> Cover:
    """End a cover at once, or take it back before it begins. What was signed under it stands."""
    if by.id not in {cover.away_id, cover.covering_id}:
        raise RuleBroken("One of the two ends a cover.")
    if not reason.strip():
        raise RuleBroken("Say why.", field="reason")
    ended = Cover(
        away_id=cover.away_id,
        covering_id=cover.covering_id,
        from_on=cover.from_on,
        until_on=cover.until_on,
        recorded_at=at,
        recorded_by_id=by.id,
        supersedes_id=cover.id,
        correction_reason=reason.strip(),
        is_void=True,
    )
    add_row(ended, clash="This cover was ended meanwhile.")
    audit.record(AuditAction.COVER_ENDED, ended, actor_id=by.id, at=at, cover_id=cover.id, reason=reason.strip())
    return ended


def _stands() -> sa.ColumnElement[bool]:
    later = aliased(Cover)
    return sa.and_(
        Cover.is_void.is_(False),
        Cover.clinic_id == db.current_clinic_id(),
        ~sa.exists().where(later.supersedes_id == Cover.id).correlate(Cover),
    )


def _on(day: date) -> sa.ColumnElement[bool]:
    return sa.and_(_stands(), Cover.from_on <= day, Cover.until_on >= day)


def signs_for(person_id: uuid.UUID, day: date) -> "sa.Select[uuid.UUID]":
    """The keys of those whose items a person signs on a day, the own key included, as a part of other reads."""
    covered = sa.select(Cover.away_id).where(Cover.covering_id == person_id, _on(day))
    return sa.select(Staff.id).where(sa.or_(Staff.id == person_id, Staff.id.in_(covered)))


def covered_by(person_id: uuid.UUID, day: date) -> list[Cover]:
    """The covers under which a person signs for others on a day, with their people."""
    return _covers(Cover.covering_id == person_id, _on(day))


def covers_of(person_id: uuid.UUID, day: date) -> list[Cover]:
    """The covers that a person gives or takes, from a day on, with their people."""
    is_of = sa.or_(Cover.away_id == person_id, Cover.covering_id == person_id)
    return _covers(is_of, _stands(), Cover.until_on >= day)


def _covers(*conditions: sa.ColumnElement[bool]) -> list[Cover]:
    return list(
        db.session.scalars(
            sa.select(Cover)
            .where(*conditions)
            .options(joinedload(Cover.away), joinedload(Cover.covering), joinedload(Cover.recorded_by))
            .order_by(Cover.from_on, Cover.id)
        )
    )


def is_covering(by: Staff, away_id: uuid.UUID, *, at: datetime) -> bool:
    """Whether somebody signs for another at an instant."""
    return by.may(Permission.READ_INBOX) and any(
        cover.away_id == away_id for cover in covered_by(by.id, clinic_day(at))
    )
