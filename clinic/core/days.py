"""Dates that a person typed. The month stands in letters: 18-Nov-2025 cannot be misread across countries."""

import re
from datetime import date
from typing import Final

_MONTHS: Final = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_NAMED: Final = re.compile(r"(\d{1,2})[-./ ]?([a-z]{3,9})[-./ ,]?\s*(\d{4})", re.ASCII)
_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_FIGURES: Final = re.compile(r"(\d{1,2})[-./ ](\d{1,2})[-./ ](\d{4})", re.ASCII)


class BadDay(ValueError):
    """A date that cannot be taken. The message says what to type instead."""


def parse_day(text: str) -> date:
    """Return the date of "18-Nov-2025", "18 nov 2025" or "2025-11-18". Raises BadDay for anything else.

    A date in figures alone is refused: 03/04/2025 is March to one reader and April to another.
    """
    typed = " ".join(text.lower().split())
    readings = [] if _FIGURES.fullmatch(typed) else day_readings(typed)
    if not readings:
        raise BadDay("Enter a date such as 18-Nov-2025")
    return readings[0]


def day_readings(text: str) -> list[date]:
    """Return every date that a text can mean: one with the month in letters, up to two in figures alone, or none."""
    if found := _ISO.fullmatch(text):
        tried = [(int(found[1]), int(found[2]), int(found[3]))]
    elif found := _NAMED.fullmatch(text):
        tried = [(int(found[3]), month, int(found[1])) for month in _month(found[2])]
    elif found := _FIGURES.fullmatch(text):
        first, second, year = int(found[1]), int(found[2]), int(found[3])
        tried = [(year, second, first), (year, first, second)]
    else:
        tried = []
    return list(dict.fromkeys(day for parts in tried if (day := _day(*parts)) is not None))


def _month(word: str) -> list[int]:
    return [number for number, name in enumerate(_MONTHS, start=1) if name.startswith(word)]


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
