"""The words of figures: how else a name under `expect` may be spelt, and what several sessions come to."""

import re
from collections.abc import Collection
from functools import cache

# What several sessions come to: numbers in these are added, the rest is the last session's, or the highest of all.
ADDED = frozenset(
    [
        "run_min",
        "span_min",
        "paused_min",
        "pauses",
        "volume_ml",
        "planned_mg",
        "undelivered_mg",
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
HIGHEST = frozenset(
    ["max_rate_ml_h", "max_rate_mg_h", "max_rate_mg_kg_h", "max_rate_mcg_kg_min", "max_grade", "serious"]
)

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
    "vial_balance_mg": (
        "vial_balance_after_mg vial_balance register_balance_mg balance_after_mg vial_expected_mg "
        "expected_mg expected_balance_mg book_balance_mg count_expected_mg"
    ),
    "counted_mg": (
        "count_mg count_found_mg found_mg vial_count_mg vial_counted_mg vial_balance_counted_mg counted_balance_mg"
    ),
    "discrepancies": "discrepancy_count discrepancies_open open_discrepancies discrepancy_opened discrepancy_open",
    "discrepancy_mg": "discrepancy discrepancy_size_mg",
    "is_transferred": "transfer transferred emergency_transfer hospital_transfer",
    "destination": "transfer_to transferred_to hospital",
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
    "exit": "discharge discharge_exit disposition exit_kind exit_type exit_way way_out",
    "is_overridden": "override discharge_override",
    "is_started": "started infusion_started",
    "start_refused": "refused_start not_started",
    "order_version": "version",
    "started_at": "start start_at start_utc start_local",
    "stopped_at": "stop stop_at stop_utc stop_local end end_at end_utc end_local",
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
    "planned_mg": "ordered_mg ordered_total_mg planned_total_mg planned_dose_mg ordered_dose_mg",
    "planned_mg_kg": "ordered_mg_kg ordered_dose_mg_kg",
    "undelivered_mg": (
        "not_given_mg not_delivered_mg ungiven_mg shortfall_mg dose_remaining_mg omitted_mg undelivered_dose_mg"
    ),
    "delivered_pct": (
        "pct_of_ordered pct_delivered pct_of_planned pct_given given_pct dose_pct percent_delivered "
        "percent_of_ordered percent_of_planned pct_of_order delivered_percent fraction_pct "
        "dose_pct_of_planned dose_pct_of_ordered pct_of_planned_dose pct_of_ordered_dose"
    ),
    "is_time_cap_reached": (
        "cap_reached stopped_at_cap time_cap max_duration_reached maximum_duration_reached stopped_by_cap"
    ),
    "leaving_min": "discharge_min exit_min left_min transfer_min discharged_min transferred_min",
    "dose_mg_by_day": (
        "daily_dose_mg dose_mg_per_day dose_by_day daily_mg mg_by_day mg_per_day dose_mg_daily "
        "dose_by_day_mg dose_per_day_mg day_mg"
    ),
    "volume_ml_by_day": "daily_volume_ml volume_ml_per_day volume_by_day",
    "dose_mg_by_segment": "segment_mg segments_mg segment_doses_mg dose_by_segment",
    "volume_ml_by_segment": "segment_ml segments_ml segment_volumes_ml volume_by_segment",
    "rates_ml_h": "rate_ml_h rate_steps_ml_h",
    "pause_lengths_min": "pause_durations_min pause_list_min each_pause_min",
    "adverse_event_min": "ae_duration_min adverse_event_duration_min event_min ae_min",
    "is_responder": "responder response is_response responded",
    "clock_shift_min": "dst_shift_min clock_change_min dst_min",
    "held_weights": "weights_held weight_held weight_entry_held",
}
_NAMES = {also: name for name, words in _ALSO.items() for also in words.split()}

# Words of one meaning, and words that say nothing beside the rest: `total_pause_minutes` is `pause_min`.
_SAME = {
    "highest": "max",
    "maximum": "max",
    "peak": "max",
    "lowest": "min",
    "minimum": "min",
    "nadir": "min",
    "minutes": "min",
    "mins": "min",
    "hours": "h",
    "hrs": "h",
    "wasted": "waste",
    "delivered": "dose",
    "administered": "dose",
    "pauses": "pause",
    "paused": "pause",
    "running": "run",
    "average": "mean",
    "avg": "mean",
    "percent": "pct",
    "percentage": "pct",
    "final": "last",
    "end": "last",
    "initial": "first",
    "start": "first",
    "clock": "",
    "total": "",
    "overall": "",
    "cumulative": "",
    "actual": "",
    "number": "",
    "of": "",
    "the": "",
    "is": "",
    "was": "",
    "n": "",
}


def plain(name: str) -> str:
    """A name as names are compared: in lower case, words joined by `_`."""
    return re.sub(r"[\s-]+", "_", name.strip().lower())


def known_as(name: str, known: Collection[str]) -> str:
    """The one of the `known` names that this one means: by its spelling, else by its words in any order."""
    word = plain(name)
    if word in known or word in _NAMES:
        return _NAMES.get(word, word) if word not in known else word
    return _by_words(tuple(known)).get(_words(word), word)


@cache
def _by_words(known: tuple[str, ...]) -> dict[tuple[str, ...], str]:
    """Every known name and spelling by its words; words that two names share stand for neither."""
    found: dict[tuple[str, ...], str] = {}
    twice: set[tuple[str, ...]] = set()
    for spelling, name in [*((name, name) for name in known), *_NAMES.items()]:
        words = _words(spelling)
        if found.setdefault(words, name) != name:
            twice.add(words)
    return {words: name for words, name in found.items() if words not in twice}


def _words(name: str) -> tuple[str, ...]:
    return tuple(sorted(word for part in name.split("_") if (word := _SAME.get(part, part))))
