"""Decisions about patients on plain values."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol


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
