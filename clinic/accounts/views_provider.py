"""The clinic's own sign-in (OpenID Connect): to it and back, connect it, take it away.

The way back is a GET by the standard. It opens something only in the browser that was sent there, whose cookie holds
the state; nothing else that a GET brings here changes anything.
"""

import logging
from datetime import datetime
from typing import Any, Final

from flask import abort, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import current, guessing, identities, identity_provider, operations
from clinic.accounts.forms import SignInForm
from clinic.accounts.identity_provider import LASTS, Identity, NotBelieved, NotReached, Provider
from clinic.accounts.rules import own_path
from clinic.accounts.views import bp, browser, login_page, onwards, provider_here, say, take_over
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.errors import RuleBroken
from clinic.core.permissions import public, signed_in

_ASKED: Final = "provider_asked"
_MAY_CONNECT: Final = "provider_may_connect"
_NOT_REACHED: Final = "The clinic's sign-in does not answer. Use your password, or try again later."
_log = logging.getLogger(__name__)


def _provider() -> Provider:
    return provider_here() or abort(404)


def _go_there(provider: Provider, **asked: Any) -> ResponseReturnValue:
    """Lead to the provider. The cookie keeps what for; it is read once, on the way back."""
    session[_ASKED] = {"at": clock.now().isoformat(), **asked}
    return identity_provider.ask(provider, current.public_address() + url_for(".come_back_from_provider"))


def _was_asked(kept: dict[str, Any] | None) -> datetime | None:
    return datetime.fromisoformat(kept["at"]) if kept else None


# --- sign in ---------------------------------------------------------------------------------------------------------


@bp.get("/login/provider")
@public
def ask_provider() -> ResponseReturnValue:
    """Go and sign in there."""
    next_path = own_path(request.args.get("next"))
    try:
        return _go_there(_provider(), next=next_path)
    except NotReached as problem:
        _log.warning("the identity provider was not reached: %s", problem)
        return _refused(RuleBroken(_NOT_REACHED), next_path, status=503)


@bp.get("/login/provider/back")
@public
def come_back_from_provider() -> ResponseReturnValue:
    """What the provider said: a sign-in, or an identity to connect."""
    provider, at = _provider(), clock.now()
    kept = session.pop(_ASKED, None)
    next_path = (kept or {}).get("next")
    try:
        identity = identity_provider.answered(provider, asked_at=_was_asked(kept), at=at)
    except NotReached as problem:
        _log.warning("the identity provider was not reached: %s", problem)
        return _refused(RuleBroken(_NOT_REACHED), next_path, status=503)
    except NotBelieved as problem:
        _log.warning("an answer of the identity provider was not believed: %s", problem)
        identities.refuse(None, address=request.remote_addr, at=at)
        return _refused(guessing.WrongSecret(identities.NOT_BELIEVED), next_path)
    if "connects" in (kept or {}):
        return _connect(identity, kept["connects"], at=at)
    return _sign_in(identity, next_path, at=at)


def _sign_in(identity: Identity, next_path: str | None, *, at: datetime) -> ResponseReturnValue:
    try:
        login, token = identities.sign_in(identity, address=request.remote_addr, browser=browser(), at=at)
    except RuleBroken as refusal:
        return _refused(refusal, next_path)
    is_another = take_over(login, at=at)
    current.begin(token)
    # Whoever takes over a tablet comes to the own first page, not to where the other one was.
    return redirect(onwards(None if is_another else next_path), 303)


def _refused(refusal: RuleBroken, next_path: str | None, *, status: int = 422) -> ResponseReturnValue:
    form = SignInForm(formdata=None, next=next_path)
    form.refusal = refusal.message
    return login_page(form), status


# --- the own connection ----------------------------------------------------------------------------------------------


def _ask_for_the_password(at: datetime) -> None:
    operations.check_password(
        current.actor(), request.form.get("password", ""), at=at, refused=AuditAction.SIGN_IN_REFUSED
    )


@bp.post("/account/provider")
@signed_in
def prove_to_connect() -> ResponseReturnValue:
    """Connect my account with the clinic's own sign-in; the password is asked for again."""
    _provider()
    at = clock.now()
    _ask_for_the_password(at)
    session[_MAY_CONNECT] = [str(current.signed_in().login.id), at.isoformat()]
    return redirect(url_for(".show_connecting"), 303)


def _may_connect() -> bool:
    """Whether the password was given at this very sign-in, some minutes ago at most."""
    login_id, at = session.get(_MAY_CONNECT) or ("", "")
    return login_id == str(current.signed_in().login.id) and clock.now() < datetime.fromisoformat(at) + LASTS


@bp.get("/account/provider")
@signed_in
def show_connecting() -> ResponseReturnValue:
    """The link that leads there. A form may lead to no other site, so it is a page between the two."""
    provider = _provider()
    if not _may_connect():
        return redirect(url_for(".show_account"), 303)
    return render_template("accounts/connecting.html", provider=provider)


@bp.get("/account/provider/go")
@signed_in
def ask_to_connect() -> ResponseReturnValue:
    """Go and sign in there, to be connected."""
    provider = _provider()
    if not _may_connect():
        return redirect(url_for(".show_account"), 303)
    del session[_MAY_CONNECT]
    try:
        return _go_there(provider, connects=str(current.signed_in().login.id))
    except NotReached as problem:
        _log.warning("the identity provider was not reached: %s", problem)
        say("The clinic's sign-in does not answer. Try again later.")
        return redirect(url_for(".show_account"), 303)


def _connect(identity: Identity, login_id: str, *, at: datetime) -> ResponseReturnValue:
    is_here = current.is_signed_in() and str(current.signed_in().login.id) == login_id
    if not is_here or current.is_locked() or current.is_factor_due():
        return redirect(url_for(".show_account"), 303)
    try:
        identities.connect(identity, by=current.actor(), at=at)
    except RuleBroken as refusal:
        say(refusal.message)
    else:
        say("Connected. From now on it signs you in here.")
    return redirect(url_for(".show_account"), 303)


@bp.post("/account/provider/remove")
@signed_in
def remove_identity() -> ResponseReturnValue:
    """Take my connection away; the password is asked for again."""
    at = clock.now()
    _ask_for_the_password(at)
    if not identities.remove(by=current.actor(), at=at):
        abort(404)
    say("The connection is removed")
    return redirect(url_for(".show_account"), 303)
