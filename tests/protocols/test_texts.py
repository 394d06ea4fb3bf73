from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.core.units import Unit
from clinic.protocols.dose_rules import DoseBasis
from clinic.protocols.limit_rules import Comparator, Limit, LimitLevel, Vital
from clinic.protocols.text_rules import PrnText, order_sentence, parse_limits, parse_prn


def said(limits):
    return [f"{limit.level} {limit.vital} {limit.comparator} {limit.bound}" for limit in limits]


def understood(text, level=LimitLevel.NOTIFY):
    limits, rest = parse_limits(text, level=level)
    return said(limits), rest


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        (
            "SBP>=170 or DBP>=100 or SpO2<93 or RASS<=-3 or dissoc=3",
            [
                "notify sbp ge 170", "notify dbp ge 100", "notify spo2 lt 93", "notify sedation le -3",
                "notify dissociation eq 3",
            ],
        ),
        ("SBP>=170 or DBP>=100; hold SBP>=185", ["notify sbp ge 170", "notify dbp ge 100", "hold sbp ge 185"]),
        ("sbp ≥ 170 mmHg, SPO2 < 93 %", ["notify sbp ge 170", "notify spo2 lt 93"]),
        ("RASS ≤ −3 or RASS>=+2", ["notify sedation le -3", "notify sedation ge 2"]),
        ("HR<50 or RR < 8 or EtCO2>55 or temp>38.5 or MAP<55", [
            "notify hr lt 50", "notify rr lt 8", "notify etco2 gt 55", "notify temp gt 38.5", "notify map lt 55"]),
        ("NRS>=8 or nausea=3 or MOAA/S<=3", ["notify pain ge 8", "notify nausea eq 3", "notify sedation le 3"]),
        ("hold if SBP>=185 or HR<45", ["hold sbp ge 185", "hold hr lt 45"]),
        ("BP>=170/100", ["notify sbp ge 170", "notify dbp ge 100"]),
    ],
)  # fmt: skip
def test_reads_what_breaches_a_limit(text, limits):
    assert understood(text) == (limits, "")


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("SBP<=160 and DBP<=100", ["start sbp gt 160", "start dbp gt 100"]),
        ("SpO2>=94, HR<120", ["start spo2 lt 94", "start hr ge 120"]),
        ("RASS=0", ["start sedation lt 0", "start sedation gt 0"]),
        ("SBP 90-160 and HR 50 to 110", ["start sbp lt 90", "start sbp gt 160", "start hr lt 50", "start hr gt 110"]),
    ],
)
def test_turns_what_is_allowed_at_the_start_into_what_breaches_it(text, limits):
    assert understood(text, LimitLevel.START) == (limits, "")


@pytest.mark.parametrize(
    ("text", "limits", "rest"),
    [
        ("any CNS symptom", [], "any CNS symptom"),
        ("any CNS symptom or SBP>=170", ["notify sbp ge 170"], "any CNS symptom"),
        ("numbness, ringing or twitching", [], "numbness, ringing or twitching"),
        ("SBP>=170 or chest pain; any fall", ["notify sbp ge 170"], "chest pain; any fall"),
        ("SBP>=170 and HR>=120", [], "SBP>=170 and HR>=120"),
        ("QTc>480", [], "QTc>480"),
        ("SBP 90-160", [], "SBP 90-160"),
        ("", [], ""),
    ],
)
def test_keeps_as_text_what_is_no_single_bound(text, limits, rest):
    assert understood(text) == (limits, rest)


def test_an_either_or_of_what_is_allowed_stays_text():
    assert understood("SBP<=160 or DBP<=100", LimitLevel.START) == ([], "SBP<=160 or DBP<=100")


NAMES = {Vital.SBP: "SBP", Vital.HR: "HR", Vital.SPO2: "SpO2", Vital.SEDATION: "RASS", Vital.TEMP: "temp"}
SIGNS = {Comparator.LT: "<", Comparator.LE: "<=", Comparator.GT: ">", Comparator.GE: "≥", Comparator.EQ: "="}


