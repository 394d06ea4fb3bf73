"""Messages and the tries to send them."""

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.core.db import Base, ClinicScoped
from clinic.core.types import enum_type
from clinic.notifications.rules import MessageKind, MessageState, Outcome


class OutboxMessage(ClinicScoped, Base):
    """A message that is to be sent, is being sent, was sent, or no longer is to be.

    It is worded when it is sent, from what holds then: `about_id` names its subject, whose table `kind` tells. Address
    and text are kept as they were sent; a secret link in the text is not.
    """

    __tablename__ = "outbox_message"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "once_key"),
        sa.CheckConstraint("(state = 'sending') = (claim IS NOT NULL)", name="sending_is_claimed"),
        sa.CheckConstraint("(claim IS NULL) = (claimed_at IS NULL)", name="claim_has_a_time"),
        sa.CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent_has_a_time"),
        sa.CheckConstraint("state NOT IN ('given-up', 'cancelled') OR state_reason IS NOT NULL", name="end_says_why"),
        sa.CheckConstraint("tries >= 0", name="tries_are_counted"),
        sa.Index(None, "state", "next_try_at"),
        sa.Index(None, "about_id"),
    )

    kind: Mapped[MessageKind] = mapped_column(enum_type(MessageKind, "message_kind"))
    about_id: Mapped[uuid.UUID]
    # A message of this key is written once: two planners at work make one.
    once_key: Mapped[str | None]
    created_at: Mapped[datetime]
    next_try_at: Mapped[datetime]
    # From then on it would tell nothing any more.
    expires_at: Mapped[datetime | None]
    state: Mapped[MessageState] = mapped_column(enum_type(MessageState, "message_state"))
    state_reason: Mapped[str | None]
    tries: Mapped[int] = mapped_column(default=0)
    claim: Mapped[str | None] = mapped_column(sa.String(64))
    claimed_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    to_address: Mapped[str | None]
    subject: Mapped[str | None]
    body: Mapped[str | None]
    attempts: Mapped[list["OutboxAttempt"]] = relationship(
        back_populates="message", order_by="OutboxAttempt.number", viewonly=True
    )


class OutboxAttempt(ClinicScoped, Base):
    """One try. Without an outcome the sender died in the middle of it."""

    __tablename__ = "outbox_attempt"
    __table_args__ = (
        sa.UniqueConstraint("message_id", "number"),
        sa.CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name="outcome_has_a_time"),
    )

    message_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("outbox_message.id"), index=True)
    number: Mapped[int]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[Outcome | None] = mapped_column(enum_type(Outcome, "outcome"))
    code: Mapped[str | None] = mapped_column(sa.String(40))
    message: Mapped[OutboxMessage] = relationship(back_populates="attempts", viewonly=True)
