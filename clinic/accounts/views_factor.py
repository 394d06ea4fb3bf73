"""The second factor: given at the sign-in, added and taken away on the own account, reset and required by an admin."""

import uuid

import segno
from flask import abort, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from clinic.accounts import current, factor_rules, factors, operations, queries
from clinic.accounts.forms import FactorForm, FactorResetForm, FactorRolesForm, NewFactorForm, text
from clinic.accounts.guessing import TooManyTries
from clinic.accounts.models import Authenticator, Staff
from clinic.accounts.rules import own_path
from clinic.accounts.views import bp, has_passkeys_here, say
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, Role, requires, signed_in
from clinic.core.requests import attempt, installation_secrets

# --- at the sign-in --------------------------------------------------------------------------------------------------


def _onwards(path: str | None) -> str:
    return own_path(path) or url_for("home")


def _factor_page(form: FactorForm) -> str:
    found = factors.authenticator_of(current.actor().id)
    has_factor = found is not None and found.confirmed_at is not None
    must_ask = found is not None and found.is_replacement and not has_factor
    return render_template(
        "accounts/factor.html",
        form=form,
        has_factor=has_factor,
        must_ask=must_ask,
        has_passkey=factors.has_passkey(current.actor().id),
        has_passkeys_here=has_passkeys_here(),
    )


@bp.get("/login/factor")
@signed_in
def show_factor() -> ResponseReturnValue:
    """Ask for the code, or lead to adding an app where the role needs one and there is none."""
    if not current.is_factor_due():
        return redirect(_onwards(request.args.get("next")), 303)
    return _factor_page(FactorForm(formdata=None, next=own_path(request.args.get("next"))))


@bp.post("/login/factor")
@signed_in
def give_factor() -> ResponseReturnValue:
    form = FactorForm()
    status = 422
    if form.validate_on_submit():
        login, by = current.signed_in().login, current.actor()
        try:
            factors.give(text(form.code), login=login, by=by, secrets=installation_secrets(), at=clock.now())
        except RuleBroken as refusal:
            form.refuse(refusal)
            status = 429 if isinstance(refusal, TooManyTries) else 422
        else:
            if factor_rules.plain_recovery_code(text(form.code)):
                say(f"Recovery codes left: {factors.recovery_codes_left(by.id)}. Make new ones on Your account.")
            return redirect(_onwards(form.next.data), 303)
    return _factor_page(form), status


@bp.get("/login/factor/reset/<string:token>")
@signed_in
def show_factor_reset(token: str) -> ResponseReturnValue:
    """The page behind an admin's link; looking at it does not use it up."""
    if not factors.may_reset(token, login=current.signed_in().login, at=clock.now()):
        abort(404)  # it is for a sign-in that waits for the lost app
    return render_template("accounts/factor_reset.html", token=token)


@bp.post("/login/factor/reset/<string:token>")
@signed_in
def use_factor_reset(token: str) -> ResponseReturnValue:
    """Take the lost app and the passkeys away; the page that follows adds another app where one is needed."""
    login, by, at = current.signed_in().login, current.actor(), clock.now()
    factors.use_reset(token, login=login, by=by, at=at)
    if not login.is_factor_due:
        say("Your passkeys are removed. Add another one here.")
        return redirect(url_for(".show_account"), 303)
    made = factors.begin(by, login=login, secrets=installation_secrets(), at=at, is_replacement=True)
    session[_REPLACES] = str(made.id)
    return redirect(url_for(".show_new_factor"), 303)


# --- the own app -----------------------------------------------------------------------------------------------------


@bp.post("/account/factor")
@signed_in
def begin_factor() -> ResponseReturnValue:
    """Make the secret for an app; the password is asked for again, unless it was given for this very sign-in."""
    login, by, at = current.signed_in().login, current.actor(), clock.now()
    if not login.is_factor_due:
        operations.check_password(by, request.form.get("password", ""), at=at, refused=AuditAction.SIGN_IN_REFUSED)
    factors.begin(by, login=login, secrets=installation_secrets(), at=at)
    return redirect(url_for(".show_new_factor"), 303)


# The app that this very sign-in adds by a link: another one, with the password alone, does not see its secret.
_REPLACES = "replaces"


def _being_added() -> Authenticator | None:
    """The app that this sign-in may confirm."""
    found = factors.authenticator_of(current.actor().id)
    if found is None or found.confirmed_at is not None:
        return None
    if current.is_factor_due() and factors.has_passkey(found.staff_id):
        return None
    return found if not found.is_replacement or session.get(_REPLACES) == str(found.id) else None


def _new_factor_page(form: NewFactorForm) -> ResponseReturnValue:
    found = _being_added()
    if found is None:
        return redirect(url_for(".show_factor" if current.is_factor_due() else ".show_account"), 303)
    secret = factors.secret_of(found, installation_secrets())
    address = factor_rules.address_of(secret, person=current.actor().email, clinic=current.clinic().name)
    picture = segno.make(address, error="m").svg_inline(scale=5, border=4, omitsize=True, svgclass="qr", lineclass=None)
    letters = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    page = render_template("accounts/factor_new.html", form=form, picture=Markup(picture), letters=letters)  # noqa: S704 drawn by the library from our own address
    return page, 422 if form.errors else 200


@bp.get("/account/factor")
@signed_in
def show_new_factor() -> ResponseReturnValue:
    """The square code for the app, and the field for the first code from it."""
    return _new_factor_page(NewFactorForm(formdata=None))


