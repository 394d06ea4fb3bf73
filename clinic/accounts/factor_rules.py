"""The second factor in plain values: one-time codes from an app (RFC 6238) and recovery codes."""

import hmac
import secrets
from datetime import datetime
from typing import Final

import pyotp

STEP_SECONDS: Final = 30
# An app whose clock is a step off still counts; what was used once, and all before it, never does again.
_STEPS_AROUND: Final = (-1, 0, 1)

RECOVERY_CODES: Final = 10
# Nothing that is taken for something else when it is read from paper.
_LETTERS: Final = "23456789abcdefghjkmnpqrstuvwxyz"
_GROUPS, _GROUP = 3, 4


def new_secret() -> str:
    """A fresh secret of 160 bits in base 32, as apps take it."""
    return pyotp.random_base32()


def address_of(secret: str, *, person: str, clinic: str) -> str:
    """What the square code says to an app: `otpauth://totp/…`."""
    return pyotp.TOTP(secret).provisioning_uri(name=person, issuer_name=clinic)


def accepted_step(secret: str, code: str, *, at: datetime, last_step: int | None) -> int | None:
    """The time step that a code of six digits belongs to; None when it is wrong, too old or was used."""
    code = "".join(code.split())
    if len(code) != 6 or not (code.isascii() and code.isdigit()):  # noqa: PLR2004 what apps show
        return None
    now = int(at.timestamp()) // STEP_SECONDS
    app = pyotp.TOTP(secret)
    found = [now + by for by in _STEPS_AROUND if hmac.compare_digest(app.generate_otp(now + by), code)]
    return next((step for step in found if last_step is None or step > last_step), None)


def new_recovery_codes() -> list[str]:
    """Codes for paper, each good for one sign-in: `k7mp-x2qa-9wte`, 59 bits."""
    return ["-".join(_letters() for _ in range(_GROUPS)) for _ in range(RECOVERY_CODES)]


def _letters() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_GROUP))


def plain_recovery_code(typed: str) -> str | None:
    """A recovery code as it was made, however it was typed; None when it is none."""
    letters = "".join(letter for letter in typed.casefold() if letter.isalnum())
    if len(letters) != _GROUPS * _GROUP or not set(letters) <= set(_LETTERS):
        return None
    return "-".join(letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP))
