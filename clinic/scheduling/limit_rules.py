"""The limits of a nurse, and whom they leave over, on plain values. The database counts the same way when it judges."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple, Protocol, TypeVar

from clinic.scheduling.room_rules import Span

Row = TypeVar("Row", bound=Span)
_QUARTER: Final = 15 * 60


class Limits(NamedTuple):
    """How many patients a nurse may have at once, and begin with in a quarter of an hour; None is no limit."""

    at_once: int | None
    per_quarter: int | None


NONE: Final = Limits(None, None)
ByPhase = tuple[int | None, int | None, int | None]
"""How many may be in pre-check, in infusion and in recovery at once; None is no limit."""


class Most(NamedTuple):
    """All limits of one nurse from a date on; None is no limit."""

    at_once: int | None = None
    per_quarter: int | None = None
    precheck: int | None = None
    infusion: int | None = None
    recovery: int | None = None

    @property
    def usual(self) -> Limits:
        """Those for which a shift may have its own."""
        return Limits(self.at_once, self.per_quarter)

    @property
    def by_phase(self) -> ByPhase:
        """Those of the phases, in their order."""
        return self.precheck, self.infusion, self.recovery


NO_LIMITS: Final = Most()


class DatedLimits(Protocol):
    """The limits from a date on."""

    @property
    def valid_from(self) -> date: ...
    @property
    def recorded_at(self) -> datetime: ...
    @property
    def at_once(self) -> int | None: ...
    @property
    def per_quarter(self) -> int | None: ...
    @property
    def precheck(self) -> int | None: ...
    @property
    def infusion(self) -> int | None: ...
    @property
    def recovery(self) -> int | None: ...


LimitsRow = TypeVar("LimitsRow", bound=DatedLimits)


def in_force(rows: Iterable[LimitsRow], on: date) -> LimitsRow | None:
    """Return the limits that hold on a day."""
    come = [row for row in rows if row.valid_from <= on]
    return max(come, key=lambda row: (row.valid_from, row.recorded_at), default=None)


def most_on(rows: Iterable[DatedLimits], on: date) -> Most:
    """Return how many patients a nurse may have on a day."""
    row = in_force(rows, on)
    return Most(row.at_once, row.per_quarter, row.precheck, row.infusion, row.recovery) if row else NO_LIMITS


class Duty(Span, Protocol):
    """A shift with limits of its own, where it has any."""

    @property
    def patients_at_once(self) -> int | None: ...
    @property
    def starts_per_quarter(self) -> int | None: ...


Usual = Callable[[datetime], Limits]
"""The clinic's limits at an instant."""


def beyond(rows: Sequence[Row], duties: Sequence[Duty], usual: Usual) -> list[Row]:
    """Return what one nurse has beyond her limits: of those at one time, what begins last.

    It is counted where the number can rise, at each start, and where the limit can fall, as a shift begins or ends.
    """
    ordered = sorted(rows, key=lambda row: row.starts_at)
    instants = {row.starts_at for row in ordered} | {at for duty in duties for at in (duty.starts_at, duty.ends_at)}
    over = [row for instant in sorted(instants) for row in _too_many(ordered, instant, duties, usual)]
    begun: Counter[int] = Counter()
    for row in ordered:
        quarter, most = (
            int(row.starts_at.timestamp()) // _QUARTER,
            limits_at(row.starts_at, duties, usual(row.starts_at)).per_quarter,
        )
        begun[quarter] += 1
        if most is not None and begun[quarter] > most:
            over.append(row)
    return [row for row in ordered if row in over]


def _too_many(rows: Iterable[Row], instant: datetime, duties: Iterable[Duty], usual: Usual) -> list[Row]:
    most = limits_at(instant, duties, usual(instant)).at_once
    there = [row for row in rows if row.starts_at <= instant < row.ends_at]
    return [] if most is None else there[most:]


def limits_at(instant: datetime, duties: Iterable[Duty], usual: Limits) -> Limits:
    """Return the limits at an instant: of the shift where it has its own, else the clinic's."""
    for duty in duties:
        if duty.starts_at <= instant < duty.ends_at:
            return Limits(duty.patients_at_once or usual.at_once, duty.starts_per_quarter or usual.per_quarter)
    return usual
