"""Password hashes: argon2id at the low-memory profile, so that a shift change cannot exhaust the machine."""

import hashlib
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)
_places = threading.BoundedSemaphore(4)
MAXIMUM_LENGTH = 1000


def hash_password(password: str) -> str:
    """A salted argon2id hash with its parameters."""
    with _places:
        return _hasher.hash(password)


# Compared against when the account is unknown, so that a wrong name takes as long as a wrong password.
_NOBODY = hash_password(secrets.token_urlsafe(16))


class Uncompared(Exception):
    """A password has to be compared, which takes long: end the transaction, `compare()` and begin again."""

    def __init__(self, password: str, password_hash: str | None) -> None:
        super().__init__()
        self._pair = (password, password_hash)

    def compare(self) -> None:
        """Compare now, with no transaction open that others wait for."""
        _compared.get({})[self._pair] = _is_hashed(*self._pair)


_Compared = dict[tuple[str, str | None], bool]
_compared: ContextVar[_Compared] = ContextVar("compared")


@contextmanager
def compared_between_tries() -> Iterator[None]:
    """Within, `matches` raises Uncompared for a pair that has not been compared yet."""
    token = _compared.set({})
    try:
        yield
    finally:
        _compared.reset(token)


def matches(password: str, password_hash: str | None) -> bool:
    """Whether the password is the one that was hashed; takes as long when there is no hash."""
    if len(password) > MAXIMUM_LENGTH:
        return False
    known = _compared.get(None)
    if known is None:  # a command, which nobody waits for
        return _is_hashed(password, password_hash)
    if (password, password_hash) not in known:
        raise Uncompared(password, password_hash)
    return known[password, password_hash]


def _is_hashed(password: str, password_hash: str | None) -> bool:
    with _places:
        try:
            _hasher.verify(password_hash or _NOBODY, password)
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def new_token() -> str:
    """A random secret for a cookie or a link."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
