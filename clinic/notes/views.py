"""Pages about notes; each module registers its own on the one blueprint."""

import clinic.notes.patient_panel  # noqa: F401 it adds its part to the patient's page
from clinic.notes.views_cosign import show_cosign_rules
from clinic.notes.views_course import show_course
from clinic.notes.views_cover import show_covers
from clinic.notes.views_inbox import show_inbox
from clinic.notes.views_letter import show_letters
from clinic.notes.views_note import show_session_note
from clinic.notes.views_open_work import show_open_work
from clinic.notes.views_order_error import show_order_error
from clinic.notes.views_own import list_own_notes
from clinic.notes.views_shared import bp
from clinic.notes.views_undo import undo_discharge

__all__ = [
    "bp",
    "list_own_notes",
    "show_cosign_rules",
    "show_course",
    "show_covers",
    "show_inbox",
    "show_letters",
    "show_open_work",
    "show_order_error",
    "show_session_note",
    "undo_discharge",
]
