"""A passkey's answer in place of a password: what it proved is written down, and a short word for it counts once.

The word goes into the field where the password would stand, so every act that asks for the password again takes it:
a signature, a double check, a witness, another factor. It is one person's, from one live sign-in, for two minutes.
"""

import re
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult

from clinic.accounts.models import LoginSession, PasskeyProof, Staff
from clinic.accounts.passwords import new_token, token_hash
from clinic.core import db

# The device that this piece of work comes from, as its hash: a PIN proves a witness only where both signed in.
device: ContextVar[str | None] = ContextVar("device", default=None)

LASTS: Final = timedelta(minutes=2)
NOT_YOURS: Final = "This passkey is not yours, or it was given too long ago. Use it again, or type the password."
_BEGINNING: Final = "passkey:"
# No password looks like this: nobody thinks of so many letters, and the field says nothing of it.
_WORD: Final = re.compile(rf"{_BEGINNING}[A-Za-z0-9_-]{{40,}}", re.ASCII)


def is_word(secret: str) -> bool:
    """Whether this stands in a field in place of a password."""
    return _WORD.fullmatch(secret) is not None


def make(staff: Staff, *, login: LoginSession, at: datetime) -> str:
    """Write down that a person has just proved who that is, at this sign-in's screen. Gives the word, kept nowhere."""
    db.session.execute(sa.delete(PasskeyProof).where(PasskeyProof.made_at <= at - timedelta(days=1)))
    word = _BEGINNING + new_token()
    db.session.add(PasskeyProof(word_hash=token_hash(word), staff_id=staff.id, login_id=login.id, made_at=at))
    return word


def use(word: str, *, staff: Staff, at: datetime) -> bool:
    """Use a word up; False where it is another person's, old, used, or its sign-in has ended."""
    is_live = sa.select(LoginSession.id).where(
        LoginSession.id == PasskeyProof.login_id,
        LoginSession.ended_at.is_(None),
        LoginSession.locked_at.is_(None),
    )
    used = (
        sa.update(PasskeyProof)
        .where(
            PasskeyProof.word_hash == token_hash(word),
            PasskeyProof.staff_id == staff.id,
            PasskeyProof.used_at.is_(None),
            PasskeyProof.made_at > at - LASTS,
            is_live.exists(),
        )
        .values(used_at=at)
        .execution_options(synchronize_session=False)
    )
    result = db.session.execute(used)
    return isinstance(result, CursorResult) and result.rowcount == 1
