"""From the rows of a session to what its chart is drawn from."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from clinic.core.units import Unit, dose_text, format_quantity
from clinic.orders.rules import Comparator, LimitLevel, StatedLimit, Vital, dose_rate_mg_h, rate_from
from clinic.protocols.models import Terms
from clinic.sessions.chart import ChartEvent, ChartInput, DuePoint, ReadingPoint
from clinic.sessions.chart_types import DueState as PointState
from clinic.sessions.chart_types import LowHigh
from clinic.sessions.due_rules import DueState
from clinic.sessions.event_rules import GRADES, Actuality, IvAction
from clinic.sessions.models import InfusionSession, ObservationSet
from clinic.sessions.progress import Progress, closed_at, current, first_start
from clinic.sessions.rules import AdministrationKind, SessionStatus
from clinic.sessions.vital_rules import sedation_bounds

CHARTED = (Vital.SBP, Vital.DBP, Vital.HR, Vital.RR, Vital.SPO2, Vital.SEDATION, Vital.PAIN)
_NAMES = tuple(vital.value for vital in CHARTED)
_UPWARDS = {Comparator.GT, Comparator.GE}
_DOWNWARDS = {Comparator.LT, Comparator.LE}
_BEFORE = timedelta(minutes=20)
_POINTS: dict[DueState, PointState] = {
    DueState.DONE: "done",
    DueState.NOT_DONE: "not-done",
    DueState.MISSED: "missed",
    DueState.OVERDUE: "upcoming",
    DueState.DUE: "upcoming",
    DueState.UPCOMING: "upcoming",
}


def running_limits(terms: Terms, vital: Vital) -> list[StatedLimit]:
    """Return the limits of one vital that speak while the infusion runs."""
    return [limit for limit in terms.limits if limit.vital is vital and limit.level is not LimitLevel.START]


def bounds(limits: Iterable[StatedLimit]) -> LowHigh:
    """Return the tightest bounds as they were entered: where the lines of the chart stand."""
    given = list(limits)
    low = max((limit.bound for limit in given if limit.comparator in _DOWNWARDS), default=None)
    high = min((limit.bound for limit in given if limit.comparator in _UPWARDS), default=None)
    return low, high


def allowed(limits: Iterable[StatedLimit]) -> LowHigh:
    """Return the lowest and the highest whole number inside the limits: what a ladder leaves unhatched."""
    given = list(limits)
    lows = [limit.bound + (limit.comparator is Comparator.LE) for limit in given if limit.comparator in _DOWNWARDS]
    highs = [limit.bound - (limit.comparator is Comparator.GE) for limit in given if limit.comparator in _UPWARDS]
    return max(lows, default=None), min(highs, default=None)


def chart_input(infusion: InfusionSession, going: Progress, *, zone: ZoneInfo, now: datetime) -> ChartInput:
    """Return a session as the chart takes it; superseded vitals are left to the table below it."""
    terms = infusion.order_version.terms
    limits = {vital.value: bounds(running_limits(terms, vital)) for vital in CHARTED}
    times = [row.observed_at for row in going.observations]
    times += [going.started_at - _BEFORE] if going.started_at else [infusion.arrived_at]
    closed = closed_at(infusion)
    return ChartInput(
        zone=zone,
        now=now,
        window_start=min(times),
        window_end=None if closed is None else max([closed, *times]),
        started_at=going.started_at,
        planned_stop=going.planned_stop,
        stopped_at=going.stopped_at,
        segments=_segments(infusion, going),
        maximum_rate_mg_h=maximum_mg_h(terms, going.weight_kg),
        readings=[_point(row, going) for row in going.observations],
        limits={vital: found for vital, found in limits.items() if found != (None, None)},
        events=chart_events(infusion),
        dues=_dues(going),
        sedation_scale=_scale_range(terms),
    )


def _segments(infusion: InfusionSession, going: Progress) -> list[tuple[datetime, datetime | None, Decimal]]:
    is_open = infusion.status is SessionStatus.INFUSING
    found: list[tuple[datetime, datetime | None, Decimal]] = []
    for number, segment in enumerate(going.segments, start=1):
        if not segment.rate_ml_h or segment.concentration_mg_ml is None:
            continue
        is_last = is_open and number == len(going.segments)
        rate = dose_rate_mg_h(segment.rate_ml_h, concentration_mg_ml=segment.concentration_mg_ml)
        found.append((segment.start, None if is_last else segment.end, rate))
    return found


def maximum_mg_h(terms: Terms, weight_kg: Decimal | None) -> Decimal | None:
    """Return the order's maximum rate, or the highest step where it names no maximum, in mg/h; None without either."""
    highest = terms.highest_amount if not terms.basis.is_total else None
    amount, basis = (terms.maximum_rate, terms.maximum_rate_unit or terms.basis)
    if amount is None:
        amount, basis = highest, terms.basis
    if amount is None or (basis.rate_unit is not Unit.MG_PER_H and weight_kg is None):
        return None
    return rate_from(basis.rate_unit, amount, weight_kg=weight_kg)


def _point(row: ObservationSet, going: Progress) -> ReadingPoint:
    flagged = {breach.limit.vital.value for breach in going.breaches.get(row.id, ())}
    values = {name: getattr(row, name) for name in _NAMES}
    return ReadingPoint(at=row.observed_at, flagged=frozenset(flagged), **values)


def chart_events(infusion: InfusionSession) -> list[ChartEvent]:
    """Return what stands in the lane of events: adverse events, drugs given, and the cannula placed anew."""
    found = []
    for adverse in current(infusion.adverse_events):
        if adverse.actuality is Actuality.POTENTIAL:
            continue  # a near miss reached nobody: it stands in the table
        grade = f", {GRADES[adverse.grade]}" if adverse.grade else ""
        found.append(ChartEvent(adverse.onset_at, "adverse", f"{adverse.term}{grade}".lower()))
    for dose in current(infusion.prn_doses):
        amount = dose_text(dose.dose, dose.unit)
        found.append(ChartEvent(dose.given_at, "drug", f"{dose.prn_item.drug_name} {amount} {dose.prn_item.route}"))
    for act in current(infusion.administrations):
        if act.kind is AdministrationKind.BOLUS and act.bolus_mg is not None:
            found.append(ChartEvent(act.happened_at, "drug", f"bolus {format_quantity(act.bolus_mg, Unit.MG)}"))
        if act.kind is AdministrationKind.BAG_CHANGE:
            found.append(ChartEvent(act.happened_at, "other", "bag changed"))
    started_at = first_start(infusion)
    found += [
        ChartEvent(line.happened_at, "other", f"line {line.site or 'placed'}")
        for line in current(infusion.iv_records)
        if started_at and line.action is IvAction.PLACED and line.happened_at > started_at
    ]
    return sorted(found, key=lambda event: event.at)


def _dues(going: Progress) -> list[DuePoint]:
    coming = going.next_due.due.at if going.next_due else None
    return [
        DuePoint(
            line.due.at, "next" if line.due.at == coming and _POINTS[line.state] == "upcoming" else _POINTS[line.state]
        )
        for line in going.dues
    ]


def _scale_range(terms: Terms) -> str:
    if terms.sedation_scale is None:
        return ""
    low, high = sedation_bounds(terms.sedation_scale)
    return f"{low}\N{EN DASH}{high}"
