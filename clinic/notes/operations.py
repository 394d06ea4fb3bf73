"""Verbs about notes: draft, sign, co-sign, add."""

import uuid
from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from clinic.accounts import cover
from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.permissions import Permission
from clinic.notes.cosign_queries import cosign_rules
from clinic.notes.cosigning import answers_to_return, open_return
from clinic.notes.models import Note, NoteReturn
from clinic.notes.rules import SIGNED, Addition, NoteKind, NoteStatus, may_become, needs_cosignature, why_not_follow
from clinic.sessions import operations as sessions
from clinic.sessions.models import InfusionSession
from clinic.signatures import operations as signatures
from clinic.signatures import queries
from clinic.signatures.rules import Meaning

TEXT_FIELD = "text"


def draft_note(
    infusion: InfusionSession, text: str, *, by: Staff, at: datetime, kind: NoteKind = NoteKind.SESSION
) -> Note:
    """Begin a note on a session; it is its author's alone until it is signed.

    A session has one signed session note; what comes later is added to it. Raises RuleBroken for a second one.
    """
    if kind is NoteKind.SESSION:
        _refuse_second(infusion, by)
    note = _begin(text, kind=kind, patient_id=infusion.patient_id, infusion=infusion, by=by, at=at)
    audit.record(AuditAction.NOTE_DRAFTED, note, actor_id=by.id, at=at, kind=kind)
    return note


def save_draft(note: Note, text: str, *, by: Staff, at: datetime) -> None:
    """Keep what the author has written so far. Raises RuleBroken once the note is signed."""
    _held(note)
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
        # Only where they say something: what was signed before there were any keeps its content.
        **({"happened_at": note.happened_at} if note.happened_at else {}),
        **({"attestation": True} if note.is_attestation else {}),
    }


def seen_content(note: Note, *, following: int | None = None) -> Mapping[str, object]:
    """What a page shows of a note to its co-signer: its text, and the `following` first signed notes that follow it."""
    return {"note": content_of(note), "following": [content_of(each) for each in signed_after(note)[:following]]}


def signed_after(note: Note) -> list[Note]:
    """What was signed that follows a note, the earliest first."""
    return [each for each in note.followers if each.signed_at is not None]


def sign_note(note: Note, *, by: Staff, password: str, at: datetime, cosigner: Staff | None = None) -> Note:
    """Sign one's own note; a nurse's session note then waits for the co-signature of the physician `cosigner`.

    A session note is signed once the session is closed: what it tells must have happened. Raises RuleBroken otherwise,
    for a wrong password (field `password`), and where a co-signer is asked for and none is named (`cosigner_id`).
    """
    _held(note)
    _only_author(note, by)
    if note.status is not NoteStatus.DRAFT:
        raise RuleBroken("This note is signed already.")
    _filled(note.text)
    if note.kind is NoteKind.SESSION:
        # Held, so that nobody undoes the discharge while it is signed.
        if note.infusion is not None and not sessions.locked(note.infusion).status.is_closed:
            raise RuleBroken("The session is still open. Discharge the patient first; the draft is kept.")
        _refuse_signed(note)
    is_needed = needs_cosignature(note.kind, by.roles, cosign_rules())
    if is_needed and note.follows is not None:
        cosigner = cosigner or note.follows.cosigner  # whoever answers for the note answers for what is added to it
    elif is_needed and cosigner is None:
        raise RuleBroken("Choose the physician who co-signs.", field="cosigner_id")
    if cosigner is not None and note.follows is not None and cosigner.id == by.id:
        cosigner = None  # any other physician may
    if cosigner is not None and not cosigner.may(Permission.COSIGN_NOTE):
        raise RuleBroken("Choose a physician to co-sign.", field="cosigner_id")
    if cosigner is not None and cosigner.id == by.id:
        raise RuleBroken("Another person co-signs.", field="cosigner_id")
    signatures.sign(
        note, content_of(note), meaning=Meaning.AUTHOR, by=by, password=password, at=at, patient_id=note.patient_id
    )
    note.signed_at = at
    note.cosigner_id = cosigner.id if cosigner else None
    _take(note, NoteStatus.COSIGN_PENDING if cosigner or is_needed else NoteStatus.SIGNED)
    audit.record(AuditAction.NOTE_SIGNED, note, actor_id=by.id, at=at, cosigner_id=note.cosigner_id)
    return note


