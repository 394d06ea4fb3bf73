"""How a restricted chart is opened."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

OPEN_FOR: Final = timedelta(minutes=60)
# An opening that nobody has looked at for longer is overdue.
REVIEW_WITHIN: Final = timedelta(days=3)
SHORTEST_REASON: Final = 10


class OpeningKind(StrEnum):
    """Why somebody outside the team opens a chart."""

    EMERGENCY = "emergency"
    COVER = "cover"
    QUESTION = "question"
    OTHER = "other"
