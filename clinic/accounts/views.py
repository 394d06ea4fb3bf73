"""Pages about the own sign-in; the other pages of accounts register themselves on the same blueprint."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import current, identity_provider, operations, queries
from clinic.accounts.forms import ROLE_WORDS, SignInForm, text
from clinic.accounts.guessing import TooManyTries
from clinic.accounts.identity_provider import Provider
from clinic.accounts.models import Clinic, LoginSession, Staff
from clinic.accounts.rules import DEMO_PASSWORD, StaffStatus, own_path
from clinic.core import clock, db, formats
from clinic.core.errors import RuleBroken
from clinic.core.permissions import public, signed_in

bp = Blueprint("accounts", __name__)


# --- sign in and out -------------------------------------------------------------------------------------------------


@bp.get("/login")
@public
def show_login() -> ResponseReturnValue:
    if current.is_signed_in() and not current.is_locked():
        return redirect(onwards(request.args.get("next")), 303)
    form = SignInForm(formdata=None, next=own_path(request.args.get("next")))
    return login_page(form), 200


@bp.post("/login")
@public
def sign_in() -> ResponseReturnValue:
    form = SignInForm()
    status = 422
    if form.validate_on_submit():
        at = clock.now()
        try:
            login, token = operations.sign_in(
                text(form.email), text(form.password), address=request.remote_addr, browser=browser(), at=at
            )
        except RuleBroken as refusal:
            form.refuse(refusal)
            status = 429 if isinstance(refusal, TooManyTries) else 422
        else:
            is_another = take_over(login, at=at)
            current.begin(token)
            return redirect(onwards(None if is_another else form.next.data), 303)
    return login_page(form), status


def take_over(login: LoginSession, *, at: datetime) -> bool:
    """Let a new sign-in take this browser over; says whether it was another person's.

    The other one's stays, locked, and waits for its person. The same person's earlier ones at this device end.
    """
    for earlier, staff in waiting_here():
        if staff.id == login.staff_id:
            operations.end_login(earlier, at=at)
    before = current.signed_in().login if current.is_signed_in() else None
    if before is None:
        return False
    if before.staff_id == login.staff_id or before.is_factor_due or before.device_hash is None:
        operations.end_login(before, at=at)
    else:
        operations.lock(before, at=at)
    return before.staff_id != login.staff_id


@bp.post("/logout")
@signed_in
def end_login() -> ResponseReturnValue:
    operations.end_login(current.signed_in().login, at=clock.now())
    current.end()
    return redirect(url_for(".show_login"), 303)


def onwards(path: str | None) -> str:
    return own_path(path) or url_for("home")


def browser() -> str | None:
    return request.user_agent.string or None


def has_passkeys_here() -> bool:
    """Whether a page may offer passkeys."""
    return current.party() is not None


def provider_here() -> Provider | None:
    """The clinic's own sign-in elsewhere; None where there is none, or no address to come back to."""
    return identity_provider.chosen(current_app.config) if current.public_address() else None


def login_page(form: SignInForm) -> str:
    clinic = queries.sole_clinic()
    if clinic is not None:
        formats.zone.set(ZoneInfo(clinic.zone))
    name = clinic.name if clinic else "Chairtime"
    return render_template(
        "accounts/login.html",
        form=form,
        clinic=clinic,
        clinic_name=name,
        demo=_demo(clinic),
        has_passkeys_here=has_passkeys_here(),
        waiting=waiting_here(),
        provider=provider_here(),
    )


def waiting_here() -> list[tuple[LoginSession, Staff]]:
    """Whose sign-ins wait locked at this device."""
    device = current.device()
    if device is None:
        return []
    absolute = current_app.config["LOGIN_ABSOLUTE_SECONDS"]
    return queries.waiting_at_device(device, at=clock.now(), absolute_seconds=absolute)


def _demo(clinic: Clinic | None) -> dict[str, Any] | None:
    """The demonstration clinic's sign-ins, which are no secret; None for a real clinic."""
    if clinic is None or not clinic.is_demo or current_app.config["IS_PRODUCTION"]:
        return None
    with db.in_clinic(clinic.id):
        people = [staff for staff in queries.staff_of_clinic() if staff.status is StaffStatus.ACTIVE]
        people.sort(key=lambda staff: [role not in staff.roles for role in ROLE_WORDS])
        return {"people": [(role_words(staff), staff.email) for staff in people], "password": DEMO_PASSWORD}


def role_words(staff: Staff) -> str:
    """Nurse, Scheduler."""
    return ", ".join(words for role, words in ROLE_WORDS.items() if role in staff.roles)


# --- what the other pages share ---------------------------------------------------------------------------------------


def limits_of_a_login() -> dict[str, int]:
    """How long a sign-in lives, as the queries ask for it."""
    return {
        "idle_seconds": current_app.config["LOGIN_IDLE_SECONDS"],
        "absolute_seconds": current_app.config["LOGIN_ABSOLUTE_SECONDS"],
    }


def live_logins(staff: Staff) -> list[LoginSession]:
    """The browsers that a person is signed in with now."""
    return queries.live_logins(staff.id, at=clock.now(), **limits_of_a_login())


def say(text: str) -> None:
    """A line in the corner of the next page."""
    flash(text)


# They register their pages on `bp`.
from clinic.accounts import (  # noqa: E402, F401
    views_account,
    views_credentials,
    views_draft,
    views_factor,
    views_invitation,
    views_lock,
    views_passkey,
    views_pin,
    views_provider,
    views_staff,
    views_staff_import,
    views_trail,
)
