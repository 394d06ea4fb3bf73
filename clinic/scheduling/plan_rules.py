"""A plan of many courses: in what state it is, on plain values."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

# A plan at work says so every few seconds; one that has been silent for so long has lost its process.
SILENT_AFTER: Final = timedelta(seconds=45)
MOST_DAYS: Final = 366


class PlanStatus(StrEnum):
    """Where a plan stands. Only the last three have an end."""

    ASKED = "asked"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    BROKEN = "broken"


AT_WORK: Final = (PlanStatus.ASKED, PlanStatus.RUNNING)


def status_now(status: PlanStatus, heard_at: datetime, now: datetime) -> PlanStatus:
    """Return the state as it truly is: a plan whose process went silent is broken, whatever its row says."""
    if status in AT_WORK and now - heard_at > SILENT_AFTER:
        return PlanStatus.BROKEN
    return status


def percent(done: int, whole: int) -> int:
    """Return how much of the time is over, from 0 to 100."""
    return min(100, 100 * done // whole) if whole > 0 else 100
