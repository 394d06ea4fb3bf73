"""All days of a plan, what stands on them, and what that costs the clinics: uneven days and uneven weeks."""

from collections import defaultdict

from clinic.scheduling.optimiser.day import Day
from clinic.scheduling.optimiser.problem import Place, Problem, Shape


class _Week:
    """How busy each nurse of a clinic is in one week, in per cent of her capacity."""

    __slots__ = ("_done", "_duty", "_prices", "spread")

    def __init__(self) -> None:
        self._duty: dict[int, int] = defaultdict(int)
        self._done: dict[int, int] = defaultdict(int)
        self._prices: dict[tuple[int, int], int] = {}
        self.spread = 0

    def add_duty(self, nurse: int, slots: int) -> None:
        self._duty[nurse] += slots

    def change(self, nurse: int, work: int) -> None:
        self._done[nurse] += work
        self._prices.clear()
        self.spread = self._spread_with(nurse, 0)

    def price(self, nurse: int, work: int) -> int:
        """By how many per cent the spread between the nurses would grow if this one did so much more."""
        key = (nurse, work)
        known = self._prices.get(key)
        if known is None:
            known = self._prices[key] = self._spread_with(nurse, work) - self.spread
        return known

    def _spread_with(self, nurse: int, work: int) -> int:
        shares = [
            100 * (self._done[other] + (work if other == nurse else 0)) // slots
            for other, slots in self._duty.items()
            if slots
        ]
        return max(shares) - min(shares) if len(shares) > 1 else 0


class Calendar:
    """The days of every clinic with the sessions that stand on them."""

    def __init__(self, problem: Problem) -> None:
        self._weights, self._weeks_of = problem.weights, problem.weeks
        self.days = [
            {number: Day(clinic, record, problem.supervision_slots) for number, record in clinic.days.items()}
            for clinic in problem.clinics
        ]
        self._weeks: dict[tuple[int, int], _Week] = defaultdict(_Week)
        for which, clinic in enumerate(problem.clinics):
            for number, record in clinic.days.items():
                for nurse in record.nurses:
                    slots = nurse.capacity * (nurse.end - nurse.start)
                    self._weeks[which, self._weeks_of[number]].add_duty(nurse.nurse, slots)
        self._visits: dict[str, set[int]] = defaultdict(set)
        self.shared_cost = 0
        for patient, shape, place in problem.held:
            self.add(patient, shape, place)

    def visits(self, patient: str) -> set[int]:
        """The days on which a patient already comes."""
        return self._visits[patient]

    def price(self, clinic: int, day: int, nurse: int, shape: Shape) -> int:
        """What a session with this nurse adds to the cost of an uneven week."""
        work = shape.length * shape.load
        return self._weights.fairness * self._weeks[clinic, self._weeks_of[day]].price(nurse, work)

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
        before = self._weights.level * day.above + self._weights.fairness * week.spread
        if sign > 0:
            day.add(shape, place)
        else:
            day.remove(shape, place)
        week.change(place.nurse, sign * shape.length * shape.load)
        self.shared_cost += self._weights.level * day.above + self._weights.fairness * week.spread - before
