"""Notes and the addenda that follow them."""

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.permissions import Role
from clinic.core.recorded import Recorded, Superseding, correction_says_why
from clinic.core.types import enum_type
from clinic.courses.models import Course
from clinic.notes.rules import NoteKind, NoteStatus
from clinic.patients.models import Patient
from clinic.sessions.models import InfusionSession


class Note(ClinicScoped, Base):
    """A note by its author. Its text is fixed once it is signed; an addendum or correction names what it follows."""

    __tablename__ = "note"
    __table_args__ = (
        sa.CheckConstraint("kind NOT IN ('addendum', 'correction') OR follows_id IS NOT NULL", name="addendum_follows"),
        sa.CheckConstraint("status = 'draft' OR status = 'discarded' OR signed_at IS NOT NULL", name="signed_has_time"),
        sa.Index(None, "clinic_id", "status"),
    )

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    infusion_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("infusion_session.id"), index=True)
    follows_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("note.id"), index=True)
    kind: Mapped[NoteKind] = mapped_column(enum_type(NoteKind, "note_kind"))
    status: Mapped[NoteStatus] = mapped_column(enum_type(NoteStatus, "note_status"))
    text: Mapped[str]
    author_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    cosigner_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    drafted_at: Mapped[datetime]
    saved_at: Mapped[datetime]
    signed_at: Mapped[datetime | None]
    cosigned_at: Mapped[datetime | None]
    # A late entry says when it happened; an attestation says that an entry without a signature is the author's own.
    happened_at: Mapped[datetime | None]
    is_attestation: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    version: Mapped[int] = mapped_column(sort_order=95)
    patient: Mapped[Patient] = relationship()
    infusion: Mapped[InfusionSession | None] = relationship()
    author: Mapped[Staff] = relationship(foreign_keys=[author_id])
    cosigner: Mapped[Staff | None] = relationship(foreign_keys=[cosigner_id])
    follows: Mapped["Note | None"] = relationship(remote_side="Note.id", back_populates="followers")
    followers: Mapped[list["Note"]] = relationship(back_populates="follows", order_by="Note.drafted_at")
    returns: Mapped[list["NoteReturn"]] = relationship(back_populates="note", order_by="NoteReturn.recorded_at")

    __mapper_args__ = {"version_id_col": version}


class NoteReturn(ClinicScoped, Recorded, Base):
    """A note that waits for a co-signature was sent back to its author, who answers by adding to it."""

    __tablename__ = "note_return"
    __table_args__ = (sa.CheckConstraint("length(trim(reason)) > 0", name="reason_is_given"),)

    note_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("note.id"), index=True)
    reason: Mapped[str]
    note: Mapped[Note] = relationship(back_populates="returns")
    recorded_by: Mapped[Staff] = relationship(foreign_keys="NoteReturn.recorded_by_id")


class CosignRule(ClinicScoped, Recorded, Base):
    """Whether notes of a kind wait for a co-signature when somebody of a role signed them; the latest one holds."""

    __tablename__ = "cosign_rule"

    role: Mapped[Role] = mapped_column(enum_type(Role, "role"))
    kind: Mapped[NoteKind] = mapped_column(enum_type(NoteKind, "note_kind"))
    is_needed: Mapped[bool]
    reason: Mapped[str]
    recorded_by: Mapped[Staff] = relationship(foreign_keys="CosignRule.recorded_by_id")


class Letter(ClinicScoped, Recorded, Base):
    """A letter to the referrer about a course, made and signed in one act.

    `facts` is what the record told then, as canonical text (`letter_facts`); `text` is what the physician added.
    """

    __tablename__ = "letter"

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    course_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("course.id"), index=True)
    addressee: Mapped[str]
    facts: Mapped[str]
    text: Mapped[str | None]
    patient: Mapped[Patient] = relationship()
    course: Mapped[Course] = relationship()
    recorded_by: Mapped[Staff] = relationship(foreign_keys="Letter.recorded_by_id")


class Referrer(ClinicScoped, Recorded, Superseding, Base):
    """Somebody who refers patients to the clinic, as a letter addresses them; withdrawn by a later row."""

    __tablename__ = "referrer"
    __table_args__ = (
        correction_says_why(),
        sa.CheckConstraint("length(trim(name)) > 0", name="referrer_has_name"),
    )

    name: Mapped[str]
    practice: Mapped[str | None]
    address: Mapped[str | None]

    @property
    def lines(self) -> str:
        """Name, practice and address, one under another."""
        return "\n".join(part for part in (self.name, self.practice, self.address) if part)