_CODES = "recovery_codes"


@bp.post("/account/factor/confirm")
@signed_in
def confirm_factor() -> ResponseReturnValue:
    """The app counts from now on; the page that follows shows the recovery codes once."""
    form, login, by = NewFactorForm(), current.signed_in().login, current.actor()
    if _being_added() is None:
        return _new_factor_page(form)
    codes = attempt(
        form,
        lambda: factors.confirm(text(form.code), login=login, by=by, secrets=installation_secrets(), at=clock.now()),
    )
    if codes is None:
        return _new_factor_page(form)
    operations.end_logins(by, keep=login, at=clock.now())  # whoever sits in another one gave the password alone
    session[_CODES] = codes
    return redirect(url_for(".show_recovery_codes"), 303)


@bp.get("/account/factor/codes")
@signed_in
def show_recovery_codes() -> ResponseReturnValue:
    """The recovery codes, once: the server keeps only their hashes."""
    codes = session.pop(_CODES, None)
    if not codes:
        return redirect(url_for(".show_account"), 303)
    return render_template("accounts/recovery_codes.html", codes=codes)


@bp.post("/account/factor/codes")
@signed_in
def make_recovery_codes() -> ResponseReturnValue:
    """New recovery codes; the earlier ones are dead."""
    by, at = current.actor(), clock.now()
    operations.check_password(by, request.form.get("password", ""), at=at, refused=AuditAction.SIGN_IN_REFUSED)
    if not factors.has_factor(by.id):
        raise RuleBroken("Add an app first.")
    session[_CODES] = factors.make_recovery_codes(by, at=at)
    return redirect(url_for(".show_recovery_codes"), 303)


@bp.post("/account/factor/remove")
@signed_in
def remove_factor() -> ResponseReturnValue:
    """Take the own app away."""
    by, at = current.actor(), clock.now()
    operations.check_password(by, request.form.get("password", ""), at=at, refused=AuditAction.SIGN_IN_REFUSED)
    factors.remove(by, clinic=current.clinic(), at=at)
    say("The app is removed. A sign-in asks for the password alone.")
    return redirect(url_for(".show_account"), 303)


# --- what an admin does ----------------------------------------------------------------------------------------------


def _reset_page(person: Staff, form: FactorResetForm) -> str:
    seconds = factors.who_may_second(person, current.actor())
    form.offer(seconds)
    return render_template(
        "accounts/factor_reset_new.html", person=person, is_alone=not seconds, form=form, me=current.actor()
    )


@bp.get("/staff/<uuid:staff_id>/factor/reset")
@requires(Permission.MANAGE_STAFF)
def show_reset_factor(staff_id: uuid.UUID) -> ResponseReturnValue:
    """What a reset takes away, and who stands behind it."""
    return _reset_page(queries.staff_with_roles(staff_id) or abort(404), FactorResetForm(formdata=None))


@bp.post("/staff/<uuid:staff_id>/factor/reset")
@requires(Permission.MANAGE_STAFF)
def reset_factor(staff_id: uuid.UUID) -> ResponseReturnValue:
    """A link for a person who lost the app, made by two admins; shown once."""
    person, form = queries.staff_with_roles(staff_id) or abort(404), FactorResetForm()
    form.offer(factors.who_may_second(person, current.actor()))
    token = attempt(form, lambda: _reset(person, form))
    if token is None:
        return _reset_page(person, form), 422
    session["factor_link"] = [str(person.id), token]
    return redirect(url_for(".show_staff", staff_id=person.id), 303)


def _reset(person: Staff, form: FactorResetForm) -> str:
    """Both admins prove who they are at this moment; where there is no other one, the one at the screen does."""
    by, at = current.actor(), clock.now()
    _prove(by, text(form.own_password), "own_password")
    second = next((one for one in factors.who_may_second(person, by) if str(one.id) == form.second_id.data), None)
    if second is not None:
        _prove(second, text(form.password), "password")
    return factors.start_reset(person, text(form.proof), second=second, by=by, at=at)


def _prove(person: Staff, password: str, field: str) -> None:
    try:
        operations.check_password(person, password, at=clock.now())
    except RuleBroken as refusal:
        refusal.field = field
        raise


def factor_link_to_show(staff_id: uuid.UUID) -> str | None:
    """The link that was just made for this person, once."""
    kept = session.pop("factor_link", None)
    if not kept or kept[0] != str(staff_id):
        return None
    return url_for(".show_factor_reset", token=kept[1], _external=True)


@bp.get("/staff/second-factor")
@requires(Permission.MANAGE_STAFF)
def show_factor_roles() -> ResponseReturnValue:
    """Which roles may not be without a second factor."""
    form = FactorRolesForm(formdata=None, roles=sorted(current.clinic().factor_roles))
    return render_template("accounts/factor_roles.html", form=form)


@bp.post("/staff/second-factor")
@requires(Permission.MANAGE_STAFF)
def require_factor() -> ResponseReturnValue:
    """Decide it; it is asked for at the next sign-in."""
    form = FactorRolesForm()
    if not form.validate_on_submit():
        return render_template("accounts/factor_roles.html", form=form), 422
    roles = frozenset(Role(value) for value in form.roles.data or [])
    factors.require(roles, clinic=current.clinic(), by=current.actor(), at=clock.now())
    say("Saved. It is asked for at the next sign-in.")
    return redirect(url_for(".list_staff"), 303)
