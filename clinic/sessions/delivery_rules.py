"""How much was given: the integral over what the pump was made to do.

A pump rate holds from one event to the next. Delivered volume is the sum of rate times time, in exact microseconds
between UTC instants, divided once at the end; so it does not depend on the order of the rows, on the wall clock, or
on how often it is computed. Corrections are resolved before: these functions see each event once, as it now stands.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Final

from clinic.core.times import microseconds_between, utc
from clinic.core.units import exact
from clinic.sessions.rules import AdministrationKind

_MICROSECONDS_PER_HOUR: Final = 3_600_000_000
_MICROSECONDS_PER_MINUTE: Final = 60_000_000

# Two events of one instant, when nothing else orders them: the drug flows before it can be changed, and a stop is last.
_RANK: Final = {
    kind: rank
    for rank, kind in enumerate(
        (
            AdministrationKind.START,
            AdministrationKind.PAUSE,
            AdministrationKind.RESUME,
            AdministrationKind.BAG_CHANGE,
            AdministrationKind.RATE_CHANGE,
            AdministrationKind.BOLUS,
            AdministrationKind.STOP,
        )
    )
}


@dataclass(frozen=True)
class PumpEvent:
    """What the pump was made to do at an instant.

    `rate_ml_h` goes with start and rate change, and with resume and bag change when the rate is another one after
    them; `concentration_mg_ml` with start and bag change. `sequence` orders events of the same instant, as they were
    recorded.
    """

    kind: AdministrationKind
    at: datetime
    rate_ml_h: Decimal | None = None
    bolus_mg: Decimal | None = None
    concentration_mg_ml: Decimal | None = None
    sequence: int = 0


@dataclass(frozen=True)
class RateSegment:
    """A piece of time at one rate from one bag. A pause is a segment with rate 0, so that the line has no holes."""

    start: datetime
    end: datetime
    rate_ml_h: Decimal
    concentration_mg_ml: Decimal | None = None

    @property
    def microseconds(self) -> int:
        """How long it lasted."""
        return microseconds_between(self.start, self.end)


@dataclass(frozen=True)
class PumpState:
    """The pump between two events. `set_ml_h` is what it runs at, or will run at again after a pause."""

    is_started: bool = False
    is_paused: bool = False
    set_ml_h: Decimal = Decimal(0)
    concentration_mg_ml: Decimal | None = None

    @property
    def rate_ml_h(self) -> Decimal:
        """What flows now."""
        return self.set_ml_h if self.is_started and not self.is_paused else Decimal(0)

    def after(self, event: PumpEvent) -> "PumpState":
        """Return the state that an event leaves the pump in."""
        changed = replace(
            self,
            set_ml_h=self.set_ml_h if event.rate_ml_h is None else event.rate_ml_h,
            concentration_mg_ml=event.concentration_mg_ml or self.concentration_mg_ml,
        )
        match event.kind:
            case AdministrationKind.START:
                return replace(changed, is_started=True, is_paused=False)
            case AdministrationKind.PAUSE:
                return replace(self, is_paused=True)
            case AdministrationKind.RESUME:
                return replace(changed, is_paused=False)
            case AdministrationKind.RATE_CHANGE | AdministrationKind.BAG_CHANGE:
                return changed
            case AdministrationKind.STOP:
                return replace(self, is_started=False, is_paused=False)
            case AdministrationKind.BOLUS:
                return self


def state_at(events: Iterable[PumpEvent], at: datetime, *, concentration_mg_ml: Decimal | None = None) -> PumpState:
    """Return what the pump is doing at an instant, an event of that very instant included."""
    state = PumpState(concentration_mg_ml=concentration_mg_ml)
    for event in _in_order(events, at):
        state = state.after(event)
    return state


def segments(
    events: Iterable[PumpEvent], until: datetime, *, concentration_mg_ml: Decimal | None = None
) -> list[RateSegment]:
    """Return the rate segments from the first start to the stop, or to `until` while the pump still runs.

    `concentration_mg_ml` is that of the first bag when the start does not say. Time after a stop is no segment.
    """
    end = utc(until)
    state = PumpState(concentration_mg_ml=concentration_mg_ml)
    since = end
    found = []
    for event in _in_order(events, end):
        if state.is_started:
            found.append(RateSegment(since, event.at, state.rate_ml_h, state.concentration_mg_ml))
        state, since = state.after(event), event.at
    if state.is_started:
        found.append(RateSegment(since, end, state.rate_ml_h, state.concentration_mg_ml))
    return list(_joined(found))


def boluses_mg(events: Iterable[PumpEvent], until: datetime) -> list[Decimal]:
    """Return the boluses given up to `until`, in mg, in the order they were given."""
    return [event.bolus_mg for event in _in_order(events, until) if event.bolus_mg is not None]


def _in_order(events: Iterable[PumpEvent], until: datetime) -> list[PumpEvent]:
    end = utc(until)
    in_utc = [replace(event, at=utc(event.at)) for event in events]
    return sorted((event for event in in_utc if event.at <= end), key=_order)


def _order(event: PumpEvent) -> tuple[datetime, int, int, Decimal]:
    # The rate is the last resort: two equal rows may come in any order, the answer must not.
    return event.at, event.sequence, _RANK[event.kind], event.rate_ml_h or Decimal(0)


def _joined(found: Iterable[RateSegment]) -> Iterator[RateSegment]:
    """Drop what lasted no time and join neighbours at the same rate (a bolus or a late row changes nothing)."""
    held: RateSegment | None = None
    for segment in found:
        if segment.start == segment.end:
            continue
        if held and held.end == segment.start and _same_flow(held, segment):
            held = replace(held, end=segment.end)
            continue
        if held:
            yield held
        held = segment
    if held:
        yield held


def _same_flow(one: RateSegment, other: RateSegment) -> bool:
    return (one.rate_ml_h, one.concentration_mg_ml) == (other.rate_ml_h, other.concentration_mg_ml)


@exact
def delivered_ml(rate_segments: Iterable[RateSegment]) -> Decimal:
    """Return the volume that ran through the pump, in mL. Boluses are doses in mg and not counted here."""
    flow = sum((segment.rate_ml_h * segment.microseconds for segment in rate_segments), Decimal(0))
    return flow / _MICROSECONDS_PER_HOUR


@exact
def delivered_mg(rate_segments: Iterable[RateSegment], *, boluses: Iterable[Decimal] = ()) -> Decimal:
    """Return the dose given, in mg: every segment at its own bag's concentration, and the boluses (mg).

    Raises `ValueError` when a flowing segment names no concentration.
    """
    flow = Decimal(0)
    for segment in rate_segments:
        if segment.rate_ml_h:
            flow += segment.rate_ml_h * segment.microseconds * _concentration(segment)
    return flow / _MICROSECONDS_PER_HOUR + sum(boluses, Decimal(0))


def _concentration(segment: RateSegment) -> Decimal:
    if segment.concentration_mg_ml is None:
        raise ValueError("The concentration of the bag is not known.")
    return segment.concentration_mg_ml


@exact
def run_minutes(rate_segments: Iterable[RateSegment]) -> Decimal:
    """Return the minutes in which drug flowed, pauses left out."""
    running = sum(segment.microseconds for segment in rate_segments if segment.rate_ml_h)
    return Decimal(running) / _MICROSECONDS_PER_MINUTE


@exact
def span_minutes(rate_segments: Sequence[RateSegment]) -> Decimal:
    """Return the minutes from the first start to the last end, pauses counted in."""
    if not rate_segments:
        return Decimal(0)
    first = min(utc(segment.start) for segment in rate_segments)
    last = max(utc(segment.end) for segment in rate_segments)
    return Decimal(microseconds_between(first, last)) / _MICROSECONDS_PER_MINUTE


def highest_rate_ml_h(rate_segments: Iterable[RateSegment]) -> Decimal:
    """Return the highest pump rate that ran, in mL/h; 0 when none did."""
    return max((segment.rate_ml_h for segment in rate_segments), default=Decimal(0))


@exact
def highest_rate_mg_h(rate_segments: Iterable[RateSegment]) -> Decimal:
    """Return the highest dose rate that ran, in mg/h; another bag may make it differ from the highest pump rate."""
    return max(
        (segment.rate_ml_h * _concentration(segment) for segment in rate_segments if segment.rate_ml_h),
        default=Decimal(0),
    )


@exact
def projected_total_mg(
    delivered_mg: Decimal,
    *,
    rate_ml_h: Decimal,
    concentration_mg_ml: Decimal,
    remaining_min: Decimal | int,
) -> Decimal:
    """Return the dose the plan comes to, in mg: what was given, and this rate over the planned minutes that remain."""
    return delivered_mg + rate_ml_h * concentration_mg_ml * max(Decimal(remaining_min), Decimal(0)) / 60


@exact
def remaining_minutes(rate_segments: Iterable[RateSegment], *, duration_min: Decimal | int) -> Decimal:
    """Return the planned running minutes that are left; never below zero. Pauses do not use any up."""
    return max(Decimal(duration_min) - run_minutes(rate_segments), Decimal(0))


def planned_stop(
    rate_segments: Sequence[RateSegment], now: datetime, *, duration_min: Decimal | int, latest: datetime | None = None
) -> datetime:
    """Return when the planned running minutes are used up, counted from `now`; a pause pushes it back while it lasts.

    When they are used up already it is the instant at which they were. `latest` is the order's cap in clock time
    (start plus maximum duration): the plan never runs past it.
    """
    stop = _used_up_at(rate_segments, Decimal(duration_min)) or utc(now) + _minutes(
        remaining_minutes(rate_segments, duration_min=duration_min)
    )
    return stop if latest is None else min(stop, utc(latest))


@exact
def planned_stop_of_total(
    delivered_mg: Decimal,
    now: datetime,
    *,
    total_mg: Decimal,
    rate_ml_h: Decimal,
    concentration_mg_ml: Decimal,
    latest: datetime | None = None,
) -> datetime | None:
    """Return when an ordered total (mg) will have been given at the present rate; None while nothing flows."""
    left_mg = max(total_mg - delivered_mg, Decimal(0))
    rate_mg_h = rate_ml_h * concentration_mg_ml
    if not rate_mg_h:
        return None
    stop = utc(now) + _minutes(left_mg * 60 / rate_mg_h)
    return stop if latest is None else min(stop, utc(latest))


@exact
def _used_up_at(rate_segments: Iterable[RateSegment], duration_min: Decimal) -> datetime | None:
    left = duration_min * _MICROSECONDS_PER_MINUTE
    for segment in sorted(rate_segments, key=lambda each: utc(each.start)):
        if not segment.rate_ml_h:
            continue
        if left <= segment.microseconds:
            return utc(segment.start) + timedelta(microseconds=int(left.to_integral_value(ROUND_CEILING)))
        left -= segment.microseconds
    return None


def _minutes(minutes: Decimal) -> timedelta:
    return timedelta(microseconds=int((minutes * _MICROSECONDS_PER_MINUTE).to_integral_value(ROUND_CEILING)))
