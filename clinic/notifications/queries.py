"""Named reads of the outbox."""

import uuid
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from clinic.core import db
from clinic.notifications.models import OutboxAttempt, OutboxMessage
from clinic.notifications.rules import MessageState, Outcome


def messages(states: Sequence[MessageState], *, limit: int = 200) -> list[OutboxMessage]:
    """Messages of this clinic in some states with their tries, the newest first."""
    return list(
        db.session.scalars(
            sa.select(OutboxMessage)
            .where(OutboxMessage.state.in_(states))
            .options(selectinload(OutboxMessage.attempts))
            .order_by(OutboxMessage.created_at.desc(), OutboxMessage.id.desc())
            .limit(limit)
        )
    )


def counts() -> dict[MessageState, int]:
    """How many messages of this clinic are in each state."""
    found = db.session.execute(sa.select(OutboxMessage.state, sa.func.count()).group_by(OutboxMessage.state))
    return {row[0]: row[1] for row in found}


def message(message_id: uuid.UUID) -> OutboxMessage | None:
    """One message, held against a sender that would take it meanwhile."""
    return db.session.scalar(sa.select(OutboxMessage).where(OutboxMessage.id == message_id).with_for_update())


def may_have_been_told(about_ids: Sequence[uuid.UUID], *, besides: uuid.UUID) -> bool:
    """Whether another message about one of these went out, or may have: its connection broke, its sender died."""
    broke = sa.or_(OutboxAttempt.outcome.is_(None), OutboxAttempt.outcome == Outcome.UNREACHABLE)
    may_be_out = sa.exists().where(OutboxAttempt.message_id == OutboxMessage.id, broke)
    found = (
        sa.select(OutboxMessage.id)
        .where(OutboxMessage.about_id.in_(about_ids), OutboxMessage.id != besides)
        .where(sa.or_(OutboxMessage.state == MessageState.SENT, may_be_out))
    )
    return db.session.scalar(found.limit(1)) is not None
