"""When vitals ought to be taken, and what became of each time. A charting reminder, not an alarm.

The interval comes from the signed order alone. One function computes the due times and one settles them, for every
screen.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
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

    A set of vitals goes to one open due time whose window it falls in and that wants something of it: to the one that
    it goes on with while that is on time, else to the nearest. A window reaches from `grace_before_min` before the time
    until another one falls due that wants something of the same. The set that completes a time answers it; past
    `grace_after_min` it is late. A time not answered is missed when its window closes, or when the session ends.
    `not_done` are the due instants whose vitals could not be taken, with a reason kept elsewhere; the sets that are
    theirs are no other time's.
    """
    lines = sorted(dues, key=lambda due: utc(due.at))
    grace = Grace(timedelta(minutes=grace_before_min), timedelta(minutes=grace_after_min))
    end = None if ends_at is None else utc(ends_at) + _INSTANT
    windows = [
        _Window(utc(due.at), utc(due.at) - grace.before, utc(due.at) + grace.after, close, due.wanted, due.wanted)
        for due, close in zip(lines, _closings(lines, end), strict=True)
    ]
    _answer(windows, observed)
    refused = {utc(at) for at in not_done}
    settled = []
    for due, window in zip(lines, windows, strict=True):
        if window.due_at in refused:
            settled.append(SettledDue(due, DueState.NOT_DONE))
        elif (seen := window.answered_at) is not None:
            settled.append(SettledDue(due, DueState.DONE, seen, _late_min(due, seen, grace)))
        else:
            settled.append(replace(_unanswered(due, utc(now), window.closes, grace), wanting=window.wanting))
    return settled


def _closings(lines: Sequence[Due], end: datetime | None) -> list[datetime | None]:
    """When the window of each due time closes: as the next falls due that any of its vitals would do for, or at `end`.

    A time that leaves open what is taken is one that any vitals do for.
    """
    following: dict[Vital | None, datetime] = {}  # None stands for times that want no vital in particular
    found: list[datetime | None] = []
    for due in reversed(lines):
        alike = [following[vital] for vital in {None, *(due.wanted or Vital)} if vital in following]
        found.append(min(alike, default=end))
        following |= dict.fromkeys(due.wanted or [None], utc(due.at))
    return found[::-1]


@dataclass
class _Window:
    """The stretch in which a set may be taken for a due time, until when it is on time, and what it still wants."""

    due_at: datetime
    opens: datetime
    on_time_until: datetime
    closes: datetime | None
    wanted: frozenset[Vital]
    wanting: frozenset[Vital]
    answered_at: datetime | None = None


def _answer(windows: Sequence[_Window], observed: Iterable[Seen]) -> None:
    """Give each set of vitals, in the order of time, to one due time at most."""
    coming = deque(windows)
    waiting: list[_Window] = []
    for at, taken in sorted((utc(seen.at), sorted(seen.taken)) for seen in observed):
        # In the order of time: what has closed is over for every later set, and what is not open yet ends the search.
        while coming and coming[0].opens <= at:
            waiting.append(coming.popleft())
        waiting = [window for window in waiting if window.closes is None or at < window.closes]
        fitting = [window for window in waiting if not window.wanting or not window.wanting.isdisjoint(taken)]
        if fitting:
            chosen = min(fitting, key=partial(_rank, at))
            chosen.wanting -= frozenset(taken)
            if not chosen.wanting:
                chosen.answered_at = at
                waiting.remove(chosen)


def _rank(at: datetime, window: _Window) -> tuple[bool, timedelta, datetime]:
    """Which due time a set is for, the least first: one that was begun, while it is on time; then the nearest.

    Equally near, the earlier: it would be missed first.
    """
    goes_on = window.wanting != window.wanted and at <= window.on_time_until
    return (not goes_on, abs(at - window.due_at), window.due_at)


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
