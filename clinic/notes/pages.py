"""Notes and their signatures as a page or a sheet of paper shows them."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from clinic.core.errors import Conflict
from clinic.core.permissions import Role
from clinic.core.times import clock_label, date_label, local
from clinic.notes.models import Note
from clinic.notes.operations import content_of, seen_content, signed_after
from clinic.notes.rules import SIGNED, NoteKind, NoteStatus
from clinic.notes.summary_rules import SessionFacts, shown_mg, shown_rate
from clinic.signatures.models import Signature
from clinic.signatures.operations import verify
from clinic.signatures.rules import Meaning, Verdict, seen_code

KIND_WORDS: Final = {
    NoteKind.SESSION: "Session note",
    NoteKind.PROGRESS: "Progress note",
    NoteKind.ADDENDUM: "Addendum",
    NoteKind.CORRECTION: "Correction",
}
_STATUS_LOOKS: Final = {
    NoteStatus.DRAFT: ("draft", "Draft"),
    NoteStatus.SIGNED: ("signed", "Signed"),
    NoteStatus.COSIGN_PENDING: ("to_sign", "Signed, to be co-signed"),
    NoteStatus.COSIGNED: ("signed", "Signed and co-signed"),
    NoteStatus.DISCARDED: ("cancelled", "Discarded"),
}
_MEANING_WORDS: Final = {
    Meaning.AUTHOR: "Author",
    Meaning.COSIGNER: "Co-signer",
    Meaning.WITNESS: "Witness",
    Meaning.VERBAL_ORDER: "Spoken order confirmed",
    Meaning.REVIEWED: "Reviewed",
}


@dataclass(frozen=True, slots=True)
class SignatureView:
    """A signature as it stands: who as what, when with the zone's letters, over which content, still valid or not."""

    meaning: str
    name: str
    signed_at: datetime
    at: str
    digest: str
    is_valid: bool
    verdict: str


@dataclass(frozen=True, slots=True)
class NoteView:
    """A signed note with its signatures. `is_corrected` when a later correction takes its place."""

    id: uuid.UUID
    kind: str
    author: str
    author_id: uuid.UUID
    text: str
    status: str
    status_text: str
    signed_at: datetime | None
    at: str
    follows: str
    is_corrected: bool
    waits_for: str
    returns: tuple[str, ...]
    signatures: tuple[SignatureView, ...]


def zoned(instant: datetime, zone: ZoneInfo) -> str:
    """Return an instant as a signature shows it: "18-Nov-2025 16:14 EST"."""
    wall = local(instant, zone)
    return f"{date_label(wall.date())} {wall:%H:%M} {wall.tzname()}"


def signature_view(
    signature: Signature, content: Mapping[str, object], zone: ZoneInfo, *, is_superseded: bool = False
) -> SignatureView:
    """Return a signature, held against the content as it is today; a correction supersedes what it corrects."""
    verdict = verify(signature, content, is_superseded=is_superseded)
    return SignatureView(
        _MEANING_WORDS[signature.meaning],
        signature.signed_by,
        signature.signed_at,
        zoned(signature.signed_at, zone),
        signature.digest,
        verdict is Verdict.VALID,
        verdict.value,
    )


def note_views(
    notes: Sequence[Note], signatures: Mapping[uuid.UUID, Sequence[Signature]], zone: ZoneInfo
) -> list[NoteView]:
    """Return the signed notes of a session with their signatures, the earliest first; drafts are their author's."""
    signed = [note for note in notes if note.status in SIGNED]
    by_id = {note.id: note for note in signed}
    corrected = {note.follows_id for note in signed if note.kind is NoteKind.CORRECTION}
    return [
        NoteView(
            note.id,
            title_of(note, zone),
            note.author.name,
            note.author_id,
            note.text,
            *_STATUS_LOOKS[note.status],
            note.signed_at,
            zoned(note.signed_at or note.saved_at, zone),
            _follows_words(by_id.get(note.follows_id) if note.follows_id else None, zone),
            note.id in corrected,
            note.cosigner.name if note.cosigner and note.status is NoteStatus.COSIGN_PENDING else "",
            tuple(f"{each.recorded_by.name}, {zoned(each.recorded_at, zone)}: {each.reason}" for each in note.returns),
            tuple(
                signature_view(each, content_of(note), zone, is_superseded=note.id in corrected)
                for each in signatures.get(note.id, ())
            ),
        )
        for note in signed
    ]


