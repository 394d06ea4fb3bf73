"""Decisions about notes on plain values."""

from enum import StrEnum


class NoteKind(StrEnum):
    """What a note is."""

    SESSION = "session"
    PROGRESS = "progress"
    ADDENDUM = "addendum"
    CORRECTION = "correction"


class NoteStatus(StrEnum):
    """States of a note. Text that was signed never changes; addenda follow it."""

    DRAFT = "draft"
    DISCARDED = "discarded"
    SIGNED = "signed"
    COSIGN_PENDING = "cosign-pending"
    COSIGNED = "cosigned"


_NEXT: dict[NoteStatus, frozenset[NoteStatus]] = {
    NoteStatus.DRAFT: frozenset({NoteStatus.SIGNED, NoteStatus.COSIGN_PENDING, NoteStatus.DISCARDED}),
    NoteStatus.DISCARDED: frozenset(),
    NoteStatus.SIGNED: frozenset({NoteStatus.COSIGN_PENDING}),
    NoteStatus.COSIGN_PENDING: frozenset({NoteStatus.COSIGNED}),
    NoteStatus.COSIGNED: frozenset(),
}


def may_become(now: NoteStatus, then: NoteStatus) -> bool:
    """Whether the state table of the domain reference (7.2) has this transition."""
    return then in _NEXT[now]
