"""When vitals ought to be taken, and what became of each time. A charting reminder, not an alarm.

The interval comes from the signed order alone. One function computes the due times and one settles them, for every
screen.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import product
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
# What a time asks for that leaves open what is taken: every set holds it.
_ANYTHING: Final = frozenset[Vital | None]({None})
# From here on minutes alone are hard to read.
_LONG_MIN: Final = 120


@dataclass(frozen=True)
class Phase:
    """A stretch of the order's observation schedule.

    Times fall due `every_min` after the anchor, again and again: so often (`count`), so long (`for_min`), or until
    the anchor's own stretch of the session ends. With `after_min` the first falls due so long after the anchor (0 is
    at the anchor itself), and without `every_min` it is the only one. Where the order changed meanwhile, the
    phase speaks only from `since` until `until`. `grace_min` is that of its order.
    """

    anchor: AnchorKind
    every_min: int | None = None
    for_min: int | None = None
    count: int | None = None
    after_min: int | None = None
    wanted: frozenset[Vital] = _NOTHING
    since: datetime | None = None
    until: datetime | None = None
    grace_min: int | None = None

    def speaks(self, at: datetime) -> bool:
        """Whether its order was the one in force then."""
        return (self.since is None or at >= utc(self.since)) and (self.until is None or at < utc(self.until))


@dataclass(frozen=True)
class Anchor:
    """Something that happened and that phases count from."""

    kind: AnchorKind
    at: datetime


# Before, during and after the infusion the schedule is one line of times, one after another.
_COURSE: Final = frozenset({AnchorKind.PRECHECK, AnchorKind.START, AnchorKind.STOP})


@dataclass(frozen=True)
class Due:
    """A time at which vitals ought to be taken, and what it was counted from; `anchor` is None for a recheck.

    It is answered once all of `wanted` were taken for it, in one set or in several; with none wanted, by any set. What
    was seen up to `since` does not count: it came before the act, or is itself what asks for the recheck. `lines` are
    the lines of times that it stands in, more than one where several fall due at one instant. `grace_min` is that of
    the order which asked for it, where that is not the present one.
    """

    at: datetime
    anchor: AnchorKind | None
    wanted: frozenset[Vital] = _NOTHING
    since: datetime | None = None
    joined: frozenset[AnchorKind | None] = frozenset()
    grace_min: int | None = None

    @property
    def lines(self) -> frozenset[AnchorKind | None]:
        """The session's own course is one line; the checks after each kind of act, and the rechecks, are others."""
        return frozenset(AnchorKind.START if kind in _COURSE else kind for kind in {self.anchor, *self.joined})


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
                since = None if phase.anchor in _COURSE else utc(anchor.at)
                for at in filter(phase.speaks, _phase_times(phase, utc(anchor.at), stretch)):
                    _join(found, Due(at, phase.anchor, phase.wanted, since, grace_min=phase.grace_min))
    for recheck in rechecks:
        if utc(recheck.at) <= end:
            _join(found, replace(recheck, at=utc(recheck.at)))
    return [found[at] for at in sorted(found)]


