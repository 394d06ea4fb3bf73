"""The table of vitals lines, which the server's parser and the browser's share, is sound."""

import json

import pytest

from tests.structure.tree import ROOT

TABLE = ROOT / "tests/shared/one_line_cases.json"
CASES = json.loads(TABLE.read_text(encoding="utf-8"))
KEYS = {"at", "sbp", "dbp", "hr", "rr", "spo2", "sedation", "pain", "temp", "o2_l_min", "note"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["line"] or "empty")
def test_a_line_is_either_read_or_not_understood(case):
    assert ("values" in case) != ("not_understood" in case)
    assert case.get("values", {}).keys() <= KEYS
    assert case.get("not_understood", "") in case["line"]


def test_no_line_stands_twice():
    lines = [case["line"] for case in CASES]
    assert len(lines) == len(set(lines)) >= 40
