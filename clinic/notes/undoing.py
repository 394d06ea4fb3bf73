"""A discharge that was entered by mistake is undone, as long as no signed note tells of it."""

from datetime import datetime

import sqlalchemy as sa

from clinic.accounts.models import Staff
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.notes.models import Note
from clinic.notes.rules import SIGNED, NoteKind
from clinic.sessions import operations as sessions
from clinic.sessions.models import Discharge, InfusionSession


def undo_discharge(infusion: InfusionSession, *, by: Staff, at: datetime) -> Discharge:
    """Take a patient back into recovery. Whoever signs the note at this moment holds the session first, or waits."""
    sessions.locked(infusion)
    if _signed_note(infusion) is not None:
        raise RuleBroken("The note of this session is signed. Write an addendum to it instead.")
    return sessions.undo_discharge(infusion, by=by, at=at)


def _signed_note(infusion: InfusionSession) -> object | None:
    return db.session.scalar(
        sa.select(Note.id).where(
            Note.infusion_id == infusion.id, Note.kind == NoteKind.SESSION, Note.status.in_(SIGNED)
        )
    )
