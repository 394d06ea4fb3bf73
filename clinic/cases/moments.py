"""Moments under the keys and in the cells of a case file."""

from datetime import datetime
from zoneinfo import ZoneInfo

from clinic.cases.instants import Moment, Timeline, read_instant
from clinic.cases.reading import Fields, Item, shown

# A year of minutes: more is a slip of the finger, and would leave the calendar.
MAX_MINUTES = 527_040


def instant_of(item: Item, zone: ZoneInfo | None) -> datetime:
    """A written time, in UTC. Raises CaseFault where it cannot be told for certain."""
    text = item.text()
    try:
        return read_instant(text, zone=zone)
    except ValueError as error:
        raise item.fault(f"{shown(text)} {_reason(error)}") from None


def moment_of(item: Item, timeline: Timeline, *, utc: bool = False) -> Moment:
    """A cell that holds minutes from the session's start, or a time."""
    if item.is_null:
        item.refuse("a time is missing")
    number = None
    if item.is_number:
        number = item.number()
        if abs(number) > MAX_MINUTES:
            item.refuse(f"{shown(item.scalar())} minutes is more than a year")
    text = item.text()
    try:
        return timeline.moment(text, number=number, utc=utc)
    except ValueError as error:
        raise item.fault(f"{shown(text)} {_reason(error)}") from None


def moment(fields: Fields, timeline: Timeline, *bases: str) -> Moment | None:
    """The moment under `onset_min`, `onset_at`, `onset_local`, `onset_utc`, `onset_time` or plain `onset`.

    The empty base stands for the bare endings: `min`, `at`, `time`, `utc`.
    """
    for base in bases:
        for ending in ("min", "at", "local", "utc", "time", "minute", ""):
            found = fields.find("_".join(part for part in (base, ending) if part) or "at")
            if found is not None:
                return moment_of(found, timeline, utc=ending == "utc")
    return None


def _reason(error: ValueError) -> str:
    """Our own refusals are sentences; those of the calendar ("hour must be in 0..23") get a verb."""
    reason = str(error)
    ours = reason.startswith(("is ", "has ", "does ", "comes ", "counts "))
    return reason if ours else f"is not a time: {reason}"
