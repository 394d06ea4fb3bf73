"""Passkeys: sign in with one, add one, take one away. The browser does its part in static/js/passkey.js."""

import uuid
from datetime import datetime

from flask import Response, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import current, operations, passkey_rules, passkeys
from clinic.accounts.asking import ADD, PROVE, ask, asked
from clinic.accounts.forms import SignInForm
from clinic.accounts.guessing import TooManyTries
from clinic.accounts.rules import own_path
from clinic.accounts.views import bp, browser, login_page, onwards, say, take_over
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.errors import RuleBroken
from clinic.core.permissions import public, signed_in


def _json(text: str) -> Response:
    return Response(text, mimetype="application/json")


# --- sign in ---------------------------------------------------------------------------------------------------------


@bp.get("/login/passkey")
@public
def ask_passkey() -> ResponseReturnValue:
    """What the browser is asked, as JSON. It says nothing about anybody."""
    found, challenge = ask(PROVE)
    return _json(passkey_rules.ways_to_answer(found, challenge))


@bp.post("/login/passkey")
@public
def sign_in_with_passkey() -> ResponseReturnValue:
    """Sign in with what the passkey answered; the sign-in is complete."""
    at = clock.now()
    try:
        login, token = passkeys.sign_in(
            request.form.get("credential", ""),
            asked=asked(PROVE),
            address=request.remote_addr,
            browser=browser(),
            at=at,
        )
    except RuleBroken as refusal:
        form = SignInForm(formdata=None, next=own_path(request.form.get("next")))
        form.refusal = refusal.message
        return login_page(form), 429 if isinstance(refusal, TooManyTries) else 422
    is_another = take_over(login, at=at)
    current.begin(token)
    # Whoever takes over a tablet comes to the own first page, not to where the other one was.
    return redirect(onwards(None if is_another else request.form.get("next")), 303)


@bp.post("/account/passkeys/prove")
@signed_in
def prove_with_passkey() -> ResponseReturnValue:
    """The word that stands in the field of a password for what a passkey has just proved, as JSON."""
    login = current.signed_in().login
    word = passkeys.prove(request.form.get("credential", ""), asked=asked(PROVE), login=login, at=clock.now())
    return {"word": word}


# --- the own passkeys ------------------------------------------------------------------------------------------------


@bp.get("/account/passkeys/new")
@signed_in
def ask_new_passkey() -> ResponseReturnValue:
    """What the browser is asked to make, as JSON."""
    found, challenge = ask(ADD)
    return _json(passkeys.ways_to_make(current.actor(), party=found, challenge=challenge, clinic=current.clinic()))


def _ask_for_the_password(at: datetime) -> None:
    operations.check_password(
        current.actor(), request.form.get("password", ""), at=at, refused=AuditAction.SIGN_IN_REFUSED
    )


@bp.post("/account/passkeys")
@signed_in
def add_passkey() -> ResponseReturnValue:
    """Another passkey of mine; the password is asked for again."""
    at = clock.now()
    _ask_for_the_password(at)
    made = passkeys.add(
        request.form.get("credential", ""),
        name=request.form.get("name", ""),
        asked=asked(ADD),
        by=current.actor(),
        at=at,
    )
    say(f"Passkey “{made.name}” added")
    return redirect(url_for(".show_account"), 303)


@bp.post("/account/passkeys/<uuid:passkey_id>/remove")
@signed_in
def remove_passkey(passkey_id: uuid.UUID) -> ResponseReturnValue:
    """Take one of my passkeys away, perhaps one that I lost; the password is asked for again."""
    at = clock.now()
    _ask_for_the_password(at)
    gone = passkeys.remove(passkey_id, clinic=current.clinic(), by=current.actor(), at=at) or abort(404)
    say(f"Passkey “{gone.name}” removed")
    return redirect(url_for(".show_account"), 303)
