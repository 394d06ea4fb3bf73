"""The names under `expect`, and how each is computed: by the rules, from the records of the session or the case."""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from itertools import pairwise

from clinic.cases import figure_case as of_case
from clinic.cases.figure_records import Numbers, Rows, numbers_of
from clinic.cases.figure_words import ADDED, HIGHEST, known_as, plain
from clinic.cases.figures import NOT_COMPUTED, Figure, Known, Value, set_beside
from clinic.cases.parts import Expected
from clinic.cases.playing import NotThere
from clinic.cases.stage import Visit
from clinic.core.units import EXACT
from clinic.outcomes.rules import Instrument, Occasion
from clinic.protocols.rules import DischargeScale
from clinic.sessions import delivery_rules as delivery
from clinic.sessions.models import AdverseEvent


class UnknownFigure(Exception):
    """Nobody knows what this name means."""


OfVisit = Callable[[Numbers], Value]

_VISIT: dict[str, OfVisit] = {
    "run_min": lambda n: n.run_min,
    "run_h": lambda n: n.hours(n.run_min),
    "span_min": lambda n: n.span_min,
    "span_h": lambda n: n.hours(n.span_min),
    "elapsed_min": lambda n: n.elapsed_min,
    "elapsed_h": lambda n: n.hours(n.elapsed_min),
    "wall_min": lambda n: n.wall_min,
    "wall_h": lambda n: n.hours(n.wall_min),
    "paused_min": lambda n: n.paused_min,
    "pauses": lambda n: len(n.pauses),
    "longest_pause_min": lambda n: max((minutes for minutes in n.pauses), default=Decimal(0)),
    "segments": lambda n: len(n.flowing),
    "volume_ml": lambda n: n.volume_ml,
    "infused_mg": lambda n: n.infused_mg,
    "dose_mg": lambda n: n.dose_mg,
    "dose_mg_kg": lambda n: n.per_kg(n.dose_mg),
    "bolus_mg": lambda n: n.bolus_mg,
    "boluses": lambda n: n.boluses,
    "max_rate_ml_h": lambda n: n.highest_ml_h,
    "max_rate_mg_h": lambda n: n.highest_mg_h,
    "max_rate_mg_kg_h": lambda n: n.per_kg(n.highest_mg_h),
    "max_rate_mcg_kg_min": lambda n: n.mcg_kg_min(n.highest_mg_h),
    "min_rate_ml_h": lambda n: min((segment.rate_ml_h for segment in n.flowing), default=Decimal(0)),
    "min_rate_mg_h": lambda n: min(n.rates_mg_h, default=Decimal(0)),
    "final_rate_ml_h": lambda n: n.flowing[-1].rate_ml_h if n.flowing else None,
    "final_rate_mg_h": lambda n: n.rates_mg_h[-1] if n.flowing else None,
    "final_rate_mg_kg_h": lambda n: n.per_kg(n.rates_mg_h[-1]) if n.flowing else None,
    "start_rate_ml_h": lambda n: n.flowing[0].rate_ml_h if n.flowing else None,
    "start_rate_mg_h": lambda n: n.rates_mg_h[0] if n.flowing else None,
    "mean_rate_mg_h": lambda n: n.mean_mg_h,
    "rate_changes": lambda n: len(list(_steps(n))),
    "rate_reductions": lambda n: sum(after < before for before, after in _steps(n)),
    "rate_increases": lambda n: sum(after > before for before, after in _steps(n)),
    "weight_kg": lambda n: n.weight_kg,
    "waste_mg": lambda n: n.log.wasted_mg,
    "waste_ml": lambda n: n.in_ml(n.log.wasted_mg),
    "withdrawn_mg": lambda n: n.log.withdrawn_mg,
    "prepared_mg": lambda n: n.log.prepared_mg,
    "given_mg": lambda n: n.log.given_mg,
    "returned_mg": lambda n: n.log.returned_mg,
    "spilled_mg": lambda n: n.log.spilled_mg,
    "unaccounted_mg": lambda n: n.log.unaccounted_mg,
    "remaining_mg": lambda n: None if n.log.prepared_mg is None else n.log.prepared_mg - n.dose_mg,
    "remaining_ml": lambda n: n.in_ml(None if n.log.prepared_mg is None else n.log.prepared_mg - n.dose_mg),
    "vial_balance_mg": lambda n: n.log.balance_mg,
    "counted_mg": lambda n: n.log.counted_mg,
    "discrepancies": lambda n: len(n.log.discrepancies_mg),
    "discrepancy_mg": lambda n: next(iter(n.log.discrepancies_mg), Decimal(0)),
    "is_balanced": lambda n: not n.log.unaccounted_mg,
    "mpadss": lambda n: n.rows.score(DischargeScale.MPADSS),
    "aldrete": lambda n: n.rows.score(DischargeScale.ALDRETE),
    "prn_doses": lambda n: len(n.rows.prn),
    "adverse_events": lambda n: len(n.rows.adverse),
    "serious_events": lambda n: sum(bool(row.is_serious) for row in n.rows.adverse),
    "serious": lambda n: any(row.is_serious for row in n.rows.adverse),
    "max_grade": lambda n: max((row.grade for row in n.rows.adverse if row.grade is not None), default=None),
    "adverse_event_terms": lambda n: [row.term for row in n.rows.adverse],
    "near_misses": lambda n: len(n.rows.near_misses),
    "blocked_rates": lambda n: sum(row.is_blocked for row in n.infusion.rate_proposals),
    "failed_double_checks": lambda n: sum(not row.is_match for row in n.rows.double_checks),
    "double_checks": lambda n: sum(row.is_match for row in n.rows.double_checks),
    "observations": lambda n: len(n.rows.seen),
    "late_entries": lambda n: n.rows.late_entries,
    "corrections": lambda n: n.rows.corrections,
    "notifications": lambda n: n.rows.notified,
    "outside_limits": lambda n: n.rows.outside,
    "missed_observations": lambda n: n.rows.missed,
    "verbal_orders": lambda n: n.rows.spoken,
    "unsigned_verbal_orders": lambda n: n.rows.unsigned_spoken,
    "cannulas": lambda n: n.rows.cannulas,
    "addenda": lambda n: n.rows.addenda,
    "is_cosigned": lambda n: n.rows.is_cosigned,
    "note_status": lambda n: n.rows.note_status,
    "status": lambda n: n.infusion.status.value,
    "exit": lambda n: n.rows.exit,
    "destination": lambda n: n.infusion.discharge.destination if n.infusion.discharge else None,
    "is_transferred": lambda n: n.rows.exit == "transfer",
    "is_overridden": lambda n: bool(n.infusion.discharge and n.infusion.discharge.override_by_id),
    "is_started": lambda n: n.started_at is not None,
    "start_refused": lambda n: n.started_at is None,
    "session_number": lambda n: n.infusion.number,
    "order_version": lambda n: n.infusion.order_version.number,
    "started_at": lambda n: n.started_at,
    "stopped_at": lambda n: n.stopped_at,
    "discharged_at": lambda n: n.infusion.discharge.discharged_at if n.infusion.discharge else None,
    "recovery_min": lambda n: n.recovery_min,
    "visit_min": lambda n: n.visit_min,
    "is_past_time_cap": lambda n: n.is_past_cap,
    "is_time_cap_reached": lambda n: n.is_at_cap,
    "planned_mg": lambda n: n.planned_mg,
    "planned_mg_kg": lambda n: n.per_kg(n.planned_mg),
    "undelivered_mg": lambda n: n.undelivered_mg,
    "delivered_pct": lambda n: n.delivered_pct,
    "leaving_min": lambda n: n.minute_of_leaving,
    "clock_shift_min": lambda n: n.wall_min - n.elapsed_min,
    "dose_mg_by_day": lambda n: [day.dose_mg for day in n.by_day().values()],
    "run_min_by_day": lambda n: [day.run_min for day in n.by_day().values()],
    "volume_ml_by_day": lambda n: [day.volume_ml for day in n.by_day().values()],
    "dose_mg_by_segment": lambda n: [delivery.delivered_mg([segment]) for segment in n.flowing],
    "volume_ml_by_segment": lambda n: [delivery.delivered_ml([segment]) for segment in n.flowing],
    "rates_ml_h": lambda n: [segment.rate_ml_h for segment in n.flowing],
    "rates_mg_h": lambda n: n.rates_mg_h,
    "pause_lengths_min": lambda n: n.pauses,
    "adverse_event_min": lambda n: n.adverse_min,
}

