"""Proposals in words: a line for the choice, a line for what it means, and what is in the way of the rest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from clinic.core import formats, times
from clinic.scheduling.frame import Frame
from clinic.scheduling.operations import Slot
from clinic.scheduling.optimiser.nurse_load import Peak
from clinic.scheduling.optimiser.obstacles import WORDS, Obstacle
from clinic.scheduling.proposals import Kind, Proposal, Unplaced
from clinic.scheduling.rules import session_words

_NOON: Final = 12
_MOST_WEEKDAYS: Final = 3
_STARTS: Final = {Kind.MORNINGS: "Mornings", Kind.SOONEST: "Soonest", Kind.CALM: "Least load on nurses"}


@dataclass(frozen=True, slots=True)
class Option:
    """A proposal as the page offers it."""

    key: str
    title: str
    line: str
    slots: tuple[Slot, ...]
    to_place: tuple[str, ...]


def options(proposals: Iterable[Proposal], frame: Frame) -> list[Option]:
    """The proposals in words, in their order."""
    return [
        Option(each.key, _title(each), _line(each, frame), each.slots, tuple(map(_left, each.unplaced)))
        for each in proposals
    ]


def _title(proposal: Proposal) -> str:
    slots = proposal.slots
    if not slots:
        return "No place is left"
    chairs = {slot.chair.name for slot in slots}
    chair = f", chair {slots[0].chair.name}" if len(chairs) == 1 else ""
    clocks, weekdays = _clocks(slots), _weekdays(slots)
    if len(clocks) == 1 and len(weekdays) <= _MOST_WEEKDAYS and proposal.kind is not Kind.SOONEST:
        return f"{_listed(weekdays)} {clocks[0]}{chair}"
    first = f"{formats.weekday(slots[0].starts_at)} {formats.short_day(slots[0].starts_at)} {clocks[0]}"
    start = _STARTS.get(proposal.kind)
    return f"{start}: {first}{chair}" if start else f"From {first}{chair}"


def _line(proposal: Proposal, frame: Frame) -> str:
    slots = proposal.slots
    if not slots:
        return ""
    chairs = len({slot.chair.id for slot in slots})
    late = sum(times.local(slot.starts_at, formats.zone.get()).hour >= _NOON for slot in slots)
    if late in {0, len(slots)}:
        halves = "all afternoons" if late else "all mornings"
    else:
        halves = f"{len(slots) - late} mornings, {late} afternoons" if late > 1 else "all mornings but one"
    if len(slots) == 1:
        parts = [f"{'Afternoon' if late else 'Morning'}."]
    else:
        parts = [f"{'Same chair' if chairs == 1 else f'{chairs} chairs'}, {halves}."]
        parts.append(f"From {formats.short_day(slots[0].starts_at)}, done {formats.short_day(slots[-1].starts_at)}.")
    site = [f"At {proposal.site_name}."] if proposal.site_name else []
    return " ".join([*site, *parts, _nurses(proposal.peaks, frame)]).strip()


def _nurses(peaks: Sequence[Peak], frame: Frame) -> str:
    """What it does to the load: whether the nurses on duty are enough, and how many are needed at its busiest."""
    short = [peak for peak in peaks if peak.is_short]
    if short:
        more = f" and {len(short) - 1} more" if len(short) > 1 else ""
        return f"Too few nurses: {_needed(short[0], frame)}{more}."
    known = [peak for peak in peaks if peak.on_duty is not None]
    open_from = next((frame.instant(peak.day, peak.slot) for peak in peaks if peak.on_duty is None), None)
    later = f" Shifts from {formats.short_day(open_from)} on are not planned yet." if open_from else ""
    if not known:
        return later.strip()
    most = max(known, key=lambda peak: peak.rank)
    return f"Needs no extra nurse, at most {most.needed} of {most.on_duty}.{later}"


def _needed(peak: Peak, frame: Frame) -> str:
    when = frame.instant(peak.day, peak.slot)
    return f"{peak.needed} of {peak.on_duty} on {formats.short_day(when)} {formats.clock(when)}"


def _left(unplaced: Unplaced) -> str:
    """Why a session has no place: `Session 5: Wed 26-Nov no chair is free for so long`."""
    name = session_words([unplaced.number]).capitalize()
    if unplaced.has_no_gap:
        return f"{name}: the order does not say how far apart the sessions stand. Enter the days apart."
    if not unplaced.days:
        return f"{name}: waits for the one before."
    return f"{name}: {'; '.join(_runs(unplaced.days))}."


def _runs(days: Sequence[tuple[date, Obstacle]]) -> list[str]:
    """Days in a row with the same thing in the way are one entry."""
    runs: list[tuple[date, date, Obstacle]] = []
    for day, what in days:
        if runs and runs[-1][2] is what and runs[-1][1] == day - timedelta(days=1):
            runs[-1] = (runs[-1][0], day, what)
        else:
            runs.append((day, day, what))
    return [
        f"{formats.weekday(first)} {formats.short_day(first)}"
        + (f" to {formats.weekday(last)} {formats.short_day(last)}" if last != first else "")
        + f" {WORDS[what]}"
        for first, last, what in runs
    ]


def _weekdays(slots: Iterable[Slot]) -> list[str]:
    days = {times.local(slot.starts_at, formats.zone.get()).date() for slot in slots}
    by_weekday = {day.weekday(): formats.weekday(day) for day in days}
    return [by_weekday[key] for key in sorted(by_weekday)]


def _clocks(slots: Iterable[Slot]) -> list[str]:
    return list(dict.fromkeys(formats.clock(slot.starts_at) for slot in slots))


def _listed(words: Sequence[str]) -> str:
    *before, last = words
    return f"{', '.join(before)} and {last}" if before else last
