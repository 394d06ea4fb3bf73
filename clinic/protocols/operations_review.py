"""A version of a protocol goes its way here: to review, back to its author, into use, out of use."""

import uuid
from datetime import datetime

import sqlalchemy as sa

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import Conflict, RuleBroken
from clinic.protocols.models import ProtocolStep, ProtocolVersion
from clinic.protocols.queries import is_writing, wants_another
from clinic.protocols.rules import ProtocolStatus, may_become
from clinic.protocols.terms import content_of
from clinic.signatures import operations as signatures
from clinic.signatures.rules import Meaning


def submit(version: ProtocolVersion, *, by: Staff, at: datetime, drawn_version: int | None = None) -> None:
    """Lay a draft before the colleagues. Its text stands still until it is sent back."""
    if drawn_version is not None and drawn_version != version.version:
        raise Conflict("Somebody else changed this draft since you read it. Nothing was sent to review.")
    _move(version, ProtocolStatus.REVIEW, AuditAction.PROTOCOL_SUBMITTED, by=by, at=at)


def send_back(version: ProtocolVersion, *, reason: str | None, by: Staff, at: datetime) -> None:
    """Make a draft of a version in review again, with what is to change."""
    if version.status is not ProtocolStatus.REVIEW:
        raise RuleBroken("Only a version in review is sent back.")
    _move(version, ProtocolStatus.DRAFT, AuditAction.PROTOCOL_SENT_BACK, reason=_said(reason), by=by, at=at)


def approve(version: ProtocolVersion, *, by: Staff, password: str, at: datetime, seen: str | None = None) -> None:
    """Sign a version in review into use; the version in use before it is retired.

    1. What was on the screen must be what stands here: `seen` is the `seen_code` of the page (Conflict otherwise).
    2. Its authors may not approve it where the clinic wants another physician, or has one and decided nothing.
    3. The exact content is signed, the version before is retired, the terms are sealed: one transaction.
    """
    signatures.refuse_unseen(seen, version_content(version), "This version of the protocol")
    if version.status is ProtocolStatus.DRAFT:
        raise RuleBroken("This version is a draft. Send it to review first.")
    if not may_become(version.status, ProtocolStatus.ACTIVE):
        raise RuleBroken("This version is approved already." if version.approved_at else "This version was dropped.")
    is_author = by.id in authors_of(version)
    if is_author and wants_another(version.clinic_id):
        raise RuleBroken("You wrote in this version. In this clinic another physician signs it into use.")
    signatures.sign(
        version,
        version_content(version),
        meaning=Meaning.AUTHOR if is_author else Meaning.REVIEWED,
        by=by,
        password=password,
        at=at,
        patient_id=None,
    )
    earlier = sa.select(ProtocolVersion).where(
        ProtocolVersion.protocol_id == version.protocol_id, ProtocolVersion.status == ProtocolStatus.ACTIVE
    )
    for before in db.session.scalars(earlier).all():
        reason = f"Version {version.number} was signed into use."
        _move(before, ProtocolStatus.RETIRED, AuditAction.PROTOCOL_RETIRED, reason=reason, by=by, at=at)
    version.approved_at, version.approved_by_id = at, by.id
    version.terms.sealed_at = at
    _move(version, ProtocolStatus.ACTIVE, AuditAction.PROTOCOL_APPROVED, by=by, at=at)


def retire(version: ProtocolVersion, *, reason: str | None, by: Staff, at: datetime) -> None:
    """Take a version out of use, or drop one that never was. Courses that began with it keep it."""
    if version.status is ProtocolStatus.RETIRED:
        raise RuleBroken("This version is retired already." if version.approved_at else "This version was dropped.")
    _move(version, ProtocolStatus.RETIRED, AuditAction.PROTOCOL_RETIRED, reason=_said(reason), by=by, at=at)


def authors_of(version: ProtocolVersion) -> set[uuid.UUID]:
    """Everybody who wrote in a version."""
    wrote = sa.select(ProtocolStep.recorded_by_id).where(ProtocolStep.protocol_version_id == version.id, is_writing())
    return {version.drafted_by_id, *db.session.scalars(wrote)}


def version_content(version: ProtocolVersion) -> dict[str, object]:
    """What the signature of a protocol version covers."""
    return {"protocol": version.protocol.name, "version": version.number, "terms": content_of(version.terms)}


def note_step(
    action: AuditAction,
    version: ProtocolVersion,
    before: ProtocolStatus | None,
    *,
    reason: str | None = None,
    by: Staff,
    at: datetime,
) -> None:
    """Keep who took a version from one state to where it is now, when and why."""
    db.session.add(
        ProtocolStep(
            protocol_version_id=version.id,
            from_status=before,
            to_status=version.status,
            reason=reason,
            recorded_at=at,
            recorded_by_id=by.id,
        )
    )
    db.session.flush()
    db.session.expire(version, ["steps"])
    audit.record(
        action, version, actor_id=by.id, at=at, protocol=version.protocol.name, number=version.number, reason=reason
    )


def _move(
    version: ProtocolVersion,
    wanted: ProtocolStatus,
    action: AuditAction,
    *,
    reason: str | None = None,
    by: Staff,
    at: datetime,
) -> None:
    if not may_become(version.status, wanted):
        raise RuleBroken("Somebody else was faster: this version stands differently by now. Read it again.")
    before, version.status = version.status, wanted
    db.session.flush()  # a second writer meets the version number here, a second version in use its index
    note_step(action, version, before, reason=reason, by=by, at=at)


def _said(reason: str | None) -> str:
    if not (reason or "").strip():
        raise RuleBroken("Say why.", field="reason")
    return (reason or "").strip()