_CASE: dict[str, Callable[[Known], Value]] = {
    "peg_baseline": lambda k: of_case.peg(k, Occasion.BASELINE),
    "peg_follow_up": lambda k: of_case.peg(k, Occasion.FOLLOW_UP),
    "peg_change": lambda k: of_case.change(k, Instrument.PEG),
    "peg_change_pct": lambda k: of_case.change_pct(k, Instrument.PEG),
    "nrs_baseline": lambda k: of_case.nrs(k, Occasion.BASELINE),
    "nrs_follow_up": lambda k: of_case.nrs(k, Occasion.FOLLOW_UP),
    "nrs_change": lambda k: of_case.change(k, Instrument.NRS),
    "nrs_change_pct": lambda k: of_case.change_pct(k, Instrument.NRS),
    "pgic": lambda k: of_case.answer(k, Instrument.PGIC, Occasion.FOLLOW_UP),
    "course_status": lambda k: k.stage.course.status.value,
    "order_versions": of_case.order_versions,
    "appointments": lambda k: len(of_case.appointments(k)),
    "cancelled": lambda k: of_case.appointments_that(k, "cancelled"),
    "no_shows": lambda k: of_case.appointments_that(k, "noshow"),
    "fulfilled": lambda k: of_case.appointments_that(k, "fulfilled"),
    "holds": lambda k: of_case.decisions(k, "hold"),
    "resumptions": lambda k: of_case.decisions(k, "resume"),
    "decision": of_case.last_decision,
    "sessions_done": of_case.sessions_done,
    "sessions_not_done": of_case.sessions_not_done,
    "sessions": lambda k: len(of_case.sessions(k)),
    "signatures": of_case.signatures,
    "held_weights": of_case.held_weights,
    "last_weight_kg": of_case.last_weight,
    "refusals": lambda k: len(k.refusals),
    "is_responder": of_case.is_responder,
}

