"""The own account: profile, own sign-ins, password."""

import uuid

from flask import abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import current, factors, identities, operations, passkeys, pins
from clinic.accounts.forms import ChangePasswordForm, PinForm, text
from clinic.accounts.guessing import TooManyTries
from clinic.accounts.views import bp, has_passkeys_here, live_logins, provider_here, role_words, say
from clinic.audit import queries as audit_queries
from clinic.core import clock
from clinic.core.errors import RuleBroken
from clinic.core.permissions import signed_in


def account_page(form: ChangePasswordForm | None = None, *, pin_form: PinForm | None = None) -> str:
    """The own account, with the form that was refused, if one was."""
    person = current.actor()
    found = factors.authenticator_of(person.id)
    authenticator = found if found is not None and found.confirmed_at is not None else None
    return render_template(
        "accounts/account.html",
        form=form or ChangePasswordForm(formdata=None),
        pin_form=pin_form or PinForm(formdata=None),
        page_errors=pin_form is not None,
        pin=pins.of_person(person.id),
        person=person,
        role=role_words(person),
        logins=live_logins(person),
        this_login=current.signed_in().login,
        authenticator=authenticator,
        codes_left=factors.recovery_codes_left(person.id) if authenticator else None,
        passkeys=passkeys.of_person(person.id),
        has_passkeys_here=has_passkeys_here(),
        provider=provider_here(),
        identity=identities.of_person(person.id),
        events=audit_queries.account_events(person.id),
    )


@bp.get("/account")
@signed_in
def show_account() -> ResponseReturnValue:
    """Who I am here, where I am signed in, and my password."""
    return account_page()


@bp.post("/account/password")
@signed_in
def change_password() -> ResponseReturnValue:
    """A new password for myself; my other browsers are signed out."""
    form = ChangePasswordForm()
    status = 422
    if form.validate_on_submit():
        try:
            ended = operations.change_password(
                text(form.current),
                text(form.new),
                login=current.signed_in().login,
                clinic=current.clinic(),
                by=current.actor(),
                at=clock.now(),
            )
        except RuleBroken as refusal:
            form.refuse(refusal)
            status = 429 if isinstance(refusal, TooManyTries) else 422
        else:
            say(f"Password changed. Other sign-ins ended: {ended}" if ended else "Password changed")
            return redirect(url_for(".show_account"), 303)
    return account_page(form), status


@bp.post("/account/sign-ins/<uuid:login_id>/end")
@signed_in
def end_own_login(login_id: uuid.UUID) -> ResponseReturnValue:
    """Sign out one of my browsers, perhaps one that I forgot somewhere."""
    login = next((found for found in live_logins(current.actor()) if found.id == login_id), None)
    operations.end_login(login or abort(404), at=clock.now())
    if login is current.signed_in().login:
        current.end()
        return redirect(url_for(".show_login"), 303)
    say("Signed out there")
    return redirect(url_for(".show_account"), 303)
