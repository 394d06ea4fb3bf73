"""The only place that reads the wall clock, so that a test can stand at any moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime


def _wall_clock() -> datetime:
    return datetime.now(UTC)


_source: ContextVar[Callable[[], datetime]] = ContextVar("clock", default=_wall_clock)


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return _source.get()()


@contextmanager
def standing_at(instant: datetime) -> Iterator[None]:
    """Stand at one instant: for tests, for the demo's history and for played cases."""
    token = _source.set(lambda: instant)
    try:
        yield
    finally:
        _source.reset(token)
