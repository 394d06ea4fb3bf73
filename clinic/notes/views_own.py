"""A person's own notes: sent back, begun, or waiting for a co-signature."""

from flask import render_template

from clinic.accounts.current import actor
from clinic.core import clock
from clinic.core.permissions import Permission, requires
from clinic.notes.cosign_queries import own_notes
from clinic.notes.cosigning import open_return
from clinic.notes.inbox_rules import age_words
from clinic.notes.rules import NoteStatus
from clinic.notes.views_shared import bp


@bp.get("/notes")
@requires(Permission.WRITE_NOTE)
def list_own_notes() -> str:
    """One's own notes that are not done, what was sent back first."""
    found = [note for note in own_notes(actor().id) if note.infusion_id is not None]
    drafts = [note for note in found if note.status is NoteStatus.DRAFT]
    back = [note for note in found if note not in drafts and open_return(note) is not None]
    waiting = [note for note in found if note not in drafts and note not in back]
    return render_template(
        "notes/own.html",
        parts=[
            ("Sent back to you", "answer with a correction or an addendum", back),
            ("Drafts", "only you can read them until they are signed", drafts),
            ("Waiting for a co-signature", "", waiting),
        ],
        open_return=open_return,
        age=lambda instant: age_words(instant, clock.now()),
    )
