"""Verbs about notes: draft, sign, co-sign, add."""

from collections.abc import Mapping
from datetime import datetime

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission
from clinic.notes.models import Note
from clinic.notes.rules import NoteKind, NoteStatus, may_become
from clinic.sessions.models import InfusionSession
from clinic.signatures import operations as signatures
from clinic.signatures.rules import Meaning

TEXT_FIELD = "text"


def draft_note(
    infusion: InfusionSession, text: str, *, by: Staff, at: datetime, kind: NoteKind = NoteKind.SESSION
) -> Note:
    """Begin a note on a session; it is its author's alone until it is signed."""
    note = Note(
        patient_id=infusion.patient_id,
        infusion=infusion,
        kind=kind,
        status=NoteStatus.DRAFT,
        text=_filled(text),
        author_id=by.id,
        drafted_at=at,
        saved_at=at,
    )
    db.session.add(note)
    db.session.flush()  # the signature's own lookup must find it
    audit.record(AuditAction.NOTE_DRAFTED, note, actor_id=by.id, at=at, kind=kind)
    return note


def save_draft(note: Note, text: str, *, by: Staff, at: datetime) -> None:
    """Keep what the author has written so far."""
    _only_author(note, by)
    if note.status is not NoteStatus.DRAFT:
        raise RuleBroken("This note is signed. Add an addendum instead.", field=TEXT_FIELD)
    note.text = _filled(text)
    note.saved_at = at


def discard_draft(note: Note, *, by: Staff, at: datetime) -> None:
    """Give up a draft; that it was begun stays on record."""
    _only_author(note, by)
    _take(note, NoteStatus.DISCARDED)
    audit.record(AuditAction.NOTE_DRAFTED, note, actor_id=by.id, at=at, discarded=True)


def content_of(note: Note) -> Mapping[str, object]:
    """What a signature on a note is over."""
    return {
        "note": note.id,
        "patient": note.patient_id,
        "session": note.infusion_id,
        "kind": note.kind,
        "follows": note.follows_id,
        "author": note.author_id,
        "text": note.text,
    }


def sign_note(note: Note, *, by: Staff, password: str, at: datetime, cosigner: Staff | None = None) -> Note:
    """Sign one's own note; a nurse's session note then waits for the co-signature of a physician."""
    _only_author(note, by)
    if note.status is not NoteStatus.DRAFT:
        raise RuleBroken("This note is signed already.")
    _filled(note.text)
    if cosigner is not None and not cosigner.may(Permission.COSIGN_NOTE):
        raise RuleBroken("Choose a physician to co-sign.", field="cosigner_id")
    if cosigner is not None and cosigner.id == by.id:
        raise RuleBroken("Another person co-signs.", field="cosigner_id")
    signatures.sign(
        note, content_of(note), meaning=Meaning.AUTHOR, by=by, password=password, at=at, patient_id=note.patient_id
    )
    note.signed_at = at
    note.cosigner_id = cosigner.id if cosigner else None
    _take(note, NoteStatus.COSIGN_PENDING if cosigner else NoteStatus.SIGNED)
    audit.record(AuditAction.NOTE_SIGNED, note, actor_id=by.id, at=at, cosigner_id=note.cosigner_id)
    return note


def cosign_note(note: Note, *, by: Staff, password: str, at: datetime) -> Note:
    """Co-sign a note that waits for it; any physician may, the author never."""
    if not by.may(Permission.COSIGN_NOTE):
        raise RuleBroken("A physician co-signs.")
    if note.author_id == by.id:
        raise RuleBroken("Another person co-signs.")
    if note.status is not NoteStatus.COSIGN_PENDING:
        raise RuleBroken("This note does not wait for a co-signature.")
    signatures.sign(
        note, content_of(note), meaning=Meaning.COSIGNER, by=by, password=password, at=at, patient_id=note.patient_id
    )
    note.cosigned_at = at
    _take(note, NoteStatus.COSIGNED)
    audit.record(AuditAction.NOTE_COSIGNED, note, actor_id=by.id, at=at)
    return note


def add_addendum(
    note: Note, text: str, *, by: Staff, password: str, at: datetime, kind: NoteKind = NoteKind.ADDENDUM
) -> Note:
    """Add to a signed note: a note of its own that follows the first, signed at once."""
    if note.status in {NoteStatus.DRAFT, NoteStatus.DISCARDED}:
        raise RuleBroken("Only a signed note takes an addendum.")
    added = Note(
        patient_id=note.patient_id,
        infusion_id=note.infusion_id,
        follows=note,
        kind=kind,
        status=NoteStatus.DRAFT,
        text=_filled(text),
        author_id=by.id,
        drafted_at=at,
        saved_at=at,
    )
    db.session.add(added)
    db.session.flush()  # the signature names it
    audit.record(AuditAction.NOTE_ADDENDED, added, actor_id=by.id, at=at, follows=note.id)
    return sign_note(added, by=by, password=password, at=at)


def _filled(text: str) -> str:
    if not text.strip():
        raise RuleBroken("Write the note first.", field=TEXT_FIELD)
    return text.strip()


def _only_author(note: Note, by: Staff) -> None:
    if note.author_id != by.id:
        raise RuleBroken("Only its author can change or sign this note.")


def _take(note: Note, status: NoteStatus) -> None:
    if not may_become(note.status, status):
        raise RuleBroken(f"This note is {note.status.value}.")
    note.status = status
    db.session.flush()  # a stale version shows here
