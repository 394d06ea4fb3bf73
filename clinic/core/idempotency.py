"""One key per save: a double click, a retry or a lost answer leaves one row.

The form carries a random key. The shell inserts it in the transaction of the save, so that the second request finds
either nothing (the first rolled back) or the answer that the first one gave.
"""

import hashlib
import uuid
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clinic.core import db
from clinic.core.requests import is_secret


class IdempotencyKey(db.Base):
    """A save that was answered: who sent which key with what, and where the answer led."""

    __tablename__ = "idempotency_key"
    __table_args__ = (sa.UniqueConstraint("actor_id", "key"),)

    actor_id: Mapped[uuid.UUID]
    key: Mapped[str] = mapped_column(sa.String(64))
    digest: Mapped[str] = mapped_column(sa.String(64))
    location: Mapped[str | None]
    saved_at: Mapped[datetime] = mapped_column(index=True)


_MAY_DIFFER = frozenset({"csrf_token", "version", "entered_at"})


def digest(path: str, fields: Iterable[tuple[str, str]]) -> str:
    """What was sent, without what may differ from one try to the next.

    That is the token, the version that was seen, and the time that a device adds to an entry which waited.

    Secrets are left out: a fast hash of a password beside guessable values would give it away.
    """
    kept = sorted((name, value) for name, value in fields if name not in _MAY_DIFFER and not is_secret(name))
    return hashlib.sha256(repr((path, kept)).encode()).hexdigest()


def earlier_answer(actor_id: uuid.UUID, key: str) -> IdempotencyKey | None:
    """The save that this key has already led to."""
    return db.session.scalar(
        sa.select(IdempotencyKey).where(IdempotencyKey.actor_id == actor_id, IdempotencyKey.key == key)
    )
