"""The words for what happens at the bedside besides the pump and the vitals."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

# How grave an adverse event is, by its CTCAE grade.
GRADES: Final = {1: "mild", 2: "moderate", 3: "severe", 4: "life-threatening", 5: "fatal"}


class CheckPurpose(StrEnum):
    """What a rate is proposed and double-checked for."""

    START = "start"
    RATE_CHANGE = "rate_change"
    RESUME = "resume"
    HAND_OVER = "hand_over"


class SessionEventKind(StrEnum):
    """Anything that happened and is neither a pump event nor vitals."""

    TIME_OUT = "time_out"
    NOTIFY = "notify"
    INTERVENTION = "intervention"
    HAND_OVER = "hand_over"
    SUPERVISING = "supervising"
    ROW_NOTE = "row_note"
    CALL = "call"
    OTHER = "other"


# What was said or done. A time-out, a hand-over and who is on site are acts that others rely on.
CORRECTABLE_EVENTS: Final = frozenset(
    {
        SessionEventKind.NOTIFY,
        SessionEventKind.INTERVENTION,
        SessionEventKind.ROW_NOTE,
        SessionEventKind.CALL,
        SessionEventKind.OTHER,
    }
)


class IvAction(StrEnum):
    """What was done with the cannula."""

    PLACED = "placed"
    CHECKED = "checked"
    REMOVED = "removed"


class Actuality(StrEnum):
    """Whether harm reached the patient, as FHIR has it; a potential event is a near miss."""

    ACTUAL = "actual"
    POTENTIAL = "potential"


class AdverseOutcome(StrEnum):
    """How an adverse event ended, as FHIR has it."""

    RESOLVED = "resolved"
    RECOVERING = "recovering"
    ONGOING = "ongoing"
    SEQUELAE = "resolved-with-sequelae"
    FATAL = "fatal"
    UNKNOWN = "unknown"


class RightVolume(StrEnum):
    """Which of two numbers says what was infused, where they are too far apart."""

    PUMP = "pump"
    COMPUTED = "computed"


@dataclass(frozen=True, slots=True)
class PumpReading:
    """The volume (mL) that the pump itself says it infused; which is right, and why, where the computed one is far off.

    The nurse reads it from the pump; the computed one is the sum of the rates.
    """

    volume_ml: Decimal
    right: RightVolume | None = None
    why: str | None = None


class NotDoneReason(StrEnum):
    """Why due vitals were not taken, as FHIR has it."""

    NOT_PERFORMED = "not-performed"
    DECLINED = "asked-declined"


class DischargeExit(StrEnum):
    """How a patient left."""

    HOME_WITH_ESCORT = "home-with-escort"
    HOME_ALONE = "home-alone"
    TRANSFER = "transfer"
    AGAINST_ADVICE = "against-advice"
    ADMITTED = "admitted"
