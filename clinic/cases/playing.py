"""A case as a list of steps, each at its own instant, played in the order of time through the operations."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from functools import partial

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from clinic.core import clock, db
from clinic.core.errors import Conflict, RuleBroken, broken_constraint


class Turn(IntEnum):
    """What comes first when several steps have the same instant."""

    DESK = 10
    ARRIVAL = 20
    CHECKS = 30
    DOUBLE_CHECK = 40
    PUMP = 50
    BOLUS = 55
    VITALS = 60
    MEDICINE = 65
    WORDS = 70
    STOP = 75
    DRUG_LOG = 80
    DISCHARGE = 85
    NOTE = 90
    OUTCOME = 95


class NotThere(Exception):
    """A step needs something that an earlier step should have made and did not, because it was refused."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that the case says happened and that the system refused, in its own words."""

    at: datetime
    what: str
    message: str
    place: str = ""

    @property
    def line(self) -> str:
        """For a person at a terminal."""
        where = f" ({self.place})" if self.place else ""
        return f"{self.at.astimezone(UTC):%Y-%m-%d %H:%M}Z {self.what}: {self.message}{where}"


@dataclass(frozen=True, slots=True)
class _Step:
    at: datetime
    turn: Turn
    number: int
    what: str
    place: str
    act: Callable[[datetime], object]


@dataclass(slots=True)
class Script:
    """The steps of one case. `supplied` says what the file left open and the player filled in."""

    steps: list[_Step] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    supplied: list[str] = field(default_factory=list)
    _orphans: int = 0

    def add(
        self, at: datetime, turn: Turn, what: str, act: Callable[..., object], *about: object, place: str = ""
    ) -> None:
        """Put a step on the list; `act` is called with `about` and, last, the instant at which it is played."""
        self.steps.append(_Step(at, turn, len(self.steps), what, place, partial(act, *about)))

    def supply(self, text: str) -> None:
        """Note that something was filled in, once."""
        if text not in self.supplied:
            self.supplied.append(text)

    def refuse(self, at: datetime, what: str, message: str, place: str = "") -> None:
        """Note a refusal."""
        self.refusals.append(Refusal(at, what, message, place))

    def play(self) -> None:
        """Play every step in the order of time, each in a savepoint, with the clock standing at its instant."""
        for step in sorted(self.steps, key=lambda step: (step.at, step.turn, step.number)):
            with clock.standing_at(step.at):
                self._play(step)
        if self._orphans:
            last = max(step.at for step in self.steps)
            self.refuse(last, "the rest", f"{self._orphans} later steps need what was refused.")

    def _play(self, step: _Step) -> None:
        try:
            with db.unit_of_work():
                step.act(step.at)
        except NotThere:
            self._orphans += 1
        except (RuleBroken, Conflict) as refusal:
            self.refuse(step.at, step.what, str(refusal), step.place)
        except IntegrityError as refusal:
            self.refuse(step.at, step.what, f"The database refuses: {broken_constraint(refusal)}.", step.place)
        except (SQLAlchemyError, ValueError, ArithmeticError) as refusal:
            # A quantity with more places than its column, or an amount that a rule cannot take.
            self.refuse(step.at, step.what, str(getattr(refusal, "orig", None) or refusal), step.place)
