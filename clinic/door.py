"""Who gets past the door: a request meets the tablet, the sign-in, the lock, the second factor, the permission."""

from typing import Any

import flask
from flask import abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from clinic import again, restricted, tablet, traces
from clinic.accounts import current
from clinic.core.permissions import Access, Open, Permission

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def declared_access() -> Access | None:
    """What the view of this request declares; None where it declares nothing."""
    if request.endpoint is None:
        return None
    view: Any = flask.current_app.view_functions[request.endpoint]
    found: Access | None = Open.PUBLIC if request.endpoint == "static" else getattr(view, "access", None)
    return found


# What still answers while the screen is locked.
_OPEN_WHILE_LOCKED = frozenset({"accounts.show_unlock", "accounts.unlock", "accounts.end_login"})
# What still answers while the second factor is due.
_OPEN_BEFORE_THE_FACTOR = frozenset(
    {
        *_OPEN_WHILE_LOCKED,
        "accounts.show_factor",
        "accounts.give_factor",
        "accounts.begin_factor",
        "accounts.show_new_factor",
        "accounts.confirm_factor",
        "accounts.show_factor_reset",
        "accounts.use_factor_reset",
    }
)
# Nothing was typed there that would have to be kept.
_NOTHING_TO_SAVE = frozenset({"accounts.lock", "accounts.unlock", "accounts.end_login"})


def check_access() -> ResponseReturnValue | None:
    """Answer in the view's place where the request may not go on; None where it may."""
    if (kept := tablet.keep_to_its_page()) is not None:
        return kept
    if request.endpoint is None:
        return None  # not found, which the router says by itself
    access = declared_access()
    if access is None:
        abort(403, "This page has no declared access.")
    if access is Open.PUBLIC:
        return None
    if (waits_at := _where_it_waits()) is not None:
        refused = _ask_for_the_password(waits_at)
        if refused is not None:
            return refused.answer
    login = current.signed_in().login
    # Noted now: a refusal is rolled back, and its rows cannot be asked any more.
    g.here = traces.Here(current.actor().id, login.id, login.seen_at, is_locked=current.is_locked())
    if isinstance(access, Permission) and not current.actor().may(access):
        g.denied = access
        abort(403)
    restricted.watch()
    return None


def _where_it_waits() -> str | None:
    """The page that this browser has to pass first: sign-in, lock or second factor; None when it may go on."""
    if not current.is_signed_in():
        return "accounts.show_login"
    if current.is_locked() and request.endpoint not in _OPEN_WHILE_LOCKED:
        return "accounts.show_unlock"
    if current.is_factor_due() and request.endpoint not in _OPEN_BEFORE_THE_FACTOR:
        return "accounts.show_factor"
    return None


def _ask_for_the_password(endpoint: str) -> again.Refused | None:
    """Lead to the page that asks for the password and then back here; a save goes on when the password came with it."""
    if traces.is_in_background():
        abort(401, "You are signed out or the screen is locked.")
    if request.method not in SAFE and request.endpoint not in _NOTHING_TO_SAVE:
        return again.go_on()
    if request.method not in SAFE:
        return again.Refused(redirect(url_for(endpoint), 303))
    back = request.full_path.rstrip("?")
    return again.Refused(redirect(url_for(endpoint, next=None if back == "/" else back), 303))
