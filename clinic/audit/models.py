"""The trail itself. The database refuses to change or delete a line."""

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clinic.audit.rules import AuditAction
from clinic.core.db import Base


class AuditEntry(Base):
    """One act. `body` is the canonical text of what was recorded, kept as it was written."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        sa.Index(None, "clinic_id", "at"),
        sa.Index(None, "patient_id", "at"),
        sa.Index(None, "actor_id", "at"),
        sa.Index(None, "subject_id"),
    )

    clinic_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("clinic.id"))
    at: Mapped[datetime]
    # The one foreign key that points up the list of areas.
    actor_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff.id"))
    action: Mapped[AuditAction] = mapped_column(
        sa.Enum(
            AuditAction,
            native_enum=False,
            create_constraint=False,
            length=60,
            name="audit_action",
            values_callable=lambda members: [member.value for member in members],
        )
    )
    subject_kind: Mapped[str | None] = mapped_column(sa.String(40))
    subject_id: Mapped[uuid.UUID | None]
    patient_id: Mapped[uuid.UUID | None]
    body: Mapped[str]
    request_id: Mapped[str | None] = mapped_column(sa.String(40))
    address: Mapped[str | None] = mapped_column(sa.String(60))


class AuditChain(Base):
    """The head of a clinic's chain: its key is the clinic's, or that of the installation's own chain.

    It is where the next link is made, one writer at a time; what proves the chain are the links alone.
    """

    __tablename__ = "audit_chain"

    salt: Mapped[str] = mapped_column(sa.String(64))
    start_key_id: Mapped[str] = mapped_column(sa.String(16))
    started_at: Mapped[datetime]
    number: Mapped[int] = mapped_column(sa.BigInteger)
    mac: Mapped[str] = mapped_column(sa.String(64))


class AuditLink(Base):
    """The seal of one line: its number in the chain and a keyed digest over it and the link before, in hexadecimal."""

    __tablename__ = "audit_link"
    __table_args__ = (
        sa.UniqueConstraint("chain_id", "number"),
        sa.CheckConstraint("number > 0", name="number_is_positive"),
    )

    chain_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("audit_chain.id"))
    number: Mapped[int] = mapped_column(sa.BigInteger)
    entry_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("audit_entry.id"), unique=True)
    key_id: Mapped[str] = mapped_column(sa.String(16))
    mac: Mapped[str] = mapped_column(sa.String(64))
    # Digests of the rows that were written with the line, where there were any (docs/audit.md).
    rows: Mapped[str | None]
