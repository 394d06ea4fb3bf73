"""How long what is kept, as plain values. Nothing here says how long: the clinic does."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class RetentionClass(StrEnum):
    """What one period is set for."""

    RECORD = "record"
    TRAIL = "trail"
    REGISTER = "register"
    MESSAGES = "messages"
    SIGN_INS = "sign-ins"
    LINKS = "links"
    KEYS = "keys"


class PeriodUnit(StrEnum):
    """What a period is counted in."""

    DAYS = "days"
    YEARS = "years"


PURGED: Final = (RetentionClass.MESSAGES, RetentionClass.SIGN_INS, RetentionClass.LINKS, RetentionClass.KEYS)
"""What `clinic retention purge` may take away. Record, trail and register are only told of; the database keeps them."""

LEAST_DAYS: Final = 7
"""A device that was away may send once more, and a link may still be open: nothing younger is taken away."""


def past_from(number: int, unit: PeriodUnit, now: datetime) -> datetime:
    """The instant before which something is past its period."""
    if unit is PeriodUnit.DAYS:
        return now - timedelta(days=number)
    try:
        return now.replace(year=now.year - number)
    except ValueError:  # the 29th of February
        return now.replace(year=now.year - number, day=28)


def is_too_short(number: int, unit: PeriodUnit) -> bool:
    """Whether a period would take away what is still in use."""
    return unit is PeriodUnit.DAYS and number < LEAST_DAYS
