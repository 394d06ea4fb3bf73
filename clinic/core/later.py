"""What outlives a refusal: acts done in a transaction of their own once the present one has ended, either way.

A wrong password must be counted although the request that brought it is rolled back. It knows no Flask, so that
operations may use it; the shell begins a list for each request and does what stands on it afterwards.
"""

from collections.abc import Callable
from contextvars import ContextVar

Act = Callable[[], object]

_acts: ContextVar[list[Act] | None] = ContextVar("acts", default=None)


def begin() -> None:
    """Start an empty list: at the start of a request."""
    _acts.set([])


def do(act: Act) -> None:
    """Put an act on the list. Outside a request there is no list, and nothing is done: a command has no guesser."""
    acts = _acts.get()
    if acts is not None:
        acts.append(act)


def taken() -> list[Act]:
    """What stands on the list, which is empty from then on."""
    acts = _acts.get() or []
    _acts.set([])
    return acts
