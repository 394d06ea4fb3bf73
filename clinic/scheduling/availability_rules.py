"""When a patient can come, on plain values: what was said about days and hours, and what that leaves of a day."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final, Protocol

from clinic.core.times import date_label

MINUTES_OF_A_DAY: Final = 24 * 60
_DAY_WORDS: Final = ("", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

Span = tuple[int, int]
"""Minutes of a day on the clinic's wall, from one until another."""


class PatientTime(Protocol):
    """On these days, between these dates, in these hours, the patient can come, or cannot."""

    @property
    def is_free(self) -> bool: ...
    @property
    def weekdays(self) -> tuple[int, ...] | None: ...
    @property
    def from_min(self) -> int | None: ...
    @property
    def until_min(self) -> int | None: ...
    @property
    def from_on(self) -> date: ...
    @property
    def until_on(self) -> date | None: ...


def free_spans(said: Iterable[PatientTime], on: date) -> list[Span] | None:
    """Return what a day leaves of the patient's time; None where nothing is said about the day.

    Where it is said when the patient can come, only those hours count, and none on other weekdays between the same
    dates. What the patient cannot is taken away from that.
    """
    then = [each for each in said if is_said(each, on)]
    free = [each for each in then if each.is_free]
    taken = [_span(each) for each in then if not each.is_free and _is_on(each, on)]
    if not free and not taken:
        return None
    spans = [_span(each) for each in free if _is_on(each, on)] if free else [(0, MINUTES_OF_A_DAY)]
    for start, end in taken:
        spans = [part for span in spans for part in ((span[0], min(span[1], start)), (max(span[0], end), span[1]))]
    return sorted({span for span in spans if span[0] < span[1]})


def is_said(each: PatientTime, on: date) -> bool:
    """Return whether something that was said holds on a day."""
    return each.from_on <= on and (each.until_on is None or on <= each.until_on)


def can_come(said: Iterable[PatientTime], on: date, start: int, end: int) -> bool:
    """Return whether a visit from one minute of a day to another fits into the patient's time."""
    spans = free_spans(said, on)
    return spans is None or any(begin <= start and end <= until for begin, until in spans)


def time_words(each: PatientTime) -> str:
    """Say it: "Cannot come: Mon, Wed, 08:00 to 12:00, from 01-Dec-2025 until 31-Dec-2025"."""
    parts = [
        ", ".join(_DAY_WORDS[number] for number in each.weekdays) if each.weekdays else "every day",
        "" if each.from_min is None else f"{_clock(each.from_min)} to {_clock(each.until_min or 0)}",
        f"from {date_label(each.from_on)}",
        f"until {date_label(each.until_on)}" if each.until_on else "",
    ]
    return f"{'Can come' if each.is_free else 'Cannot come'}: {', '.join(part for part in parts if part)}"


def _is_on(each: PatientTime, on: date) -> bool:
    return each.weekdays is None or on.isoweekday() in each.weekdays


def _span(each: PatientTime) -> Span:
    if each.from_min is None or each.until_min is None:
        return 0, MINUTES_OF_A_DAY
    return each.from_min, each.until_min


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def refusal(said: Sequence[PatientTime]) -> str | None:
    """Return why something said about a patient's time cannot be meant."""
    for each in said:
        if each.until_on is not None and each.until_on < each.from_on:
            return "The last day comes after the first."
        if (each.from_min is None) != (each.until_min is None):
            return "Enter both times, or none for the whole day."
        if each.from_min is not None and each.until_min is not None and each.until_min <= each.from_min:
            return "It ends after it begins."
    return None
