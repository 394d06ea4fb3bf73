"""Whom a limit of a nurse leaves over, on plain values. The database counts the same way when it judges."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol, TypeVar

from clinic.scheduling.room_rules import Span

Row = TypeVar("Row", bound=Span)
_QUARTER: Final = 15 * 60


class Limits(NamedTuple):
    """How many patients a nurse may have at once, and begin with in a quarter of an hour; None is no limit."""

    at_once: int | None
    per_quarter: int | None


class Duty(Span, Protocol):
    """A shift with limits of its own, where it has any."""

    @property
    def patients_at_once(self) -> int | None: ...
    @property
    def starts_per_quarter(self) -> int | None: ...


def beyond(rows: Sequence[Row], duties: Sequence[Duty], usual: Limits) -> list[Row]:
    """Return what one nurse has beyond her limits: of those at one time, what begins last.

    It is counted where the number can rise, at each start, and where the limit can fall, as a shift begins or ends.
    """
    ordered = sorted(rows, key=lambda row: row.starts_at)
    instants = {row.starts_at for row in ordered} | {at for duty in duties for at in (duty.starts_at, duty.ends_at)}
    over = [row for instant in sorted(instants) for row in _too_many(ordered, instant, duties, usual)]
    begun: Counter[int] = Counter()
    for row in ordered:
        quarter, most = int(row.starts_at.timestamp()) // _QUARTER, limits_at(row.starts_at, duties, usual).per_quarter
        begun[quarter] += 1
        if most is not None and begun[quarter] > most:
            over.append(row)
    return [row for row in ordered if row in over]


def _too_many(rows: Iterable[Row], instant: datetime, duties: Iterable[Duty], usual: Limits) -> list[Row]:
    most = limits_at(instant, duties, usual).at_once
    there = [row for row in rows if row.starts_at <= instant < row.ends_at]
    return [] if most is None else there[most:]


def limits_at(instant: datetime, duties: Iterable[Duty], usual: Limits) -> Limits:
    """Return the limits at an instant: of the shift where it has its own, else the clinic's."""
    for duty in duties:
        if duty.starts_at <= instant < duty.ends_at:
            return Limits(duty.patients_at_once or usual.at_once, duty.starts_per_quarter or usual.per_quarter)
    return usual
