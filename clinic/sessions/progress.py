"""How far a session has come: every derived figure, computed by the rules from the rows that are loaded.

One function for every screen, the printed sheet and the played cases: `progress(infusion, now)`.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol, TypeVar

from clinic.core.times import elapsed_minutes
from clinic.core.units import EXACT
from clinic.orders.rules import Breach, Limit, LimitLevel, Vital, breaches, dose_rate_mg_h, total_mg
from clinic.protocols.models import Terms
from clinic.protocols.session_doses import amount_for
from clinic.sessions import delivery_rules as delivery
from clinic.sessions.delivery_rules import PumpEvent, PumpState, RateSegment
from clinic.sessions.due_rules import SettledDue, next_due
from clinic.sessions.models import AdministrationEvent, InfusionSession, ObservationSet
from clinic.sessions.rules import UNDO_DISCHARGE, AdministrationKind, SessionStatus
from clinic.sessions.schedule import Standing, dues_of


class Correctable(Protocol):
    """A row of the record that a later row may supersede."""

    @property
    def id(self) -> uuid.UUID: ...
    @property
    def supersedes_id(self) -> uuid.UUID | None: ...
    @property
    def is_void(self) -> bool: ...


RowT = TypeVar("RowT", bound=Correctable)
_COLUMNS = tuple((vital, vital.value) for vital in Vital)


def current(rows: Iterable[RowT]) -> list[RowT]:
    """Return the rows that stand: superseded by no other and not withdrawn. Their order is kept."""
    every = list(rows)
    superseded = {row.supersedes_id for row in every}
    return [row for row in every if row.id not in superseded and not row.is_void]


def pump_event(row: AdministrationEvent) -> PumpEvent:
    """Return a row as the arithmetic takes it."""
    return PumpEvent(row.kind, row.happened_at, row.rate_ml_h, row.bolus_mg, row.concentration_mg_ml)


def pump_events(infusion: InfusionSession) -> list[PumpEvent]:
    """Return what the pump was made to do, as it now stands."""
    return [pump_event(row) for row in current(infusion.administrations)]


def reading_of(observation: ObservationSet) -> dict[Vital, Decimal | None]:
    """Return the values of a set of vitals; None was not taken."""
    values = ((vital, getattr(observation, name)) for vital, name in _COLUMNS)
    return {vital: None if value is None else Decimal(value) for vital, value in values}


def _is_taken(observation: ObservationSet) -> bool:
    return any(getattr(observation, name) is not None for _, name in _COLUMNS)


def latest_sets(observations: Iterable[ObservationSet]) -> dict[Vital, ObservationSet]:
    """Return for each vital the set that gave its latest value: a later set that left it out does not speak for it."""
    newest_first = sorted(observations, key=lambda each: each.observed_at)[::-1]
    latest = {
        vital: next((row for row in newest_first if getattr(row, name) is not None), None) for vital, name in _COLUMNS
    }
    return {vital: row for vital, row in latest.items() if row is not None}


def weight_kg(infusion: InfusionSession) -> Decimal | None:
    """Return the weight that this session's doses are worked out from.

    That which the order's clinician chose for dosing, where there is one; else today's once settled, else the order's.
    """
    if infusion.order_version.dosing_weight_kg is not None:
        return infusion.order_version.dosing_weight_kg
    if infusion.weight is not None:
        return infusion.weight.kg
    return infusion.order_version.weight_used_kg


def closed_at(infusion: InfusionSession) -> datetime | None:
    """Return when the session was closed or given up, or None while it is open."""
    if not infusion.status.is_closed:
        return None
    moves = [move for move in infusion.transitions if move.to_status.is_closed]
    return max(moves, key=lambda move: move.recorded_at).happened_at if moves else None


def undo_until(infusion: InfusionSession, now: datetime) -> datetime | None:
    """Return until when the discharge of a session can be undone, or None where it cannot."""
    left = infusion.discharge
    return left.recorded_at + UNDO_DISCHARGE if left and now - left.recorded_at <= UNDO_DISCHARGE else None


def terms_of(infusion: InfusionSession, observation: ObservationSet) -> Terms:
    """Return the terms of the order version that was in force when the vitals were recorded."""
    if observation.order_version_id == infusion.order_version_id:
        return infusion.order_version.terms
    versions = infusion.order_version.order.versions
    return next(version.terms for version in versions if version.id == observation.order_version_id)


def breaches_of(observation: ObservationSet) -> list[Breach]:
    """Return which limits of the order a set of vitals is outside of; each names its level.

    Start limits speak until the infusion has started, notify and hold limits always. A session without limits has no
    breaches: none come from us.
    """
    return _breaches([observation], first_start(observation.infusion)).get(observation.id, [])


def _breaches(observations: Iterable[ObservationSet], started_at: datetime | None) -> dict[uuid.UUID, list[Breach]]:
    """Return for each set of vitals that is outside a limit what is."""
    # Plain values: a day of sets asks each limit hundreds of times.
    speaking: dict[tuple[uuid.UUID, bool], list[Limit]] = {}
    found = {}
    for row in observations:
        is_before = started_at is None or row.observed_at <= started_at
        if (key := (row.order_version_id, is_before)) not in speaking:
            speaking[key] = [
                Limit(limit.level, limit.vital, limit.comparator, limit.bound)
                for limit in terms_of(row.infusion, row).limits
                if limit.level is not LimitLevel.START or is_before
            ]
        reading = {limit.vital: getattr(row, limit.vital.value) for limit in speaking[key]}
        if outside := breaches(speaking[key], reading):
            found[row.id] = outside
    return found


def first_start(infusion: InfusionSession) -> datetime | None:
    """Return when drug first flowed, or None."""
    starts = [row.happened_at for row in current(infusion.administrations) if row.kind is AdministrationKind.START]
    return min(starts, default=None)


def last_stop(infusion: InfusionSession) -> datetime | None:
    """Return when the infusion was last stopped, or None."""
    stops = [row.happened_at for row in current(infusion.administrations) if row.kind is AdministrationKind.STOP]
    return max(stops, default=None)


@dataclass(frozen=True)
class Progress:
    """Where a session stands at an instant. Volumes in mL, doses in mg, times in minutes, all exact.

    `planned_stop` and `projected_total_mg` are None when nothing is running or the order does not say. `rate_...` is
    what flows now (0 in a pause), `set_ml_h` what the pump goes on with after it. `breaches` has an entry for each
    set of vitals outside a limit, `latest` are those of `latest_sets`. Figures per kg are None without a weight.
    """

    at: datetime
    status: SessionStatus
    started_at: datetime | None
    stopped_at: datetime | None
    segments: tuple[RateSegment, ...]
    delivered_ml: Decimal
    delivered_mg: Decimal
    delivered_mg_kg: Decimal | None
    bolus_mg: Decimal
    projected_total_mg: Decimal | None
    maximum_total_mg: Decimal | None
    run_minutes: Decimal
    span_minutes: Decimal
    planned_stop: datetime | None
    is_past_maximum_duration: bool
    set_ml_h: Decimal
    rate_ml_h: Decimal
    rate_mg_h: Decimal
    rate_mg_kg_h: Decimal | None
    highest_rate_ml_h: Decimal
    highest_rate_mg_h: Decimal
    highest_rate_mg_kg_h: Decimal | None
    concentration_mg_ml: Decimal | None
    weight_kg: Decimal | None
    observations: tuple[ObservationSet, ...]
    last_observation: ObservationSet | None
    latest: Mapping[Vital, ObservationSet]
    # What of the latest value of each vital is outside a limit that speaks while the pump runs, with its set.
    outside: tuple[tuple[ObservationSet, Breach], ...]
    breaches: Mapping[uuid.UUID, Sequence[Breach]]
    dues: tuple[SettledDue, ...]
    next_due: SettledDue | None

    @property
    def recovery_minutes(self) -> Decimal | None:
        """Return the minutes since the stop, or None while there is none."""
        return None if self.stopped_at is None else elapsed_minutes(self.stopped_at, self.at)


@dataclass(frozen=True)
class Pump:
    """The pump's part of a session at an instant."""

    state: PumpState
    segments: tuple[RateSegment, ...]
    delivered_mg: Decimal
    concentration_mg_ml: Decimal | None


