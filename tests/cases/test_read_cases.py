"""Worked cases are read exactly: digits as written, instants in UTC, parts in their places."""

from datetime import UTC, date, datetime

import pytest

from clinic.cases.parts import Case, Exit
from clinic.cases.schema import WORKED, read_file
from tests.cases.case_files import FILES, D, one_session, volume


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
