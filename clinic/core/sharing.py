"""What a clinic lets leave its walls, in calendars and mails. Until it says something, nothing does."""

from enum import StrEnum


class TellsNames(StrEnum):
    """How a calendar outside the clinic names a patient."""

    NOTHING = "nothing"
    INITIALS = "initials"
    NAMES = "names"
