"""Named reads about signed notes: what waits for a co-signature, what was sent back, what is a person's own."""

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload, selectinload

from clinic.core import db
from clinic.notes.models import CosignRule, Note, NoteReturn
from clinic.notes.queries import PEOPLE
from clinic.notes.rules import NoteStatus, Rules


def waits_for_cosignature(person_id: uuid.UUID) -> sa.ColumnElement[bool]:
    """The signed notes of others that wait for a co-signature; any physician may give it."""
    return sa.and_(Note.status == NoteStatus.COSIGN_PENDING, Note.author_id != person_id)


def _unanswered(note_id: sa.SQLColumnExpression[uuid.UUID], author_id: sa.SQLColumnExpression[uuid.UUID]) -> sa.Exists:
    """A note was sent back to its author, who has added nothing since."""
    answer = aliased(Note)
    return sa.exists().where(
        NoteReturn.note_id == note_id,
        ~sa.exists()
        .where(
            answer.follows_id == note_id,
            answer.author_id == author_id,
            answer.signed_at >= NoteReturn.recorded_at,
        )
        .correlate(NoteReturn, Note),
    )


def is_with_its_author() -> sa.ColumnElement[bool]:
    """Notes that were sent back and not answered."""
    return _unanswered(Note.id, Note.author_id).correlate(Note)


def sent_back_to(author_id: uuid.UUID) -> sa.ColumnElement[bool]:
    """One's own notes that were sent back and that one has not answered."""
    return sa.and_(Note.author_id == author_id, Note.status == NoteStatus.COSIGN_PENDING, is_with_its_author())


def sent_back_count(author_id: uuid.UUID) -> int:
    """How many of one's own notes were sent back, for the badge."""
    return db.session.scalar(sa.select(sa.func.count(Note.id)).where(sent_back_to(author_id))) or 0


def own_notes(author_id: uuid.UUID) -> list[Note]:
    """One's own notes that are not done: drafts, and those that wait for a co-signature; the oldest first."""
    return list(
        db.session.scalars(
            sa.select(Note)
            .where(Note.author_id == author_id, Note.status.in_([NoteStatus.DRAFT, NoteStatus.COSIGN_PENDING]))
            .options(
                *PEOPLE,
                joinedload(Note.infusion),
                selectinload(Note.followers),
                selectinload(Note.returns).joinedload(NoteReturn.recorded_by),
            )
            .order_by(Note.drafted_at, Note.id)
        )
    )


def notes_to_cosign(person_id: uuid.UUID) -> list[Note]:
    """The signed notes of others that wait for a co-signature, the oldest first."""
    return list(
        db.session.scalars(
            sa.select(Note)
            .where(waits_for_cosignature(person_id))
            .options(
                *PEOPLE,
                joinedload(Note.infusion),
                selectinload(Note.followers),
                selectinload(Note.returns).joinedload(NoteReturn.recorded_by),
            )
            .order_by(Note.signed_at, Note.id)
        )
    )


def rules_in_force() -> list[CosignRule]:
    """The clinic's own rules about co-signatures: the latest for each role and kind, with who set them."""
    rows = db.session.scalars(
        sa.select(CosignRule)
        .options(joinedload(CosignRule.recorded_by))
        .order_by(CosignRule.recorded_at, CosignRule.id)
    )
    return list({(row.role, row.kind): row for row in rows}.values())


def cosign_rules() -> Rules:
    """The same as plain values, as the rule reads them."""
    return {(row.role, row.kind): row.is_needed for row in rules_in_force()}
