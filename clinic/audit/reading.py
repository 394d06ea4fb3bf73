"""Reading a chart leaves a line too: gathered while the page is made, written when its transaction has ended.

A page that refreshes itself leaves one line per person, record and quarter of an hour; a print or export always one.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import g

from clinic.audit import operations as audit
from clinic.audit.models import AuditEntry
from clinic.audit.origin import refuse_closed
from clinic.audit.rules import AuditAction
from clinic.core import db

FOLDED = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Read:
    """Somebody looked at a record."""

    action: AuditAction
    actor_id: uuid.UUID
    subject: db.Base | None
    patient_id: uuid.UUID | None
    is_single: bool
    details: tuple[tuple[str, str], ...]


def note(
    action: AuditAction,
    subject: db.Base | None,
    *,
    actor_id: uuid.UUID,
    patient_id: uuid.UUID | None = None,
    is_single: bool = False,
    **details: str,
) -> None:
    """Remember that the page being made shows a record; written when the page is done."""
    reads: list[Read] = g.setdefault("reads", [])
    patient_id = patient_id or getattr(subject, "patient_id", None)
    if patient_id is None and subject is not None and subject.__tablename__ == "patient":
        patient_id = subject.id
    if patient_id is not None:
        refuse_closed(patient_id)
    reads.append(Read(action, actor_id, subject, patient_id, is_single, tuple(sorted(details.items()))))


def taken() -> list[Read]:
    """What this request has read."""
    reads: list[Read] = g.pop("reads", [])
    return reads


def write(reads: list[Read], *, at: datetime) -> None:
    """Write the lines that are not folded into an earlier one."""
    for read in reads:
        if read.is_single or not _is_folded(read, at):
            audit.record(
                read.action,
                read.subject,
                actor_id=read.actor_id,
                at=at,
                patient_id=read.patient_id,
                page=dict(read.details),
            )


def _is_folded(read: Read, at: datetime) -> bool:
    same_subject = AuditEntry.subject_id.is_(None) if read.subject is None else AuditEntry.subject_id == read.subject.id
    return (
        db.session.scalar(
            sa.select(AuditEntry.id)
            .where(
                AuditEntry.actor_id == read.actor_id,
                AuditEntry.at > at - FOLDED,
                AuditEntry.action == read.action,
                same_subject,
            )
            .limit(1)
        )
        is not None
    )
