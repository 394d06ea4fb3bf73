"""From the rows of a session to the plain facts that a note, the inbox and the course review tell."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from clinic.core.times import clock_label
from clinic.core.units import format_number
from clinic.notes.summary_rules import Extreme, Happening, OutsideValue, ScoreFact, SessionFacts
from clinic.orders.rules import Breach, LimitLevel, Vital, dose_rate_mg_h
from clinic.sessions.event_rules import SessionEventKind
from clinic.sessions.models import InfusionSession, ObservationSet
from clinic.sessions.pages_chart import bounds, running_limits
from clinic.sessions.pages_log import adverse_title, prn_title
from clinic.sessions.pages_words import breach_text, is_above, way_out
from clinic.sessions.progress import Progress, current
from clinic.sessions.rules import AdministrationKind, SessionStatus
from clinic.sessions.score_rules import SCORES, score_total
from clinic.sessions.vital_rules import SEDATION_SCALES, VITALS


def session_facts(infusion: InfusionSession, going: Progress, zone: ZoneInfo) -> SessionFacts:
    """Return the facts of one session from its loaded rows; `going` is its progress at the same instant."""
    seen = sorted(going.observations, key=lambda row: row.observed_at)
    before, after = _pain(seen, going.started_at, going.stopped_at)
    terms = infusion.order_version.terms
    adverse = current(infusion.adverse_events)
    return SessionFacts(
        number=infusion.number,
        planned=terms.sessions_planned,
        drug=terms.drug.name,
        started_at=going.started_at,
        stopped_at=going.stopped_at,
        given_mg=going.delivered_mg,
        maximum_mg=going.maximum_total_mg,
        highest_rate_mg_h=going.highest_rate_mg_h,
        rates=_rates(going),
        pauses=_pauses(infusion),
        pain_before=before,
        pain_after=after,
        systolic=_extreme(infusion, going, Vital.SBP, max),
        spo2=_extreme(infusion, going, Vital.SPO2, min),
        sedation=_sedation(infusion, going),
        outside=tuple(_outside(seen, going)),
        is_observed=bool(seen),
        events=tuple(Happening(row.onset_at, adverse_title(row)) for row in adverse),
        prn=tuple(Happening(row.given_at, prn_title(row)) for row in current(infusion.prn_doses)),
        told=tuple(
            Happening(row.happened_at, row.text)
            for row in current(infusion.events)
            if row.kind is SessionEventKind.NOTIFY
        ),
        score=_score(infusion),
        left=left_words(infusion, zone),
        not_done_reason=_not_done_reason(infusion),
    )


def _pain(
    seen: Sequence[ObservationSet], started_at: datetime | None, stopped_at: datetime | None
) -> tuple[int | None, int | None]:
    """The last score up to the start, and the last one after the stop; a session that runs has no "after" yet."""
    scored = [(row.observed_at, row.pain) for row in seen if row.pain is not None]
    before = [pain for at, pain in scored if started_at is None or at <= started_at]
    after = [pain for at, pain in scored if stopped_at is not None and at >= stopped_at]
    return before[-1] if before else None, after[-1] if after else None


def _rates(going: Progress) -> tuple[tuple[datetime, Decimal], ...]:
    """Each new rate with its time; going on at the same rate after a pause is no new one."""
    found: list[tuple[datetime, Decimal]] = []
    for segment in going.segments:
        if not segment.rate_ml_h or segment.concentration_mg_ml is None:
            continue
        rate = dose_rate_mg_h(segment.rate_ml_h, concentration_mg_ml=segment.concentration_mg_ml)
        if not found or found[-1][1] != rate:
            found.append((segment.start, rate))
    return tuple(found)


def _pauses(infusion: InfusionSession) -> tuple[tuple[datetime, datetime], ...]:
    acts = sorted(current(infusion.administrations), key=lambda row: row.happened_at)
    found, since = [], None
    for act in acts:
        if act.kind is AdministrationKind.PAUSE:
            since = act.happened_at
        elif since is not None and act.kind in {AdministrationKind.RESUME, AdministrationKind.STOP}:
            found.append((since, act.happened_at))
            since = None
    return tuple(found)


# --- vitals ----------------------------------------------------------------------------------------------------------


def _breach(row: ObservationSet, going: Progress, vital: Vital) -> Breach | None:
    """The breach of a vital in a set, the one that holds the infusion first."""
    found = [breach for breach in going.breaches.get(row.id, ()) if breach.limit.vital is vital]
    return min(found, key=lambda breach: breach.limit.level is not LimitLevel.HOLD, default=None)


def _extreme(
    infusion: InfusionSession, going: Progress, vital: Vital, choose: Callable[[Iterable[int]], int]
) -> Extreme | None:
    values = [(row, getattr(row, vital.value)) for row in going.observations]
    taken = [(row, value) for row, value in values if value is not None]
    if not taken:
        return None
    chosen = choose([value for _, value in taken])
    breaches = [_breach(row, going, vital) for row, value in taken if value == chosen]
    breach = next((found for found in breaches if found is not None), None)
    low, high = bounds(running_limits(infusion.order_version.terms, vital))
    bound = high if choose is max else low
    unit = "%" if vital is Vital.SPO2 else ""
    return Extreme(
        f"{chosen}{unit}",
        side=("high" if is_above(breach.limit) else "low") if breach else "",
        limit="" if bound is None else f"{format_number(bound)}{unit}",
        outside_count=sum(_breach(row, going, vital) is not None for row, _ in taken),
    )


def _sedation(infusion: InfusionSession, going: Progress) -> Extreme | None:
    """The deepest sedation, by the direction of the clinic's scale."""
    deepest: ObservationSet | None = None
    for row in going.observations:
        if row.sedation is None or row.sedation_scale is None:
            continue
        if (
            deepest is None
            or deepest.sedation is None
            or (
                row.sedation_scale is deepest.sedation_scale
                and SEDATION_SCALES[row.sedation_scale].is_deeper(row.sedation, deepest.sedation)
            )
        ):
            deepest = row
    if deepest is None or deepest.sedation is None or deepest.sedation_scale is None:
        return None
    scale = SEDATION_SCALES[deepest.sedation_scale]
    breach = _breach(deepest, going, Vital.SEDATION)
    low, high = bounds(running_limits(infusion.order_version.terms, Vital.SEDATION))
    bound = low if scale.is_deeper_when_lower else high
    return Extreme(
        scale.codes.get(deepest.sedation, str(deepest.sedation)),
        side=("high" if is_above(breach.limit) else "low") if breach else "",
        limit="" if bound is None else format_number(bound),
        outside_count=sum(_breach(row, going, Vital.SEDATION) is not None for row in going.observations),
    )


