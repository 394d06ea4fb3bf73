"""A case file may be written in every reasonable spelling."""

from datetime import UTC, datetime

import pytest

from clinic.cases.parts import Exit
from clinic.cases.schema import read_cases
from tests.cases.case_files import BASE, FILES, D, base, session_of

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


@pytest.mark.parametrize(
    ("start", "at"),
    [
        ('start: null, scheduled: "2026-07-06T10:30:00-04:00"', datetime(2026, 7, 6, 14, 30, tzinfo=UTC)),
        ('start_local: "2026-07-06 10:30"', datetime(2026, 7, 6, 14, 30, tzinfo=UTC)),
        ("start: null", datetime(2026, 7, 6, 14, 5, tzinfo=UTC)),
    ],
)
def test_a_session_that_never_started_has_its_planned_time(start, at):
    text = (FILES / "several_sessions.yaml").read_text()
    was = 'start: null, scheduled: "2026-07-06T10:30:00-04:00"'
    read = next(one for one in read_cases(text.replace(was, start)).cases if one.id == "U14")
    assert read.sessions[0].session.start == at
