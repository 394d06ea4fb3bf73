"""What leaves the clinic: the page where its admin decides what calendars outside may tell."""

from datetime import datetime
from typing import NamedTuple

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import queries as accounts
from clinic.accounts.current import actor, clinic
from clinic.audit import queries as audit
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt
from clinic.ical import operations
from clinic.ical.forms import SharingForm
from clinic.ical.views import bp


class Change(NamedTuple):
    """A change of what may leave, in words."""

    at: datetime
    by: str
    what: str
    why: str


def _changes(form: SharingForm) -> list[Change]:
    names = {person.id: person.name for person in accounts.staff_of_clinic()}
    return [
        Change(
            event.at,
            names.get(event.actor_id, ""),
            form.in_words(event.details.get("settings") or {}),
            str(event.details.get("reason") or ""),
        )
        for event in audit.account_events(clinic().id, limit=20)
        if event.action is AuditAction.SHARING_CHANGED and event.actor_id is not None
    ]


def _page(form: SharingForm) -> str:
    return render_template("ical/sharing.html", form=form, changes=_changes(form))


@bp.get("/clinic/sharing")
@requires(Permission.MANAGE_SHARING)
def show_sharing() -> ResponseReturnValue:
    return _page(SharingForm(formdata=None, obj=clinic()))


@bp.post("/clinic/sharing")
@requires(Permission.MANAGE_SHARING)
def change_sharing() -> ResponseReturnValue:
    form = SharingForm()
    done = attempt(
        form,
        lambda: operations.change_sharing(clinic(), form.values, form.reason.data or "", by=actor(), at=clock.now()),
    )
    if not done:
        return _page(form), 422
    flash("Saved. It holds from the next reading of each calendar on.")
    return redirect(url_for(".show_sharing"), 303)