def cosign_note(note: Note, *, by: Staff, password: str, at: datetime, seen: str | None = None) -> Note:
    """Co-sign a note that waits for it, as it was `seen` (Conflict otherwise); any physician may, the author never.

    What its author added after it was sent back is co-signed with it. Of two at once one co-signs and the other gets a
    Conflict that names the first.
    """
    _held(note)
    if not by.may(Permission.COSIGN_NOTE):
        raise RuleBroken("A physician co-signs.")
    if note.author_id == by.id:
        raise RuleBroken("Another person co-signs.")
    if note.status is NoteStatus.COSIGNED:
        raise Conflict(f"{_cosigner_name(note)} has co-signed this note already. Yours was not added.")
    if note.status is not NoteStatus.COSIGN_PENDING:
        raise RuleBroken("This note does not wait for a co-signature.")
    signatures.refuse_unseen(seen, seen_content(note), "This note")
    # Any physician co-signs as one's own act; who covers for the one it was sent to does it for that person.
    is_covered = note.cosigner_id is not None and cover.is_covering(by, note.cosigner_id, at=at)
    covered = note.cosigner if is_covered else None
    added = answers_to_return(note)
    for each in (note, *added):
        signatures.sign(
            each,
            content_of(each),
            meaning=Meaning.COSIGNER,
            by=by,
            password=password,
            at=at,
            patient_id=note.patient_id,
            instead_of=covered,
        )
    for each in (note, *(each for each in added if each.status is NoteStatus.COSIGN_PENDING)):
        each.cosigned_at = at
        _take(each, NoteStatus.COSIGNED)
    audit.record(AuditAction.NOTE_COSIGNED, note, actor_id=by.id, at=at)
    return note


def send_back(note: Note, reason: str, *, by: Staff, at: datetime) -> NoteReturn:
    """Send a note that waits for a co-signature back to its author, who answers with a correction or an addendum.

    The note stands as it was signed; it comes to the co-signer again with the answer. Raises RuleBroken while it is
    with its author, and Conflict when somebody has co-signed it meanwhile.
    """
    _held(note)
    if not by.may(Permission.COSIGN_NOTE):
        raise RuleBroken("A physician sends a note back.")
    if note.author_id == by.id:
        raise RuleBroken("This is your own note. Add to it instead.")
    if note.status is NoteStatus.COSIGNED:
        raise Conflict(f"{_cosigner_name(note)} has co-signed this note already. It was not sent back.")
    if note.status is not NoteStatus.COSIGN_PENDING:
        raise RuleBroken("This note does not wait for a co-signature.")
    if open_return(note) is not None:
        raise RuleBroken("This note is with its author already.")
    if not reason.strip():
        raise RuleBroken("Say what is to be changed.", field="reason")
    returned = NoteReturn(note=note, reason=reason.strip(), recorded_at=at, recorded_by_id=by.id)
    db.session.add(returned)
    db.session.flush()  # the audit line needs the id
    audit.record(
        AuditAction.NOTE_SENT_BACK, note, actor_id=by.id, at=at, author_id=note.author_id, reason=returned.reason
    )
    return returned


