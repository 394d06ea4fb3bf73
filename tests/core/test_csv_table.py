"""A file for a spreadsheet holds texts, never formulas."""

import pytest

from clinic.core.csv_table import csv_text


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "＝1"])
def test_a_text_that_would_be_a_formula_is_led_by_an_apostrophe(text):
    assert csv_text([[text]]).strip('"\r\n').startswith("'")


def test_words_and_numbers_stay_as_they_are():
    assert csv_text([["Snow, ice", -3]]) == '"Snow, ice",-3\r\n'
