"""Decisions about appointments on plain values."""

from enum import StrEnum


class ChairKind(StrEnum):
    """What a patient is treated in."""

    CHAIR = "chair"
    BED = "bed"
    ROOM = "room"


class AppointmentStatus(StrEnum):
    """States of an appointment."""

    PROPOSED = "proposed"
    BOOKED = "booked"
    ARRIVED = "arrived"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    NO_SHOW = "noshow"
    WAITLIST = "waitlist"


HOLDING = frozenset({AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED, AppointmentStatus.FULFILLED})
"""The states in which an appointment takes its chair, its patient and its nurse."""

_NEXT: dict[AppointmentStatus, frozenset[AppointmentStatus]] = {
    AppointmentStatus.PROPOSED: frozenset({AppointmentStatus.BOOKED, AppointmentStatus.CANCELLED}),
    AppointmentStatus.WAITLIST: frozenset({AppointmentStatus.PROPOSED, AppointmentStatus.CANCELLED}),
    AppointmentStatus.BOOKED: frozenset(
        {AppointmentStatus.ARRIVED, AppointmentStatus.CANCELLED, AppointmentStatus.NO_SHOW}
    ),
    # A patient who arrived may still not be treated: the checks failed, or the patient left.
    AppointmentStatus.ARRIVED: frozenset({AppointmentStatus.FULFILLED, AppointmentStatus.CANCELLED}),
    AppointmentStatus.FULFILLED: frozenset(),
    AppointmentStatus.CANCELLED: frozenset(),
    AppointmentStatus.NO_SHOW: frozenset(),
}


def may_become(now: AppointmentStatus, then: AppointmentStatus) -> bool:
    """Whether the state table of the domain reference (7.2) has this transition."""
    return then in _NEXT[now]
