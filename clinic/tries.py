"""A request that is begun again: what the database gave up, and a password that was compared in between.

Each try is a whole one: a transaction of its own, the cookie as the browser sent it, nothing left of the try before.
"""

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from datetime import timedelta

import flask
from flask import Response, g, request, session
from sqlalchemy.exc import DBAPIError

from clinic.accounts.passwords import Uncompared
from clinic.core import retry

_pauses: ContextVar[Iterator[timedelta] | None] = ContextVar("pauses", default=None)


class _OnceMore(Exception):
    """This try is over; the next one begins after a pause."""

    def __init__(self, pause: timedelta) -> None:
        super().__init__(pause)
        self.pause = pause


def until_it_stands(attempt: Callable[[], Response]) -> Response:
    """Answer a request, with as many tries as it takes and as are allowed."""
    token = _pauses.set(retry.pauses())
    try:
        while True:
            try:
                return _answered(attempt)
            except Uncompared as pair:
                pair.compare()
            except _OnceMore as again:
                retry.wait(again.pause)
            _forget_this_try()
    finally:
        _pauses.reset(token)


def _answered(attempt: Callable[[], Response]) -> Response:
    """One try; a fault of its commit, which comes after the page was made, is judged as one of the page."""
    app = flask.current_app
    try:
        return attempt()
    except DBAPIError as error:
        return app.finalize_request(app.handle_user_exception(error))


def go_on_with(fault: Exception) -> None:
    """Raise what ends this try and begins another; return when the fault is to be answered in words."""
    pauses = _pauses.get()
    if pauses is None:
        return
    if isinstance(fault, Uncompared | _OnceMore):
        raise fault
    if isinstance(fault, DBAPIError) and _may_repeat(fault):
        pause = next(pauses, None)
        if pause is not None:
            flask.current_app.logger.warning("Tried again after %s", type(fault.orig).__name__)
            raise _OnceMore(pause) from fault


def _may_repeat(error: DBAPIError) -> bool:
    """Whether another try does no harm: nothing was kept, nothing was to be kept, or the key tells what was."""
    if retry.was_given_up(error):
        return True
    return retry.was_cut_off(error) and (request.method in {"GET", "HEAD", "OPTIONS"} or "here" in g)


def _forget_this_try() -> None:
    """Empty what Flask keeps for a request, and take the cookie as it was sent."""
    for name in list(g):
        g.pop(name)
    app = flask.current_app
    sent = app.session_interface.open_session(app, request)
    session.clear()
    session.update(sent or {})
    session.modified = False
