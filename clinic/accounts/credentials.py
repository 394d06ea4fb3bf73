"""Licences and certificates of the staff: what holds, what ends soon, and the verbs that write it down.

The application shows what has ended and refuses nothing for it: what a person without a licence may not do is for the
clinic to decide, by a role that is taken away or an account that is disabled.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from clinic.accounts.models import Staff
from clinic.accounts.models_credentials import StaffCredential
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.rows import add_row

SOON: Final = timedelta(days=60)
"""How long before its end a credential is shown as one that ends soon."""
_FASTER: Final = "Somebody else has changed this credential meanwhile. Open the page again."


@dataclass(frozen=True, slots=True)
class Paper:
    """What stands on the paper."""

    kind: str
    number: str | None
    issuer: str
    valid_until: date | None


def has_ended(credential: StaffCredential, today: date) -> bool:
    """Whether its last day is over."""
    return credential.valid_until is not None and credential.valid_until < today


def standing(staff_ids: Collection[uuid.UUID]) -> list[StaffCredential]:
    """Return what stands of these people, by person and kind; those that end first on top."""
    later = aliased(StaffCredential)
    found = (
        sa.select(StaffCredential)
        .where(StaffCredential.staff_id.in_(staff_ids), StaffCredential.is_void.is_(False))
        .where(~sa.exists().where(later.supersedes_id == StaffCredential.id))
        .options(joinedload(StaffCredential.staff), joinedload(StaffCredential.recorded_by))
        .order_by(StaffCredential.valid_until.asc().nulls_last(), StaffCredential.kind, StaffCredential.id)
    )
    return list(db.session.scalars(found))


def history(staff_id: uuid.UUID) -> list[StaffCredential]:
    """Return every row of a person, the newest first: what was renewed, corrected and taken back."""
    found = (
        sa.select(StaffCredential)
        .where(StaffCredential.staff_id == staff_id)
        .options(joinedload(StaffCredential.recorded_by))
        .order_by(StaffCredential.recorded_at.desc(), StaffCredential.id.desc())
    )
    return list(db.session.scalars(found))


def to_warn_of(staff_ids: Collection[uuid.UUID], today: date) -> list[StaffCredential]:
    """Return what has ended or ends soon."""
    return [one for one in standing(staff_ids) if one.valid_until is not None and one.valid_until <= today + SOON]


def write_down(staff: Staff, paper: Paper, *, by: Staff, at: datetime) -> StaffCredential:
    """Write down a licence or certificate of a person."""
    return _add(staff.id, paper, None, "", is_void=False, by=by, at=at)


def replace(old: StaffCredential, paper: Paper, reason: str, *, by: Staff, at: datetime) -> StaffCredential:
    """Renew or correct one; the old row stays."""
    return _add(old.staff_id, paper, old, reason, is_void=False, by=by, at=at)


def take_back(old: StaffCredential, reason: str, *, by: Staff, at: datetime) -> StaffCredential:
    """Note that one does not hold any more, or never did; the row stays."""
    paper = Paper(old.kind, old.number, old.issuer, old.valid_until)
    return _add(old.staff_id, paper, old, reason, is_void=True, by=by, at=at)


def _add(
    staff_id: uuid.UUID,
    paper: Paper,
    old: StaffCredential | None,
    reason: str,
    *,
    is_void: bool,
    by: Staff,
    at: datetime,
) -> StaffCredential:
    if staff_id == by.id:
        raise RuleBroken("Nobody writes down the own credentials. Ask another admin.")
    if old is not None and not reason.strip():
        raise RuleBroken("Say why: renewed, or what was wrong.", field="reason")
    row = StaffCredential(
        staff_id=staff_id,
        kind=paper.kind,
        number=paper.number,
        issuer=paper.issuer,
        valid_until=paper.valid_until,
        supersedes_id=old.id if old else None,
        correction_reason=reason.strip() if old else None,
        is_void=is_void,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    add_row(row, clash=_FASTER)
    act = (
        "credential taken back" if is_void else "credential renewed or corrected" if old else "credential written down"
    )
    audit.record(
        AuditAction.STAFF_CHANGED,
        db.session.get_one(Staff, staff_id),
        actor_id=by.id,
        at=at,
        act=f"{act}: {row.words}",
        valid_until=row.valid_until,
        reason=row.correction_reason,
    )
    return row
