"""The clinic's own sign-in elsewhere (OpenID Connect), asked and believed: the one use of its library.

The library keeps state, nonce and the PKCE verifier in this browser's signed cookie, fetches the provider's addresses
and keys, and checks the signed answer. What it does not ask is asked here: that the answer is meant for this
installation, and that the person has just signed in there, for many people share one tablet (OpenID Connect Core 1.0,
sections 3.1.2.1 `max_age` and 3.1.3.7).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Response, session

LASTS: Final = timedelta(minutes=5)
_SECONDS_TO_ANSWER: Final = 5
_CLOCKS_DIFFER_BY: Final = timedelta(minutes=2)


class NotReached(Exception):
    """The provider did not answer, or not as the standard says."""


class NotBelieved(Exception):
    """The answer proves nothing: forged, old, for somebody else, or a refusal. Its text is for the log."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Where people sign in, and how the button names it."""

    issuer: str
    client_id: str
    client_secret: str
    name: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed in there: a name that the provider gives to nobody else, and whether it asked for two factors."""

    issuer: str
    subject: str
    has_two_factors: bool


def chosen(config: Mapping[str, Any]) -> Provider | None:
    """The provider that the settings name; None where they name none."""
    issuer, client_id, client_secret, name = (
        str(config.get(key) or "") for key in ("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_NAME")
    )
    return Provider(issuer, client_id, client_secret, name) if issuer else None


def setting_faults(config: Mapping[str, Any]) -> list[str]:
    """What is missing or unsafe in the settings, one sentence each; nothing where no provider is named."""
    provider = chosen(config)
    if provider is None:
        return []
    answers = {
        "OIDC_ISSUER does not begin with https://: a forged answer could be believed.": (
            urlsplit(provider.issuer).scheme != "https"
        ),
        "OIDC_CLIENT_ID or OIDC_CLIENT_SECRET is not set: the provider would not answer.": not (
            provider.client_id and provider.client_secret
        ),
        "PUBLIC_URL does not begin with https://: the provider must know where to lead people back.": (
            not str(config.get("PUBLIC_URL")).startswith("https://")
        ),
    }
    return [fault for fault, is_unsafe in answers.items() if is_unsafe]


def ask(provider: Provider, back: str) -> Response:
    """The redirect that leads to the provider, where the person signs in anew even if somebody is signed in there.

    `back` is the address here to which the provider leads people back. Raises NotReached.
    """
    from authlib.common.errors import AuthlibBaseError  # noqa: PLC0415 half a second, for those who use it
    from requests import RequestException  # noqa: PLC0415

    for key in [key for key in session if key.startswith("_state_")]:
        del session[key]  # one question at a time: a cookie is small
    try:
        answer: Response = _client(provider).authorize_redirect(back, prompt="login", max_age=0)
    except (RequestException, AuthlibBaseError, ValueError, KeyError, RuntimeError) as error:
        raise NotReached(type(error).__name__) from error
    return answer


def answered(provider: Provider, *, asked_at: datetime | None, at: datetime) -> Identity:
    """Who the provider says is there, out of the request that it led back here. Raises NotReached or NotBelieved."""
    from authlib.common.errors import AuthlibBaseError  # noqa: PLC0415
    from joserfc.errors import JoseError  # noqa: PLC0415
    from requests import RequestException  # noqa: PLC0415

    if asked_at is None or not asked_at <= at < asked_at + LASTS:
        raise NotBelieved("nothing was asked, or too long ago")
    must = {
        "iss": {"essential": True, "value": provider.issuer},
        "aud": {"essential": True, "value": provider.client_id},
    }
    leeway = int(_CLOCKS_DIFFER_BY.total_seconds())
    try:
        token = _client(provider).authorize_access_token(claims_options=must, leeway=leeway)
    except RequestException as error:
        raise NotReached(type(error).__name__) from error
    except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise NotBelieved(type(error).__name__) from error
    claims = token.get("userinfo")
    if not claims or not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise NotBelieved("no signed answer")
    signed_in_at = claims.get("auth_time")
    if not isinstance(signed_in_at, int) or signed_in_at < (asked_at - _CLOCKS_DIFFER_BY).timestamp():
        raise NotBelieved("the person did not sign in anew there")
    ways = claims.get("amr") or []
    return Identity(provider.issuer, claims["sub"], has_two_factors=isinstance(ways, list) and "mfa" in ways)


@cache
def _client(provider: Provider) -> Any:
    """The library's client; it knows the provider's addresses and keys from the first question on."""
    from authlib.integrations.flask_client import FlaskIntegration, FlaskOAuth2App  # noqa: PLC0415
    from authlib.integrations.requests_client import OAuth2Session  # noqa: PLC0415

    class Straight(OAuth2Session):  # type: ignore[misc] # the library has no types
        """Waits some seconds, and follows no redirect: the secret goes nowhere but to the provider."""

        def request(self, *positional: Any, **values: Any) -> Any:
            values |= {"allow_redirects": False, "timeout": _SECONDS_TO_ANSWER}
            return super().request(*positional, **values)

    class Client(FlaskOAuth2App):  # type: ignore[misc] # the library has no types
        client_cls = Straight

    return Client(
        FlaskIntegration("provider"),
        "provider",
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        server_metadata_url=f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid", "code_challenge_method": "S256"},
    )
