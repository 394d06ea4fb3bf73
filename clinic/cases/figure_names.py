"""The names under `expect`, and how each is computed: by the rules, from the records of the session or the case."""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from itertools import pairwise

from clinic.cases import figure_case as of_case
from clinic.cases.figure_records import Numbers, Rows, numbers_of
from clinic.cases.figures import NOT_COMPUTED, Figure, Known, Value, set_beside
from clinic.cases.parts import Expected
from clinic.cases.playing import NotThere
from clinic.cases.stage import Visit
from clinic.outcomes.rules import Instrument, Occasion
from clinic.protocols.rules import DischargeScale


class UnknownFigure(Exception):
    """Nobody knows what this name means."""


OfVisit = Callable[[Numbers], Value]

# What several sessions come to: numbers in these are added, the rest is the last session's, or the highest of all.
_ADDED = frozenset(
    [
        "run_min",
        "span_min",
        "paused_min",
        "pauses",
        "volume_ml",
        "infused_mg",
        "dose_mg",
        "dose_mg_kg",
        "bolus_mg",
        "boluses",
        "waste_mg",
        "returned_mg",
        "withdrawn_mg",
        "prepared_mg",
        "given_mg",
        "unaccounted_mg",
        "prn_doses",
        "rate_changes",
        "adverse_events",
        "near_misses",
        "late_entries",
        "corrections",
        "observations",
        "notifications",
        "discrepancies",
        "double_checks",
        "failed_double_checks",
        "verbal_orders",
    ]
)
_HIGHEST = frozenset(
    ["max_rate_ml_h", "max_rate_mg_h", "max_rate_mg_kg_h", "max_rate_mcg_kg_min", "max_grade", "serious"]
)

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
}

_ALSO = {
    "elapsed_min": "elapsed_minutes duration_min total_min clock_min",
    "elapsed_h": "elapsed_hours duration_h utc_h utc_hours real_h",
    "wall_min": "wall_clock_min wall_minutes",
    "wall_h": "wall_clock_h wall_hours wall_clock_hours",
    "run_min": "running_min infusing_min flow_min",
    "paused_min": "pause_min pauses_min total_pause_min pause_total_min",
    "pauses": "pause_count n_pauses number_of_pauses",
    "volume_ml": "volume infused_ml delivered_ml total_ml",
    "dose_mg": "total_mg total_dose_mg delivered_mg dose_total_mg administered_mg",
    "dose_mg_kg": "total_mg_kg delivered_mg_kg",
    "bolus_mg": "boluses_mg bolus_total_mg",
    "boluses": "bolus_count n_boluses",
    "max_rate_mg_h": "highest_rate_mg_h peak_rate_mg_h",
    "max_rate_mg_kg_h": "highest_rate_mg_kg_h peak_rate_mg_kg_h",
    "max_rate_ml_h": "highest_rate_ml_h peak_rate_ml_h",
    "min_rate_mg_h": "lowest_rate_mg_h",
    "min_rate_ml_h": "lowest_rate_ml_h",
    "final_rate_ml_h": "last_rate_ml_h end_rate_ml_h",
    "final_rate_mg_h": "last_rate_mg_h end_rate_mg_h",
    "mean_rate_mg_h": "average_rate_mg_h avg_rate_mg_h",
    "rate_changes": "rate_change_count n_rate_changes",
    "rate_reductions": "reductions rate_decreases",
    "rate_increases": "increases steps_up",
    "weight_kg": "weight_used_kg",
    "waste_mg": "wasted_mg waste_total_mg",
    "waste_ml": "wasted_ml",
    "unaccounted_mg": "unaccounted balance_mg missing_mg",
    "remaining_mg": "bag_remainder_mg bag_remaining_mg",
    "remaining_ml": "bag_remainder_ml bag_remaining_ml",
    "vial_balance_mg": "vial_balance_after_mg vial_balance register_balance_mg balance_after_mg",
    "counted_mg": "count_mg count_found_mg found_mg",
    "discrepancies": "discrepancy_count discrepancies_open open_discrepancies discrepancy_opened discrepancy_open",
    "discrepancy_mg": "discrepancy discrepancy_size_mg",
    "is_transferred": "transfer transferred",
    "segments": "rate_segments",
    "is_balanced": "balanced account_balanced drug_account_balanced",
    "prn_doses": "prn prn_count prn_given",
    "adverse_events": "ae_count adverse_event_count n_adverse_events adverse_event",
    "serious_events": "serious_adverse_events sae_count serious_count",
    "serious": "is_serious serious_event any_serious serious_adverse_event",
    "max_grade": "grade highest_grade ae_grade",
    "adverse_event_terms": "terms adverse_event_term",
    "near_misses": "near_miss near_miss_count",
    "blocked_rates": "blocked_proposals start_blocked rates_blocked",
    "failed_double_checks": "double_checks_failed double_check_failed mismatches",
    "double_checks": "double_checks_passed double_check_passed",
    "observations": "observation_sets obs obs_rows obs_count n_obs observation_count",
    "late_entries": "late_entry late_entry_count",
    "corrections": "corrected correction_count corrected_values",
    "notifications": "notify notify_count notified notifies",
    "verbal_orders": "verbal_order_count",
    "addenda": "addendum addendum_count addendums",
    "is_cosigned": "cosigned co_signed",
    "status": "session_status state session_state",
    "exit": "discharge discharge_exit disposition",
    "is_overridden": "override discharge_override",
    "is_started": "started infusion_started",
    "start_refused": "refused_start not_started",
    "order_version": "version",
    "started_at": "start start_at start_utc",
    "stopped_at": "stop stop_at stop_utc end end_at end_utc",
    "recovery_min": "recovery_minutes",
    "peg_follow_up": "peg_followup peg_after",
    "peg_baseline": "peg_before baseline_peg",
    "nrs_baseline": "baseline_nrs nrs_before",
    "nrs_follow_up": "nrs_followup nrs_after follow_up_nrs",
    "nrs_change_pct": "nrs_pct_change pain_change_pct",
    "order_versions": "versions order_version_count",
    "cancelled": "cancelled_appointments cancellations appointments_cancelled",
    "no_shows": "noshow noshows no_show",
    "sessions_done": "completed_sessions sessions_completed",
    "refusals": "refused blocked",
    "held_weights": "weights_held weight_held weight_entry_held",
}
_NAMES = {also: name for name, words in _ALSO.items() for also in words.split()}

