"""Pages of the bedside; each module registers its own on the one blueprint."""

from clinic.sessions import (
    views_board,
    views_checklist,
    views_corrections,
    views_discharge,
    views_drug,
    views_events,
    views_pump,
    views_rate,
    views_session,
    views_vitals,
    views_waiting,
)
from clinic.sessions.views_shared import bp

__all__ = [
    "bp",
    "views_board",
    "views_checklist",
    "views_corrections",
    "views_discharge",
    "views_drug",
    "views_events",
    "views_pump",
    "views_rate",
    "views_session",
    "views_vitals",
    "views_waiting",
]
