"""The page of the clinic's own limits: what holds, who changed what and why, and the form for the next change."""

from datetime import datetime
from typing import NamedTuple

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import queries as accounts
from clinic.accounts.current import actor, clinic
from clinic.audit import queries as audit
from clinic.audit.rules import AuditAction
from clinic.core import clock, db
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.protocols.forms import LimitsForm
from clinic.protocols.operations_limits import change_limits, edition
from clinic.protocols.views import bp


class Change(NamedTuple):
    """A change of the clinic's limits, in words."""

    at: datetime
    by: str
    what: str
    why: str


def _changes(form: LimitsForm) -> list[Change]:
    names = {person.id: person.name for person in accounts.staff_of_clinic()}
    events = [
        event
        for event in audit.account_events(clinic().id, limit=20)
        if event.action is AuditAction.CLINIC_SETTINGS_CHANGED and event.actor_id is not None
    ]
    return [
        Change(
            event.at,
            names.get(event.actor_id, ""),
            form.in_words(event.details.get("settings") or {}),
            str(event.details.get("reason") or ""),
        )
        for event in events
        if event.actor_id is not None
    ]


def _page(form: LimitsForm) -> str:
    return render_template("protocols/limits.html", form=form, changes=_changes(form))


def _refuse_stale(form: LimitsForm) -> None:
    """Raise Conflict, with both versions, when somebody else has changed the limits since the form was drawn."""
    db.session.refresh(clinic(), with_for_update=True)
    if form.seen.data and form.seen.data != edition(clinic()):
        saved = LimitsForm(formdata=None, obj=clinic())
        conflict = Conflict(
            "Somebody else changed the clinic limits meanwhile. Nothing of yours was saved.",
            mine=form.in_force,
            theirs=saved.in_force,
        )
        conflict.saved_url = url_for(".show_limits")
        raise conflict


@bp.get("/clinic/limits")
@requires(Permission.READ_PROTOCOL)
def show_limits() -> ResponseReturnValue:
    form = LimitsForm(formdata=None, obj=clinic())
    form.seen.data = edition(clinic())
    return _page(form)


@bp.post("/clinic/limits")
@requires(Permission.WRITE_PROTOCOL)
def change_clinic_limits() -> ResponseReturnValue:
    form = LimitsForm()
    if form.validate_on_submit():
        _refuse_stale(form)
        try:
            with db.session.begin_nested():
                change_limits(
                    clinic(),
                    form.values,
                    form.reason.data,
                    password=form.password.data or "",
                    by=actor(),
                    at=clock.now(),
                )
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash("Saved. It holds from now on.")
            return redirect(url_for(".show_limits"), 303)
    return _page(form), 422
