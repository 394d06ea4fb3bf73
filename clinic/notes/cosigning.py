"""What the clinic asks to be co-signed, and how far a note that was sent back has come."""

from datetime import datetime

from clinic.accounts import operations as accounts
from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Role
from clinic.notes.cosign_queries import cosign_rules
from clinic.notes.models import CosignRule, Note, NoteReturn
from clinic.notes.rules import NoteKind, needs_cosignature


def set_cosign_rule(
    role: Role, kind: NoteKind, *, is_needed: bool, reason: str, by: Staff, password: str, at: datetime
) -> CosignRule:
    """Set the clinic's rule for what somebody of a role signs; it holds for what is signed from now on."""
    if not reason.strip():
        raise RuleBroken("Say why.", field="reason")
    if needs_cosignature(kind, [role], cosign_rules()) is is_needed:
        raise RuleBroken("This is the rule already.")
    accounts.check_password(by, password, at=at)
    rule = CosignRule(
        role=role, kind=kind, is_needed=is_needed, reason=reason.strip(), recorded_at=at, recorded_by_id=by.id
    )
    db.session.add(rule)
    db.session.flush()  # the audit line needs the id
    audit.record(
        AuditAction.COSIGN_RULE_SET,
        rule,
        actor_id=by.id,
        at=at,
        role=role,
        kind=kind,
        is_needed=is_needed,
        reason=rule.reason,
    )
    return rule


def answers_to_return(note: Note) -> list[Note]:
    """What the author of a note added to it after it was sent back, the earliest first."""
    if not note.returns:
        return []
    first = note.returns[0].recorded_at
    return [
        each
        for each in note.followers
        if each.author_id == note.author_id and each.signed_at is not None and each.signed_at >= first
    ]


def open_return(note: Note) -> NoteReturn | None:
    """The last time a note was sent back, while its author has not answered."""
    last = note.returns[-1] if note.returns else None
    if last is None or any((each.signed_at or each.drafted_at) >= last.recorded_at for each in answers_to_return(note)):
        return None
    return last
