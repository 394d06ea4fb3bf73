"""What the days of a calendar offer to each session of one course: nurses, slots, and what they cost."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from clinic.scheduling.optimiser.calendar import Calendar
from clinic.scheduling.optimiser.course_cost import notice_factor, shift_cost
from clinic.scheduling.optimiser.day import Day
from clinic.scheduling.optimiser.masks import slots, span
from clinic.scheduling.optimiser.problem import Course, Gap, Place, Problem, Session

NEVER = 1 << 40
Options = list[tuple[int, int]]
"""Costs with the slots in which a session may begin at that cost, cheapest first."""
Offered = list[tuple[int, Options]]
"""Nurses with their options on one day."""


class Choice(NamedTuple):
    """What a day offers to a session; on top comes what the nurse costs (by nurse) and the day."""

    offered: Offered
    prices: list[int]
    extra: int


class Whim(NamedTuple):
    """What makes a search find something else: days that cost more, late slots before early ones at the same cost."""

    noise: Sequence[int] | None = None
    is_late: bool = False


NO_WHIM = Whim()


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a search looks: first sessions before day `until`, booked ones only on their day.

    A day that costs more than `most` by itself is left out.
    """

    until: int
    is_staying: bool = False
    is_first_full: bool = False
    whim: Whim = NO_WHIM
    most: int = NEVER


class Wishes:
    """What stays the same about a course, however often its places are looked for."""

    def __init__(self, problem: Problem, course: Course) -> None:
        self.problem, self.course = problem, course
        self.strains = [_strains(problem, session.gap) for session in course.sessions]
        begin, end = course.preferred
        self.liked = [span(begin, end - session.shape.length + 1) for session in course.sessions]
        self.extra = [
            notice_factor(problem, session.booked) * problem.weights.move_day if session.booked else 0
            for session in course.sessions
        ]
        self._open: dict[tuple[int, int], int] = {}
        self._fits: dict[tuple[int, int, bool], dict[int, Fit]] = defaultdict(dict)

    def fits(self, clinic: int, index: int, *, is_full: bool) -> dict[int, "Fit"]:
        """By day: what was found out about a session there."""
        return self._fits[clinic, index, is_full]

    def may_start(self, day: int, length: int) -> int:
        """The slots of a day in which the patient has time for so long a session."""
        # Days without hours of their own share those of their weekday, which stand below zero.
        is_special = day in self.course.exceptions
        key = (day if is_special else -1 - self.problem.weekdays[day], length)
        known = self._open.get(key)
        if known is None:
            windows = self.course.exceptions[day] if is_special else self.course.weekly[self.problem.weekdays[day]]
            known = 0
            for begin, end in windows:
                known |= span(begin, end - length + 1)
            self._open[key] = known
        return known

    @cached_property
    def is_tied(self) -> list[bool]:
        """By session: whether its start may come too soon after the start of the one before."""
        days = [record for clinic, _ in self.course.clinics for record in self.problem.clinics[clinic].days.values()]
        widest = max((day.close - day.open for day in days), default=0)
        change = max((day.utc_offset for day in days), default=0) - min((day.utc_offset for day in days), default=0)
        return [
            index > 0
            and session.gap is not None
            and session.gap.later_by(session.gap.least, change, self.problem.slot_minutes) > -widest
            for index, session in enumerate(self.course.sessions)
        ]


def _strains(problem: Problem, gap: Gap | None) -> list[int]:
    return [problem.weights.gap * gap.strain(days) for days in range(gap.least, gap.most + 1)] if gap else []


class Fit(NamedTuple):
    """What holds for a session on a day, whatever else stands there."""

    free: int  # the slots in which the patient may come, and the session before is long enough ago
    extra: int  # what it costs to be on this day
    stands: Place | None  # where the session stands on this day
    key: Hashable  # sessions with the same key are offered the same


