"""A report as plain words: a head and rows; as comma-separated text that no spreadsheet takes for a formula."""

import csv
import io
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class DrugReport(StrEnum):
    """What can be asked of the register."""

    LOG = "log"
    PATIENTS = "patients"
    PEOPLE = "people"
    DISCREPANCIES = "discrepancies"
    LOTS = "lots"
    RECEIPTS = "receipts"
    COUNTS = "counts"
    NEAR_MISSES = "near-misses"


TITLES: Final = {
    DrugReport.LOG: "Lines by drug and strength",
    DrugReport.PATIENTS: "By patient",
    DrugReport.PEOPLE: "By person: taken out against wasted",
    DrugReport.DISCREPANCIES: "Open discrepancies",
    DrugReport.LOTS: "Expiring and recalled lots",
    DrugReport.RECEIPTS: "Receipts",
    DrugReport.COUNTS: "Counts and inventories",
    DrugReport.NEAR_MISSES: "Near misses",
}


@dataclass(frozen=True, slots=True)
class Report:
    """The head of each column, which of them are numbers, and the rows."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int] = frozenset()

    def said_from(self, column: int, row: tuple[str, ...]) -> list[tuple[str, str]]:
        """Name and value of what a row says from a column on; what it leaves empty is left out."""
        named = zip(self.head[column:], row[column:], strict=True)
        return [(name, value) for name, value in named if value]


_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(text: str) -> str:
    """Return a cell that a spreadsheet reads as text: what it would run as a formula gets an apostrophe."""
    if _NUMBER.fullmatch(text) or not text.lstrip(" ").startswith(_FORMULA):
        return text
    return f"'{text}"


def as_csv(report: Report) -> str:
    """Return a report as RFC 4180 text."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(report.head)
    writer.writerows([safe_cell(cell) for cell in row] for row in report.rows)
    return out.getvalue()
