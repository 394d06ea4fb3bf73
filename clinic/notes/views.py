"""Pages about notes; each module registers its own on the one blueprint."""

from clinic.notes import views_course, views_inbox, views_note
from clinic.notes.views_shared import bp

__all__ = ["bp", "views_course", "views_inbox", "views_note"]