@given(
    st.lists(
        st.builds(
            Limit,
            st.sampled_from([LimitLevel.NOTIFY, LimitLevel.HOLD]),
            st.sampled_from(list(NAMES)),
            st.sampled_from(Comparator),
            st.integers(-5, 300).map(Decimal),
        )
    )
)
def test_every_limit_that_is_written_is_read_back(limits):
    text = "; ".join(f"{limit.level} {NAMES[limit.vital]}{SIGNS[limit.comparator]}{limit.bound}" for limit in limits)
    assert parse_limits(text) == (limits, "")


@given(st.lists(st.text("abcdexyz", min_size=5, max_size=8)))
def test_no_word_that_is_not_understood_is_lost(words):
    assert understood(", ".join(words)) == ([], ", ".join(words))


@given(st.text(max_size=40))
def test_any_text_is_read_without_failing(text):
    limits, rest = parse_limits(text)
    assert len(rest) <= len(text) * 2
    assert len(limits) <= len(text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("midazolam 1 mg IV, may repeat once", 2),
        ("midazolam 1 mg IV, may repeat twice", 3),
        ("midazolam 1 mg IV may be repeated 3 times", 4),
        ("midazolam 1 mg IV, repeat x 2", 3),
        ("midazolam 1 mg IV once", 1),
        ("midazolam 1 mg IV, up to 4 doses", 4),
        ("midazolam 1 mg IV, max 2", 2),
        ("midazolam 1 mg IV, may repeat up to 3 doses", 3),
        ("midazolam 1 mg IV", None),
    ],
)
def test_counts_the_first_dose_and_the_repeats(text, count):
    assert parse_prn(text) == PrnText("midazolam", Decimal(1), Unit.MG, "IV", count)


def test_reads_a_decimal_dose_by_mouth():
    assert parse_prn("clonidine 0.1 mg PO once") == PrnText("clonidine", Decimal("0.1"), Unit.MG, "PO", 1)


def test_reads_the_gap_and_keeps_the_rest_as_a_note():
    read = parse_prn("labetalol 5 mg IV for SBP over 180, may repeat once after 10 min")
    assert read == PrnText("labetalol", Decimal(5), Unit.MG, "IV", 2, 10, "for SBP over 180")


@pytest.mark.parametrize(
    "note", ["for SBP over 180", "for pain over 5", "up to 4 mg in total", "max 2.5 mg", "may repeat after 10 min"]
)
def test_a_number_in_the_note_is_no_number_of_doses(note):
    assert parse_prn(f"labetalol 5 mg IV {note}").max_count is None


@pytest.mark.parametrize(
    "text", ["", "ask the physician", "midazolam IV", "midazolam 1 IV", "midazolam 1 drop IV", "midazolam .5 mg IV"]
)
def test_does_not_guess_a_medicine(text):
    assert parse_prn(text) is None


def test_an_order_reads_as_one_sentence():
    sentence = order_sentence(
        drug="ketamine", basis=DoseBasis.MG_PER_H, dose=Decimal(15), step=Decimal("5.0"), step_every_min=30,
        highest=Decimal(30), duration_min=240, maximum_total_mg=Decimal(1200), concentration_mg_ml=Decimal(1),
        weight_kg=Decimal(68),
    )  # fmt: skip
    assert sentence.replace("\u00a0", " ") == (
        "ketamine: start 15 mg per hour, may raise by 5 mg per hour every 30 min, to at most 30 mg per hour, "
        "for 240 min, at most 1,200 mg in total, from 1 mg per mL"
    )


def test_a_total_says_over_how_long_and_for_which_weight():
    sentence = order_sentence(
        drug="ketamine", basis=DoseBasis.MG_PER_KG, dose=Decimal("0.50"), duration_min=40, weight_kg=Decimal("90.0")
    )
    assert sentence.replace("\u00a0", " ") == "ketamine: give 0.5 mg per kg over 40 min, weight 90 kg"
