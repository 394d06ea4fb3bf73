"""Where a request came from, for the lines that it writes."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """The request and the address of whoever sent it; empty for a command."""

    request_id: str | None = None
    address: str | None = None


origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039 it is frozen
