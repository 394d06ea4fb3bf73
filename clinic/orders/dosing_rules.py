"""The weight that a dose is worked out with, where it is not the measured one."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class DosingWeight:
    """The weight that a clinician chose to dose on, as typed: nobody works it out here. `basis` says how it was had."""

    kg: Decimal
    basis: str
    on: date
