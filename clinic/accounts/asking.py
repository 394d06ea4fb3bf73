"""What this browser is asked to prove by a passkey: a challenge in its signed cookie, one for each purpose."""

from datetime import datetime
from typing import Final

from flask import abort, session

from clinic.accounts import current, passkey_rules, passkeys
from clinic.accounts.passkey_rules import Party
from clinic.core import clock

# The answer to one is no answer to the other.
PROVE: Final = "passkey_asked"
ADD: Final = "passkey_asked_to_add"


def ask(purpose: str) -> tuple[Party, str]:
    """Put a new challenge into this browser's cookie."""
    found = current.party() or abort(404)
    challenge = passkey_rules.new_challenge()
    session[purpose] = [challenge, clock.now().isoformat()]
    return found, challenge


def asked(purpose: str) -> passkeys.Asked | None:
    """What this browser was asked; it is asked anew after any answer."""
    kept = session.pop(purpose, None)
    found = current.party()
    if kept is None or found is None:
        return None
    challenge, asked_at = kept
    return passkeys.Asked(found, challenge, datetime.fromisoformat(asked_at))
