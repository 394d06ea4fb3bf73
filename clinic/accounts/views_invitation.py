"""The single-use link: a new person, or one who lost the password, chooses one."""

from zoneinfo import ZoneInfo

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import queries, staff_operations
from clinic.accounts.forms import NewPasswordForm, text
from clinic.accounts.models import Clinic, Invitation, Staff
from clinic.accounts.views import bp, say
from clinic.core import clock, db, formats
from clinic.core.errors import RuleBroken
from clinic.core.permissions import public


def _invited(token: str) -> tuple[Invitation, Staff, Clinic] | None:
    found = queries.invited(token, at=clock.now())
    if found is not None:
        db.enter_clinic(found[2].id)
        formats.zone.set(ZoneInfo(found[2].zone))
    return found


def _page(form: NewPasswordForm, token: str, person: Staff, clinic: Clinic) -> str:
    return render_template(
        "accounts/invitation.html", form=form, token=token, person=person, clinic=clinic, clinic_name=clinic.name
    )


def _dead_link() -> ResponseReturnValue:
    return render_template("accounts/dead_link.html"), 404


@bp.get("/invitation/<string:token>")
@public
def show_invitation(token: str) -> ResponseReturnValue:
    """The page behind a link; looking at it does not use it up."""
    found = _invited(token)
    if found is None:
        return _dead_link()
    return _page(NewPasswordForm(formdata=None), token, found[1], found[2]), 200


@bp.post("/invitation/<string:token>")
@public
def accept_invitation(token: str) -> ResponseReturnValue:
    """Set the password; the link is dead from then on."""
    found = _invited(token)
    if found is None:
        return _dead_link()
    invitation, person, clinic = found
    form = NewPasswordForm()
    if form.validate_on_submit():
        try:
            staff_operations.accept_invitation(invitation, person, text(form.new), clinic=clinic, at=clock.now())
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            say("Password saved. Sign in with it.")
            return redirect(url_for(".show_login"), 303)
    return _page(form, token, person, clinic), 422
