"""When vitals ought to be taken, and what became of each time. A charting reminder, not an alarm.

The interval comes from the signed order alone. One function computes the due times and one settles them, for every
screen.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from itertools import takewhile
from typing import Final

from clinic.core.times import utc
from clinic.protocols.limit_rules import Vital
from clinic.protocols.rules import Anchor as AnchorKind
from clinic.protocols.vital_names import listed

__all__ = [
    "Anchor",
    "AnchorKind",
    "Due",
    "DueState",
    "Phase",
    "Seen",
    "SettledDue",
    "due_text",
    "due_times",
    "next_due",
    "settle",
    "wanting_text",
]

_MINUTE: Final = timedelta(minutes=1)
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_INSTANT: Final = timedelta(microseconds=1)
_MINUTES_PER_HOUR: Final = 60
_NOTHING: Final = frozenset[Vital]()
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
    wanted: frozenset[Vital] = _NOTHING


@dataclass(frozen=True)
class Anchor:
    """Something that happened and that phases count from."""

    kind: AnchorKind
    at: datetime


@dataclass(frozen=True)
class Due:
    """A time at which vitals ought to be taken, and what it was counted from; `anchor` is None for a recheck.

    It is answered once all of `wanted` were taken for it, in one set or in several; with none wanted, by any set.
    """

    at: datetime
    anchor: AnchorKind | None
    wanted: frozenset[Vital] = _NOTHING


@dataclass(frozen=True)
class Seen:
    """A set of vitals: when it was seen and what it holds."""

    at: datetime
    taken: frozenset[Vital] = _NOTHING


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

    `observed_at` is the set that answered it. `late_by_min` are the whole minutes that set came after it, or, while it
    is still open, those that passed since; 0 within the grace. `wanting` is what of the wanted vitals was not taken.
    """

    due: Due
    state: DueState
    observed_at: datetime | None = None
    late_by_min: int = 0
    wanting: frozenset[Vital] = _NOTHING

    @property
    def is_begun(self) -> bool:
        """Whether some of what was wanted was taken and some is still wanting."""
        return bool(self.wanting) and self.wanting != self.due.wanted


def due_times(
    phases: Iterable[Phase],
    anchors: Sequence[Anchor],
    until: datetime,
    ends_at: datetime | None = None,
    *,
    rechecks: Iterable[Due] = (),
) -> list[Due]:
    """Return every due time up to `until` (that instant included), earliest first, each instant once.

    Phases that count from the start, a rate change or a pause run until the next stop: a pause ends none of them.
    Phases of recovery run from a stop to the next start, those of the pre-check to the start; after a bolus or an
    as-needed dose they run their own length. Nothing falls due after `ends_at`, when the session was closed.
    `rechecks` are single times set by a value outside its limit. What falls due at one instant is one set, with
    everything that any of its phases wants.
    """
    end = utc(until) if ends_at is None else min(utc(until), utc(ends_at))
    found: dict[datetime, Due] = {}
    for phase in phases:
        for anchor in anchors:
            if anchor.kind is phase.anchor:
                stretch = min(end, _end_of_stretch(anchor, anchors) or end)
                for at in _phase_times(phase, utc(anchor.at), stretch):
                    _join(found, Due(at, phase.anchor, phase.wanted))
    for recheck in rechecks:
        if utc(recheck.at) <= end:
            _join(found, replace(recheck, at=utc(recheck.at)))
    return [found[at] for at in sorted(found)]


def _join(found: dict[datetime, Due], due: Due) -> None:
    first = found.setdefault(due.at, due)
    if not due.wanted <= first.wanted:
        found[due.at] = replace(first, wanted=first.wanted | due.wanted)


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
    observed: Iterable[Seen],
    now: datetime,
    *,
    not_done: Iterable[datetime] = (),
    grace_before_min: int,
    grace_after_min: int,
    ends_at: datetime | None = None,
) -> list[SettledDue]:
    """Return what became of each due time by `now`, earliest first.

    A set of vitals goes to the nearest open due time whose window it falls in and that wants something of it: from
    `grace_before_min` before it until the next one falls due. The set that completes it answers it; past
    `grace_after_min` it is late. A time not answered is missed as soon as the next falls due, or when the session ends.
    `not_done` are the due instants whose vitals could not be taken, with a reason kept elsewhere.
    """
    lines = sorted(dues, key=lambda due: utc(due.at))
    grace = Grace(timedelta(minutes=grace_before_min), timedelta(minutes=grace_after_min))
    # A window closes when the next time falls due; the last one closes with the session.
    closes = [utc(due.at) for due in lines[1:]] + [None if ends_at is None else utc(ends_at) + _INSTANT] * bool(lines)
    windows = [
        _Window(utc(due.at), utc(due.at) - grace.before, close, due.wanted)
        for due, close in zip(lines, closes, strict=True)
    ]
    refused = {utc(at) for at in not_done}
    _answer([window for window in windows if window.due_at not in refused], observed)
    settled = []
    for due, window in zip(lines, windows, strict=True):
        if window.due_at in refused:
            settled.append(SettledDue(due, DueState.NOT_DONE))
        elif (seen := window.answered_at) is not None:
            settled.append(SettledDue(due, DueState.DONE, seen, _late_min(due, seen, grace)))
        else:
            settled.append(replace(_unanswered(due, utc(now), window.closes, grace), wanting=window.wanting))
    return settled


@dataclass
class _Window:
    """The stretch in which a set may be taken for a due time, and what it still wants."""

    due_at: datetime
    opens: datetime
    closes: datetime | None
    wanting: frozenset[Vital]
    answered_at: datetime | None = None


def _answer(windows: Iterable[_Window], observed: Iterable[Seen]) -> None:
    """Give each set of vitals, in the order of time, to one due time at most."""
    waiting = list(windows)
    for at, taken in sorted((utc(seen.at), sorted(seen.taken)) for seen in observed):
        # In the order of time: what has closed is over for every later set, and what is not open yet ends the search.
        closed = sum(1 for _ in takewhile(partial(_has_closed, at), waiting))
        del waiting[:closed]
        open_now = takewhile(partial(_has_opened, at), waiting)
        fitting = [window for window in open_now if not window.wanting or not window.wanting.isdisjoint(taken)]
        if fitting:
            # Equally near, the earlier: it would be missed first.
            nearest = min(fitting, key=lambda window: (abs(at - window.due_at), window.due_at))
            nearest.wanting -= frozenset(taken)
            if not nearest.wanting:
                nearest.answered_at = at
                waiting.remove(nearest)


def _has_closed(seen: datetime, window: _Window) -> bool:
    return window.closes is not None and window.closes <= seen


def _has_opened(seen: datetime, window: _Window) -> bool:
    return window.opens <= seen


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


def wanting_text(line: SettledDue) -> str:
    """Return what a due time asks for, "BP and HR wanted"; "" where the order leaves it open or nothing is wanting."""
    if not line.wanting:
        return ""
    return f"{listed(line.wanting)} {'still ' if line.is_begun else ''}wanted"


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
