"""Words and states of what is settled afterwards: discrepancies, count sheets, preparations."""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Final

from clinic.core.units import EXACT, round_half_up


class StepKind(StrEnum):
    """What was done about a discrepancy."""

    INVESTIGATING = "investigating"
    RESOLVED = "resolved"
    REPORTED = "reported"
    REOPENED = "reopened"

    @property
    def closes(self) -> bool:
        """Whether two people close it with this."""
        return self in {StepKind.RESOLVED, StepKind.REPORTED}


class Cause(StrEnum):
    """Why drug was not where it should be."""

    MISSED_WASTE = "missed waste"
    PRIME_VOLUME = "prime volume"
    WRONG_COUNT = "wrong count"
    SPILL = "spill"
    OVERFILL = "overfill"
    ENTRY_ERROR = "entry error"
    SUSPECTED_DIVERSION = "suspected diversion"
    OTHER = "other"


class DiscrepancyStatus(StrEnum):
    """Where a discrepancy stands."""

    OPEN = "open"
    INVESTIGATING = "investigating"
    RESOLVED = "resolved"
    REPORTED = "reported"

    @property
    def is_closed(self) -> bool:
        """Whether nobody has to do anything about it."""
        return self in {DiscrepancyStatus.RESOLVED, DiscrepancyStatus.REPORTED}


_AFTER: Final = {
    StepKind.INVESTIGATING: DiscrepancyStatus.INVESTIGATING,
    StepKind.RESOLVED: DiscrepancyStatus.RESOLVED,
    StepKind.REPORTED: DiscrepancyStatus.REPORTED,
    StepKind.REOPENED: DiscrepancyStatus.OPEN,
}


def status_after(steps: Sequence[StepKind]) -> DiscrepancyStatus:
    """Return where a discrepancy stands after its steps, in their order."""
    return _AFTER[steps[-1]] if steps else DiscrepancyStatus.OPEN


def step_problem(status: DiscrepancyStatus, kind: StepKind, cause: Cause | None) -> str | None:
    """Return why a step cannot be taken now, in words, or None."""
    if kind is StepKind.REOPENED:
        return None if status.is_closed else "It is open already."
    if status.is_closed:
        return "It is closed. Reopen it first."
    if kind.closes and cause is None:
        return "Choose the cause."
    if kind is StepKind.RESOLVED and cause is Cause.SUSPECTED_DIVERSION:
        return "A suspected diversion is reported, not resolved."
    return None


class CountPurpose(StrEnum):
    """What a cabinet is counted for."""

    SHIFT = "shift"
    DAILY = "daily"
    INITIAL = "initial inventory"
    BIENNIAL = "biennial inventory"

    @property
    def is_inventory(self) -> bool:
        """Whether the law asks for it, with the time of the business day."""
        return self in {CountPurpose.INITIAL, CountPurpose.BIENNIAL}


class TakenAt(StrEnum):
    """When in the business day an inventory was taken."""

    OPENING = "opening"
    CLOSE = "close"


class PreparationKind(StrEnum):
    """What a drug was made up in."""

    BAG = "bag"
    SYRINGE = "syringe"


# No letter or digit that another one is read for.
CODE_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def read_code(typed: str) -> str:
    """Return the code of a label as it was scanned, with the stars of its bars, or typed in any letters."""
    return "".join(typed.split()).strip("*").upper()


def concentration_mg_ml(amount_mg: Decimal, volume_ml: Decimal) -> Decimal:
    """Return the concentration of a preparation to four decimals."""
    return round_half_up(EXACT.divide(amount_mg, volume_ml), 4)
