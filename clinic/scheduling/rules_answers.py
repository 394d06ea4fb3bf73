"""What a patient can answer about an appointment."""

from enum import StrEnum
from typing import Final


class AnswerKind(StrEnum):
    """The patient comes, or gives the time back."""

    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


CANCELLED_BY_PATIENT: Final = "The patient cancelled by the link in the mail."
