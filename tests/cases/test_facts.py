"""What the words of a case say."""

from datetime import UTC, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.cases.details import container_facts, gate_facts
from clinic.cases.facts import EventKind, LimitTerm, facts, kind_of, limit_terms, prn_line
from clinic.cases.instants import Moment
from clinic.cases.parts import EventRow
from clinic.cases.schema import WORKED, read_file

D = Decimal
WHEN = Moment(at=datetime(2026, 3, 4, tzinfo=UTC), minute=D(0))


def said(kind: str, text: str):
    return facts(EventRow(when=WHEN, kind=kind, text=text))


def test_a_start_names_rate_and_volume():
    start = said("start", "pump 13.6 mL/h, VTBI 100 mL")
    assert (start.rate_ml_h, start.vtbi_ml, start.drug) == (D("13.6"), 100, None)


@pytest.mark.parametrize(
    "text", ["67.5->30.0 mL/h", "67.5 → 30.0 mL/h", "from 67.5 to 30.0 mL/h", "67.5 mL/h -> 30.0 mL/h"]
)
def test_a_rate_change_names_both_rates(text):
    change = said("rate_change", f"{text} on verbal order, read back, PHY-2; check RN-1")
    assert (change.from_rate_ml_h, change.rate_ml_h) == (D("67.5"), D("30.0"))
    assert (change.verbal, change.read_back) == (True, True)
    assert (change.physician, change.checker, change.given_by) == ("PHY-2", "RN-1", None)


@pytest.mark.parametrize(
    ("text", "medicine", "by"),
    [
        ("labetalol 5 mg IV, RN-3", ("labetalol", 5, "mg", "IV"), "RN-3"),
        ("midazolam 1 mg IV, RN-2; vial 2 mg", ("midazolam", 1, "mg", "IV"), "RN-2"),
        ("vial 2 mg; midazolam 1 mg IV, RN-2", ("midazolam", 1, "mg", "IV"), "RN-2"),
        ("epinephrine 0.3 mg IM, RN-1", ("epinephrine", D("0.3"), "mg", "IM"), "RN-1"),
        ("fentanyl 25 mcg IV", ("fentanyl", 25, "mcg", "IV"), None),
    ],
)
def test_a_dose_given_names_drug_dose_and_giver(text, medicine, by):
    given_dose = said("prn_given", text)
    assert (given_dose.drug, given_dose.dose, given_dose.unit, given_dose.route) == medicine
    assert given_dose.given_by == by


def test_the_vial_of_a_dose_is_kept_apart():
    assert said("prn_given", "midazolam 1 mg IV, RN-2; vial 2 mg").vial_mg == 2


def test_a_notification_names_who_was_told_and_when():
    told = said("notify", "threshold SBP>=170 met, PHY-2 told 10:46")
    assert (told.physician, told.told_at) == ("PHY-2", time(10, 46))


def test_a_stop_names_its_reason():
    stop = said("stop", "permanent stop, PHY-1 order, reason: patient request + adverse effect")
    assert (stop.physician, stop.reason) == ("PHY-1", "patient request + adverse effect")


def test_a_time_out_has_two_people():
    out = said("time_out", "RN-1+RN-2: patient, drug, weight")
    assert (out.given_by, out.checker) == ("RN-1", "RN-2")


def test_a_failed_double_check_names_both_rates():
    failed = said("double_check_failed", "125 vs 12.5 mL/h")
    assert (failed.from_rate_ml_h, failed.rate_ml_h) == (125, D("12.5"))


def test_the_pumps_own_volume_is_kept():
    assert said("stop", "planned end, pump VI 74.9 mL").pump_volume_ml == D("74.9")


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("Rate-Reduction", EventKind.RATE_CHANGE),
        ("emergency transfer", EventKind.TRANSFER),
        ("co-sign", EventKind.COSIGN),
    ],
)
def test_a_kind_may_be_written_in_many_ways(word, kind):
    assert kind_of(word) is kind


def test_an_unknown_kind_keeps_its_text():
    other = said("lunch", "sandwich")
    assert (other.kind, other.text) == (EventKind.OTHER, "sandwich")


def test_every_public_event_has_a_known_kind():
    events = [event for case in read_file(WORKED).cases for event in case.sessions[0].events]
    assert EventKind.OTHER not in {facts(event).kind for event in events}


@given(st.sampled_from(EventKind), st.text(max_size=80) | st.from_regex(r"\d+(->|/| mg | mL/h|:)\d+ ?(mg|mL/h)?"))
def test_any_text_is_read(kind, text):
    assert said(kind.value, text).text == text


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("ondansetron 4 mg IV once", 1),
        ("midazolam 1 mg IV, may repeat once", 2),
        ("midazolam 1 mg IV, may repeat x2", 3),
        ("midazolam 1 mg IV every 10 min, max 3 doses", 3),
        ("midazolam 1 mg IV as needed", None),
    ],
)
def test_a_prn_line_counts_all_doses(text, most):
    assert prn_line(text).max_count == most


def test_a_prn_line_names_its_medicine():
    line = prn_line("clonidine 0.1 mg PO once")
    assert (line.drug, line.dose, line.unit, line.route) == ("clonidine", D("0.1"), "mg", "PO")


def test_limits_are_read_term_by_term():
    terms = limit_terms("SBP>=170 or dissoc=3 or RASS<=-3; hold SBP>=185", level="notify")
    assert terms == (
        LimitTerm("notify", "sbp", ">=", D(170)),
        LimitTerm("notify", "dissociation", "=", D(3)),
        LimitTerm("notify", "rass", "<=", D(-3)),
        LimitTerm("hold", "sbp", ">=", D(185)),
    )
    assert limit_terms("any CNS symptom", level="notify") == ()


def test_the_gates_of_a_public_case_say_what_was_measured():
    case = next(case for case in read_file(WORKED).cases if case.id == "C07")
    pounds, _, hold, fulfilled = (gate_facts(gate) for gate in case.gates)
    assert (pounds.typed_kg, pounds.weight_kg) == (187, D("84.8"))
    assert hold.pressures == ((186, 104), (178, 101))
    assert (fulfilled.pressures, fulfilled.order_weight_kg) == (((138, 84),), D("84.1"))


def test_a_label_says_what_is_in_the_vial():
    label = container_facts("vial 10 mg/mL 20 mL multi-dose, lot F1002, opened")
    assert (label.content_mg, label.lot, label.is_multi_dose, label.is_opened) == (200, "F1002", True, True)
