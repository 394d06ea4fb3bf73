"""The own bedside PIN: set it, set another, take it away."""

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import current, operations, pins
from clinic.accounts.forms import PinForm, text
from clinic.accounts.guessing import TooManyTries
from clinic.accounts.views import bp, say
from clinic.accounts.views_account import account_page
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.errors import RuleBroken
from clinic.core.permissions import signed_in


@bp.post("/account/pin")
@signed_in
def set_pin() -> ResponseReturnValue:
    """A PIN for the lock of a shared tablet; the password is asked for again."""
    form, by, at = PinForm(), current.actor(), clock.now()
    status = 422
    if form.validate_on_submit():
        try:
            operations.check_password(by, text(form.pin_password), at=at, refused=AuditAction.SIGN_IN_REFUSED)
            pins.set_own(text(form.pin), by=by, at=at)
        except RuleBroken as refusal:
            if refusal.field == "password":
                refusal.field = "pin_password"
            form.refuse(refusal)
            status = 429 if isinstance(refusal, TooManyTries) else 422
        else:
            say("PIN saved. It takes the lock off where you signed in today.")
            return redirect(url_for(".show_account"), 303)
    return account_page(pin_form=form), status


@bp.post("/account/pin/remove")
@signed_in
def remove_pin() -> ResponseReturnValue:
    """Without a PIN the lock asks for the password; this asks for nothing, for it opens nothing."""
    by = current.actor()
    pins.remove(by, by=by, at=clock.now())
    say("PIN removed")
    return redirect(url_for(".show_account"), 303)