class Offers:
    """What one clinic's days offer to a course as the calendar stands now; `choices` by session and day."""

    def __init__(self, wishes: Wishes, calendar: Calendar, clinic: int, penalty: int, scope: Scope) -> None:
        self._wishes, self._course = wishes, wishes.course
        self._problem, self._weights = wishes.problem, wishes.problem.weights
        self._calendar, self._clinic, self._penalty, self._scope = calendar, clinic, penalty, scope
        self.days: dict[int, Day] = calendar.days[clinic]
        tied = wishes.is_tied
        # A session whose start matters to a neighbour needs all its options; of others the cheapest is enough.
        self.is_full = [here or after for here, after in zip(tied, [*tied[1:], False], strict=True)]
        self.is_full[0] |= scope.is_first_full
        self.choices = self._all_choices()

    def _all_choices(self) -> list[dict[int, Choice]]:
        visits = self._calendar.visits(self._course.patient)
        choices: list[dict[int, Choice]] = []
        numbers: Iterable[int] = self._first_days()
        for index, session in enumerate(self._course.sessions):
            here: dict[int, Choice] = {}
            prices: dict[int, list[int]] = {}
            fits = self._wishes.fits(self._clinic, index, is_full=self.is_full[index])
            for number in numbers:
                if number in self.days and number not in visits:
                    fit = fits.get(number)
                    if fit is None:
                        fit = fits[number] = self._fit(index, session, self.days[number])
                    if fit.free:
                        self._offer(index, number, fit, here, prices)
            choices.append(here)
            if index + 1 < len(self._course.sessions):
                numbers = self._days_after(here, self._course.sessions[index + 1].gap)
        return choices

    def _first_days(self) -> range:
        done, gap = self._course.last_done, self._course.sessions[0].gap
        if done is None or gap is None:
            affordable = self._scope.most // max(1, self._weights.delay * self._course.priority)
            until = min(self._scope.until, self._problem.length, self._course.release + affordable + 1)
            return range(max(0, self._course.release), until)
        return range(max(0, done.day + gap.least), min(self._problem.length, done.day + gap.most + 1))

    def _days_after(self, here: Iterable[int], gap: Gap | None) -> Iterable[int]:
        reached = 0
        if gap is not None:
            window = span(gap.least, gap.most + 1)
            for number in here:
                reached |= window << number
        return slots(reached & span(0, self._problem.length))

    def _offer(self, index: int, number: int, fit: Fit, here: dict[int, Choice], prices: dict[int, list[int]]) -> None:
        """Note what a day offers to a session, if it offers anything."""
        if self._scope.is_staying and fit.stands is None and self._course.sessions[index].booked is not None:
            return
        noise = self._scope.whim.noise
        extra = fit.extra + self._penalty + (noise[number] if noise else 0)
        if extra > self._scope.most:
            return
        day = self.days[number]
        offers = day.offers
        offered: Offered | None = offers.get(fit.key)
        if offered is None:
            offered = offers[fit.key] = self._open_to(index, day, fit)
        if offered:
            week = self._problem.weeks[number]
            if week not in prices:
                prices[week] = self._calendar.prices(self._clinic, number, self._course.sessions[index].shape)
            here[number] = Choice(offered, prices[week], extra)

    def _fit(self, index: int, session: Session, day: Day) -> Fit:
        booked, free, extra = session.booked, self._free(index, session, day), self._wishes.extra[index]
        stands = booked if booked and (booked.clinic, booked.day) == (self._clinic, day.number) else None
        if stands:
            extra = 0
        elif session.is_fixed:
            free = 0
        able = self._course.able.get(day.number)
        key = session.shape, free, self._wishes.liked[index], self.is_full[index], stands, able
        return Fit(free, extra, stands, key)

    def _open_to(self, index: int, day: Day, fit: Fit) -> Offered:
        """The options of each nurse within a mask, for a session that stands on this day or comes to it."""
        openings = day.openings(self._course.sessions[index].shape)
        if fit.stands is not None:
            return self._open_to_booked(index, fit.stands, day, fit.free)
        liked, is_full = self._wishes.liked[index], self.is_full[index]
        offered = []
        for nurse, mask in openings.nurses:
            if not self._course.may_have(day.number, nurse):
                continue
            if options := self._options(openings.by_level, mask & fit.free, liked, is_full=is_full):
                offered.append((nurse, options))
        return offered

    def _free(self, index: int, session: Session, day: Day) -> int:
        """The slots in which the patient may come, and the session before is long enough ago."""
        free = self._wishes.may_start(day.number, session.shape.length)
        done = self._course.last_done
        if index == 0 and done and session.gap:
            change = day.offset - done.utc_offset
            later = session.gap.later_by(day.number - done.day, change, self._problem.slot_minutes) + done.start
            free = free >> later << later if later > 0 else free
        if session.booked is not None and session.is_fixed:
            free &= 1 << session.booked.start
        return free

    def _options(self, by_level: Options, mask: int, liked: int, *, is_full: bool) -> Options:
        """The options within a mask: all of them, or the cheapest alone."""
        level, preference = self._weights.level, self._weights.preference
        found: dict[int, int] = {}
        best = NEVER
        for above, part in by_level:
            cost = above * level
            if cost >= best and not is_full:
                break
            here = part & mask
            if not here:
                continue
            if near := here & liked:
                found[cost] = found.get(cost, 0) | near
                best = min(best, cost)
            if far := here & ~liked:
                found[cost + preference] = found.get(cost + preference, 0) | far
                best = min(best, cost + preference)
        if is_full:
            return sorted(found.items())
        return [(best, found[best])] if found else []

    def _open_to_booked(self, index: int, booked: Place, day: Day, free: int) -> Offered:
        """On the day where it stands now, each slot, nurse and chair has its own cost of moving."""
        weights, factor = self._weights, notice_factor(self._problem, booked)
        shape, liked = self._course.sessions[index].shape, self._wishes.liked[index]
        openings = day.openings(shape)
        chair = day.chair_is_free(booked.chair, shape)
        offered = []
        for nurse, mask in openings.nurses:
            if not self._course.may_have(day.number, nurse):
                continue
            same = 0 if nurse == booked.nurse else factor * weights.nurse_change
            found: dict[int, int] = {}
            for above, part in openings.by_level:
                for slot in slots(part & mask & free):
                    cost = same + above * weights.level + factor * shift_cost(weights, booked.start - slot)
                    cost += 0 if liked >> slot & 1 else weights.preference
                    cost += 0 if chair >> slot & 1 else factor * weights.chair_change
                    found[cost] = found.get(cost, 0) | 1 << slot
            if found:
                offered.append((nurse, sorted(found.items())))
        return offered
