"""Whatever an order says, its doses are written so that nobody misreads them (section 8 of the screen design)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.core.units import Unit, dose_text, format_quantity
from clinic.orders.arithmetic import pump_lines, total_lines
from clinic.protocols.comparison import differences
from clinic.protocols.terms import PrnDraft
from clinic.protocols.wording import prn_text, reading, sentence
from tests.orders.test_arithmetic import amounts, orders
from tests.structure.tree import TEMPLATES, named, python_files

_UNITS = "mg|mcg|g|mL|kg|min|h|hours|units"
MISREAD = {
    "a zero at the end": r"\d\.\d*0(?!\d)",
    "a bare point": r"(?<!\d)\.\d|\d\.(?!\d|$| |,)",
    "four digits without a comma": r"(?<![\d.,])\d{4,}",
    "an exponent": r"\dE[+-]?\d",
    "a micro sign or ug": r"[µμ]|\bug\b",
    "an error-prone short form": r"\b(U|IU|cc|QD|HS|MS|ml|ML|Mg)\b",
    "a sign that is read as another": r"[<>@&]",
    "a number that a line break can part from its unit": rf"\d (?:{_UNITS})\b",
    "a number that touches its unit": rf"\d(?:{_UNITS})\b",
}


def faults(text):
    return [what for what, pattern in MISREAD.items() if re.search(pattern, text)]


def everything_said(terms, kg):
    yield sentence(terms, drug_name="ketamine", weight_kg=kg)
    yield from (text for _, pairs in reading(terms) for _, text in pairs)
    yield from (text for line in pump_lines(terms, kg) for text in line[1:])
    yield from (text for _, text in total_lines(terms, kg))


@given(orders())
def test_no_order_says_a_dose_that_can_be_misread(made):
    for text in everything_said(*made):
        assert faults(text) == [], text


@given(orders())
def test_a_sentence_spells_per(made):
    assert "/" not in sentence(made[0], drug_name="ketamine", weight_kg=made[1])


@given(orders(), orders())
def test_no_comparison_of_two_orders_can_be_misread(one, other):
    for line in differences(one[0], other[0], drugs=("ketamine", "ketamine")):
        assert faults(f"{line.before} {line.after}") == [], line


@given(amounts("0.0001", 99999, 4), st.sampled_from(["mg", "ug", "mcg", "g", "mL", "drops"]), st.integers(1, 9))
def test_no_medicine_as_needed_can_be_misread(dose, unit, count):
    item = PrnDraft(drug_name="ondansetron", dose=dose, unit=unit, route="IV", maximum_count=count, minimum_gap_min=30)
    assert faults(prn_text(item)) == []
    assert faults(dose_text(dose, unit)) == []


@pytest.mark.parametrize("unit", Unit)
@given(value=amounts("0.0001", 10**9, 4))
def test_no_quantity_of_any_unit_can_be_misread(unit, value):
    for is_spoken in (False, True):
        assert faults(format_quantity(value, unit, spoken=is_spoken)) == []


# --- one formatter ---------------------------------------------------------------------------------------------------

_BY_HAND = re.compile(r"(?:\}|chr\(160\)\})(?: |\\u00a0|&nbsp;|\{NO_BREAK_SPACE\})?(?:mg|mcg|mL)\b")


def test_no_place_writes_a_dose_by_hand():
    """Every dose goes through `format_quantity`; a case file's words are its own."""
    files = [path for path in python_files("clinic") if "cases" not in path.parts]
    files += sorted(TEMPLATES.rglob("*.html"))
    found = [named(path) for path in files if _BY_HAND.search(path.read_text(encoding="utf-8"))]
    assert found == []
