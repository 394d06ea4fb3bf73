"""Decisions about patients on plain values."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, Protocol

from clinic.core.days import day_readings


class Sex(StrEnum):
    """Administrative sex, as FHIR has it."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


class AllergyKind(StrEnum):
    """A known allergy, or the statement that the patient was asked and has none."""

    KNOWN = "known"
    NONE_KNOWN = "none-known"


class AllergyStatus(StrEnum):
    """How a patient's allergies stand; they look different everywhere."""

    KNOWN = "known"
    NONE_KNOWN = "none-known"
    NOT_RECORDED = "not-recorded"


class WeightMethod(StrEnum):
    """How a weight was obtained. A stated weight is never dosed on."""

    MEASURED = "measured"
    STATED = "stated"


class Answer(StrEnum):
    """The answer to a screening question. It never blocks by itself: a physician settles it."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class ConsentStatus(StrEnum):
    """Consent to one drug for a period."""

    ACTIVE = "active"
    WITHDRAWN = "withdrawn"


def valid_until(begins_on: date, days: int | None) -> date | None:
    """The last day on which something is valid that is so for a number of days; None where it does not end."""
    return None if days is None else begins_on + timedelta(days=days - 1)


MOST_STROKES: Final = 20_000
_PATH: Final = re.compile(r"(?:M[0-9]{1,3} [0-9]{1,3}(?:L[0-9]{1,3} [0-9]{1,3})+)+", re.ASCII)


def is_drawing(path: str) -> bool:
    """Whether this is a signature as the tablet draws it: strokes of whole numbers, and nothing else of SVG."""
    return len(path) <= MOST_STROKES and _PATH.fullmatch(path) is not None


_KINDS: Final = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
}
ENDINGS: Final = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}


def media_type(content: bytes) -> str | None:
    """Return what a file is by its first bytes, whatever its name says; None for what the chart does not take."""
    return next((kind for start, kind in _KINDS.items() if content.startswith(start)), None)


class _Allergy(Protocol):
    @property
    def kind(self) -> AllergyKind: ...


def allergy_status(current: Iterable[_Allergy]) -> AllergyStatus:
    """How the patient's allergies stand, from the rows that no other row supersedes."""
    kinds = {allergy.kind for allergy in current}
    if AllergyKind.KNOWN in kinds:
        return AllergyStatus.KNOWN
    return AllergyStatus.NONE_KNOWN if kinds else AllergyStatus.NOT_RECORDED


_DATE: Final = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[-./ ](?:[a-z]{3,9}|\d{1,2})[-./ ]\d{4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """What somebody looks for: words of a name, numbers (of an MRN or a birth year), a birth date.

    A date in figures alone ("03/04/1968") is read both ways: here a wrong reading finds nobody and does no harm.
    """

    names: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    born_on: frozenset[date] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look for."""
        return not (self.names or self.numbers or self.born_on)


def search_terms(text: str) -> SearchTerms:
    """Read a line of search: name, record number and birth date in any order ("alm 68", "14 mar 1968", "FX-0001")."""
    line = " ".join(text.lower().split())
    born_on: frozenset[date] = frozenset()
    for found in _DATE.finditer(line):
        born_on = frozenset(day_readings(found[0]))
        if born_on:
            line = f"{line[: found.start()]} {line[found.end() :]}"
            break
    words = [word for typed in line.split() if (word := typed.strip(",;."))]
    numbers = tuple(word for word in words if any("0" <= letter <= "9" for letter in word))
    return SearchTerms(tuple(word for word in words if word not in numbers), numbers, born_on)
