"""Spacing as a clinician writes it and as it is read aloud: "Mon, Wed, Fri", "4 x 7, 2 x 14, 28"."""

import re
from collections.abc import Callable, Sequence
from datetime import date
from itertools import groupby
from typing import Final

from clinic.core.times import date_label
from clinic.protocols.spacing_rules import SpacingKind, StatedSpacing, Timing, Window

SPACING_WORDS: Final = {
    SpacingKind.WEEKDAYS: "on fixed weekdays",
    SpacingKind.CONSECUTIVE: "on consecutive clinic days",
    SpacingKind.INTERVAL: "every so many days",
    SpacingKind.DECREASING: "less and less often",
    SpacingKind.AS_NEEDED: "as needed, with a least gap",
    SpacingKind.BLOCK: "as an inpatient block, day after day",
}
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_FULL: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MOST_GAPS: Final = 200
_GAP: Final = re.compile(r"(?:(\d{1,3}) ?[x×] ?)?(\d{1,3})", re.ASCII)


class BadSpacing(ValueError):
    """A text that cannot be read. The message says what to write instead."""


def read_weekdays(text: str) -> tuple[int, ...] | None:
    """Return the weekdays of "Mon, Wed, Fri" as 1 to 7, None for an empty text. Raises BadSpacing for anything else."""
    words = text.lower().replace(",", " ").split()
    days = {place for word in words for place, full in enumerate(_FULL, start=1) if word in {full, full[:3]}}
    if len(days) != len(words):
        raise BadSpacing("Write Mon, Wed, Fri, each day once")
    return tuple(sorted(days)) or None


def weekdays_text(days: Sequence[int] | None) -> str:
    """Return "Mon, Wed, Fri"."""
    return ", ".join(_DAYS[day - 1] for day in days or ())


def read_gaps(text: str) -> tuple[int, ...] | None:
    """Return the gaps of "4 x 7, 2 x 14, 28" one by one, None for an empty text. Raises BadSpacing otherwise."""
    if not text.strip():
        return None
    gaps: list[int] = []
    for part in text.lower().split(","):
        found = _GAP.fullmatch(" ".join(part.split()))
        if found is None or int(found[2]) == 0 or int(found[1] or 1) == 0:
            raise BadSpacing("Write 4 x 7, 2 x 14, 28: how often, then how many days")
        gaps += [int(found[2])] * int(found[1] or 1)
        if len(gaps) > _MOST_GAPS:
            raise BadSpacing(f"At most {_MOST_GAPS} gaps")
    return tuple(gaps)


def read_reviews(text: str) -> tuple[int, ...] | None:
    """Return the sessions of "3, 6" in their order, None for an empty text. Raises BadSpacing for anything else."""
    if not text.strip():
        return None
    words = [part.strip() for part in text.split(",")]
    if len(set(words)) != len(words) or not all(re.fullmatch(r"[1-9]\d{0,2}", word, re.ASCII) for word in words):
        raise BadSpacing("Write 3, 6: after how many sessions, each once")
    return tuple(sorted(int(word) for word in words))


def reviews_typed(sessions: Sequence[int] | None) -> str:
    """Return "3, 6"."""
    return ", ".join(str(number) for number in sessions or ())


def reviews_text(sessions: Sequence[int]) -> str:
    """Return "a physician reviews it after 1 session and after 3"."""
    first, *others = sessions
    said = [f"after {first} session{'' if first == 1 else 's'}", *(f"after {number}" for number in others)]
    return f"a physician reviews it {', '.join(said[:-1])}{' and ' if others else ''}{said[-1]}"


def gaps_text(gaps: Sequence[int] | None) -> str:
    """Return "4 x 7, 2 x 14, 28"."""
    return ", ".join(f"{count} x {gap}" if count > 1 else f"{gap}" for gap, count in _runs(gaps or ()))


def _runs(gaps: Sequence[int]) -> list[tuple[int, int]]:
    return [(gap, len(list(same))) for gap, same in groupby(gaps)]


def spacing_text(terms: StatedSpacing) -> str:
    """Return the spacing as it is read aloud, "" when nobody entered any: "every 28 days, up to 3 days late"."""
    parts = [_TEXTS[terms.spacing](terms)] if terms.spacing else []
    least, most = terms.apart_min_days, terms.apart_max_days
    if least is not None and most is not None:
        parts.append(f"{days(least)} apart" if least == most else f"{least} to {days(most)} apart")
    elif least is not None:
        parts.append(f"at least {days(least)} apart")
    elif most is not None:
        parts.append(f"at most {days(most)} apart")
    window = [
        f"{days(count)} {word}" for count, word in ((terms.early_days, "early"), (terms.late_days, "late")) if count
    ]
    return ", ".join([*parts, *([f"up to {' or '.join(window)}"] if window else [])])


def days(count: int) -> str:
    """Return "1 day" or "2 days"."""
    return "1 day" if count == 1 else f"{count} days"


def _gaps_aloud(terms: StatedSpacing) -> str:
    runs = _runs(terms.gaps_days or ())
    parts = [f"{'once' if count == 1 else f'{count} times'} after {days(gap)}" for gap, count in runs[:-1]]
    parts += [f"then every {days(gap)}" if parts else f"every {days(gap)}" for gap, _ in runs[-1:]]
    return ", ".join(parts)


_TEXTS: Final[dict[SpacingKind, Callable[[StatedSpacing], str]]] = {
    SpacingKind.WEEKDAYS: lambda terms: f"on {weekdays_text(terms.weekdays)}",
    SpacingKind.CONSECUTIVE: lambda _: "on consecutive clinic days",
    SpacingKind.INTERVAL: lambda terms: (
        "every day" if terms.every_days == 1 else f"every {days(terms.every_days or 0)}"
    ),
    SpacingKind.DECREASING: _gaps_aloud,
    SpacingKind.AS_NEEDED: lambda _: "as needed",
    SpacingKind.BLOCK: lambda _: "as an inpatient block, day after day",
}


def window_text(window: Window) -> str:
    """Return "18-Nov-2025", with the days that are on time too: "18-Nov-2025, 16-Nov-2025 to 20-Nov-2025"."""
    early, late, expected = window.earliest, window.latest, window.expected
    if early and late:
        span = date_label(early) if early == late else f"{date_label(early)} to {date_label(late)}"
    else:
        span = f"from {date_label(early)}" if early else f"until {date_label(late)}" if late else ""
    if expected is None:
        return span
    return date_label(expected) if early == late else f"{date_label(expected)}, {span}"


def window_note(window: Window, day: date) -> str | None:
    """Return what to know about a day outside its window, None when it is on time."""
    timing = window.timing(day)
    return None if timing is Timing.ON_TIME else f"{timing}: expected {window_text(window)}"
