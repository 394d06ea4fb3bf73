"""What a passkey answered, judged on plain values: the one use of the library for WebAuthn."""

import json
import secrets
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

CHALLENGE_LASTS_SECONDS: Final = 5 * 60
LONGEST_ANSWER: Final = 20_000
_LONGEST_ID: Final = 1400


class BadPasskey(ValueError):
    """An answer that proves nothing: forged, for another address, for another challenge, or damaged."""


@dataclass(frozen=True, slots=True)
class Party:
    """The address that a passkey is bound to: the name of the host, and the beginning of every address on it."""

    host: str
    origin: str


def party_at(address: str) -> Party | None:
    """The party behind an installation's public address; None where browsers have no passkeys (no name, no HTTPS)."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    if not host or _is_number(host) or not (parts.scheme == "https" or host == "localhost"):
        return None
    return Party(host, f"{parts.scheme}://{parts.netloc}".lower().removesuffix(":443"))


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey that was just made; bytes stand in base64 for addresses, as browsers send them."""

    credential_id: str
    public_key: str
    sign_count: int
    is_backed_up: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What a known passkey says now."""

    sign_count: int
    is_backed_up: bool


def new_challenge() -> str:
    """A challenge that nobody can guess."""
    return secrets.token_urlsafe(32)


def _bytes(text: str) -> bytes:
    from webauthn.helpers import base64url_to_bytes  # noqa: PLC0415 heavy: only where passkeys are used

    return base64url_to_bytes(text)


def ways_to_make(
    party: Party, challenge: str, *, clinic: str, person: str, name: str, handle: bytes, known: list[str]
) -> str:
    """What the browser is asked when a person adds a passkey, as JSON. Those that are `known` are not made again."""
    import webauthn  # noqa: PLC0415 heavy
    from webauthn.helpers import structs  # noqa: PLC0415

    options = webauthn.generate_registration_options(
        rp_id=party.host,
        rp_name=clinic,
        user_id=handle,
        user_name=person,
        user_display_name=name,
        challenge=_bytes(challenge),
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED,
            require_resident_key=True,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=_bytes(one)) for one in known],
    )
    return webauthn.options_to_json(options)


def ways_to_answer(party: Party, challenge: str) -> str:
    """What the browser is asked when somebody proves who that is, as JSON. It names nobody: the passkey does."""
    import webauthn  # noqa: PLC0415 heavy
    from webauthn.helpers.structs import UserVerificationRequirement  # noqa: PLC0415

    options = webauthn.generate_authentication_options(
        rp_id=party.host, challenge=_bytes(challenge), user_verification=UserVerificationRequirement.REQUIRED
    )
    return webauthn.options_to_json(options)


def read(text: str) -> dict[str, Any]:
    """The answer that a browser sent. Raises BadPasskey when it is none."""
    try:
        found = json.loads(text) if len(text) <= LONGEST_ANSWER else None
    except (ValueError, RecursionError) as problem:
        raise BadPasskey("no JSON") from problem
    if not isinstance(found, dict) or not isinstance(found.get("id"), str) or len(found["id"]) > _LONGEST_ID:
        raise BadPasskey("no answer of a passkey")
    return found


def handle_in(answer: dict[str, Any]) -> bytes | None:
    """The handle of the person whom the passkey names, if it does."""
    response = answer.get("response")
    text = response.get("userHandle") if isinstance(response, dict) else None
    try:
        return _bytes(text) if isinstance(text, str) else None
    except ValueError:
        return None


def made(answer: dict[str, Any], *, party: Party, challenge: str) -> NewPasskey:
    """Check a new passkey: this address, this challenge, the person verified. Raises BadPasskey."""
    import webauthn  # noqa: PLC0415 heavy
    from webauthn.helpers import bytes_to_base64url, exceptions  # noqa: PLC0415

    try:
        found = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=_bytes(challenge),
            expected_rp_id=party.host,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except (exceptions.WebAuthnException, *_ODD) as problem:
        raise BadPasskey(str(problem)) from problem
    return NewPasskey(
        bytes_to_base64url(found.credential_id),
        bytes_to_base64url(found.credential_public_key),
        found.sign_count,
        found.credential_backed_up,
    )


def answered(answer: dict[str, Any], *, party: Party, challenge: str, public_key: str, sign_count: int) -> Answer:
    """Check what a known passkey answered: signature, address, challenge, counter, the person verified.

    Raises BadPasskey.
    """
    import webauthn  # noqa: PLC0415 heavy
    from webauthn.helpers import exceptions  # noqa: PLC0415

    try:
        found = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=_bytes(challenge),
            expected_rp_id=party.host,
            expected_origin=party.origin,
            credential_public_key=_bytes(public_key),
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
    except (exceptions.WebAuthnException, *_ODD) as problem:
        raise BadPasskey(str(problem)) from problem
    return Answer(found.new_sign_count, found.credential_backed_up)


# What the library lets through where the bytes inside an answer are nonsense.
_ODD: Final = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)