_EVERY = (*_VISIT, *_CASE)
_SESSION = re.compile(r"sessions?[\[_.]?(\d+)\]?", re.IGNORECASE)
_WHICH = "min|max|lowest|highest|first|last|peak|nadir"
_DAY = re.compile(r"day_?(\d{1,2})[_.](.+)")
_BY_SESSION = re.compile(r"_(?:by|per|each)_session$")
_OF_VITAL = re.compile(rf"({_WHICH})_([a-z0-9]+)|([a-z0-9]+)_({_WHICH})")
_ORDINARY = {"lowest": "min", "nadir": "min", "highest": "max", "peak": "max"}


def compute(name: str, visit: Visit | None, known: Known) -> Value:
    """The figure of a name, of one session or of the case. Raises UnknownFigure."""
    word = plain(name)
    head, dot, tail = word.partition(".")
    found = _SESSION.fullmatch(head)
    if dot and found:
        return compute(tail, _numbered(int(found[1]), head, known), known)
    each, by_session = _BY_SESSION.subn("", word)
    if by_session:
        return [compute(each, one, known) for one in known.stage.visits if one.infusion_id is not None]
    word = _known_as(word)
    if word in _CASE:
        return _CASE[word](known)
    visits = [visit] if visit is not None else [one for one in known.stage.visits if one.infusion_id is not None]
    numbers = [numbers_of(one, known) for one in visits if one.infusion_id is not None]
    if dot and (special := _dotted(head, tail)) is not None:
        return _together(head, [special(each) for each in numbers])
    of_visit = _of_visit(word)
    if of_visit is None:
        raise UnknownFigure(name)
    return _together(word, [of_visit(each) for each in numbers])


