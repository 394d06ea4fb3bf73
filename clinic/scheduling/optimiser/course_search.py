"""The cheapest places of one whole course among all that is free: an exact search.

A programme over sessions and days, from the last session back to the first. Per day it keeps the slots in which a
session may begin, as masks with what the rest of the course costs from there. The nurse whom a course sees most is
tried in turn, because sessions with anybody else cost the same whoever that is; the same search without that cost tells
when no further nurse can do better.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import add, attrgetter

from clinic.scheduling.optimiser.calendar import Calendar
from clinic.scheduling.optimiser.course_cost import wait_cost
from clinic.scheduling.optimiser.course_offers import NEVER, NO_WHIM, Choice, Offers, Options, Scope, Whim, Wishes
from clinic.scheduling.optimiser.masks import span
from clinic.scheduling.optimiser.problem import Course, Place, Problem

# A first session is looked for in this many days from its release on, then in more: most stand early.
NEAR_DAYS, FAR_DAYS = 8, 20


@dataclass(frozen=True, slots=True)
class Found:
    """Places for the first sessions of a course, and what the search expects them to cost."""

    cost: int
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class _Table:
    """The search with one main nurse: per session and day the options with the cost of all that follows."""

    main: int | None
    rows: list[dict[int, Options]]
    cheapest: int


class CourseSearch:
    """Looks for the places of one course."""

    def __init__(self, problem: Problem, course: Course) -> None:
        self._problem, self._course = problem, course
        self._wishes = Wishes(problem, course)
        self._leave_cost = min((cost for cost in self._wishes.extra if cost), default=0)
        begin = max(0, course.release)
        self._horizons = [] if course.last_done else [begin + NEAR_DAYS, begin + FAR_DAYS]
        self._horizons.append(problem.length)

    def best(self, calendar: Calendar, whim: Whim = NO_WHIM, most: int = NEVER) -> Found:
        """Cheap places; sessions at the end stay unplaced where that costs less.

        Exact but for the main nurse, for whom only the one who offers herself is tried. No places at all where they
        would cost more than `most`.
        """
        found = Found(min(_stop_costs(self._problem, self._course)[0], most + 1), ())
        if self._leave_cost:
            scope = Scope(self._problem.length, is_staying=True, whim=whim, most=found.cost)
            found = self._best_within(calendar, scope, found)
            if found.cost <= self._leave_cost:
                return found
        first = self._course.sessions[0]
        for until in self._horizons:
            found = self._best_within(calendar, Scope(until, whim=whim, most=found.cost), found)
            if found.cost <= wait_cost(self._problem.weights, self._course, first, None, until):
                break
        return found

    def _best_within(self, calendar: Calendar, scope: Scope, found: Found) -> Found:
        for clinic, penalty in self._course.clinics:
            found = self._within(calendar, clinic, penalty, scope).best(found)
        return found

    def _within(self, calendar: Calendar, clinic: int, penalty: int, scope: Scope) -> "_ClinicSearch":
        offers = Offers(self._wishes, calendar, clinic, penalty, scope)
        return _ClinicSearch(offers, self._wishes, clinic, is_late=scope.whim.is_late)

    def proposals(self, calendar: Calendar, count: int) -> list[Found]:
        """Ways to place the course, cheapest first, that begin on different days or in different halves of a day."""
        noon = 12 * 60 // self._problem.slot_minutes
        firsts: dict[tuple[int, int, bool], tuple[int, _ClinicSearch, _Table, int, int]] = {}

        def bar() -> int:
            costs = sorted(first[0] for first in firsts.values())
            return costs[count - 1] if len(costs) >= count else NEVER

        scope = Scope(self._problem.length, is_first_full=True)
        for clinic, penalty in self._course.clinics:
            search = self._within(calendar, clinic, penalty, scope)
            for table in search.tables(bar):
                for cost, day, mask in search.firsts(table):
                    for is_late, part in ((False, mask & span(0, noon)), (True, mask >> noon << noon)):
                        key = (clinic, day, is_late)
                        if part and cost < firsts.get(key, (NEVER,))[0]:
                            firsts[key] = (cost, search, table, day, part)
        chosen = sorted(firsts.values(), key=lambda first: (first[0], first[3], first[4] & -first[4]))[:count]
        return [search.follow(table, cost, day, part) for cost, search, table, day, part in chosen]


def _stop_costs(problem: Problem, course: Course) -> list[int]:
    """By number of placed sessions: what it costs to leave the others unplaced."""
    price = problem.weights.unplaced * course.priority
    return [price * left for left in range(len(course.sessions), -1, -1)]


class _ClinicSearch:
    """One course in one clinic as the calendar stands now."""

    def __init__(self, offers: Offers, wishes: Wishes, clinic: int, *, is_late: bool) -> None:
        self._offers, self._wishes, self._clinic = offers, wishes, clinic
        self._problem, self._weights = wishes.problem, wishes.problem.weights
        self._course, self._sessions = wishes.course, wishes.course.sessions
        self._is_late = is_late
        self._stop = _stop_costs(wishes.problem, wishes.course)

    def best(self, found: Found) -> Found:
        """What is found here, if it costs less than what is found already."""
        if not self._offers.choices[0]:
            return found
        table = self._table(None)
        if table.cheapest >= found.cost:
            return found
        here = self._follow_cheapest(table)
        if here.cost > table.cheapest:
            nurses = Counter(place.nurse for place in here.places)
            again = self._follow_cheapest(self._table(nurses.most_common(1)[0][0]))
            here = min(here, again, key=attrgetter("cost"))
        return min(found, here, key=attrgetter("cost"))

    def _follow_cheapest(self, table: _Table) -> Found:
        found = self.follow(table, *min(self.firsts(table)))
        if table.main is not None:
            return found
        nurses = Counter(place.nurse for place in found.places)
        changes = len(found.places) - max(nurses.values())
        return Found(found.cost + self._weights.continuity * changes, found.places)

    # --- from the last session back to the first ---

    def tables(self, bar: Callable[[], int]) -> Iterator[_Table]:
        """The search with each main nurse, as long as a further one could be cheaper than the bar."""
        if not self._offers.choices[0]:
            return
        lowest = self._table(None).cheapest
        choices = (choice for here in self._offers.choices for choice in here.values())
        nurses = {nurse for choice in choices for nurse, _ in choice.offered}
        for nurse in sorted(nurses):
            if lowest >= bar():
                return
            yield self._table(nurse)

    def _table(self, main: int | None) -> _Table:
        rows: list[dict[int, Options]] = [{} for _ in self._sessions]
        after = [NEVER] * (2 * self._problem.length)
        for index in range(len(self._sessions) - 1, -1, -1):
            is_last = index + 1 == len(self._sessions)
            row = rows[index]
            best = [NEVER] * (2 * self._problem.length)
            for number, choice in self._offers.choices[index].items():
                options = self._merged(choice, main, is_full=self._offers.is_full[index])
                if is_last:
                    row[number] = options
                elif self._wishes.is_tied[index + 1]:
                    row[number] = self._with_steps(options, self._steps(index + 1, number, rows[index + 1]))
                else:
                    rest = min(self._stop[index + 1], self._rest(index + 1, number, after))
                    row[number] = [(cost + rest, mask) for cost, mask in options]
                if row[number]:
                    best[number] = row[number][0][0]
            after = best
        cheapest = min((cost for cost, _, _ in self.firsts(_Table(main, rows, 0))), default=NEVER)
        return _Table(main, rows, cheapest)

    def _merged(self, choice: Choice, main: int | None, *, is_full: bool) -> Options:
        """The options of all nurses, anybody but the main nurse at the price of a change."""
        change = self._weights.continuity if main is not None else 0
        offered, prices, extra = choice
        if not is_full:
            best, here = NEVER, 0
            for nurse, options in offered:
                cost = options[0][0] + prices[nurse] + (change if nurse != main else 0)
                if cost < best:
                    best, here = cost, options[0][1]
            return [(best + extra, here)]
        found: dict[int, int] = {}
        for nurse, options in offered:
            more = extra + prices[nurse] + (change if nurse != main else 0)
            for cost, mask in options:
                found[cost + more] = found.get(cost + more, 0) | mask
        return sorted(found.items())

    def _rest(self, index: int, number: int, after: list[int]) -> int:
        """What the sessions from `index` on cost at least, after one on day `number`."""
        gap = self._sessions[index].gap
        if gap is None:
            return NEVER
        window = after[number + gap.least : number + gap.most + 1]
        return min(map(add, self._wishes.strains[index], window), default=NEVER)

    def _steps(self, index: int, number: int, row: dict[int, Options]) -> list[tuple[int, int]]:
        """What the sessions from `index` on cost, with the latest slot of day `number` for which that holds."""
        gap = self._sessions[index].gap
        minutes = self._problem.slot_minutes
        steps = [(self._stop[index], 48 * 60 // minutes)] if self._stop[index] < NEVER else []
        if gap is None:
            return steps
        offset = self._offers.days[number].offset
        for days, strain in enumerate(self._wishes.strains[index], start=gap.least):
            options = row.get(number + days)
            if options:
                later = gap.later_by(days, self._offers.days[number + days].offset - offset, minutes)
                steps += [(cost + strain, mask.bit_length() - 1 - later) for cost, mask in options]
        return sorted(steps)

    def _with_steps(self, options: Options, steps: list[tuple[int, int]]) -> Options:
        found: dict[int, int] = {}
        for cost, mask in options:
            left = mask
            for rest, latest in steps:
                here = left & ((1 << (latest + 1)) - 1) if latest >= 0 else 0
                if here:
                    found[cost + rest] = found.get(cost + rest, 0) | here
                    left &= ~here
                    if not left:
                        break
        return sorted(found.items())

    # --- from the first session on ---

    def firsts(self, table: _Table) -> Iterator[tuple[int, int, int]]:
        """Every way to begin: cost of the whole course, day, slots."""
        done = self._course.last_done
        before = done.day if done else None
        for number, options in table.rows[0].items():
            wait = wait_cost(self._weights, self._course, self._sessions[0], before, number)
            for cost, mask in options:
                yield cost + wait, number, mask

    def follow(self, table: _Table, cost: int, number: int, mask: int) -> Found:
        """The places of a course that begins on a day in one of these slots."""
        place = self._place(0, number, self._slot(mask), table.main)
        places = [place]
        for index in range(1, len(self._sessions)):
            onward = self._next(index, table, place)
            if onward is None:
                break
            place = self._place(index, *onward, table.main)
            places.append(place)
        return Found(cost, tuple(places))

    def _next(self, index: int, table: _Table, before: Place) -> tuple[int, int] | None:
        """Day and slot of the next session, or None where it costs less to leave it unplaced."""
        gap = self._sessions[index].gap
        best, answer = self._stop[index], None
        if gap is None:
            return None
        offset, minutes = self._offers.days[before.day].offset, self._problem.slot_minutes
        for days, strain in enumerate(self._wishes.strains[index], start=gap.least):
            number = before.day + days
            earliest = 0
            if self._wishes.is_tied[index] and number in self._offers.days:
                later = gap.later_by(days, self._offers.days[number].offset - offset, minutes)
                earliest = max(0, before.start + later)
            for cost, mask in table.rows[index].get(number, ()):
                left = mask >> earliest << earliest
                if left:
                    if cost + strain < best:
                        best, answer = cost + strain, (number, self._slot(left))
                    break
        return answer

    def _slot(self, mask: int) -> int:
        """One of several slots that cost the same: the first, or the last on a whim."""
        return (mask if self._is_late else mask & -mask).bit_length() - 1

    def _place(self, index: int, number: int, slot: int, main: int | None) -> Place:
        """The nurse who costs least at this day and slot, and a chair."""
        session, day = self._sessions[index], self._offers.days[number]
        change = self._weights.continuity
        offered, prices, _ = self._offers.choices[index][number]
        nurse = min(
            (cost + prices[nurse] + (change if nurse != main else 0), nurse)
            for nurse, options in offered
            for cost, mask in options
            if mask >> slot & 1
        )[1]
        booked = session.booked
        chair = -1
        if booked and booked.clinic == self._clinic:  # the same chair is kept on another day too
            chair = booked.chair if day.chair_is_free(booked.chair, session.shape) >> slot & 1 else -1
        if chair < 0:
            chair = day.best_chair(session.shape, slot)
        return Place(self._clinic, number, slot, chair, nurse)
