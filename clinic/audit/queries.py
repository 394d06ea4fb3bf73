"""Named reads of the trail."""

import json
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from clinic.audit.models import AuditChain, AuditEntry, AuditLink
from clinic.audit.rules import PRINTS, AuditAction
from clinic.core import db

# Acts about accounts: the only part of the trail that an administrator sees (SD-10).
ACCOUNT_ACTIONS = tuple(
    action for action in AuditAction if action.value.startswith("accounts:") and action is not AuditAction.ACCESS_DENIED
)


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """Something that happened to an account."""

    at: datetime
    action: AuditAction
    actor_id: uuid.UUID | None
    details: dict[str, Any]


def account_events(staff_id: uuid.UUID, *, limit: int = 8) -> list[AccountEvent]:
    """What happened to a person's account in this clinic, newest first; nothing about any patient."""
    is_own_browser = sa.or_(AuditEntry.subject_kind.is_(None), AuditEntry.subject_kind == "login_session")
    entries = db.session.scalars(
        sa.select(AuditEntry)
        .where(
            AuditEntry.clinic_id == db.current_clinic_id(),
            AuditEntry.action.in_(ACCOUNT_ACTIONS),
            sa.or_(AuditEntry.subject_id == staff_id, sa.and_(AuditEntry.actor_id == staff_id, is_own_browser)),
        )
        .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
        .limit(limit)
    )
    return [AccountEvent(entry.at, entry.action, entry.actor_id, json.loads(entry.body)) for entry in entries]


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """A line of the trail with its place in the chain; `number` is None where it is not sealed."""

    entry: AuditEntry
    number: int | None
    mac: str | None

    @property
    def details(self) -> dict[str, Any]:
        """What the line holds besides who, when and about what."""
        found: dict[str, Any] = json.loads(self.entry.body)
        return found


def trail(
    *,
    actions: Collection[AuditAction] | None = None,
    actor_id: uuid.UUID | None = None,
    person_id: uuid.UUID | None = None,
    patient_id: uuid.UUID | None = None,
    first: datetime | None = None,
    until: datetime | None = None,
    before_id: uuid.UUID | None = None,
    limit: int | None = None,
) -> list[SealedEntry]:
    """Lines of this clinic with their links, newest first.

    Of some acts alone; by a person, or by or about one; about one patient;
    from `first` to before `until`; older than line `before_id`.
    """
    asked = (
        sa.select(AuditEntry, AuditLink.number, AuditLink.mac)
        .outerjoin(AuditLink, AuditLink.entry_id == AuditEntry.id)
        .where(AuditEntry.clinic_id == db.current_clinic_id())
        .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
    )
    if actions is not None:
        asked = asked.where(AuditEntry.action.in_(actions))
    if actor_id is not None:
        asked = asked.where(AuditEntry.actor_id == actor_id)
    if person_id is not None:
        asked = asked.where(sa.or_(AuditEntry.actor_id == person_id, AuditEntry.subject_id == person_id))
    if patient_id is not None:
        asked = asked.where(AuditEntry.patient_id == patient_id)
    if first is not None:
        asked = asked.where(AuditEntry.at >= first)
    if until is not None:
        asked = asked.where(AuditEntry.at < until)
    if before_id is not None:
        at = sa.select(AuditEntry.at).where(AuditEntry.id == before_id).scalar_subquery()
        is_older = sa.or_(AuditEntry.at < at, sa.and_(AuditEntry.at == at, AuditEntry.id < before_id))
        asked = asked.where(is_older)
    rows = db.session.execute(asked.limit(limit))
    return [SealedEntry(entry, number, mac) for entry, number, mac in rows]


def sealed_lines() -> int:
    """How many lines the chain of this clinic has."""
    return db.session.scalar(sa.select(AuditChain.number).where(AuditChain.id == db.current_clinic_id())) or 0


def latest_reasons(action: AuditAction, subject_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The reason given when an act was last done to each subject."""
    entries = db.session.scalars(
        sa.select(AuditEntry)
        .where(AuditEntry.action == action, AuditEntry.subject_id.in_(subject_ids))
        .order_by(AuditEntry.at, AuditEntry.id)
    )
    return {entry.subject_id: str(json.loads(entry.body).get("reason", "")) for entry in entries if entry.subject_id}


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A record went from one state to another: when, by whom, why."""

    at: datetime
    actor_id: uuid.UUID | None
    status: str
    reason: str


def status_changes(action: AuditAction, subject_id: uuid.UUID) -> list[StatusChange]:
    """Every state that a record went into, the earliest first."""
    entries = db.session.scalars(
        sa.select(AuditEntry)
        .where(AuditEntry.action == action, AuditEntry.subject_id == subject_id)
        .order_by(AuditEntry.at, AuditEntry.id)
    )
    bodies = [(entry, json.loads(entry.body)) for entry in entries]
    return [
        StatusChange(entry.at, entry.actor_id, str(body["status"]), str(body.get("reason") or ""))
        for entry, body in bodies
    ]


def prints_with(code: str) -> list[AuditEntry]:
    """The lines that this clinic's prints with a check code left, newest first. `code` is hexadecimal digits alone."""
    return list(
        db.session.scalars(
            sa.select(AuditEntry)
            .where(
                AuditEntry.clinic_id == db.current_clinic_id(),
                AuditEntry.action.in_(PRINTS),
                AuditEntry.body.contains(f'"code":"{code}"', autoescape=True),
            )
            .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
        )
    )


_LOOKED = (
    *(action for action in AuditAction if action.value.rsplit(":", 1)[1] in {"read", "printed"}),
    AuditAction.CHART_OPENED,
)


def readings_of(patient_id: uuid.UUID, *, before: datetime | None = None, limit: int = 100) -> list[AuditEntry]:
    """Who opened or printed something of a patient's chart in this clinic, newest first; `before` goes further back."""
    found = sa.select(AuditEntry).where(
        AuditEntry.clinic_id == db.current_clinic_id(),
        AuditEntry.patient_id == patient_id,
        AuditEntry.action.in_(_LOOKED),
    )
    if before is not None:
        found = found.where(AuditEntry.at < before)
    return list(db.session.scalars(found.order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(limit)))