def add_addendum(
    note: Note,
    text: str,
    *,
    by: Staff,
    password: str,
    at: datetime,
    what: Addition = Addition.ADDENDUM,
    happened_at: datetime | None = None,
) -> Note:
    """Add to a signed note, or correct it: a note of its own that follows the first, signed at once.

    A late entry tells at what instant it happened (`happened_at`). An attestation is its author's alone: that what was
    left without a signature is the author's own; it is signed now and puts no signature into the past.
    """
    kind = what.kind
    if what is Addition.ATTESTATION and note.author_id != by.id:
        raise RuleBroken("Only its author attests an entry. Write an addendum instead.", field="kind")
    if (what is Addition.LATE_ENTRY) is not (happened_at is not None):
        raise RuleBroken("Say when it happened. Only a late entry does.", field="day")
    if happened_at is not None and happened_at > at:
        raise RuleBroken("This time is in the future.", field="clock")
    refusal = why_not_follow(kind, note.status, is_author=note.author_id == by.id)
    if refusal:
        raise RuleBroken(refusal, field="kind" if note.status in SIGNED else None)
    added = _begin(
        text,
        kind=kind,
        patient_id=note.patient_id,
        infusion=note.infusion,
        follows=note,
        happened_at=happened_at,
        is_attestation=what is Addition.ATTESTATION,
        by=by,
        at=at,
    )
    audit.record(AuditAction.NOTE_ADDENDED, added, actor_id=by.id, at=at, follows=note.id)
    return sign_note(added, by=by, password=password, at=at)


def _begin(
    text: str,
    *,
    kind: NoteKind,
    patient_id: uuid.UUID,
    infusion: InfusionSession | None,
    follows: Note | None = None,
    happened_at: datetime | None = None,
    is_attestation: bool = False,
    by: Staff,
    at: datetime,
) -> Note:
    note = Note(
        patient_id=patient_id,
        infusion=infusion,
        follows=follows,
        kind=kind,
        status=NoteStatus.DRAFT,
        text=_filled(text),
        author_id=by.id,
        drafted_at=at,
        saved_at=at,
        happened_at=happened_at,
        is_attestation=is_attestation,
    )
    db.session.add(note)
    db.session.flush()  # the signature's own lookup must find it
    return note


def _filled(text: str) -> str:
    if not text.strip():
        raise RuleBroken("Write the note first.", field=TEXT_FIELD)
    return text.strip()


def _held(note: Note) -> None:
    """Hold a note until the transaction ends and read it anew: on PostgreSQL two signers stand in line here."""
    db.session.flush()  # a note that was only just made has no row to hold yet
    # A statement of its own: the joins that a note was loaded with cannot be locked.
    db.session.execute(sa.select(Note.id).where(Note.id == note.id).with_for_update())
    db.session.refresh(note)


def _cosigner_name(note: Note) -> str:
    signature = queries.signature_with(note.id, Meaning.COSIGNER)
    return signature.signer_name if signature else "Another physician"


def _refuse_second(infusion: InfusionSession, by: Staff) -> None:
    standing = db.session.execute(
        sa.select(Note.status, Note.author_id).where(Note.infusion_id == infusion.id, Note.kind == NoteKind.SESSION)
    ).all()
    if any(status in SIGNED for status, _ in standing):
        raise RuleBroken("The note of this session is signed. Write an addendum instead.", field=TEXT_FIELD)
    if any(status is NoteStatus.DRAFT and author_id == by.id for status, author_id in standing):
        raise RuleBroken("You have begun a note on this session. Go on with that one.", field=TEXT_FIELD)


def _refuse_signed(note: Note) -> None:
    other = db.session.scalar(
        sa.select(Note.id).where(
            Note.infusion_id == note.infusion_id,
            Note.kind == NoteKind.SESSION,
            Note.status.in_(SIGNED),
            Note.id != note.id,
        )
    )
    if other is not None:
        raise RuleBroken("Another note of this session was signed meanwhile. Add yours as an addendum.")


def _only_author(note: Note, by: Staff) -> None:
    if note.author_id != by.id:
        raise RuleBroken("Only its author can change or sign this note.")


def _take(note: Note, status: NoteStatus) -> None:
    if not may_become(note.status, status):
        raise RuleBroken(f"This note is {note.status.value}.")
    note.status = status
    db.session.flush()  # a stale version shows here