def pump(infusion: InfusionSession, at: datetime) -> Pump:
    """Return what the pump is doing at an instant and what it has given until then."""
    events = pump_events(infusion)
    first_bag = infusion.order_version.terms.concentration_mg_ml
    state = delivery.state_at(events, at, concentration_mg_ml=first_bag)
    found = delivery.segments(events, at, concentration_mg_ml=first_bag)
    given = delivery.delivered_mg(found, boluses=delivery.boluses_mg(events, at))
    return Pump(state, tuple(found), given, state.concentration_mg_ml)


def progress(infusion: InfusionSession, now: datetime) -> Progress:
    """Return every derived figure of a session at `now`, from the rows that are loaded; nothing is stored."""
    closed = closed_at(infusion)
    now = now if closed is None else min(now, closed)
    running = pump(infusion, now)
    stop = planned_stop(infusion, running, now)
    weight = weight_kg(infusion)
    seen = current(infusion.observation_sets)
    taken = [row for row in seen if _is_taken(row)]
    started_at = first_start(infusion)
    outside = _breaches(seen, started_at)
    latest = latest_sets(seen)
    acts, doses = current(infusion.administrations), current(infusion.prn_doses)
    not_done = [row.due_at for row in current(infusion.not_done)]
    standing = Standing(taken, outside, acts, doses, not_done, closed)
    dues = tuple(dues_of(infusion, standing, now, stop))
    rate_mg_h = _mg_h(running.state.rate_ml_h, running.concentration_mg_ml)
    highest_mg_h = delivery.highest_rate_mg_h(running.segments)
    cap = latest_stop(infusion)
    return Progress(
        at=now,
        status=infusion.status,
        started_at=started_at,
        stopped_at=None if running.state.is_started else last_stop(infusion),
        segments=running.segments,
        delivered_ml=delivery.delivered_ml(running.segments),
        delivered_mg=running.delivered_mg,
        delivered_mg_kg=_per_kg(running.delivered_mg, weight),
        bolus_mg=sum(delivery.boluses_mg(pump_events(infusion), now), Decimal(0)),
        projected_total_mg=projected_mg(infusion, running, now),
        maximum_total_mg=infusion.order_version.terms.maximum_total_mg,
        run_minutes=delivery.run_minutes(running.segments),
        span_minutes=delivery.span_minutes(running.segments),
        planned_stop=stop,
        is_past_maximum_duration=running.state.is_started and cap is not None and now > cap,
        set_ml_h=running.state.set_ml_h,
        rate_ml_h=running.state.rate_ml_h,
        rate_mg_h=rate_mg_h,
        rate_mg_kg_h=_per_kg(rate_mg_h, weight),
        highest_rate_ml_h=delivery.highest_rate_ml_h(running.segments),
        highest_rate_mg_h=highest_mg_h,
        highest_rate_mg_kg_h=_per_kg(highest_mg_h, weight),
        concentration_mg_ml=running.concentration_mg_ml,
        weight_kg=weight,
        observations=tuple(seen),
        last_observation=max(taken, key=lambda row: row.observed_at, default=None),
        latest=latest,
        outside=tuple(_outside(latest, outside)),
        breaches=outside,
        dues=dues,
        next_due=next_due(dues),
    )


