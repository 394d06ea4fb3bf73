"""Whether what the pump was made to do makes sense as a whole: one start, no pause of a pause, nothing after a stop."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from clinic.core.times import utc
from clinic.sessions.delivery_rules import PumpEvent
from clinic.sessions.rules import AdministrationKind, SessionStatus, status_after

# The order in which acts of one instant are read, as in the arithmetic: a bolus at the start comes after the start.
_RANK: Final = (
    AdministrationKind.START,
    AdministrationKind.PAUSE,
    AdministrationKind.RESUME,
    AdministrationKind.BAG_CHANGE,
    AdministrationKind.RATE_CHANGE,
    AdministrationKind.BOLUS,
    AdministrationKind.STOP,
)

# These change the flow: two of them at one instant would leave open which came first.
_FLOW: Final = frozenset(AdministrationKind) - {AdministrationKind.BOLUS, AdministrationKind.BAG_CHANGE}

_WHY_NOT: Final = {
    AdministrationKind.START: "The infusion has started already.",
    AdministrationKind.RATE_CHANGE: "The pump is not running at this time.",
    AdministrationKind.PAUSE: "The pump is not running at this time.",
    AdministrationKind.RESUME: "The pump is not paused at this time.",
    AdministrationKind.BOLUS: "Nothing is being infused at this time.",
    AdministrationKind.BAG_CHANGE: "Nothing is being infused at this time.",
    AdministrationKind.STOP: "Nothing is being infused at this time.",
}

KIND_WORDS: Final = {
    AdministrationKind.START: "start",
    AdministrationKind.RATE_CHANGE: "rate change",
    AdministrationKind.PAUSE: "pause",
    AdministrationKind.RESUME: "resume",
    AdministrationKind.BOLUS: "bolus",
    AdministrationKind.BAG_CHANGE: "bag change",
    AdministrationKind.STOP: "stop",
}


class DoesNotFit(ValueError):
    """The acts at the pump, put in the order of time, make no sense. The message can be shown at the time."""


def in_order(events: Iterable[PumpEvent]) -> list[PumpEvent]:
    """Return the events in the order of time, those of one instant in the order in which they are read."""
    return sorted(events, key=lambda event: (utc(event.at), event.sequence, _RANK.index(event.kind)))


def status_of(events: Sequence[PumpEvent], added: PumpEvent | None = None) -> SessionStatus:
    """Return the session's state after all events, `added` among them; ready before the first.

    Raises `DoesNotFit` when an event cannot happen where it stands in time, with words about `added` where it is the
    cause.
    """
    line = in_order([*events, added] if added else events)
    for one, other in pairwise(line):
        if utc(one.at) == utc(other.at) and (one.kind is other.kind or {one.kind, other.kind} <= _FLOW):
            raise DoesNotFit(f"A {KIND_WORDS[(one if other is added else other).kind]} stands at this very time.")
    status = SessionStatus.READY
    for event in line:
        after = status_after(status, event.kind)
        if after is None:
            if added is None or event is added:
                raise DoesNotFit(_WHY_NOT[event.kind])
            raise DoesNotFit(f"This does not fit with the {KIND_WORDS[event.kind]} that is recorded after it.")
        status = after
    return status
