import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.sessions.one_line_rules import parse_one_line

TABLE = Path(__file__).parents[1] / "shared" / "one_line_cases.json"
CASES = json.loads(TABLE.read_text(encoding="utf-8"))


def named(line):
    """What was read, by the names of the shared table, everything as text."""
    found = {vital.value: str(value) for vital, value in line.values.items()}
    if line.clock:
        found["at"] = f"{line.clock:%H:%M}"
    if line.note:
        found["note"] = line.note
    return found


@pytest.mark.parametrize("case", [case for case in CASES if "values" in case], ids=lambda case: case["line"] or "empty")
def test_reads_the_shared_lines(case):
    line = parse_one_line(case["line"])
    assert named(line) == {name: str(value) for name, value in case["values"].items()}
    assert line.not_understood is None


@pytest.mark.parametrize("case", [case for case in CASES if "not_understood" in case], ids=lambda case: case["line"])
def test_never_guesses_and_marks_the_first_part_that_is_not_clear(case):
    start, end = parse_one_line(case["line"]).not_understood
    assert case["line"][start:end] == case["not_understood"]


def test_keeps_the_values_before_an_unclear_part_for_the_echo():
    assert named(parse_one_line("1415 128/76 84 x9 98")) == {"at": "14:15", "sbp": "128", "dbp": "76", "hr": "84"}


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