def _outside(seen: Sequence[ObservationSet], going: Progress) -> Iterable[OutsideValue]:
    for place, row in enumerate(seen):
        told: set[Vital] = set()
        for breach in going.breaches.get(row.id, ()):
            vital = breach.limit.vital
            if vital in told:
                continue
            told.add(vital)
            chosen = _breach(row, going, vital) or breach
            later = next((each for each in seen[place + 1 :] if getattr(each, vital.value) is not None), None)
            yield OutsideValue(
                row.observed_at,
                f"{VITALS[vital].label} {_value(row, vital)}",
                breach_text(chosen, with_name=False),
                then="" if later is None else _value(later, vital),
                then_at=None if later is None else later.observed_at,
            )


def _value(row: ObservationSet, vital: Vital) -> str:
    value = getattr(row, vital.value)
    if vital is Vital.SEDATION and row.sedation_scale is not None:
        return SEDATION_SCALES[row.sedation_scale].codes.get(value, str(value))
    text = format_number(value)
    return f"{text}%" if vital is Vital.SPO2 else text


# --- the way out -----------------------------------------------------------------------------------------------------


def _score(infusion: InfusionSession) -> ScoreFact | None:
    rows = current(infusion.discharge_assessments)
    if not rows:
        return None
    last = max(rows, key=lambda row: row.assessed_at)
    score = SCORES[last.scale]
    items = dict(zip([item.key for item in score.items], last.items, strict=True))
    return ScoreFact(last.assessed_at, score.name, score_total(last.scale, items))


def left_words(infusion: InfusionSession, zone: ZoneInfo) -> str:
    """Return how the patient left: "Left with Ivan Petrov at 16:14"; empty while the patient is here."""
    discharge = infusion.discharge
    if discharge is None:
        return ""
    return f"{way_out(discharge)} at {clock_label(discharge.discharged_at, zone)}"


def _not_done_reason(infusion: InfusionSession) -> str:
    if infusion.status is not SessionStatus.NOT_DONE:
        return ""
    reasons = [move.reason for move in infusion.transitions if move.to_status is SessionStatus.NOT_DONE]
    return reasons[-1] or "no reason recorded." if reasons else "no reason recorded."
