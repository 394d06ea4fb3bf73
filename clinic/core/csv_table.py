"""A table as a CSV file that a spreadsheet opens without obeying anything in it."""

import csv
import io
from collections.abc import Iterable, Sequence

# What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV (RFC 4180); a text that would be a formula is led by an apostrophe. Numbers stay numbers."""
    made = io.StringIO()
    csv.writer(made).writerows([_cell(value) for value in row] for row in rows)
    return made.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return f"'{value}"
    return value
