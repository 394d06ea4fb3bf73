"""Where a request came from, for the lines that it writes."""

import uuid
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """The request and the address of whoever sent it; empty for a command."""

    request_id: str | None = None
    address: str | None = None


# Asked before a line about a patient is written: it raises where the chart is closed to whoever is at work.
watch: ContextVar[Callable[[uuid.UUID], None] | None] = ContextVar("watch", default=None)

origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039 it is frozen


def refuse_closed(patient_id: uuid.UUID) -> None:
    """Go no further with a chart that is closed to whoever is at work; a command is watched by nobody."""
    asked = watch.get()
    if asked is not None:
        asked(patient_id)
