"""A tablet in a patient's hands answers under one address; nothing else is shown or done until staff take it back."""

from flask import abort, redirect, request
from flask.typing import ResponseReturnValue

from clinic import traces
from clinic.accounts import current
from clinic.core import idempotency

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
# What answers besides the patient's page.
_ALSO_OPEN = frozenset({"static", "accounts.show_take_back", "accounts.take_back"})


def keep_to_its_page() -> ResponseReturnValue | None:
    """Lead a patient back to the page that the tablet was handed over with, whatever was typed, pressed or sent."""
    path = current.handed_path() if request.endpoint not in _ALSO_OPEN else None
    if path is None or request.path == path or request.path.startswith(f"{path}/"):
        return None
    if traces.is_in_background():
        abort(401, "This tablet is in a patient's hands.")
    if request.method not in _READING:
        return _answered_before() or abort(403)
    return redirect(path, 303)


def _answered_before() -> ResponseReturnValue | None:
    """The form that handed the tablet over, sent once more by a second tap: answered as it was, and done once."""
    earlier = idempotency.earlier_answer(current.actor().id, request.form.get("idempotency_key", ""))
    if earlier is None or earlier.location is None:
        return None
    is_same = earlier.digest == idempotency.digest(request.full_path, request.form.items(multi=True))
    return redirect(earlier.location, 303) if is_same else None
