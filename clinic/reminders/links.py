"""The signed link in a mail, by which a patient answers: for one appointment, for nothing else, until its time comes.

It is made when the mail goes out and kept nowhere. Whoever has it can do what the page behind it offers, so it says and
does little: it names nobody, and following it changes nothing.
"""

import uuid
from typing import Final

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer

_PURPOSE: Final = "appointment-answer"
_LONGEST: Final = 200


def _signer() -> URLSafeSerializer:
    keys = [*reversed(current_app.config["SECRET_KEY_FALLBACKS"] or []), current_app.config["SECRET_KEY"]]
    return URLSafeSerializer(keys, salt=_PURPOSE)  # of several keys the last signs, and each still counts


def token_for(appointment_id: uuid.UUID) -> str:
    """The secret of an appointment's link."""
    return str(_signer().dumps(appointment_id.hex))


def appointment_behind(token: str) -> uuid.UUID | None:
    """The appointment that a link was made for; None for one that we did not make, or not for this."""
    try:
        return uuid.UUID(str(_signer().loads(token[:_LONGEST])))
    except (BadData, ValueError):
        return None
