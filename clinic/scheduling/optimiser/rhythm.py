"""Whole courses that a patient can keep in mind: always the same chair and the same time, the days in one rhythm.

A rhythm is a list of days. Where the order leaves room it is a set of weekdays, so many times a week that the days
stand in the middle of what the order allows: a session can then be moved later in both directions.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations, product
from typing import NamedTuple

from clinic.scheduling.optimiser.calendar import Calendar
from clinic.scheduling.optimiser.course_offers import Wishes
from clinic.scheduling.optimiser.masks import slots
from clinic.scheduling.optimiser.problem import Course, Gap, Place, Problem

_WEEK = 7
_DIVIDED_BY_ALL = 420
# First days are looked for so long after the first that the order allows.
_FIRST_DAYS = 21


class Anchor(NamedTuple):
    """The chair and the slot in which the course has been so far."""

    chair: int
    start: int


class _Way(NamedTuple):
    """One rhythm with the slots that are open in one chair, or in any (-1), on all of its days."""

    days: tuple[int, ...]
    chair: int
    mask: int


class RhythmSearch:
    """Looks for a steady way to place one course, in its first clinic."""

    def __init__(self, problem: Problem, course: Course, calendar: Calendar) -> None:
        self._problem, self._course, self._calendar = problem, course, calendar
        self._wishes = Wishes(problem, course)
        self._clinic = course.clinics[0][0]
        self._days = calendar.days[self._clinic]
        self._chairs = range(len(problem.clinics[self._clinic].chairs))
        self._known: dict[tuple[int, int], int] = {}

    def steady(self, anchor: Anchor | None = None) -> tuple[Place, ...]:
        """The places of all sessions, or none: in one chair where one is free on all days, else at one time."""
        for days in self._rhythms():
            way = self._way(days, anchor)
            if way is not None:
                return self._places(way, anchor)
        return ()

    def _way(self, days: tuple[int, ...], anchor: Anchor | None) -> _Way | None:
        ways = [_Way(days, chair, self._open_on_all(days, chair)) for chair in self._chairs]
        ways = [way for way in ways if way.mask]
        if anchor is not None:
            same = [way for way in ways if way.chair == anchor.chair and way.mask >> anchor.start & 1]
            ways = same or ways
        if ways:
            return min(ways, key=lambda way: (way.mask & -way.mask, way.chair))
        mask = self._open_on_all(days, -1)
        return _Way(days, -1, mask) if mask else None

    def _open_on_all(self, days: Sequence[int], chair: int) -> int:
        mask = -1
        for index, day in enumerate(days):
            mask &= self._open(index, day, chair)
            if not mask:
                break
        return mask

    def _open(self, index: int, number: int, chair: int) -> int:
        """The slots in which a session could begin in a chair, or in any."""
        key = (number, chair)
        known = self._known.get(key)
        if known is None:
            shape = self._course.sessions[index].shape
            day = self._days.get(number)
            known = 0
            if day is not None and number not in self._calendar.visits(self._course.patient):
                if chair < 0:
                    for nurse, mask in day.openings(shape).nurses:
                        known |= mask if self._course.may_have(number, nurse) else 0
                    known &= self._wishes.may_start(number, shape.length)
                elif every := self._open(index, number, -1):
                    known = every & day.chair_is_free(chair, shape)
            self._known[key] = known
        return known

    # --- rhythms ---

    def _rhythms(self) -> Iterator[tuple[int, ...]]:
        """Lists of days, those that are in the middle of what the order allows and begin soon first."""
        gap = next((session.gap for session in self._course.sessions[1:]), None)
        firsts = list(self._firsts())
        if gap is not None and gap.ideal[0] < gap.ideal[1]:
            for group in _weeks(gap):
                for first, weekdays in product(firsts, group):
                    if self._problem.weekdays[first] in weekdays:
                        yield from self._whole(first, [weekdays] * len(self._course.sessions))
        for first in firsts:
            yield from self._whole(first, [None] * len(self._course.sessions))

    def _firsts(self) -> range:
        course, length = self._course, self._problem.length
        gap, done = course.sessions[0].gap, course.last_done
        if done is not None and gap is not None:
            return range(max(0, done.day + gap.least), min(length, done.day + gap.most + 1))
        return range(max(0, course.release), min(length, course.release + _FIRST_DAYS))

    def _whole(self, first: int, weekdays: Sequence[frozenset[int] | None]) -> Iterator[tuple[int, ...]]:
        days = [first]
        for session, wanted in zip(self._course.sessions[1:], weekdays[1:], strict=True):
            day = self._following(days[-1], session.gap, wanted)
            if day is None:
                return
            days.append(day)
        if all(self._open(index, day, -1) for index, day in enumerate(days)):
            yield tuple(days)

    def _following(self, day: int, gap: Gap | None, weekdays: frozenset[int] | None) -> int | None:
        """The next day of a rhythm: on its weekdays, else as soon as the order expects it on a day that is open."""
        if gap is None:
            return None
        soonest = gap.least if weekdays else gap.ideal[0]
        for number in range(day + soonest, min(self._problem.length, day + gap.most + 1)):
            if self._problem.weekdays[number] in weekdays if weekdays else self._open(1, number, -1):
                return number
        return None

    # --- places ---

    def _places(self, way: _Way, anchor: Anchor | None) -> tuple[Place, ...]:
        is_kept = anchor is not None and way.mask >> anchor.start & 1
        start = anchor.start if anchor is not None and is_kept else next(slots(way.mask))
        able = [self._able(index, day, start) for index, day in enumerate(way.days)]
        everybody = sorted({nurse for nurses in able for nurse in nurses})
        main = max(everybody, key=lambda nurse: sum(nurse in nurses for nurses in able))
        return tuple(
            Place(
                self._clinic,
                day,
                start,
                way.chair if way.chair >= 0 else self._days[day].best_chair(session.shape, start),
                main if main in nurses else nurses[0],
            )
            for session, day, nurses in zip(self._course.sessions, way.days, able, strict=True)
        )

    def _able(self, index: int, day: int, start: int) -> list[int]:
        openings = self._days[day].openings(self._course.sessions[index].shape)
        return [nurse for nurse, mask in openings.nurses if mask >> start & 1 and self._course.may_have(day, nurse)]


def _weeks(gap: Gap) -> list[list[frozenset[int]]]:
    """Sets of weekdays that keep the gap round the year: groups, the most even in the middle of the gap first."""
    groups: dict[tuple[int, int], list[frozenset[int]]] = defaultdict(list)
    for count in range(1, _WEEK + 1):
        # How far the mean gap, 7 / count, is from the middle, times a number that every count divides.
        off = abs(2 * _WEEK - count * (gap.least + gap.most)) * (_DIVIDED_BY_ALL // count)
        for days in combinations(range(_WEEK), count):
            gaps = [(after - before - 1) % _WEEK + 1 for before, after in zip(days, (*days[1:], days[0]), strict=True)]
            if gap.least <= min(gaps) and max(gaps) <= gap.most:
                groups[off, max(gaps) - min(gaps)].append(frozenset(days))
    return [groups[key] for key in sorted(groups)]