def _outside(
    latest: Mapping[Vital, ObservationSet], outside: Mapping[uuid.UUID, Sequence[Breach]]
) -> Iterator[tuple[ObservationSet, Breach]]:
    for vital, row in latest.items():
        for breach in outside.get(row.id, ()):
            if breach.limit.vital is vital and breach.limit.level is not LimitLevel.START:
                yield row, breach


def _mg_h(rate_ml_h: Decimal, concentration_mg_ml: Decimal | None) -> Decimal:
    if not rate_ml_h or concentration_mg_ml is None:
        return Decimal(0)
    return dose_rate_mg_h(rate_ml_h, concentration_mg_ml=concentration_mg_ml)


def _per_kg(amount: Decimal, kg: Decimal | None) -> Decimal | None:
    return EXACT.divide(amount, kg) if kg else None


def latest_stop(infusion: InfusionSession) -> datetime | None:
    """Return the order's cap in clock time: the start plus its maximum duration; None without either."""
    started_at = first_start(infusion)
    minutes = infusion.order_version.terms.maximum_duration_min
    return None if started_at is None or minutes is None else started_at + timedelta(minutes=minutes)


def ordered_total_mg(infusion: InfusionSession) -> Decimal | None:
    """Return the ordered amount in mg where the dose is a total, or None where it is a rate."""
    terms, weight = infusion.order_version.terms, weight_kg(infusion)
    amount = amount_for(terms, infusion.number)
    if not terms.basis.is_total or amount is None or (terms.basis.uses_weight and weight is None):
        return None
    return total_mg(terms.basis, amount, weight_kg=weight)


