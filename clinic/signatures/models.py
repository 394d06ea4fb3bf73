"""Signatures over exact content."""

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.types import enum_type
from clinic.signatures.rules import Meaning


class Signature(ClinicScoped, Base):
    """A person's signature: meaning, the canonical content, its hash, the name and credentials as of then.

    It names its subject by kind and id, so that anything can be signed. Never changed, never removed.
    """

    __tablename__ = "signature"
    __table_args__ = (
        sa.UniqueConstraint("subject_id", "signer_id", "meaning"),
        sa.CheckConstraint("length(digest) = 64", name="digest_is_sha256"),
        sa.Index(None, "subject_kind", "subject_id"),
    )

    subject_kind: Mapped[str] = mapped_column(sa.String(40))
    subject_id: Mapped[uuid.UUID]
    patient_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    meaning: Mapped[Meaning] = mapped_column(enum_type(Meaning, "meaning"))
    content: Mapped[str]
    digest: Mapped[str] = mapped_column(sa.String(64))
    signed_at: Mapped[datetime]
    signer_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    signer_name: Mapped[str]
    signer_credentials: Mapped[str | None]
    signer_roles: Mapped[str]
    for_id: Mapped[uuid.UUID | None]
    for_name: Mapped[str | None]
    signer: Mapped[Staff] = relationship()

    @property
    def signed_by(self) -> str:
        """As it stands under what was signed: "Dr P. Benedek", or "Dr P. Benedek for Dr I. Okafor"."""
        return f"{self.signer_name} for {self.for_name}" if self.for_name else self.signer_name
