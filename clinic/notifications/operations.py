"""Write messages into the outbox, take them out one at a time, and write down how it went."""

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.notifications.models import OutboxAttempt, OutboxMessage
from clinic.notifications.rules import LEASE, MOST_TRIES, MessageKind, MessageState, Outcome, pause_after


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that this sender alone holds for now."""

    message_id: uuid.UUID
    clinic_id: uuid.UUID
    kind: MessageKind
    key: str
    number: int


def put(
    kind: MessageKind,
    about_id: uuid.UUID,
    *,
    at: datetime,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    once_key: str | None = None,
) -> OutboxMessage | None:
    """Write a message in the transaction of the change that it tells of: both stand or neither.

    None where a message of this `once_key` was written before.
    """
    made = OutboxMessage(
        kind=kind,
        about_id=about_id,
        once_key=once_key,
        created_at=at,
        next_try_at=not_before or at,
        expires_at=expires_at,
        state=MessageState.WAITING,
        tries=0,
    )
    if once_key is None:
        db.session.add(made)
        return made
    try:
        with db.session.begin_nested():
            db.session.add(made)
    except IntegrityError:
        return None
    return made


def claim(*, at: datetime) -> Claim | None:
    """Take the message that has waited longest, of any clinic, for this sender alone; None when nothing is due.

    On PostgreSQL a row that another sender is taking is passed over; on SQLite writers come one after the other. The
    caller commits before it sends, so that nobody else takes the message while the mail server is spoken to.
    """
    while (message := _due(at)) is not None:
        if message.expires_at is not None and message.expires_at <= at:
            _end(message, MessageState.CANCELLED, "too late to be of use")
            continue
        if message.tries >= MOST_TRIES:  # the last sender died in its last try
            _end(message, MessageState.GIVEN_UP, "the sender stopped in the middle")
            continue
        message.state, message.claim, message.claimed_at = MessageState.SENDING, secrets.token_hex(16), at
        message.tries += 1
        number = _tries_so_far(message) + 1
        db.session.add(OutboxAttempt(clinic_id=message.clinic_id, message_id=message.id, number=number, started_at=at))
        db.session.flush()
        return Claim(message.id, message.clinic_id, message.kind, message.claim, number)
    return None


def _due(at: datetime) -> OutboxMessage | None:
    is_due = sa.or_(
        sa.and_(OutboxMessage.state == MessageState.WAITING, OutboxMessage.next_try_at <= at),
        sa.and_(OutboxMessage.state == MessageState.SENDING, OutboxMessage.claimed_at <= at - LEASE),
    )
    return db.session.scalar(
        sa.select(OutboxMessage)
        .where(is_due)
        .order_by(OutboxMessage.next_try_at, OutboxMessage.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(unscoped=True, populate_existing=True)
    )


def _tries_so_far(message: OutboxMessage) -> int:
    """All tries, also those before somebody let it be tried again."""
    counted = sa.select(sa.func.count()).select_from(OutboxAttempt).where(OutboxAttempt.message_id == message.id)
    return db.session.scalar(counted.execution_options(unscoped=True)) or 0


def _end(message: OutboxMessage, state: MessageState, reason: str) -> None:
    message.state, message.state_reason = state, reason
    message.claim = message.claimed_at = None
    db.session.flush()


def held(claimed: Claim) -> OutboxMessage | None:
    """The message of a claim, locked, as long as the claim holds."""
    return db.session.scalar(
        sa.select(OutboxMessage)
        .where(OutboxMessage.id == claimed.message_id, OutboxMessage.claim == claimed.key)
        .with_for_update()
        .execution_options(unscoped=True, populate_existing=True)
    )


def keep_words(message: OutboxMessage, *, to_address: str, subject: str, body: str) -> None:
    """Keep to whom and in which words the message goes out now."""
    message.to_address, message.subject, message.body = to_address, subject, body


def finish(claimed: Claim, outcome: Outcome, code: str | None, *, at: datetime) -> MessageState | None:
    """Write down how a try ended; gives the message's state, or None when the claim had been lost meanwhile."""
    _note_attempt(claimed, outcome, code, at=at)
    message = held(claimed)
    if message is None:
        return None
    if outcome is Outcome.SENT:
        message.sent_at = at
        message.state, message.claim, message.claimed_at = MessageState.SENT, None, None
        return message.state
    pause = pause_after(message.tries, outcome)
    if pause is None:
        _end(message, MessageState.GIVEN_UP, f"{outcome.value} {code or ''}".strip())
    else:
        message.state, message.claim, message.claimed_at = MessageState.WAITING, None, None
        message.next_try_at = at + pause
    return message.state


def _note_attempt(claimed: Claim, outcome: Outcome, code: str | None, *, at: datetime) -> None:
    db.session.execute(
        sa.update(OutboxAttempt)
        .where(OutboxAttempt.message_id == claimed.message_id, OutboxAttempt.number == claimed.number)
        .values(ended_at=at, outcome=outcome, code=code)
        .execution_options(unscoped=True)
    )


def withdraw(claimed: Claim, reason: str, *, at: datetime) -> None:
    """Do not send a message after all: what it told of is gone."""
    _note_attempt(claimed, Outcome.NOTHING_TO_TELL, None, at=at)
    message = held(claimed)
    if message is not None:
        _end(message, MessageState.CANCELLED, reason)


def try_again(message: OutboxMessage, *, at: datetime) -> None:
    """Let a message that was given up be tried again from the beginning."""
    if message.state is not MessageState.GIVEN_UP:
        raise RuleBroken("Only a message that was given up is tried again.")
    message.state, message.state_reason, message.next_try_at = MessageState.WAITING, None, at
    message.tries = 0


def cancel(message: OutboxMessage, reason: str) -> None:
    """Send a message no more that waits or was given up."""
    if message.state not in {MessageState.WAITING, MessageState.GIVEN_UP}:
        raise RuleBroken(f"This message is {message.state.value}; it cannot be cancelled.")
    _end(message, MessageState.CANCELLED, reason)
