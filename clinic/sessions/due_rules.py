"""When vitals ought to be taken, and what became of each time. A charting reminder, not an alarm.

The interval comes from the signed order alone. One function computes the due times and one settles them, for every
screen.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from itertools import takewhile
from typing import Final, TypeAlias

from clinic.core.times import utc
from clinic.protocols.rules import Anchor as AnchorKind

__all__ = [
    "Anchor",
    "AnchorKind",
    "Due",
    "DueState",
    "Phase",
    "SettledDue",
    "due_text",
    "due_times",
    "next_due",
    "settle",
]

_MINUTE: Final = timedelta(minutes=1)
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_INSTANT: Final = timedelta(microseconds=1)
_MINUTES_PER_HOUR: Final = 60
# From here on minutes alone are hard to read.
_LONG_MIN: Final = 120


@dataclass(frozen=True)
class Phase:
    """A stretch of the order's observation schedule.

    Times fall due `every_min` after the anchor, again and again: so often (`count`), so long (`for_min`), or until
    the anchor's own stretch of the session ends. With `after_min` the first falls due so long after the anchor (0 is
    at the anchor itself), and without `every_min` it is the only one.
    """

    anchor: AnchorKind
    every_min: int | None = None
    for_min: int | None = None
    count: int | None = None
    after_min: int | None = None


@dataclass(frozen=True)
class Anchor:
    """Something that happened and that phases count from."""

    kind: AnchorKind
    at: datetime


@dataclass(frozen=True)
class Due:
    """A time at which vitals ought to be taken, and what it was counted from; `anchor` is None for a recheck."""

    at: datetime
    anchor: AnchorKind | None


@dataclass(frozen=True)
class Grace:
    """How long before and after its time a due set of vitals still counts as on time."""

    before: timedelta
    after: timedelta


class DueState(StrEnum):
    """What became of a due time."""

    DONE = "done"
    NOT_DONE = "not-done"
    MISSED = "missed"
    OVERDUE = "overdue"
    DUE = "due"
    UPCOMING = "upcoming"


@dataclass(frozen=True)
class SettledDue:
    """A due time and what became of it.

    `observed_at` is the set that was taken for it. `late_by_min` are the whole minutes that set came after it, or,
    while it is still open, those that passed since; 0 within the grace.
    """

    due: Due
    state: DueState
    observed_at: datetime | None = None
    late_by_min: int = 0


def due_times(
    phases: Iterable[Phase],
    anchors: Sequence[Anchor],
    until: datetime,
    ends_at: datetime | None = None,
    *,
    rechecks: Iterable[datetime] = (),
) -> list[Due]:
    """Return every due time up to `until` (that instant included), earliest first, each instant once.

    Phases that count from the start, a rate change or a pause run until the next stop: a pause ends none of them.
    Phases of recovery run from a stop to the next start, those of the pre-check to the start; after a bolus or an
    as-needed dose they run their own length. Nothing falls due after `ends_at`, when the session was closed.
    `rechecks` are single times set by a value outside its limit.
    """
    end = utc(until) if ends_at is None else min(utc(until), utc(ends_at))
    found: dict[datetime, Due] = {}
    for phase in phases:
        for anchor in anchors:
            if anchor.kind is phase.anchor:
                stretch = min(end, _end_of_stretch(anchor, anchors) or end)
                for at in _phase_times(phase, utc(anchor.at), stretch):
                    found.setdefault(at, Due(at, phase.anchor))
    for recheck in rechecks:
        at = utc(recheck)
        if at <= end:
            found.setdefault(at, Due(at, None))
    return [found[at] for at in sorted(found)]


_ENDED_BY: Final = {
    AnchorKind.PRECHECK: AnchorKind.START,
    AnchorKind.START: AnchorKind.STOP,
    AnchorKind.RATE_CHANGE: AnchorKind.STOP,
    AnchorKind.PAUSE: AnchorKind.STOP,
    AnchorKind.STOP: AnchorKind.START,
}


def _end_of_stretch(anchor: Anchor, anchors: Iterable[Anchor]) -> datetime | None:
    ending = _ENDED_BY.get(anchor.kind)
    later = [utc(other.at) for other in anchors if other.kind is ending and utc(other.at) > utc(anchor.at)]
    return min(later, default=None)


def _phase_times(phase: Phase, anchor_at: datetime, end: datetime) -> Iterator[datetime]:
    if phase.for_min is not None:
        end = min(end, anchor_at + timedelta(minutes=phase.for_min))
    first = phase.every_min if phase.after_min is None else phase.after_min
    if first is None or (phase.every_min is not None and phase.every_min <= 0):
        raise ValueError("A phase says when: every so many minutes, or once after so many.")
    at = anchor_at + timedelta(minutes=first)
    given = 0
    while at <= end and (phase.count is None or given < phase.count):
        yield at
        given += 1
        if phase.every_min is None:
            return
        at += timedelta(minutes=phase.every_min)


def settle(
    dues: Iterable[Due],
    observed: Iterable[datetime],
    now: datetime,
    *,
    not_done: Iterable[datetime] = (),
    grace_before_min: int,
    grace_after_min: int,
    ends_at: datetime | None = None,
) -> list[SettledDue]:
    """Return what became of each due time by `now`, earliest first.

    A set of vitals answers the nearest open due time whose window it falls in: from `grace_before_min` before it
    until the next one falls due. Past `grace_after_min` it is late. A time nobody answered is missed as soon as the
    next falls due, or when the session ends. `not_done` are the due instants whose vitals could not be taken, with a
    reason kept elsewhere.
    """
    lines = sorted(dues, key=lambda due: utc(due.at))
    grace = Grace(timedelta(minutes=grace_before_min), timedelta(minutes=grace_after_min))
    # A window closes when the next time falls due; the last one closes with the session.
    closes = [utc(due.at) for due in lines[1:]] + [None if ends_at is None else utc(ends_at) + _INSTANT] * bool(lines)
    refused = {utc(at) for at in not_done}
    windows = [
        (due, utc(due.at) - grace.before, close)
        for due, close in zip(lines, closes, strict=True)
        if utc(due.at) not in refused
    ]
    answers = _answers(windows, observed)
    settled = []
    for due, close in zip(lines, closes, strict=True):
        if utc(due.at) in refused:
            settled.append(SettledDue(due, DueState.NOT_DONE))
        elif (seen := answers.get(utc(due.at))) is not None:
            settled.append(SettledDue(due, DueState.DONE, seen, _late_min(due, seen, grace)))
        else:
            settled.append(_unanswered(due, utc(now), close, grace))
    return settled


_Window: TypeAlias = tuple[Due, datetime, datetime | None]


def _answers(windows: Iterable[_Window], observed: Iterable[datetime]) -> dict[datetime, datetime]:
    """Return which set of vitals answers which due instant: each set one at most, taken in the order of time."""
    waiting = list(windows)
    found: dict[datetime, datetime] = {}
    for seen in sorted(utc(at) for at in observed):
        # In the order of time: what has closed is over for every later set, and what is not open yet ends the search.
        closed = sum(1 for _ in takewhile(partial(_has_closed, seen), waiting))
        del waiting[:closed]
        open_now = list(takewhile(partial(_has_opened, seen), waiting))
        if open_now:
            # Equally near, the earlier: it would be missed first.
            nearest = min(open_now, key=lambda window: (abs(seen - utc(window[0].at)), utc(window[0].at)))
            waiting.remove(nearest)
            found[utc(nearest[0].at)] = seen
    return found


def _has_closed(seen: datetime, window: _Window) -> bool:
    return window[2] is not None and window[2] <= seen


def _has_opened(seen: datetime, window: _Window) -> bool:
    return window[1] <= seen


def _unanswered(due: Due, now: datetime, close: datetime | None, grace: Grace) -> SettledDue:
    if close is not None and now >= close:
        return SettledDue(due, DueState.MISSED)
    if now > utc(due.at) + grace.after:
        return SettledDue(due, DueState.OVERDUE, late_by_min=_late_min(due, now, grace))
    return SettledDue(due, DueState.DUE if now >= utc(due.at) - grace.before else DueState.UPCOMING)


def _late_min(due: Due, at: datetime, grace: Grace) -> int:
    late = utc(at) - utc(due.at)
    return late // _MINUTE if late > grace.after else 0


def next_due(settled: Iterable[SettledDue]) -> SettledDue | None:
    """Return the due time that asks for vitals first: overdue, due or upcoming, whichever is earliest."""
    waiting = {DueState.OVERDUE, DueState.DUE, DueState.UPCOMING}
    return min((line for line in settled if line.state in waiting), key=lambda line: utc(line.due.at), default=None)


def due_text(due: Due | datetime, now: datetime) -> str:
    """Return a due time in words beside the clock: "in 3 min", "due now", "4 min late".

    Whole minutes as the wall clock shows them, so that the words change when the clock does.
    """
    at = due.at if isinstance(due, Due) else due
    minutes = _clock_minute(at) - _clock_minute(now)
    if minutes == 0:
        return "due now"
    return f"in {_minutes_words(minutes)}" if minutes > 0 else f"{_minutes_words(-minutes)} late"


def _clock_minute(at: datetime) -> int:
    return (utc(at) - _EPOCH) // _MINUTE


def _minutes_words(minutes: int) -> str:
    if minutes < _LONG_MIN:
        return f"{minutes} min"
    hours, rest = divmod(minutes, _MINUTES_PER_HOUR)
    return f"{hours} h {rest} min" if rest else f"{hours} h"