def _join(found: dict[datetime, Due], due: Due) -> None:
    first = found.setdefault(due.at, due)
    if first is not due:
        since = max((one.since for one in (first, due) if one.since is not None), default=None)
        wanted, joined = first.wanted | due.wanted, first.joined | due.joined | {due.anchor}
        found[due.at] = replace(first, wanted=wanted, since=since, joined=joined)


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

    A set of vitals answers, with each value it holds, the nearest open time of each line that wants it (or one that was
    begun, while that is on time): of the schedule one time, and beside it the check after an act and the recheck that
    are due as well. A window reaches from `grace_before_min` before the time until another of its line falls due that
    wants something of the same. The set that completes a time answers it; past `grace_after_min` it is late. A time not
    answered is missed when its window closes, or when the session ends. `not_done` are the due instants whose vitals
    could not be taken, with a reason kept elsewhere; what was taken near them is not for the time beside them.
    """
    lines = sorted(dues, key=lambda due: utc(due.at))
    general = Grace(timedelta(minutes=grace_before_min), timedelta(minutes=grace_after_min))
    graces = [general if due.grace_min is None else Grace(*[timedelta(minutes=due.grace_min)] * 2) for due in lines]
    end = None if ends_at is None else utc(ends_at) + _INSTANT
    windows = [_Window.of(*each) for each in zip(lines, _closings(lines, end), graces, strict=True)]
    _answer(windows, observed)
    refused = {utc(at) for at in not_done}
    settled = []
    for due, window, grace in zip(lines, windows, graces, strict=True):
        if utc(due.at) in refused:
            settled.append(SettledDue(due, DueState.NOT_DONE))
        elif (seen := window.answered_at) is not None:
            settled.append(SettledDue(due, DueState.DONE, seen, _late_min(due, seen, grace)))
        else:
            settled.append(_unanswered(due, utc(now), window, grace))
    return settled


def _closings(lines: Sequence[Due], end: datetime | None) -> list[datetime | None]:
    """When the window of each due time closes: as one of its line falls due that any of its vitals would do for.

    Or at `end`. A time that leaves open what is taken is one that any vitals do for.
    """
    following: dict[tuple[AnchorKind | None, Vital | None], datetime] = {}
    found: list[datetime | None] = []
    for due in reversed(lines):
        alike = product(due.lines, {None, *(due.wanted or Vital)})
        found.append(min((following[key] for key in alike if key in following), default=end))
        following |= dict.fromkeys(product(due.lines, due.wanted or _ANYTHING), utc(due.at))
    return found[::-1]


@dataclass(eq=False)
class _Window:
    """The stretch in which a set may be taken for a due time, until when it is on time, and what it still wants."""

    due: Due
    opens: datetime
    on_time_until: datetime
    closes: datetime | None
    asks: set[Vital | None]
    is_begun: bool = False
    answered_at: datetime | None = None

    @classmethod
    def of(cls, due: Due, closes: datetime | None, grace: Grace) -> "_Window":
        at, opens = utc(due.at), utc(due.at) - grace.before
        if due.since is not None:
            opens = max(opens, utc(due.since) + _INSTANT)
        return cls(due, opens, at + grace.after, closes, set(due.wanted or _ANYTHING))

    def rank(self, at: datetime) -> tuple[bool, timedelta, datetime]:
        """Which of a line a set is for, the least first: one that was begun, while it is on time; then the nearest.

        Equally near, the earlier: it would be missed first.
        """
        goes_on = self.is_begun and at <= self.on_time_until
        return (not goes_on, abs(at - utc(self.due.at)), utc(self.due.at))


def _answer(windows: Iterable[_Window], observed: Iterable[Seen]) -> None:
    """Let each set of vitals, in the order of time, answer what it holds."""
    coming = deque(sorted(windows, key=lambda window: window.opens))
    waiting: list[_Window] = []
    for at, taken in sorted((utc(seen.at), sorted(seen.taken)) for seen in observed):
        # In the order of time: what has closed is over for every later set, and what is not open yet ends the search.
        while coming and coming[0].opens <= at:
            waiting.append(coming.popleft())
        waiting = [window for window in waiting if window.closes is None or at < window.closes]
        answers = [(window, each) for each in (None, *taken) for window in _meant(at, each, waiting)]
        for window, each in answers:
            window.asks.discard(each)
            window.is_begun = True
            if not window.asks:
                window.answered_at = at
        waiting = [window for window in waiting if window.asks]


def _meant(at: datetime, taken: Vital | None, waiting: Iterable[_Window]) -> list[_Window]:
    """Return the times that a value is for: of each line the first in rank, and first in each that it stands in."""
    wanting = [window for window in waiting if taken in window.asks]
    if len(wanting) < 2:  # noqa: PLR2004 most often there is no choice
        return wanting
    first: dict[AnchorKind | None, _Window] = {}
    for window in sorted(wanting, key=lambda window: window.rank(at)):
        for line in window.due.lines:
            first.setdefault(line, window)
    return [window for window in wanting if all(first[line] is window for line in window.due.lines)]


def _unanswered(due: Due, now: datetime, window: _Window, grace: Grace) -> SettledDue:
    wanting = frozenset(vital for vital in window.asks if vital is not None)
    if window.closes is not None and now >= window.closes:
        return SettledDue(due, DueState.MISSED, wanting=wanting)
    if now > utc(due.at) + grace.after:
        return SettledDue(due, DueState.OVERDUE, late_by_min=_late_min(due, now, grace), wanting=wanting)
    is_due = now >= utc(due.at) - grace.before
    return SettledDue(due, DueState.DUE if is_due else DueState.UPCOMING, wanting=wanting)


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
