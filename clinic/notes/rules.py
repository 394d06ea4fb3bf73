"""Decisions about notes on plain values."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from clinic.core.permissions import Role


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


SIGNED: Final = frozenset({NoteStatus.SIGNED, NoteStatus.COSIGN_PENDING, NoteStatus.COSIGNED})
"""The states in which the text of a note is fixed."""

FOLLOWING: Final = frozenset({NoteKind.ADDENDUM, NoteKind.CORRECTION})
"""The kinds of note that name the note they follow."""


class Addition(StrEnum):
    """What somebody adds to a signed note (domain reference 4.3)."""

    ADDENDUM = "addendum"
    LATE_ENTRY = "late-entry"
    CORRECTION = "correction"
    ATTESTATION = "attestation"

    @property
    def kind(self) -> NoteKind:
        """The kind of note that it is kept as: all but a correction add, and say beside it what they are."""
        return NoteKind.CORRECTION if self is Addition.CORRECTION else NoteKind.ADDENDUM


Rules = Mapping[tuple[Role, NoteKind], bool]
"""The clinic's own rules: whether notes of a kind wait for a co-signature when somebody of a role signed them."""


def needs_cosignature(kind: NoteKind, roles: Iterable[Role], rules: Rules) -> bool:
    """Whether a note waits for a physician once its author has signed it.

    Where the clinic has no rule, a nurse's session note does and nothing else. Somebody of several roles is free when
    one of them is.
    """
    clinical = [role for role in roles if role in {Role.NURSE, Role.PHYSICIAN}]
    return all(rules.get((role, kind), kind is NoteKind.SESSION and role is Role.NURSE) for role in clinical)


def why_not_follow(kind: NoteKind, status: NoteStatus, *, is_author: bool) -> str | None:
    """Return why a note of `kind` cannot follow one in `status`, or None when it can (domain reference 4.3).

    Anybody who writes notes may add; only the author of a note corrects it, others add what they know.
    """
    if kind not in FOLLOWING:
        return "Only an addendum or a correction follows a note."
    if status not in SIGNED:
        return "Only a signed note takes an addendum or a correction."
    if kind is NoteKind.CORRECTION and not is_author:
        return "Only its author corrects a note. Write an addendum instead."
    return None


def late_words(days: int, limit_days: int | None) -> str:
    """Return the warning about what is added to a session so many days after it, "" within the clinic's limit."""
    if limit_days is None or days <= limit_days:
        return ""
    return f"This session was {days} days ago. The clinic writes late entries and addenda within {limit_days} days."
