"""To whom a record may be given, as plain values."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

READY_FOR: Final = timedelta(minutes=15)
"""How long an export that was asked for can be fetched."""


class Recipient(StrEnum):
    """Who is given an export."""

    PATIENT = "patient"
    CHOSEN = "chosen"
    CARE = "care"
    AUTHORITY = "authority"
    CLINIC = "clinic"


def can_be_fetched(asked_at: datetime, now: datetime) -> bool:
    """Whether an export is still to be had for the password that was given."""
    return asked_at <= now < asked_at + READY_FOR
