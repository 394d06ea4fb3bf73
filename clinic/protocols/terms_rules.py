"""What cannot stand together in one set of terms, whatever its values. Nothing here knows a usual dose."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from clinic.protocols.dose_rules import DoseBasis
from clinic.protocols.session_doses import dose_runs, most_amount
from clinic.protocols.spacing_rules import StatedSpacing, spacing_contradictions


class StatedTerms(StatedSpacing, Protocol):
    """The values of terms that are compared with each other."""

    @property
    def basis(self) -> DoseBasis: ...
    @property
    def concentration_mg_ml(self) -> Decimal | None: ...
    @property
    def start_amount(self) -> Decimal | None: ...
    @property
    def session_amounts(self) -> tuple[Decimal, ...] | None: ...
    @property
    def step_amount(self) -> Decimal | None: ...
    @property
    def step_every_min(self) -> int | None: ...
    @property
    def highest_amount(self) -> Decimal | None: ...
    @property
    def maximum_rate(self) -> Decimal | None: ...
    @property
    def maximum_rate_unit(self) -> DoseBasis | None: ...
    @property
    def maximum_total_mg(self) -> Decimal | None: ...
    @property
    def duration_min(self) -> int | None: ...
    @property
    def maximum_duration_min(self) -> int | None: ...
    @property
    def bolus_mg(self) -> Decimal | None: ...
    @property
    def sessions_planned(self) -> int | None: ...
    @property
    def review_after(self) -> tuple[int, ...] | None: ...


@dataclass(frozen=True)
class Contradiction:
    """Two values that cannot both hold; `field` is the one to look at."""

    field: str
    message: str


_POSITIVE = {
    "concentration_mg_ml": "The concentration",
    "start_amount": "The dose",
    "maximum_rate": "The maximum rate",
    "maximum_total_mg": "The session maximum",
    "duration_min": "The length",
    "sessions_planned": "The number of sessions",
}


def contradictions(terms: StatedTerms) -> list[Contradiction]:
    """Return what contradicts itself; values that nobody entered contradict nothing."""
    found = [
        Contradiction(name, f"{words} must be more than 0.")
        for name, words in _POSITIVE.items()
        if (value := getattr(terms, name)) is not None and value <= 0
    ]
    if _is_over(terms.duration_min, terms.maximum_duration_min):
        found.append(Contradiction("maximum_duration_min", "The longest time is shorter than the length."))
    if _is_over(terms.apart_min_days, terms.apart_max_days):
        found.append(Contradiction("apart_max_days", "The longest gap is shorter than the shortest."))
    found += [Contradiction(name, words) for name, words in spacing_contradictions(terms)]
    if _is_over(max(terms.review_after or (0,)), terms.sessions_planned):
        found.append(Contradiction("review_after", "A review stands after a session that is not planned."))
    found += [Contradiction("session_amounts", words) for words in _session_contradictions(terms)]
    return found + _rate_contradictions(terms)


def _session_contradictions(terms: StatedTerms) -> list[str]:
    """What does not hold together where each session has a dose of its own."""
    amounts, planned = terms.session_amounts, terms.sessions_planned
    if not amounts:
        return []
    found = [f"The dose of {run.words} must be more than 0." for run in dose_runs(amounts) if run.amount <= 0]
    if terms.start_amount is not None:
        found.append("Write one dose for all sessions, or one for each, not both.")
    if planned is None:
        found.append("Enter the number of sessions: each has its own dose.")
    elif planned != len(amounts):
        found.append(f"{_sessions(planned)} planned, {_sessions(len(amounts))} with a dose: write one for each.")
    return found


def _sessions(count: int) -> str:
    return f"{count} session{'' if count == 1 else 's'}"


def _rate_contradictions(terms: StatedTerms) -> list[Contradiction]:
    found = []
    if terms.basis.is_total:
        if terms.step_amount or terms.highest_amount is not None:
            found.append(Contradiction("step_amount", "A dose given as a total has no steps."))
    elif _is_over(most_amount(terms), terms.highest_amount):
        found.append(Contradiction("highest_amount", "The highest rate is under the start rate."))
    if (terms.maximum_rate is None) != (terms.maximum_rate_unit is None):
        found.append(Contradiction("maximum_rate", "A maximum rate needs both its number and its unit."))
    if terms.maximum_rate_unit is not None and terms.maximum_rate_unit.is_total:
        found.append(Contradiction("maximum_rate_unit", "The maximum rate is written per hour or per minute."))
    return found


def _is_over(low: Decimal | int | None, high: Decimal | int | None) -> bool:
    return low is not None and high is not None and low > high
