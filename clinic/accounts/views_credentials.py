"""The administrator's page of a person's licences and certificates."""

import uuid
from datetime import date
from zoneinfo import ZoneInfo

from flask import abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import credentials, queries
from clinic.accounts.credentials import Paper
from clinic.accounts.current import actor, clinic
from clinic.accounts.forms_credentials import CredentialForm
from clinic.accounts.models import Staff
from clinic.accounts.models_credentials import StaffCredential
from clinic.accounts.views import bp, say
from clinic.core import clock
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt
from clinic.core.times import local


def today() -> date:
    """Return the clinic's calendar day."""
    return local(clock.now(), ZoneInfo(clinic().zone)).date()


def _person(staff_id: uuid.UUID) -> Staff:
    return queries.staff_with_roles(staff_id) or abort(404)


def _page(person: Staff, form: CredentialForm) -> str:
    standing = credentials.standing([person.id])
    form.offer(standing)
    return render_template(
        "accounts/credentials.html",
        person=person,
        rows=[(one, credentials.has_ended(one, today())) for one in standing],
        history=credentials.history(person.id),
        is_oneself=person.id == actor().id,
        form=form,
    )


@bp.get("/staff/<uuid:staff_id>/credentials")
@requires(Permission.READ_STAFF)
def show_credentials(staff_id: uuid.UUID) -> ResponseReturnValue:
    """What is written down of a person, until when it holds, and the form for another."""
    return _page(_person(staff_id), CredentialForm(formdata=None))


@bp.post("/staff/<uuid:staff_id>/credentials")
@requires(Permission.MANAGE_STAFF)
def write_credential(staff_id: uuid.UUID) -> ResponseReturnValue:
    """Write one down, renew, correct or take one back."""
    person, form = _person(staff_id), CredentialForm()
    form.offer(credentials.standing([person.id]))
    if attempt(form, lambda: _write(person, form)) is None:
        return _page(person, form), 422
    say("Written down")
    return redirect(url_for(".show_credentials", staff_id=person.id), 303)


def _write(person: Staff, form: CredentialForm) -> StaffCredential:
    old = next((one for one in credentials.standing([person.id]) if str(one.id) == form.replaces.data), None)
    by, at = actor(), clock.now()
    if form.act.data == "take back":
        if old is None:
            raise RuleBroken("Choose which one to take back.", field="replaces")
        return credentials.take_back(old, form.reason.data or "", by=by, at=at)
    for field, words in ((form.kind, "Say what it is"), (form.issuer, "Say who gave it")):
        if not (field.data or "").strip():
            raise RuleBroken(words, field=field.name)
    paper = Paper(
        form.kind.data.strip(), form.number.data.strip() or None, form.issuer.data.strip(), form.until_on.data
    )
    if old is None:
        return credentials.write_down(person, paper, by=by, at=at)
    return credentials.replace(old, paper, form.reason.data or "", by=by, at=at)