def _of_visit(word: str) -> OfVisit | None:
    found = _DAY.fullmatch(word)
    if found and (figure := _VISIT.get(_known_as(found[2]))):
        return _of_day(figure, found[1])
    return _VISIT.get(word) or _of_vital(word) or _in_other_unit(word) or _of_drug_in(word)


def _known_as(name: str) -> str:
    return known_as(name, _EVERY)


def _numbered(number: int, head: str, known: Known) -> Visit:
    visits = known.stage.visits
    named = [visit for visit in visits if visit.number == number] if "[" not in head else []
    if named:
        return named[0]
    if number < len(visits):
        return visits[number]
    raise UnknownFigure(head)


def _together(name: str, values: list[Value]) -> Value:
    """One value of several sessions."""
    numbers = [value for value in values if isinstance(value, Decimal | int)]
    if len(values) > 1 and name in ADDED and numbers:
        return sum(numbers, Decimal(0))
    if len(values) > 1 and name in HIGHEST and numbers:
        return max(numbers)
    return values[-1] if values else _nothing(name)


def _nothing(name: str) -> Value:
    """Of a case in which no session began: amounts are nothing, the rest is not there."""
    if name in {"is_started", "start_refused"}:
        return name == "start_refused"
    return Decimal(0) if name in ADDED | HIGHEST else None


def _steps(numbers: Numbers) -> Iterable[tuple[Decimal, Decimal]]:
    """The changes of the rate, across pauses as well."""
    rates = [segment.rate_ml_h for segment in numbers.flowing]
    return ((before, after) for before, after in pairwise(rates) if before != after)


def _of_vital(name: str) -> OfVisit | None:
    """`min_spo2`, `last_nrs`, also `spo2_min`."""
    found = _OF_VITAL.fullmatch(name)
    which, column = (found[1] or found[4], found[2] or found[3]) if found else ("", "")
    if not Rows.is_vital(column):
        return None
    return lambda numbers: numbers.rows.vital(column, _ORDINARY.get(which, which))


def _in_other_unit(name: str) -> OfVisit | None:
    """A figure in another unit than its own: `pause_h` of minutes, `dose_g` and `unaccounted_ml` of mg."""
    stem, _, unit = name.rpartition("_")
    if unit not in _FROM_UNIT:
        return None
    base, convert = _FROM_UNIT[unit]
    found = _VISIT.get(_known_as(f"{stem}_{base}"))
    if found is None:
        return None

    def converted(numbers: Numbers) -> Value:
        value = found(numbers)
        return convert(numbers, Decimal(value)) if isinstance(value, Decimal | int) else None

    return converted


_FROM_UNIT: dict[str, tuple[str, Callable[[Numbers, Decimal], Value]]] = {
    "h": ("min", lambda n, minutes: n.hours(minutes)),
    "min": ("h", lambda _, mg_h: EXACT.divide(mg_h, Decimal(60))),
    "g": ("mg", lambda _, mg: mg / 1000),
    "ml": ("mg", lambda n, mg: n.in_ml(mg)),
    "l": ("ml", lambda _, ml: ml / 1000),
    "kg": ("mg", lambda n, mg: n.per_kg(mg)),
}


def _of_drug_in(name: str) -> OfVisit | None:
    """`midazolam_waste_mg` is `midazolam.waste_mg`, wherever the drug's name ends."""
    ends = [place for place, letter in enumerate(name) if letter == "_"]
    found = ((name[:end], name[end + 1 :]) for end in ends)
    return next((of_drug for head, tail in found if (of_drug := _dotted(head, tail)) is not None), None)


