"""What every form post brings along besides its fields, and how its act is tried."""

import re
import uuid
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from flask import Request, current_app, request, url_for

from clinic.core import db, later
from clinic.core.errors import Conflict, OtherPatient, RuleBroken
from clinic.core.forms import Form

T = TypeVar("T")
_KEY: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class Versioned(Protocol):
    """A row with an optimistic version."""

    version: int


def installation_secrets() -> list[str]:
    """The installation's secret, and earlier ones that still open what they sealed."""
    return [current_app.config["SECRET_KEY"], *(current_app.config["SECRET_KEY_FALLBACKS"] or ())]


def same_patient(patient_id: uuid.UUID) -> None:
    """Refuse a form that was drawn for another patient: two tabs, a wrong turn of the browser."""
    posted = request.form.get("patient_id")
    if posted is not None and posted != str(patient_id):
        raise OtherPatient


def drawn_version() -> int | None:
    """The version of the record that the form was drawn from, if it says so."""
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None  # noqa: PLR2004 bounded


def unchanged_since_drawn(record: Versioned, what: str) -> None:
    """Raise Conflict when somebody else has changed the record since this form was drawn."""
    drawn = drawn_version()
    if drawn is not None and drawn != record.version:
        raise Conflict(what)


_SECRETS = frozenset({"password", "current", "new", "again", "pin", "code_to_go_on"})


def is_secret(name: str) -> bool:
    """Whether a field of this name holds a password or a PIN, which nobody repeats, shows or keeps."""
    return name in _SECRETS or name.startswith("password_") or name.endswith(("_password", "_secret", "_pin"))


def without_secrets(asked: Request) -> str:
    """The path of a request as it may stand in a log: a secret that is part of the address is left out."""
    secret = (asked.view_args or {}).get("token")
    return asked.path.replace(str(secret), "…") if secret else asked.path


def attempt(form: Form, act: Callable[[], T]) -> T | None:
    """Check a posted form and do its act in a savepoint; None, with the reasons on the form, when either refuses."""
    if not form.validate_on_submit():
        return None
    try:
        with db.session.begin_nested():
            return act()
    except RuleBroken as refusal:
        form.refuse(refusal)
        return None


def afterwards(act: Callable[[], object]) -> None:
    """Do this in a transaction of its own once the answer stands, even when the answer is a refusal."""
    later.do(act)


INBOX_ENDS: Final = "end"
"""The place in the inbox after its last item."""


def place_in_inbox() -> str | None:
    """Return where the inbox goes on once the act of this page is done, when it was opened from there."""
    place = request.args.get("inbox", "")
    return place if place == INBOX_ENDS or _KEY.fullmatch(place) else None


def onward(address: str) -> str:
    """Return where an act leads: on through the inbox when its page was opened from there, else to an address."""
    place = place_in_inbox()
    if place is None:
        return address
    return url_for("notes.show_inbox", at=None if place == INBOX_ENDS else place)
