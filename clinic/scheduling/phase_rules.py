"""The phases of a visit and how many patients a nurse may have in each, on plain values. The database counts alike."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple, Protocol, TypeVar

from clinic.scheduling.limit_rules import ByPhase, Limits, Usual, beyond
from clinic.scheduling.room_rules import Span


class Phase(StrEnum):
    """What a patient is in during a visit, as it is planned."""

    PRECHECK = "precheck"
    INFUSION = "infusion"
    RECOVERY = "recovery"


class Parts(NamedTuple):
    """How many minutes of a visit lie before the infusion and after it; nought where the order says nothing."""

    before: int
    after: int


WHOLE: Final = Parts(0, 0)
"""A visit of which nothing is known: all of it counts as infusion."""


class SlotTerms(Protocol):
    """What an order says about the time in the chair besides the infusion."""

    @property
    def precheck_slot_min(self) -> int | None: ...
    @property
    def recovery_slot_min(self) -> int | None: ...
    @property
    def turnaround_min(self) -> int | None: ...


Row = TypeVar("Row", bound=Span)


def parts_of(terms: SlotTerms | None) -> Parts:
    """Return what an order says: pre-check before, recovery and turnaround after."""
    if terms is None:
        return WHOLE
    return Parts(terms.precheck_slot_min or 0, (terms.recovery_slot_min or 0) + (terms.turnaround_min or 0))


class Stay(NamedTuple):
    """A visit while it is in one phase; `visit` is its place in a list."""

    starts_at: datetime
    ends_at: datetime
    visit: int


def stay(visit: Span, parts: Parts, phase: Phase, number: int = 0) -> Stay:
    """Return when a visit is in a phase; a visit shorter than its parts has no infusion."""
    infusion = min(visit.ends_at, visit.starts_at + timedelta(minutes=parts.before))
    recovery = max(infusion, visit.ends_at - timedelta(minutes=parts.after))
    match phase:
        case Phase.PRECHECK:
            return Stay(visit.starts_at, infusion, number)
        case Phase.INFUSION:
            return Stay(infusion, recovery, number)
        case Phase.RECOVERY:
            return Stay(recovery, visit.ends_at, number)


def beyond_phases(visits: Sequence[tuple[Row, Parts]], most: ByPhase) -> list[Row]:
    """Return what one nurse has beyond the limits of a day: of those in one phase at once, what enters it last."""
    over: set[int] = set()
    for phase, limit in zip(Phase, most, strict=True):
        stays = [stay(row, parts, phase, number) for number, (row, parts) in enumerate(visits)]
        there = [each for each in stays if each.starts_at < each.ends_at]
        over |= {each.visit for each in beyond(there, (), _at_once(limit))}
    return [row for number, (row, _) in enumerate(visits) if number in over]


def _at_once(limit: int | None) -> Usual:
    return lambda _: Limits(limit, None)
