"""Decisions about accounts on plain values."""

import re
from collections.abc import Collection, Iterable
from datetime import timedelta
from enum import StrEnum

from clinic.accounts.common_words import COMMON
from clinic.core.permissions import Role


class StaffStatus(StrEnum):
    """Whether a person can sign in. A disabled person's name stays on every record."""

    INVITED = "invited"
    ACTIVE = "active"
    DISABLED = "disabled"


class Approver(StrEnum):
    """Who signs a version of a protocol into use, where a clinic decided it."""

    ANY = "any"
    ANOTHER = "another"


class LinkPurpose(StrEnum):
    """What a single-use link is good for; one cannot be used for the other."""

    PASSWORD = "password"  # noqa: S105 the name of a purpose
    FACTOR = "factor"


INVITATION_LASTS = timedelta(hours=72)
RESET_LASTS = timedelta(hours=1)

# The demonstration clinic's one password. Production refuses to serve a demonstration clinic.
DEMO_PASSWORD = "demo-chair-lantern-seven"  # noqa: S105 printed at the start and in the README, on purpose


# --- addresses -------------------------------------------------------------------------------------------------------

# What our own addresses are made of. A backslash, a control character or a second slash at the start could be read by
# a browser as the beginning of another host.
_OWN_PATH = re.compile(r"/(?![/\\])[A-Za-z0-9/_.~%?=&+:,@!-]*", re.ASCII)
_LONGEST_PATH = 500


def own_path(text: str | None) -> str | None:
    """The path, when it certainly stays on this host; None for everything else."""
    if not text or len(text) > _LONGEST_PATH or not _OWN_PATH.fullmatch(text):
        return None
    return text


# --- passwords -------------------------------------------------------------------------------------------------------

SHORTEST_PASSWORD = 15
LONGEST_PASSWORD = 1000
_FEWEST_DIFFERENT = 6
_FEWEST_OWN = 6
_SHORTEST_WORD = 3
_LOOKALIKES = str.maketrans("@431!05$7", "aaeiiosst")
_BETWEEN_WORDS = re.compile(r"[\s!-/:-@\[-`{-~]+")


def words_of(*texts: str | None) -> frozenset[str]:
    """The words of names and addresses that a password must not be made of."""
    found = (_BETWEEN_WORDS.split(text.casefold()) for text in texts if text)
    return frozenset(word for words in found for word in words if len(word) >= _SHORTEST_WORD)


def password_problem(password: str, near: Collection[str]) -> str | None:
    """Why a new password is refused, or None.

    Length counts, character classes do not. What is left without the common words and those of the person, the clinic
    and the product (`near`, from `words_of`) must not be next to nothing.
    """
    if len(password) < SHORTEST_PASSWORD:
        return (
            f"Use at least {SHORTEST_PASSWORD} characters. Four words that have nothing to do with each other do well."
        )
    if len(password) > LONGEST_PASSWORD:
        return f"Use at most {LONGEST_PASSWORD} characters."
    plain = _BETWEEN_WORDS.sub("", password.casefold())
    unmasked = _BETWEEN_WORDS.sub("", password.casefold().translate(_LOOKALIKES))
    words = sorted({*COMMON, *near}, key=len, reverse=True)
    if any(len(set(_without(words, text))) < _FEWEST_OWN or _repeats(text) for text in (plain, unmasked)):
        return "This is easy to guess. Choose words that have nothing to do with you, the clinic or each other."
    return None


def _without(words: Iterable[str], text: str) -> str:
    for word in words:
        text = text.replace(word, "")
    return text


def _repeats(text: str) -> bool:
    """Whether the text is one short piece again and again, or hardly more than one character."""
    is_repeated = any(text == (text[:size] * len(text))[: len(text)] for size in range(1, len(text) // 2 + 1))
    return is_repeated or len(set(text)) < _FEWEST_DIFFERENT


# --- roles -----------------------------------------------------------------------------------------------------------


def roles_given_by(roles: Collection[Role]) -> frozenset[Role]:
    """The roles that a holder of `roles` may give and take (SD-2)."""
    return frozenset(Role) if Role.ADMIN in roles else frozenset()
