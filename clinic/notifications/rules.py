"""Decisions about messages on plain values."""

from datetime import timedelta
from enum import StrEnum
from typing import Final


class MessageKind(StrEnum):
    """What a message is about; each kind is worded by the area that knows it."""

    REMINDER = "reminder"
    APPOINTMENT = "appointment"


class MessageState(StrEnum):
    """The life of a message. `sending` is held by one sender."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    GIVEN_UP = "given-up"
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """How one try ended, by what the mail server said and never by its words: they may hold the address."""

    SENT = "sent"
    REFUSED = "refused"
    DEFERRED = "deferred"
    UNREACHABLE = "unreachable"
    FAULT = "fault"
    NOTHING_TO_TELL = "nothing-to-tell"


_PAUSES: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360))
MOST_TRIES: Final = len(_PAUSES) + 1
LEASE: Final = timedelta(minutes=15)
"""How long a sender may hold a message. A conversation with a mail server is over long before, so whoever holds one for
longer has died; nobody knows whether the server took the message, and it is sent again."""


def pause_after(tries: int, outcome: Outcome) -> timedelta | None:
    """Return how long to wait before the next try, longer each time; None to give up.

    A server that refuses the address or the message for good says the same an hour later.
    """
    if outcome is Outcome.REFUSED or tries >= MOST_TRIES:
        return None
    return _PAUSES[tries - 1]