_SESSION = re.compile(r"sessions?[\[_.]?(\d+)\]?", re.IGNORECASE)
_OF_VITAL = re.compile(r"(min|max|lowest|highest|first|last|peak|nadir)_([a-z0-9]+)")
_ORDINARY = {"lowest": "min", "nadir": "min", "highest": "max", "peak": "max"}


def compute(name: str, visit: Visit | None, known: Known) -> Value:
    """The figure of a name, of one session or of the case. Raises UnknownFigure."""
    plain = _plain(name)
    head, dot, tail = plain.partition(".")
    found = _SESSION.fullmatch(head)
    if dot and found:
        return compute(tail, _numbered(int(found[1]), head, known), known)
    plain = _known_as(plain)
    if plain in _CASE:
        return _CASE[plain](known)
    visits = [visit] if visit is not None else [one for one in known.stage.visits if one.infusion_id is not None]
    numbers = [numbers_of(one, known) for one in visits if one.infusion_id is not None]
    if dot and (special := _dotted(head, tail)) is not None:
        return _together(head, [special(each) for each in numbers])
    of_visit = _VISIT.get(plain) or _of_vital(plain) or _dotted(*_split(plain))
    if of_visit is None:
        raise UnknownFigure(name)
    return _together(plain, [of_visit(each) for each in numbers])


def _plain(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(" ", "_")


def _known_as(name: str) -> str:
    return _NAMES.get(_plain(name), _plain(name))


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
    if len(values) > 1 and name in _ADDED and numbers:
        return sum(numbers, Decimal(0))
    if len(values) > 1 and name in _HIGHEST and numbers:
        return max(numbers)
    return values[-1] if values else _nothing(name)


def _nothing(name: str) -> Value:
    """Of a case in which no session began: amounts are nothing, the rest is not there."""
    if name in {"is_started", "start_refused"}:
        return name == "start_refused"
    return Decimal(0) if name in _ADDED | _HIGHEST else None


def _steps(numbers: Numbers) -> Iterable[tuple[Decimal, Decimal]]:
    """The changes of the rate, across pauses as well."""
    rates = [segment.rate_ml_h for segment in numbers.flowing]
    return ((before, after) for before, after in pairwise(rates) if before != after)


def _of_vital(name: str) -> OfVisit | None:
    found = _OF_VITAL.fullmatch(name)
    if found is None or not Rows.is_vital(found[2]):
        return None
    which, column = _ORDINARY.get(found[1], found[1]), found[2]
    return lambda numbers: numbers.rows.vital(column, which)


def _split(name: str) -> tuple[str, str]:
    """`midazolam_waste_mg` is `midazolam.waste_mg`."""
    head, _, tail = name.partition("_")
    return head, tail


def _dotted(head: str, tail: str) -> OfVisit | None:
    """Figures of one drug (`midazolam.waste_mg`), of one label (`waste.bag_remainder`), of one medicine (`prn.…`)."""
    if head in {"waste", "wasted"} and tail:
        return lambda numbers: numbers.log.of_label(tail)
    if head == "prn" and tail:
        return lambda numbers: sum(tail in row.prn_item.drug_name.lower() for row in numbers.rows.prn)
    plain = _NAMES.get(tail, tail)
    of_log = plain in _LOG
    if plain not in _VISIT or not (of_log or plain in {"dose_mg", "volume_ml"}):
        return None

    def of_drug(numbers: Numbers) -> Value:
        if head == numbers.drug.lower():
            return _VISIT[plain](numbers)
        log = numbers.account(head)
        if log is None:
            raise UnknownFigure(f"{head}.{tail}")
        return log.given_mg if plain == "dose_mg" else _VISIT[plain](numbers.with_log(log))

    return of_drug


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
    if value is None and expected.value == 0 and _known_as(expected.name) in _ADDED:
        value = Decimal(0)  # of what nobody logged, nothing was used
    is_size = "discrepancy" in expected.name
    agrees, computed = set_beside(expected.value, expected.text, value, is_size=is_size)
    return Figure(expected.name, shown, computed, agrees=agrees)