def _dotted(head: str, tail: str) -> OfVisit | None:
    """Of a day, a drug (`midazolam.waste_mg`), a label (`waste.bag_remainder`), a medicine (`prn.labetalol`)."""
    figure = _known_as(head)
    if figure == "waste_mg" and tail:
        return lambda numbers: numbers.log.of_label(tail)
    if figure == "prn_doses" and tail:
        return lambda numbers: sum(tail in row.prn_item.drug_name.lower() for row in numbers.rows.prn)
    if figure in _OF_DAY:
        return _of_day(_OF_DAY[figure], tail)
    if head in _ADVERSE:
        return _of_adverse(tail)
    wanted = _known_as(tail)
    if wanted not in _VISIT or not (wanted in _LOG or wanted in {"dose_mg", "volume_ml"}):
        return None

    def of_drug(numbers: Numbers) -> Value:
        infused = plain(numbers.drug)
        if head == infused or head in infused.split("_"):
            return _VISIT[wanted](numbers)
        log = numbers.second_account if head == "second_drug" else numbers.account(head.replace("_", " "))
        if log is None:
            raise UnknownFigure(f"{head}.{tail}")
        return log.given_mg if wanted == "dose_mg" else _VISIT[wanted](numbers.with_log(log))

    return of_drug


_ADVERSE = frozenset({"ae", "adverse_event", "adverse"})


def _of_adverse(tail: str) -> OfVisit | None:
    """What is recorded of the adverse event; of several, the one of the highest grade."""
    if tail not in _OF_ADVERSE:
        return None

    def of_adverse(numbers: Numbers) -> Value:
        rows = sorted(numbers.rows.adverse, key=lambda row: (row.grade or 0, row.onset_at))
        return _OF_ADVERSE[tail](numbers, rows[-1]) if rows else None

    return of_adverse


_OF_ADVERSE: dict[str, Callable[[Numbers, AdverseEvent], Value]] = {
    "term": lambda _, row: row.term,
    "grade": lambda _, row: row.grade,
    "serious": lambda _, row: row.is_serious,
    "causality": lambda _, row: row.causality,
    "outcome": lambda _, row: row.outcome.value if row.outcome else None,
    "onset_min": lambda n, row: n.minute_of(row.onset_at),
    "resolved_min": lambda n, row: n.minute_of(row.resolved_at),
    "duration_min": lambda n, _: n.adverse_min,
}


def _of_day(figure: OfVisit, tail: str) -> OfVisit:
    """A figure of one day, by its date or by its number (`day_2`, `2`)."""

    def of_day(numbers: Numbers) -> Value:
        days = numbers.by_day()
        number = tail.removeprefix("day").strip("_")
        if number.isdecimal() and 0 < int(number) <= len(days):
            return figure(list(days.values())[int(number) - 1])
        return figure(days[tail]) if tail in days else Decimal(0)

    return of_day


_OF_DAY: dict[str, OfVisit] = {
    "dose_mg_by_day": lambda n: n.dose_mg,
    "volume_ml_by_day": lambda n: n.volume_ml,
    "run_min_by_day": lambda n: n.run_min,
}


_LOG = frozenset(
    {
        "waste_mg",
        "withdrawn_mg",
        "prepared_mg",
        "given_mg",
        "returned_mg",
        "spilled_mg",
        "unaccounted_mg",
        "vial_balance_mg",
        "counted_mg",
        "discrepancies",
        "discrepancy_mg",
        "is_balanced",
    }
)


def compare(expected: Expected, visit: Visit | None, known: Known) -> Figure:
    """Compute one figure, of a session or of the whole case, and set it beside the expected one.

    A name that nobody can compute is a difference: a file is never agreed with unread.
    """
    shown = None if expected.value is None else expected.text
    try:
        value = compute(expected.name, visit, known)
    except UnknownFigure:
        return Figure(expected.name, shown, None, agrees=False, note=NOT_COMPUTED)
    except NotThere:
        value = None  # the record that would say was refused
    if value is None and expected.value == 0 and _known_as(expected.name) in ADDED:
        value = Decimal(0)  # of what nobody logged, nothing was used
    is_size = "discrepancy" in expected.name or _known_as(expected.name) == "clock_shift_min"
    agrees, computed = set_beside(expected.value, expected.text, value, is_size=is_size)
    return Figure(expected.name, shown, computed, agrees=agrees)
