"""Keys: UUID version 7 (RFC 9562), so that rows sort by the time they were made."""

import secrets
import threading
import uuid

from clinic.core import clock

_VERSION = 7 << 76
_VARIANT = 0b10 << 62
_LOW_BITS = 62
_RANDOM_BITS = 74

_turn = threading.Lock()
_last = {"millisecond": -1, "random": 0}


def new_id() -> uuid.UUID:
    """A fresh key: 48 bits of milliseconds, 74 random bits. Not a secret.

    Two keys that one process makes in the same millisecond follow each other, so that rows of one instant keep the
    order in which they were written.
    """
    milliseconds = int(clock.now().timestamp() * 1000)
    with _turn:
        if milliseconds == _last["millisecond"]:
            tail = _last["random"] + 1 + secrets.randbits(32)
        else:
            # The top bit stays free, so that many keys in one millisecond never run over.
            tail = secrets.randbits(_RANDOM_BITS - 1)
        _last.update(millisecond=milliseconds, random=tail)
    high, low = tail >> _LOW_BITS, tail & ((1 << _LOW_BITS) - 1)
    return uuid.UUID(int=(milliseconds << 80) | _VERSION | (high << 64) | _VARIANT | low)
