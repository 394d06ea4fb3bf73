"""Decisions about patients on plain values."""

import re
from calendar import month_abbr
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, Protocol


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


class _Allergy(Protocol):
    @property
    def kind(self) -> AllergyKind: ...


def allergy_status(current: Iterable[_Allergy]) -> AllergyStatus:
    """How the patient's allergies stand, from the rows that no other row supersedes."""
    kinds = {allergy.kind for allergy in current}
    if AllergyKind.KNOWN in kinds:
        return AllergyStatus.KNOWN
    return AllergyStatus.NONE_KNOWN if kinds else AllergyStatus.NOT_RECORDED


_MONTHS: Final = {
    month_abbr[number].lower(): number for number in range(1, 13)
}
_SHORTEST_MONTH: Final = 3
_DAY_IN_ONE_WORD: Final = re.compile(r"(\d{1,2})[-./ ]([a-z]+|\d{1,2})[-./ ](\d{4})|(\d{4})-(\d{2})-(\d{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """What somebody looks for: words of a name, numbers (of an MRN or a birth year), a whole birth date."""

    names: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    born_on: date | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look for."""
        return not (self.names or self.numbers or self.born_on)


def search_terms(text: str) -> SearchTerms:
    """Read a line of search: name, record number and birth date in any order ("alm 68", "14 mar 1968", "FX-0001").

    A month stands in letters or as the middle number; what is no date stays a word to look for.
    """
    line = " ".join(text.lower().split())
    born_on = None
    for found in _DAY_IN_ONE_WORD.finditer(line):
        born_on = _day(found)
        if born_on is not None:
            line = f"{line[: found.start()]} {line[found.end() :]}"
            break
    words = [word.strip(",;.") for word in line.split()]
    words = [word for word in words if word]
    numbers = tuple(word for word in words if any("0" <= letter <= "9" for letter in word))
    return SearchTerms(tuple(word for word in words if word not in numbers), numbers, born_on)


def _day(found: re.Match[str]) -> date | None:
    if found[4]:
        year, month, day = int(found[4]), int(found[5]), int(found[6])
    else:
        word = found[2]
        named = _MONTHS.get(word[:_SHORTEST_MONTH]) if len(word) >= _SHORTEST_MONTH else None
        if not word.isdigit() and named is None:
            return None
        year, month, day = int(found[3]), int(word) if word.isdigit() else named or 0, int(found[1])
    try:
        return date(year, month, day)
    except ValueError:
        return None
