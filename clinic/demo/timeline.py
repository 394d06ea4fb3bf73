"""What happened in the demonstration clinic, in the order of time, and the days on which it happened."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from clinic.core import clock, db
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.times import from_local, local

MINUTE: Final = timedelta(minutes=1)
_SATURDAY: Final = 5
# Committed together: often enough to show how far it is, seldom enough to be quick.
_BATCH: Final = 150

Act = Callable[[datetime], object]


@dataclass(frozen=True, slots=True)
class Days:
    """The clinic's days around the moment of filling, `now`, which is a full minute."""

    now: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        return local(self.now, self.zone).date()

    def workday(self, offset: int) -> date:
        """The weekday so many weekdays before (below zero) or after today; 0 is today, whatever day that is."""
        day, step, left = self.today, 1 if offset > 0 else -1, abs(offset)
        while left:
            day += timedelta(days=step)
            left -= day.weekday() < _SATURDAY
        return day

    def at(self, day: date, clock_time: str) -> datetime:
        """The instant of a wall time on a day of the clinic."""
        return from_local(day, time.fromisoformat(clock_time), self.zone, fold=0)

    def minutes(self, minutes: int) -> datetime:
        """The instant so many minutes from the moment of filling."""
        return self.now + minutes * MINUTE

    def round(self, at: datetime, step: int = 5) -> datetime:
        """The last full five minutes: nobody books a chair for 14:07."""
        return at - timedelta(minutes=local(at, self.zone).minute % step)


@dataclass(slots=True)
class Timeline:
    """Acts, each at its own instant; nothing that lies behind `now` is played."""

    now: datetime
    refusals: list[str] = field(default_factory=list)
    _steps: list[tuple[datetime, int, str, Act]] = field(default_factory=list)

    def add(self, at: datetime, what: str, act: Act) -> None:
        """Put an act on the list; it is given its own instant."""
        if at <= self.now:
            self._steps.append((at, len(self._steps), what, act))

    def play(self, echo: Callable[[str], None]) -> None:
        """Play everything in the order of time, with the clock standing at each act's instant."""
        steps = sorted(self._steps, key=lambda step: step[:2])
        for first in range(0, len(steps), _BATCH):
            with db.unit_of_work():
                kept: list[object] = []
                for at, _, what, act in steps[first : first + _BATCH]:
                    self._play(at, what, act)
                    # Held, so that people, terms and patients are not read anew by every act.
                    kept[:] = db.session.identity_map.values()
            echo(f"  {min(first + _BATCH, len(steps))} of {len(steps)} acts")
        self._steps.clear()

    def _play(self, at: datetime, what: str, act: Act) -> None:
        try:
            # In a savepoint: what is refused leaves a gap in the demonstration, not an empty clinic.
            with clock.standing_at(at), db.unit_of_work():
                act(at)
        except (RuleBroken, Conflict) as refusal:
            self.refusals.append(f"{at:%Y-%m-%d %H:%M}Z {what}: {refusal}")