def signed_lines(
    notes: Sequence[Note], signatures: Mapping[uuid.UUID, Sequence[Signature]], zone: ZoneInfo
) -> dict[str, list[str]]:
    """Return who signed the note of a session, as what and when, for the lines of the nurse and of the physician."""
    lines: dict[str, list[str]] = {Role.NURSE: [], Role.PHYSICIAN: []}
    for note in notes:
        if note.kind is not NoteKind.SESSION or note.status not in SIGNED:
            continue
        for view, made in (
            (signature_view(each, content_of(note), zone), each) for each in signatures.get(note.id, ())
        ):
            role = Role.PHYSICIAN if Role.PHYSICIAN in made.signer_roles.split(", ") else Role.NURSE
            doubt = "" if view.is_valid else f", {view.verdict}"
            lines[role].append(f"{view.name}, {view.meaning.lower()} of the session note, {view.at}{doubt}")
    return lines


def beside_what_was_read(conflict: Conflict, note: Note, seen: str) -> None:
    """Put a note with all that follows it beside what its co-signer read of it, known by its hash."""
    added = signed_after(note)
    follow = [(f"{place}. {KIND_WORDS[each.kind]}", each.text) for place, each in enumerate(added, start=1)]
    conflict.theirs = [(KIND_WORDS[note.kind], note.text), *follow]
    for count in range(len(added) + 1):
        if seen_code(seen_content(note, following=count)) == seen:
            conflict.mine, conflict.mine_words = conflict.theirs[: count + 1], "As you read it"


def fact_pairs(facts: SessionFacts, zone: ZoneInfo) -> list[tuple[str, str]]:
    """Return what the record holds about a session as (label, words); what nobody recorded says so."""
    started = clock_label(facts.started_at, zone) if facts.started_at else None
    span = f"{started} to {clock_label(facts.stopped_at, zone)}" if facts.stopped_at else f"running since {started}"
    pairs = [
        ("Session", f"{facts.drug}, {facts.title}"),
        ("Infusion", span if started else "not started"),
        ("Given", shown_mg(facts.given_mg) + (f" of {shown_mg(facts.maximum_mg)}" if facts.maximum_mg else "")),
        ("Highest rate", shown_rate(facts.highest_rate_mg_h) if started else "none"),
        ("Pain", f"{_score(facts.pain_before)} before, {_score(facts.pain_after)} after"),
        ("Outside limits", "; ".join(f"{each.text} at {clock_label(each.at, zone)}" for each in facts.outside)),
        ("Events", "; ".join(f"{each.text} {clock_label(each.at, zone)}" for each in facts.events)),
        ("As needed", "; ".join(f"{each.text} {clock_label(each.at, zone)}" for each in facts.prn)),
        ("Discharge score", _total(facts)),
        ("Left", facts.left),
    ]
    return [(label, words or "none recorded") for label, words in pairs]


def _score(value: int | None) -> str:
    return "not taken" if value is None else str(value)


def _total(facts: SessionFacts) -> str:
    if facts.score is None:
        return ""
    total = "not complete" if facts.score.total is None else str(facts.score.total)
    return f"{facts.score.name} {total}"


def title_of(note: Note, zone: ZoneInfo) -> str:
    """Return what a note is: "Session note", "Late entry about 18-Nov-2025 16:14 EST"."""
    if note.is_attestation:
        return "Attestation"
    if note.happened_at is not None:
        return f"Late entry about {zoned(note.happened_at, zone)}"
    return KIND_WORDS[note.kind]


def _follows_words(note: Note | None, zone: ZoneInfo) -> str:
    if note is None or note.signed_at is None:
        return ""
    return f"to the {KIND_WORDS[note.kind].lower()} of {clock_label(note.signed_at, zone)}"
