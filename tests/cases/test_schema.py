"""Case files are read exactly, in every reasonable spelling, and refused with the place of the fault."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic.cases.parts import Case, Exit, SessionCase
from clinic.cases.reading import CaseFault
from clinic.cases.schema import WORKED, read_cases, read_file

FILES = Path(__file__).parent / "files"
D = Decimal


def one_session(name: str) -> tuple[Case, SessionCase]:
    (case,) = read_file(FILES / f"{name}.yaml").cases
    (session,) = case.sessions
    return case, session


def volume(session: SessionCase) -> Decimal:
    """mL from the rates and the UTC instants, apart from any minute arithmetic of the parser."""
    seconds = [(row.end.at - row.start.at).total_seconds() for row in session.infusion]
    return sum((D(int(span)) * row.rate_ml_h for span, row in zip(seconds, session.infusion, strict=True)), D(0)) / 3600


# --------------------------------------------------------------------------------------------------------------------
# The public cases


@pytest.fixture(scope="module")
def worked() -> dict[str, Case]:
    return {case.id: case for case in read_file(WORKED).cases}


def test_all_public_cases_are_read_without_a_warning(worked):
    assert list(worked) == ["C01", "C02", "C03", "C05", "C07", "C08"]
    assert read_file(WORKED).warnings == ()


@pytest.mark.parametrize("case", ["C01", "C02", "C03", "C05", "C07", "C08"])
def test_the_rates_of_a_public_case_give_its_expected_volume(worked, case):
    expected = {figure.name: figure.value for figure in worked[case].expect}
    assert volume(worked[case].sessions[0]) == expected["volume_ml"]


def test_numbers_keep_the_digits_of_the_file(worked):
    order = worked["C01"].orders[0]
    assert str(order.conc_mg_ml) == "1.0"
    assert order.step_every_min == D(60)
    assert {figure.name: figure.text for figure in worked["C07"].expect}["dose_mg_kg"] == "0.599"


def test_instants_are_in_utc(worked):
    session = worked["C01"].sessions[0]
    assert session.session.start == datetime(2026, 3, 4, 14, tzinfo=UTC)
    assert session.session.start.tzinfo is UTC
    assert session.obs[0].when.at == datetime(2026, 3, 4, 13, 48, tzinfo=UTC)
    assert worked["C01"].orders[0].signed_at == datetime(2026, 3, 2, 12, 40, tzinfo=UTC)


def test_not_measured_is_none_and_zero_is_zero(worked):
    before = worked["C01"].sessions[0].obs[0].values
    assert before["etco2"] is None
    assert before["rass"] == 0
    assert set(before) == {"sbp", "dbp", "hr", "rr", "spo2", "etco2", "rass", "nrs", "dissociation", "nausea"}


def test_a_second_controlled_drug_has_its_own_account(worked):
    ketamine, midazolam = worked["C03"].sessions[0].drug_accounts
    assert (ketamine.drug, ketamine.withdrawn_mg, ketamine.waste_mg) == ("ketamine", 50, D("35.24"))
    assert (midazolam.drug, midazolam.withdrawn_mg, midazolam.given_mg, midazolam.waste_mg) == ("midazolam", 2, 1, 1)
    assert midazolam.witness == "RN-4"


def test_gates_hold_and_resumption_are_read(worked):
    case = worked["C07"]
    assert [gate.on for gate in case.gates] == [date(2026, 7, 1), date(2026, 7, 8), date(2026, 7, 15), date(2026, 8, 5)]
    assert case.course.holds[0].at == datetime(2026, 7, 15, 13, 40, tzinfo=UTC)
    assert case.course.resumptions[0].by == "PHY-1"
    assert case.sessions[0].session.weight_used_kg == D("84.1")


def test_corrections_tell_a_changed_value_from_a_late_entry(worked):
    changed, late = worked["C08"].sessions[0].corrections
    assert (changed.kind, changed.column, changed.was, changed.now) == ("correction", "hr", 27, 72)
    assert changed.obs.minute == 30
    assert (late.kind, late.observed.minute, late.recorded.minute) == ("late_entry", 45, 70)


def test_the_near_miss_keeps_both_rates(worked):
    (miss,) = worked["C05"].sessions[0].near_misses
    assert (miss.entered_ml_h, miss.expected_ml_h, miss.when.minute) == (D("125.0"), D("12.5"), -6)


# --------------------------------------------------------------------------------------------------------------------
# Cases of the kinds that the public file lacks


def test_four_wall_clock_days_over_the_autumn_change_are_97_hours():
    case, session = one_session("autumn_change")
    assert (session.session.end - session.session.start).total_seconds() == 97 * 3600
    assert session.infusion[-1].end.minute == 5820
    assert volume(session) == D("661.875")
    assert case.patient.born == date(1979, 5, 6)


def test_the_hour_that_comes_twice_is_told_apart_by_its_letters():
    _, session = one_session("autumn_change")
    first, second = session.obs[3].when, session.obs[4].when
    assert first.at == datetime(2026, 11, 1, 5, 45, tzinfo=UTC)
    assert second.at == datetime(2026, 11, 1, 6, 15, tzinfo=UTC)
    pause = session.infusion[2].start.at - session.infusion[1].end.at
    assert pause.total_seconds() == 45 * 60


def test_a_transfer_keeps_both_events_and_the_difference():
    case, session = one_session("transfer")
    assert session.exit is Exit.TRANSFER
    assert session.discharge.to == "county hospital"
    assert session.discharge.mpadss == ()
    serious, mild = session.adverse_events
    assert (serious.serious, serious.criterion, serious.resolved) == (True, "hospital", None)
    assert (mild.serious, mild.resolved.minute) == (False, 60)
    (account,) = session.drug_accounts
    assert (account.counts[0].expected_mg, account.counts[0].found_mg) == (150, 145)
    assert (account.discrepancies[0].mg, account.discrepancies[0].by) == (-5, ("RN-1", "RN-2"))
    assert account.withdrawn_mg - volume(session) * case.orders[0].conc_mg_ml - account.waste_mg == 5
    assert "etco2" not in session.obs[5].values


def test_reductions_and_pauses_leave_gaps():
    case, session = one_session("reductions")
    assert [row.rate_ml_h for row in session.infusion] == [D("22.5"), D("15.0"), D("7.5"), D("5.0")]
    assert [row.start.minute for row in session.infusion] == [0, 40, 80, 110]
    assert volume(session) == D("25.0")
    assert case.orders[0].max_duration_min == 150


@pytest.mark.parametrize("name", ["autumn_change", "transfer", "reductions"])
def test_the_new_cases_are_read_without_a_warning(name):
    assert read_file(FILES / f"{name}.yaml").warnings == ()


# --------------------------------------------------------------------------------------------------------------------
# Other spellings. The base is short, so that a line and a column can be counted.

BASE = """\
schema: infusion-cases/1
fictional: true
zone: America/New_York
obs_columns: [min, sbp, dbp]
cases:
- id: C03
  title: "short"
  patient: {mrn: "FX-1", name: "Ann Low", born: "1980-01-01", weight_kg: 50.0}
  order: {drug: "ketamine", basis: "mg/h", conc_mg_ml: 2.0}
  session: {start: "2026-10-31T20:00:00-04:00", nurse: "RN-1"}
  infusion: [[0, 10, 6.0], [15, 20, 3.0]]
  obs: [[0, 120, 80], [5, 121, 81]]
  events: [[0, "start", ""], [20, "stop", "end"]]
  discharge: {mpadss: [2, 2, 2, 2, 2]}
  expect: {run_min: 15}
