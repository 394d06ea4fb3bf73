"""All days of a plan, what stands on them, and what that costs the clinics: uneven days and uneven weeks."""

from collections import defaultdict
from collections.abc import Sequence

from clinic.scheduling.optimiser.day import Day
from clinic.scheduling.optimiser.problem import Place, Problem, Shape

# For so many states of a week the answers are kept.
MOST_STATES = 60


class _Share:
    """What each nurse of a week has done, never changed, with what more work would cost."""

    __slots__ = ("cost", "done", "prices")

    def __init__(self, done: tuple[int, ...], cost: int) -> None:
        self.done, self.cost = done, cost
        self.prices: dict[int, list[int]] = {}


class _Week:
    """How busy each nurse of a clinic is in one week, in per cent of her capacity."""

    def __init__(self, nurses: int, fairness: int) -> None:
        self._duty, self._fairness = [0] * nurses, fairness
        self._now = _Share((0,) * nurses, 0)
        self._shares = {self._now.done: self._now}

    @property
    def cost(self) -> int:
        """What the spread between the nurses costs."""
        return self._now.cost

    def add_duty(self, nurse: int, slots: int) -> None:
        self._duty[nurse] += slots

    def change(self, nurse: int, work: int) -> None:
        done = self._with(nurse, work)
        share = self._shares.get(done)
        if share is None:
            if len(self._shares) >= MOST_STATES:
                self._shares.clear()
            share = self._shares[done] = _Share(done, self._cost_of(done))
        self._now = share

    def prices(self, work: int) -> list[int]:
        """By nurse: what so much more work costs if she does it."""
        known = self._now.prices.get(work)
        if known is None:
            costs = (self._cost_of(self._with(nurse, work)) for nurse in range(len(self._duty)))
            known = self._now.prices[work] = [cost - self._now.cost for cost in costs]
        return known

    def _with(self, nurse: int, work: int) -> tuple[int, ...]:
        done = self._now.done
        return (*done[:nurse], done[nurse] + work, *done[nurse + 1 :])

    def _cost_of(self, done: tuple[int, ...]) -> int:
        shares = [100 * work // slots for work, slots in zip(done, self._duty, strict=True) if slots]
        return self._fairness * (max(shares) - min(shares)) if shares else 0


class Calendar:
    """The days of every clinic with the sessions that stand on them."""

    def __init__(self, problem: Problem, most_states: int = 1) -> None:
        self._weights, self._weeks_of = problem.weights, problem.weeks
        # What was found out about a day is kept for so many states of it that a large problem needs no more memory.
        states = 1 + most_states // (1 + sum(len(clinic.days) for clinic in problem.clinics))
        self.days = [
            {number: Day(clinic, record, problem.supervision_slots, states) for number, record in clinic.days.items()}
            for clinic in problem.clinics
        ]
        self._weeks: dict[tuple[int, int], _Week] = {}
        for which, clinic in enumerate(problem.clinics):
            for number, record in clinic.days.items():
                key = which, self._weeks_of[number]
                week = self._weeks.setdefault(key, _Week(len(clinic.nurses), problem.weights.fairness))
                for nurse in record.nurses:
                    week.add_duty(nurse.nurse, nurse.capacity * (nurse.end - nurse.start))
        self._visits: dict[str, set[int]] = defaultdict(set)
        self.shared_cost = self.uneven_weeks = 0
        for patient, shape, place in problem.held:
            self.add(patient, shape, place)

    def visits(self, patient: str) -> set[int]:
        """The days on which a patient already comes."""
        return self._visits[patient]

    def prices(self, clinic: int, day: int, shape: Shape) -> list[int]:
        """By nurse: what a session with her adds to the cost of an uneven week."""
        return self._weeks[clinic, self._weeks_of[day]].prices(shape.length * shape.load)

    def add(self, patient: str, shape: Shape, place: Place) -> None:
        """Let a session stand at a place that is open to it."""
        self._visits[patient].add(place.day)
        self._change(shape, place, 1)

    def remove(self, patient: str, shape: Shape, place: Place) -> None:
        """Take a session away."""
        self._visits[patient].discard(place.day)
        self._change(shape, place, -1)

    def _change(self, shape: Shape, place: Place, sign: int) -> None:
        day, week = self.days[place.clinic][place.day], self._weeks[place.clinic, self._weeks_of[place.day]]
        above, spread = day.above, week.cost
        if sign > 0:
            day.add(shape, place)
        else:
            day.remove(shape, place)
        week.change(place.nurse, sign * shape.length * shape.load)
        self.uneven_weeks += week.cost - spread
        self.shared_cost += self._weights.level * (day.above - above) + week.cost - spread


def calendar_of(problem: Problem, plan: Sequence[Sequence[Place]]) -> Calendar:
    """The calendar with a whole plan in it."""
    calendar = Calendar(problem)
    for course, places in zip(problem.courses, plan, strict=True):
        for session, place in zip(course.sessions, places, strict=False):
            calendar.add(course.patient, session.shape, place)
    return calendar
