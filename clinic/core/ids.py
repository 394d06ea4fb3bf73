"""Keys: UUID version 7 (RFC 9562), so that rows sort by the time they were made."""

import secrets
import uuid

from clinic.core import clock

_VERSION = 7 << 76
_VARIANT = 0b10 << 62


def new_id() -> uuid.UUID:
    """A fresh key: 48 bits of milliseconds, 74 random bits. Not a secret."""
    milliseconds = int(clock.now().timestamp() * 1000)
    high, low = secrets.randbits(12), secrets.randbits(62)
    return uuid.UUID(int=(milliseconds << 80) | _VERSION | (high << 64) | _VARIANT | low)
