"""The locked screen: its person unlocks it, somebody else who signed in here takes a turn; the tablet taken back."""

import uuid

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import current, operations, pins
from clinic.accounts.forms import UnlockForm
from clinic.accounts.guessing import TooManyTries
from clinic.accounts.models import LoginSession, Staff
from clinic.accounts.rules import own_path
from clinic.accounts.views import bp, has_passkeys_here, onwards, waiting_here
from clinic.core import clock, db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import public, signed_in


def _tried(form: UnlockForm, act: str, login: LoginSession, by: Staff) -> tuple[str | None, int]:
    """What `operations` says to the secret on the form: its answer and 303, or the status of a refusal."""
    if not form.validate_on_submit():
        return None, 422
    try:
        return getattr(operations, act)(login, form.secret, by=by, at=clock.now()), 303
    except RuleBroken as refusal:
        form.refuse(refusal)
        return None, 429 if isinstance(refusal, TooManyTries) else 422


@bp.post("/lock")
@signed_in
def lock() -> ResponseReturnValue:
    operations.lock(current.signed_in().login, at=clock.now())
    left = request.referrer or ""
    back = own_path(left.removeprefix(request.host_url.rstrip("/")))
    return redirect(url_for(".show_unlock", next=back), 303)


def _unlock_page(form: UnlockForm) -> str:
    here = current.signed_in().login.id
    return render_template(
        "accounts/unlock.html",
        form=form,
        takes_pin=pins.counts_at(current.signed_in().login, at=clock.now()),
        has_passkeys_here=has_passkeys_here(),
        waiting=[(login, staff) for login, staff in waiting_here() if login.id != here],
    )


@bp.get("/unlock")
@signed_in
def show_unlock() -> ResponseReturnValue:
    if not current.is_locked():
        return redirect(onwards(request.args.get("next")), 303)
    return _unlock_page(UnlockForm(formdata=None, next=own_path(request.args.get("next"))))


@bp.post("/unlock")
@signed_in
def unlock() -> ResponseReturnValue:
    form = UnlockForm()
    _, status = _tried(form, "unlock", current.signed_in().login, current.actor())
    return redirect(onwards(form.next.data), status) if status == 303 else (_unlock_page(form), status)  # noqa: PLR2004


# --- taking turns at one device --------------------------------------------------------------------------------------


def _waiting(login_id: uuid.UUID) -> tuple[LoginSession, Staff]:
    """A sign-in that waits at this very device; another device does not find it."""
    found = next(((login, staff) for login, staff in waiting_here() if login.id == login_id), None)
    if found is None:
        abort(404)
    db.enter_clinic(found[0].clinic_id)
    return found


def _switch_page(form: UnlockForm, login: LoginSession, staff: Staff) -> str:
    return render_template(
        "accounts/switch.html",
        form=form,
        login=login,
        person=staff,
        takes_pin=pins.counts_at(login, at=clock.now()),
        has_passkeys_here=has_passkeys_here(),
    )


@bp.get("/switch/<uuid:login_id>")
@public
def show_switch(login_id: uuid.UUID) -> ResponseReturnValue:
    """Ask somebody who signed in at this device before for the PIN or the password."""
    return _switch_page(UnlockForm(formdata=None), *_waiting(login_id))


@bp.post("/switch/<uuid:login_id>")
@public
def switch(login_id: uuid.UUID) -> ResponseReturnValue:
    """Go on as that person; whoever was at the screen waits locked from now on."""
    login, staff = _waiting(login_id)
    form = UnlockForm()
    before = current.signed_in().login if current.is_signed_in() else None
    token, status = _tried(form, "switch_to", login, staff)
    if token is None:
        return _switch_page(form, login, staff), status
    if before is not None and before.id != login.id:
        operations.lock(before, at=clock.now())
    db.session.flush()  # the sign-in is read anew
    current.begin(token)
    return redirect(url_for("home"), 303)


# --- the tablet in a patient's hands ---------------------------------------------------------------------------------


def _take_back_page(form: UnlockForm) -> str:
    takes_pin = pins.counts_at(current.signed_in().login, at=clock.now())
    return render_template("accounts/take_back.html", form=form, takes_pin=takes_pin)


@bp.get("/tablet/back")
@signed_in
def show_take_back() -> ResponseReturnValue:
    if current.handed_path() is None:
        return redirect(url_for("home"), 303)
    return _take_back_page(UnlockForm(formdata=None))


@bp.post("/tablet/take-back")
@signed_in
def take_back() -> ResponseReturnValue:
    """Staff take the tablet back and come to the record that it was handed over for."""
    path = current.handed_path()
    if path is None:
        return redirect(url_for("home"), 303)
    form = UnlockForm()
    _, status = _tried(form, "take_tablet_back", current.signed_in().login, current.actor())
    return redirect(path, status) if status == 303 else (_take_back_page(form), status)  # noqa: PLR2004