"""


def base(old: str = "", new: str = "") -> str:
    assert old in BASE, "the table must name what stands in the base"
    return BASE.replace(old, new, 1)


def session_of(text: str) -> SessionCase:
    return read_cases(text).cases[0].sessions[0]


INFUSION = "  infusion: [[0, 10, 6.0], [15, 20, 3.0]]\n"


@pytest.mark.parametrize(
    "spelling",
    [
        "  infusion: [{start: 0, stop: 10, rate: 6.0}, {from_min: 15, to_min: 20, rate_ml_h: 3.0}]",
        "  infusion: [{begin: 0, end: 10, mL/h: 6}, {from: 15, until: 20, ml_h: 3}]",
        "  infusion: [[0, 10, 6.0], [10, 15, 0], [15, null, 3.0]]",
        "  infusion: [[0, 6.0], [10, 0], [15, 3.0]]",
        '  infusion: [["2026-10-31T20:00-04:00", "2026-10-31 20:10", 6.0], ["20:15", "20:20", 3.0]]',
        "  infusion: [[2026-11-01T00:00:00Z, 2026-11-01 00:10:00 +00:00, 6.0], [2026-10-31 20:15 EDT, 20, 3.0]]",
        '  infusion_utc: [["2026-11-01 00:00", "2026-11-01 00:10", 6.0], ["2026-11-01 00:15", "00:20", 3.0]]',
        '  infusion_local: [["20:00", "20:10", 6.0, "first"], ["20:15", "20:20", 3.0, null]]',
        '  segments: [["2026-10-31T20:00-04:00[America/New_York]", "20:10", 6.0], ["20:15", "20:20", "3.0"]]',
    ],
)
def test_an_infusion_may_be_written_in_many_ways(spelling):
    session = session_of(base(INFUSION, spelling + "\n"))
    rows = [(row.start.minute, row.end.minute, row.rate_ml_h) for row in session.infusion]
    assert rows == [(0, 10, 6), (15, 20, 3)]
    assert session.infusion[0].start.at == datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "spelling",
    [
        '["at", sbp, dbp]\n',
        "[sbp, dbp, time]\n",
    ],
)
def test_the_time_column_is_found_by_its_name(spelling):
    rows = "[[120, 80, 5]]" if spelling.startswith("[sbp") else '[["20:05", 120, 80]]'
    text = base("[min, sbp, dbp]\n", spelling).replace("[[0, 120, 80], [5, 121, 81]]", rows)
    (row,) = session_of(text).obs
    assert (row.when.minute, row.values) == (5, {"sbp": 120, "dbp": 80})


def test_a_case_may_have_its_own_columns():
    text = base("  obs: [[0, 120, 80], [5, 121, 81]]", "  obs_columns: [hr, min]\n  obs: [[70, 1]]")
    assert session_of(text).obs[0].values == {"hr": 70}


def test_observations_may_be_mappings_with_one_blood_pressure():
    text = base("[[0, 120, 80], [5, 121, 81]]", '[{at: "20:05", bp: 128/84, spo2: null, note: "pale"}]')
    (row,) = session_of(text).obs
    assert row.values == {"sbp": 128, "dbp": 84, "spo2": None}
    assert row.remarks == {"note": "pale"}


@pytest.mark.parametrize(
    "spelling",
    [
        "  bolus: [[2, 5]]",
        "  boluses: [{at_min: 2, mg: 5, over_min: 1}]",
        "  boluses: {min: 2, ml: 2.5}",
        '  events: [[0, "start", ""], [20, "stop", "end"], [2, "bolus", "5 mg over 1 min, RN-1"]]',
    ],
)
def test_a_bolus_may_be_a_row_or_an_event(spelling):
    events = '  events: [[0, "start", ""], [20, "stop", "end"]]'
    text = base(events, spelling if "events" in spelling else f"{events}\n{spelling}")
    (row,) = session_of(text).boluses
    assert (row.when.minute, row.dose_mg) == (2, 5)


def test_several_sessions_each_have_their_own_rows():
    text = BASE.replace("  session: {start", "  sessions:\n  - {no: 1, start").replace(
        INFUSION,
        "  - no: 2\n    start: 2026-11-02T10:00:00-05:00\n    infusion: [[0, 30, 4.0]]\n    expect: {run_min: 30}\n"
        "  cs_log: {withdrawn_mg: 10}\n",
    )
    text = text.replace('nurse: "RN-1"}', 'nurse: "RN-1", infusion: [[0, 10, 6.0]]}')
    rows = "  obs: [[0, 120, 80], [5, 121, 81]]\n", '  events: [[0, "start", ""], [20, "stop", "end"]]\n'
    for row in rows:
        text = text.replace(row, "")
    first, second = read_cases(text).cases[0].sessions
    assert (first.infusion[0].end.minute, second.infusion[0].end.minute) == (10, 30)
    assert second.infusion[0].start.at == datetime(2026, 11, 2, 15, tzinfo=UTC)
    assert second.expect[0].value == 30
    assert (first.drug_accounts, second.drug_accounts[0].withdrawn_mg) == ((), 10)


@pytest.mark.parametrize(
    ("spelling", "waste"),
    [
        ("waste: [[bag, 4], [vial, 2.5, RN-2]]", [("bag", 4, None), ("vial", D("2.5"), "RN-2")]),
        ("waste: {bag: 4, vial: 2.5}, witness: RN-3", [("bag", 4, "RN-3"), ("vial", D("2.5"), "RN-3")]),
        ("waste: [{what: bag, mg: 4, witness: RN-2, at_min: 30}]", [("bag", 4, "RN-2")]),
        ("waste: [bag, 4]", [("bag", 4, None)]),
        ("wasted_mg: 4", [("waste", 4, None)]),
        ("lines: [[0, withdraw, 10], [30, waste, 4, by RN-1 witness RN-2]]", [("waste", 4, "RN-2")]),
        ("waste: []", []),
        ("waste: null", []),
    ],
)
def test_waste_may_be_written_in_many_ways(spelling, waste):
    text = base("  discharge:", f"  cs_log: {{withdrawn_mg: 10, returned_mg: 1, {spelling}}}\n  discharge:")
    (account,) = session_of(text).drug_accounts
    assert [(line.what, line.mg, line.witness) for line in account.waste] == waste
    assert (account.drug, account.withdrawn_mg, account.returned_mg) == ("ketamine", 10, 1)


@pytest.mark.parametrize(
    "log",
    [
        "[{drug: ketamine, withdrawn_mg: 10}, {drug: midazolam, withdrawn_mg: 2}]",
        "{drugs: [{drug: ketamine, withdrawn_mg: 10}, {drug: midazolam, withdrawn_mg: 2}]}",
        "{ketamine: {withdrawn_mg: 10}, midazolam: {withdrawn_mg: 2}}",
        "{withdrawn_mg: 10, second_drug: {drug: midazolam, withdrawn_mg: 2}}",
    ],
)
def test_several_drugs_have_several_accounts(log):
    accounts = session_of(base("  discharge:", f"  cs_log: {log}\n  discharge:")).drug_accounts
    assert [(one.drug, one.withdrawn_mg) for one in accounts] == [("ketamine", 10), ("midazolam", 2)]


@pytest.mark.parametrize(
    "spelling",
    [
        "{vial_balance_after_mg: 150, count: {found_mg: 145}}",
        "{vial_balance_after_mg: 150, count: 145}",
        "{vial_balance_after_mg: 150, counted_mg: 145}",
        "{vial_balance_after_mg: 150, lines: [[30, count, 145]]}",
        "{withdrawn_mg: 50, counts: [{at: '21:00', book_mg: 150, counted: 145, by: RN-1, witness: RN-2}]}",
    ],
)
def test_a_count_may_be_written_in_many_ways(spelling):
    (account,) = session_of(base("  discharge:", f"  cs_log: {spelling}\n  discharge:")).drug_accounts
    (count,) = account.counts
    assert (count.expected_mg, count.found_mg) == (150, 145)


@pytest.mark.parametrize(
    ("discharge", "way"),
    [
        ("discharge: {exit: transfer, to: hospital}", Exit.TRANSFER),
        ("discharge: {exit: closed-transfer}", Exit.TRANSFER),
        ("discharge: transfer", Exit.TRANSFER),
        ("discharge: null\n  transfer: {to: hospital, at_min: 30}", Exit.TRANSFER),
        ("transfer: county hospital", Exit.TRANSFER),
        ("discharge: {exit: against-advice}", Exit.AGAINST_ADVICE),
        ("discharge: {exit: home with escort}", Exit.HOME),
        ("discharge: null", None),
    ],
)
def test_the_way_out_may_be_written_in_many_ways(discharge, way):
    assert session_of(base("discharge: {mpadss: [2, 2, 2, 2, 2]}", discharge)).exit is way


def test_a_time_of_day_after_midnight_is_on_the_next_day():
    text = base(INFUSION, '  infusion: [["20:00", "23:30", 6.0], ["00:15", "01:45 EST", 3.0]]\n')
    first, second = session_of(text).infusion
    assert (first.end.minute, second.start.minute) == (210, 255)
    assert second.end.at == datetime(2026, 11, 1, 6, 45, tzinfo=UTC)


def test_utc_beside_local_times_is_the_one_that_counts():
    text = base("  obs:", '  infusion_utc: [["00:00", "00:10", 6.0]]\n  obs:')
    file = read_cases(text)
    assert len(file.cases[0].sessions[0].infusion) == 1
    assert "C03.infusion: C03.infusion_utc says the same" in file.warnings[0]


@pytest.mark.parametrize("nothing", ["none", "n/a", "null", "[]"])
def test_a_part_that_is_none_is_absent(nothing):
    extra = f"  cs_log: {nothing}\n  adverse_event: {nothing}\n  follow_up: {nothing}\n  discharge:"
    session = session_of(base("  discharge:", extra))
    assert (session.drug_accounts, session.adverse_events, session.follow_ups) == ((), (), ())


def test_free_text_may_have_structure():
    event = "{term: fall, told: {who: PHY-1, at: 10:46}, action: [ice, rest]}"
    (fall,) = session_of(base("  discharge:", f"  adverse_event: {event}\n  discharge:")).adverse_events
    assert (fall.told, fall.action) == ("who PHY-1, at 10:46", "ice; rest")


def test_a_prn_line_may_have_structure():
    text = base("conc_mg_ml", "prn: [{drug: midazolam, dose_mg: 1, route: IV, max_doses: 2}], conc_mg_ml")
    assert read_cases(text).cases[0].orders[0].prn == ("midazolam 1 mg IV, max 2 doses",)


def test_the_call_counts_hours_from_the_start():
    call = session_of(base("  discharge:", "  follow_up: {call_h: 24, peg: [4, null, 5]}\n  discharge:")).follow_up
    assert (call.call.at, call.peg) == (datetime(2026, 11, 2, tzinfo=UTC), ())


def test_missing_and_null_parts_are_the_same():
    text = base("  discharge: {mpadss: [2, 2, 2, 2, 2]}", "  discharge: null\n  follow_up: null\n  adverse_event: ~")
    session = session_of(text)
    assert (session.discharge, session.follow_up, session.adverse_events) == (None, None, ())
    bare = session_of(base("  discharge: {mpadss: [2, 2, 2, 2, 2]}\n", ""))
    assert (bare.discharge, bare.drug_accounts, bare.corrections) == (None, (), ())


def test_a_later_order_version_repeats_only_what_it_changes():
    text = base("  session:", "  order_v2: {conc_mg_ml: 4.0, signed_at: 2026-10-31T19:00:00-04:00}\n  session:")
    first, second = read_cases(text).cases[0].orders
    assert (first.version, first.conc_mg_ml) == (1, 2)
    assert (second.version, second.conc_mg_ml, second.drug) == (2, 4, "ketamine")


def test_figures_that_nobody_knows_are_kept():
    text = base("{run_min: 15}", "{elapsed_min: 20, waste: {bag: 1.50}, exits: [home, 2], ok: true, none: null}")
    expect = {one.name: (one.value, one.text) for one in read_cases(text).cases[0].expect}
    assert expect == {
        "elapsed_min": (20, "20"),
        "waste.bag": (D("1.50"), "1.50"),
        "exits": (("home", 2), "home, 2"),
        "ok": (True, "true"),
        "none": (None, "null"),
    }


def test_an_unknown_key_is_left_aside_with_a_warning():
    file = read_cases(base('basis: "mg/h"', 'basis: "mg/h", colour: "blue"'), name="x.yaml")
    assert file.warnings == ("x.yaml:9:52: C03.order.colour: the key “colour” is not known and was left aside",)


def test_a_merge_key_fills_what_is_not_there():
    text = base("  patient: {", "  patient: {<<: {sex: male, name: other}, ")
    patient = read_cases(text).cases[0].patient
    assert (patient.sex, patient.name) == ("male", "Ann Low")


# --------------------------------------------------------------------------------------------------------------------
# Faults


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("infusion-cases/1", "infusion-cases/2", "1:9: schema: this is “infusion-cases/2”"),
        ("zone: America/New_York", "zone: Nowhere/At_All", "3:7: zone: “Nowhere/At_All” is not a time zone"),
        ("zone: America/New_York", "zone: ../../etc/passwd", "3:7: zone: “../../etc/passwd” is not a time zone"),
        ("[min, sbp, dbp]", "[hr, sbp, dbp]", "4:14: obs_columns: one column holds the time"),
        ("[min, sbp, dbp]", "[min, sbp, sbp]", "4:25: obs_columns[2]: the column “sbp” stands twice"),
        ('mrn: "FX-1", ', "", "8:12: C03.patient: mrn is missing"),
        ("weight_kg: 50.0", "weight_kg: .nan", "8:74: C03.patient.weight_kg: “.nan” is not a finite number"),
        ("weight_kg: 50.0", "weight_kg: -1", "8:74: C03.patient.weight_kg: must be more than 0"),
        ("weight_kg: 50.0", "weight_kg: heavy", "8:74: C03.patient.weight_kg: “heavy” is not a number"),
        ("weight_kg: 50.0", "weight_kg: 1e30", "8:74: C03.patient.weight_kg: “1e30” is too large"),
        ("weight_kg: 50.0", "weight_kg: [5]", "8:74: C03.patient.weight_kg: a single value is expected"),
        ('"1980-01-01"', '"1980-02-30"', "8:49: C03.patient.born: “1980-02-30” is not a date"),
        (", conc_mg_ml: 2.0", "", "11:13: C03.infusion: the order has no conc_mg_ml"),
        ('{start: "2026-10-31T20:00:00-04:00", nurse', "{nurse", "10:12: C03.session: start is missing"),
        ("T20:00:00-04:00", "T25:00:00-04:00", "10:20: C03.session.start: “2026-10-31T25:00:00-04:00” is not a time"),
        ("2026-10-31T20:00:00-04:00", "2026-11-01T01:30", "10:20: C03.session.start: “2026-11-01T01:30” comes twice"),
        (
            "2026-10-31T20:00:00-04:00",
            "2026-03-08T02:30",
            "10:20: C03.session.start: “2026-03-08T02:30” does not exist",
        ),
        ("[0, 10, 6.0]", "[10, 0, 6.0]", "11:14: C03.infusion[0]: to is before from"),
        ("[15, 20, 3.0]", "[9, 20, 3.0]", "11:28: C03.infusion[1]: from is before the end of the row above (10 min)"),
        ("[15, 20, 3.0]", "[15, 20, -3]", "11:37: C03.infusion[1][2]: a rate is not negative"),
        ("[15, 20, 3.0]", "[15]", "11:28: C03.infusion[1]: a row is [from, to, mL/h]"),
        ("[[0, 10, 6.0]", "[[soon, 10, 6.0]", "11:15: C03.infusion[0][0]: “soon” is not a date and time"),
        ("[[0, 10, 6.0]", "[[null, 10, 6.0]", "11:15: C03.infusion[0][0]: a time is missing"),
        ("[[0, 10, 6.0]", "[[0, 99999999, 6.0]", "11:18: C03.infusion[0][1]: “99999999” is more than a year"),
        ("[5, 121, 81]", "[5, 121, 81, 7]", "12:36: C03.obs[1][3]: the row has 4 columns, obs_columns has 3"),
        ("[5, 121, 81]", "[5, high, 81]", "12:27: C03.obs[1][1]: “high” is not a number"),
        ('[0, "start", ""]', "[0]", "13:12: C03.events[0]: a row is [minute, kind, text]"),
        ("[2, 2, 2, 2, 2]", "[2, 2, 2]", "14:23: C03.discharge.mpadss: has 3 items, expected 5"),
        ("[2, 2, 2, 2, 2]", "[2, 2, 3, 2, 2]", "14:30: C03.discharge.mpadss[2]: an item is 0, 1 or 2"),
        ("{run_min: 15}", "12", "15:11: C03.expect: a mapping of figures is expected"),
        ('title: "short"', "title: a\n  title: b", "8:3: cases[0]: the key “title” stands twice"),
        ('title: "short"', "title: !!python/object/apply:os.system [ls]", "7:10: the tag"),
        ('title: "short"', 'title: "sh\\0ort"', "7:10: the text holds a control character"),
        (
            'title: "short"',
            'title: "sh',
            "8:19: not YAML: expected <block end>, but found '<scalar>', in what begins at line 6",
        ),
        ("- id: C03", "- id: [", "8:3: not YAML: expected ',' or ']', but got '<scalar>', in what begins at line 6"),
        (
            "  discharge:",
            "  adverse_event: {term: x, grade: 7}\n  discharge:",
            "14:35: C03.adverse_event.grade: a grade",
        ),
        (
            "  discharge:",
            "  corrections: [{obs_min: x}]\n  discharge:",
            "14:27: C03.corrections[0].obs_min: “x” is not",
        ),
    ],
)
def test_a_fault_is_one_line_with_its_place(old, new, fault):
    with pytest.raises(CaseFault) as caught:
        read_cases(base(old, new), name="f.yaml")
    assert str(caught.value).startswith(f"f.yaml:{fault}")
    assert "\n" not in str(caught.value)


def test_rows_beside_several_sessions_are_refused():
    text = base("  session: {", "  sessions:\n  - {start: 2026-10-30T20:00:00-04:00}\n  - {")
    with pytest.raises(CaseFault, match=r":13:13: C03.infusion: rows stand inside the session they belong to"):
        read_cases(text)


def test_rows_without_a_session_are_refused():
    text = base('  session: {start: "2026-10-31T20:00:00-04:00", nurse: "RN-1"}', "  session: null")
    with pytest.raises(CaseFault, match=r":11:13: C03.infusion: session is missing"):
        read_cases(text)


def test_a_case_may_end_before_any_session():
    start = BASE.index("  session:")
    (case,) = read_cases(BASE[:start] + "  gates: [{date: 2026-07-01, appointment: noshow}]\n").cases
    assert (case.sessions, case.gates[0].appointment, case.expect) == ((), "noshow", ())


def test_a_wall_clock_time_needs_a_zone():
    text = base("zone: America/New_York\n", "").replace("T20:00:00-04:00", "T20:00:00")
    with pytest.raises(CaseFault, match=r"9:20: C03.session.start: .* has no offset, and the file names no zone"):
        read_cases(text)


def test_two_cases_do_not_share_an_id():
    twice = BASE + BASE.partition("cases:\n")[2]
    with pytest.raises(CaseFault, match=r":16:7: cases\[1\].id: the id C03 stands twice"):
        read_cases(twice)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "1:1: the file is empty"),
        (b"# nothing\n", "1:1: the file is empty"),
        (b"\x00\x01\x02", "1:1: not YAML"),
        (b"a: 1\nb: \xff\xfe", "2:4: not a text file in UTF-8"),
        (b"[" * 100_000, "1:21: nested deeper than 20 levels"),
        (b"just words", "1:1: a mapping of keys to values is expected"),
        (b"- 1", "1:1: a mapping of keys to values is expected"),
        (b"a: 1\n---\nb: 2", "2:1: not YAML"),
        (b"a: &x [*x]", "1:1: schema is missing"),
        (b'a: "\\UFFFFFFFF"', "1:1: not YAML"),
        (b"schema: infusion-cases/1\ncases: []", "2:8: cases: there are no cases"),
        (b"schema: infusion-cases/1\ncases: {}", "2:8: cases: a list is expected"),
        (b"x: *nobody", "1:4: not YAML"),
        (b"? [a]\n: b", "1:3: a key must be a single text"),
        (b"a: " + b"9" * 5_000_000, "1:1: the file is larger than 4 MB"),
    ],
)
def test_what_is_no_case_file_gets_one_line(content, fault):
    with pytest.raises(CaseFault) as caught:
        read_cases(content, name="f.yaml")
    assert str(caught.value).startswith(f"f.yaml:{fault}")


def test_aliases_cannot_exhaust_the_machine():
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    with pytest.raises(CaseFault, match="too large when its aliases are written out"):
        read_cases(bomb + base("  expect:", "  extra: *a8\n  expect:"))


@pytest.mark.parametrize(
    "circle",
    ["expect: &a {x: *a}", "expect: &a {<<: *a}", "extra: &a [*a]", "adverse_event: {term: x, told: &a {y: *a}}"],
)
def test_aliases_cannot_go_round_in_a_circle(circle):
    with pytest.raises(CaseFault, match="nested deeper than 20 levels"):
        read_cases(base("  expect: {run_min: 15}", f"  {circle}"))


def test_a_file_that_is_not_there_gets_one_line(tmp_path):
    with pytest.raises(CaseFault, match="cannot be read: No such file"):
        read_file(tmp_path / "none.yaml")


# --------------------------------------------------------------------------------------------------------------------
# Whatever is done to a file, it is read or refused

FULL = (FILES / "transfer.yaml").read_text()
SNIPPETS = [
    "null",
    "[]",
    "{}",
    "-1",
    ".inf",
    "1e99",
    '""',
    "[[",
    "]",
    ": ",
    "&a",
    "*a",
    "!!x y",
    "2026-11-01T01:30",
    "\t",
    "<<",
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_damaged_file_is_read_or_refused(data):
    text = FULL
    for _ in range(data.draw(st.integers(1, 3))):
        begin = data.draw(st.integers(0, len(text)))
        length = data.draw(st.sampled_from([0, 1, 3, 12, 200]))
        text = text[:begin] + data.draw(st.sampled_from(SNIPPETS) | st.text(max_size=4)) + text[begin + length :]
    try:
        read_cases(text)
    except CaseFault as fault:
        assert str(fault).startswith("cases.yaml:")  # noqa: PT017 either outcome is right
        assert "\n" not in str(fault)  # noqa: PT017


@st.composite
def values(draw):
    """A flow-style YAML value of any shape."""
    scalar = st.sampled_from(
        ["null", "0", "-3", "1.5", ".nan", "true", "word", '"2026-11-01T01:30"', "RN-1", "[]", "{}"]
    )
    nested = st.recursive(
        scalar,
        lambda inner: (
            st.lists(inner, max_size=3).map(lambda of: f"[{', '.join(of)}]")
            | st.dictionaries(st.sampled_from(["at", "mg", "kind", "from", "to", "term"]), inner, max_size=3).map(
                lambda of: "{" + ", ".join(f"{key}: {value}" for key, value in of.items()) + "}"
            )
        ),
        max_leaves=6,
    )
    return draw(nested)


KEYS = [
    *("cs_log", "obs", "events", "infusion", "boluses", "corrections", "adverse_event", "near_miss", "discharge"),
    *(
        "follow_up",
        "transfer",
        "count",
        "discrepancy",
        "gates",
        "course",
        "order_v2",
        "expect",
        "obs_columns",
        "sessions",
    ),
]


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), values(), min_size=1, max_size=3))
def test_a_part_of_any_shape_is_read_or_refused(parts):
    kept = [line for line in BASE.splitlines() if line.strip().partition(":")[0] not in parts or line[0] != " "]
    text = "\n".join([*kept, *(f"  {key}: {value}" for key, value in parts.items())])
    try:
        read_cases(text)
    except CaseFault as fault:
        assert str(fault).startswith("cases.yaml:")  # noqa: PT017 either outcome is right