def planned_stop(
    infusion: InfusionSession, running: Pump, now: datetime, *, rate_ml_h: Decimal | None = None
) -> datetime | None:
    """Return when the order's dose or time will be used up at the set rate, or at another; None when nothing runs."""
    state = running.state
    if not state.is_started:
        return None
    ordered = ordered_total_mg(infusion)
    if ordered is not None and running.concentration_mg_ml is not None:
        return delivery.planned_stop_of_total(
            running.delivered_mg,
            now,
            total_mg=ordered,
            # In a pause the plan is to go on at the rate that is set.
            rate_ml_h=state.set_ml_h if rate_ml_h is None else rate_ml_h,
            concentration_mg_ml=running.concentration_mg_ml,
            latest=latest_stop(infusion),
        )
    duration = infusion.order_version.terms.duration_min
    if duration is None:
        return None
    return delivery.planned_stop(running.segments, now, duration_min=duration, latest=latest_stop(infusion))


def projected_mg(
    infusion: InfusionSession, running: Pump, now: datetime, *, rate_ml_h: Decimal | None = None
) -> Decimal | None:
    """Return the dose the plan comes to in mg, at the set rate or at another one (mL/h); None when nothing is running.

    A dose that is a total ends when it is reached; a rate runs its planned minutes. Neither runs past the order's cap.
    """
    state, terms = running.state, infusion.order_version.terms
    if not state.is_started or running.concentration_mg_ml is None:
        return None
    rate = state.set_ml_h if rate_ml_h is None else rate_ml_h
    cap = latest_stop(infusion)
    until_cap = None if cap is None else max(elapsed_minutes(now, cap), Decimal(0))
    ordered = ordered_total_mg(infusion)
    if ordered is not None:
        if until_cap is None:
            return max(ordered, running.delivered_mg)
        by_cap = _projected(running, rate, until_cap)
        return max(min(ordered, by_cap), running.delivered_mg)
    if terms.duration_min is None:
        return None
    left = delivery.remaining_minutes(running.segments, duration_min=terms.duration_min)
    return _projected(running, rate, left if until_cap is None else min(left, until_cap))


def _projected(running: Pump, rate_ml_h: Decimal, minutes: Decimal) -> Decimal:
    return delivery.projected_total_mg(
        running.delivered_mg,
        rate_ml_h=rate_ml_h,
        concentration_mg_ml=running.concentration_mg_ml or Decimal(0),
        remaining_min=minutes,
    )
