"""Who is at the screen: the one use of Flask-Login."""

from datetime import timedelta
from typing import Any, Final, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import Flask, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from clinic.accounts import passkey_rules, queries
from clinic.accounts.models import Clinic, LoginSession, Staff
from clinic.accounts.passwords import new_token, token_hash
from clinic.core import clock, db, formats

_DEVICE: Final = "device"

login_manager = LoginManager()
login_manager.session_protection = None  # it would compare browser names; our sign-ins are rows that can be ended


class SignedIn(UserMixin):  # type: ignore[misc] # the library has no types
    """A signed-in browser: the person, the clinic and the row that says so."""

    def __init__(self, login: LoginSession, staff: Staff, clinic: Clinic, token: str) -> None:
        self.login, self.staff, self.clinic, self._token = login, staff, clinic, token

    def get_id(self) -> str:
        return self._token

    def __getattr__(self, name: str) -> Any:
        return getattr(self.staff, name)


def init_app(app: Flask) -> None:
    """Tell Flask-Login how to find a sign-in."""
    login_manager.init_app(app, add_context_processor=False)  # pages get theirs from the shell
    login_manager.user_loader(_find)


def _find(token: str) -> SignedIn | None:
    from flask import current_app  # noqa: PLC0415 the settings of the app that serves this request

    found = queries.signed_in(
        token,
        at=clock.now(),
        idle_seconds=current_app.config["LOGIN_IDLE_SECONDS"],
        absolute_seconds=current_app.config["LOGIN_ABSOLUTE_SECONDS"],
    )
    if found is None:
        return None
    login, clinic = found
    db.enter_clinic(clinic.id)
    formats.zone.set(ZoneInfo(clinic.zone))
    staff = queries.staff_with_roles(login.staff_id)
    if staff is None:
        return None
    return SignedIn(login, staff, clinic, token)


def begin(token: str) -> SignedIn:
    """Start a browser session with the token of a fresh sign-in; any earlier cookie's content is thrown away."""
    found = _find(token)
    if found is None:
        raise LookupError("The sign-in that was just begun is not there.")
    device = session.get(_DEVICE) or new_token()
    session.clear()
    session.permanent = True
    session[_DEVICE] = device  # stays through every sign-in of this browser
    if found.login.device_hash is None:
        found.login.device_hash = token_hash(device)
    login_user(found, remember=False)
    return found


def end() -> None:
    """Forget the browser session."""
    device = session.get(_DEVICE)
    logout_user()
    session.clear()
    if device is not None:
        session[_DEVICE] = device


def device() -> str | None:
    """The hash of what this browser is known by, from its first sign-in on; it opens nothing by itself."""
    known = session.get(_DEVICE)
    return token_hash(known) if isinstance(known, str) else None


def is_signed_in() -> bool:
    """Whether the request comes from a signed-in browser."""
    return bool(current_user.is_authenticated)


def signed_in() -> SignedIn:
    """The sign-in of this request."""
    return cast("SignedIn", current_user._get_current_object())  # noqa: SLF001 the proxy's documented way out


def actor() -> Staff:
    """The person at the screen. Only in views that declare who may use them."""
    return signed_in().staff


def clinic() -> Clinic:
    """The clinic of this request."""
    return signed_in().clinic


def is_locked() -> bool:
    """Whether the screen was locked, or nobody has touched it for long, and it waits for its person."""
    return is_signed_in() and (signed_in().login.locked_at is not None or _is_left_alone(signed_in().login))


def lock_after_seconds() -> int:
    """After how long without a touch this screen is locked; 0 for never, as in a patient's hands."""
    from flask import current_app  # noqa: PLC0415 the settings of the app that serves this request

    after: int = current_app.config["LOCK_AFTER_SECONDS"]
    return 0 if handed_path() is not None else after


def _is_left_alone(login: LoginSession) -> bool:
    """A little later than the page's own script: a touch is told to the server only now and then."""
    after = lock_after_seconds()
    return after > 0 and login.seen_at <= clock.now() - timedelta(seconds=after + after // 5)


def is_factor_due() -> bool:
    """Whether the password was right and the second factor is still to be given."""
    return is_signed_in() and signed_in().login.is_factor_due


def handed_path() -> str | None:
    """The one address that answers while this tablet is in a patient's hands."""
    return signed_in().login.handed_path if is_signed_in() else None


def public_address() -> str:
    """The installation's own address, never one that a request brought; empty where it has none.

    While it is tried out on this very machine, `localhost` needs no setting.
    """
    from flask import current_app, request  # noqa: PLC0415 the settings of the app that serves this request

    address: str = current_app.config["PUBLIC_URL"]
    is_trial = not address and not current_app.config["IS_PRODUCTION"]
    if is_trial and urlsplit(request.host_url).hostname == "localhost":
        address = request.host_url
    return address.rstrip("/")


def party() -> passkey_rules.Party | None:
    """The address that passkeys are bound to."""
    return passkey_rules.party_at(public_address())
