from datetime import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.protocols.limit_rules import Vital
from clinic.sessions.one_line_rules import parse_one_line


def read(text):
    line = parse_one_line(text)
    return {vital.value: str(value) for vital, value in line.values.items()}


def test_reads_a_full_line():
    line = parse_one_line("1415 128/76 84 - 98 s1 p4 t36,8 o2.5 n dizzy on standing")
    assert line.clock == time(14, 15)
    assert line.note == "dizzy on standing"
    assert line.not_understood is None
    assert line.values == {
        Vital.SBP: 128, Vital.DBP: 76, Vital.HR: 84, Vital.SPO2: 98, Vital.SEDATION: 1, Vital.PAIN: 4,
        Vital.TEMP: Decimal("36.8"), Vital.O2_L_MIN: Decimal("2.5"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("128/76", {"sbp": "128", "dbp": "76"}),
        ("- - - 98", {"spo2": "98"}),
        ("P4 S-1", {"pain": "4", "sedation": "-1"}),
        ("14:15 - 84", {"hr": "84"}),
        ("", {}),
        ("n", {}),
    ],
)
def test_takes_part_of_a_line(text, values):
    assert read(text) == values
    assert parse_one_line(text).not_understood is None


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("84 14 98", "84 14 98"),
        ("128/76 84 14 98 97", "97"),
        ("128/76 84 x9 98", "x9 98"),
        ("128/76 p4 84", "84"),
        ("128/76 p4 p5", "p5"),
        ("128/76 84 p4.5", "p4.5"),
        ("128/76 84 t-36", "t-36"),
        ("2515 128/76", "2515 128/76"),
        ("128-76", "128-76"),
        ("128/76 ８４ n note", "８４"),
        ("128/76 nausea", "nausea"),
    ],
)
def test_never_guesses_and_marks_what_was_not_understood(text, marked):
    start, end = parse_one_line(text).not_understood
    assert text[start:end] == marked


@given(st.permutations(["s-2", "p10", "t36.8", "o2"]))
def test_letters_come_in_any_order(letters):
    line = parse_one_line(f"128/76 84 12 98 {' '.join(letters)}")
    assert line.values == parse_one_line("128/76 84 12 98 s-2 p10 t36.8 o2").values
    assert line.not_understood is None


@given(st.text("0123456789/-:.,sptonx ", max_size=30))
def test_every_part_is_either_read_or_marked(text):
    line = parse_one_line(text)
    if line.not_understood:
        start, end = line.not_understood
        assert 0 <= start < end <= len(text)
        assert text[start:end].strip()
