"""When the sessions of a course are expected, and whether a day is early or late. Every number is a clinician's."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final, Protocol


class SpacingKind(StrEnum):
    """How the sessions of a course follow each other (domain reference 1.6)."""

    WEEKDAYS = "weekdays"
    CONSECUTIVE = "consecutive"
    INTERVAL = "interval"
    DECREASING = "decreasing"
    AS_NEEDED = "as-needed"
    BLOCK = "block"


class StatedSpacing(Protocol):
    """What terms say about spacing: a `TermsDraft` or a row of the same names."""

    @property
    def spacing(self) -> SpacingKind | None: ...
    @property
    def weekdays(self) -> tuple[int, ...] | None: ...
    @property
    def every_days(self) -> int | None: ...
    @property
    def gaps_days(self) -> tuple[int, ...] | None: ...
    @property
    def early_days(self) -> int | None: ...
    @property
    def late_days(self) -> int | None: ...
    @property
    def apart_min_days(self) -> int | None: ...
    @property
    def apart_max_days(self) -> int | None: ...


class Timing(StrEnum):
    """A day beside the window of its session."""

    EARLY = "early"
    ON_TIME = "on time"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Window:
    """When a session is expected, and the first and last day that are on time; None where nobody said."""

    expected: date | None = None
    earliest: date | None = None
    latest: date | None = None

    def timing(self, day: date) -> Timing:
        """Whether a day is early, on time or late."""
        if self.earliest is not None and day < self.earliest:
            return Timing.EARLY
        return Timing.LATE if self.latest is not None and day > self.latest else Timing.ON_TIME


IsOpen = Callable[[date], bool]
_LONGEST_CLOSED: Final = 60


def due_window(terms: StatedSpacing, number: int, previous: date, *, is_open: IsOpen) -> Window:
    """Return the window of session `number` when the one before is on `previous`; without tolerance it is one day."""
    least, most = terms.apart_min_days, terms.apart_max_days
    try:
        bounds = previous + timedelta(days=least or 0), previous + timedelta(days=most or 0)
        expected = _expected(terms, number, previous, is_open)
        if expected is None:
            return Window(None, bounds[0] if least is not None else None, bounds[1] if most is not None else None)
        earliest = max(expected - timedelta(days=terms.early_days or 0), bounds[0])
        latest = expected + timedelta(days=terms.late_days or 0)
    except OverflowError:
        return Window()
    return Window(expected, min(earliest, expected), max(expected, min(latest, bounds[1]) if most else latest))


def due_dates(terms: StatedSpacing, first: date, numbers: Iterable[int], *, is_open: IsOpen) -> list[date]:
    """Return the expected days of sessions, the first of them on `first`; as far as the terms say them."""
    days: list[date] = []
    for number in numbers:
        day = due_window(terms, number, days[-1], is_open=is_open).expected if days else first
        if day is None:
            break
        days.append(day)
    return days


def _expected(terms: StatedSpacing, number: int, previous: date, is_open: IsOpen) -> date | None:
    match terms.spacing:
        case SpacingKind.WEEKDAYS if terms.weekdays:
            weekdays = terms.weekdays
            return _next_day(terms, previous, lambda day: day.isoweekday() in weekdays)
        case SpacingKind.CONSECUTIVE:
            return _next_day(terms, previous, is_open)
        case SpacingKind.INTERVAL if terms.every_days:
            return previous + timedelta(days=terms.every_days)
        case SpacingKind.DECREASING if terms.gaps_days:
            return previous + timedelta(days=terms.gaps_days[min(max(number - 2, 0), len(terms.gaps_days) - 1)])
        case SpacingKind.BLOCK:
            return previous + timedelta(days=1)  # a patient who stays is treated on closed days too
        case _:
            return None


def _next_day(terms: StatedSpacing, previous: date, fits: IsOpen) -> date | None:
    soonest = previous + timedelta(days=max(terms.apart_min_days or 1, 1))
    days = (soonest + timedelta(days=step) for step in range(_LONGEST_CLOSED))
    return next((day for day in days if fits(day)), None)


# --- what cannot stand together --------------------------------------------------------------------------------------

# What each kind needs, and how that is called when it is missing.
_NEEDS: Final = {
    SpacingKind.WEEKDAYS: ("weekdays", "Enter the weekdays."),
    SpacingKind.INTERVAL: ("every_days", "Enter the number of days."),
    SpacingKind.DECREASING: ("gaps_days", "Enter the gaps, the shortest first."),
    SpacingKind.AS_NEEDED: ("apart_min_days", "As needed asks for the days apart at least."),
}
_OWN: Final = {
    "weekdays": SpacingKind.WEEKDAYS,
    "every_days": SpacingKind.INTERVAL,
    "gaps_days": SpacingKind.DECREASING,
}
_WITHOUT_WINDOW: Final = frozenset({None, SpacingKind.AS_NEEDED})


def spacing_contradictions(terms: StatedSpacing) -> list[tuple[str, str]]:
    """Return what of the spacing cannot stand together, as (name of the value, words)."""
    found = []
    if terms.spacing in _NEEDS:
        name, words = _NEEDS[terms.spacing]
        if not getattr(terms, name) and getattr(terms, name) != 0:
            found.append((name, words))
    found += [
        (name, "This belongs to another kind of spacing. Empty it, or choose that kind.")
        for name, kind in _OWN.items()
        if getattr(terms, name) and terms.spacing is not kind
    ]
    for name in ("early_days", "late_days"):
        if getattr(terms, name) and terms.spacing in _WITHOUT_WINDOW:
            found.append((name, "Only a spacing with an expected day has a window around it."))
    return found + _gap_contradictions(terms)


def _gap_contradictions(terms: StatedSpacing) -> list[tuple[str, str]]:
    name = "gaps_days" if terms.gaps_days else "every_days"
    gaps = terms.gaps_days or ((terms.every_days,) if terms.every_days else ())
    if not gaps:
        return []
    found = []
    if any(later < sooner for sooner, later in pairwise(gaps)):
        found.append(("gaps_days", "The gaps grow: the shortest comes first."))
    if terms.early_days is not None and terms.early_days >= min(gaps):
        found.append(("early_days", "So early a session would meet the one before."))
    least, most = terms.apart_min_days, terms.apart_max_days
    if (least is not None and min(gaps) < least) or (most is not None and max(gaps) > most):
        found.append((name, "This is outside the days apart at least and at most."))
    return found
