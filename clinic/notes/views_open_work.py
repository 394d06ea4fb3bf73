"""The administrator's page of what waits for a person who leaves. It counts; it names no patient."""

import uuid
from collections.abc import Iterable
from typing import Any

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import HiddenField, SelectField, StringField

from clinic.accounts import cover
from clinic.accounts import queries as accounts
from clinic.accounts.current import actor
from clinic.accounts.models import Staff
from clinic.core import clock
from clinic.core.choices import left_open, options
from clinic.core.errors import RuleBroken
from clinic.core.forms import Form
from clinic.core.moments import DayField
from clinic.core.permissions import Permission, Role, requires
from clinic.core.requests import attempt
from clinic.notes.open_work import hand_over_to, open_work
from clinic.notes.views_shared import bp


class OpenWorkForm(Form):
    """To whom: a nurse takes the appointments, a physician signs until a day."""

    act = HiddenField()
    nurse_id: Any = SelectField("Nurse who takes them", [left_open()])
    physician_id: Any = SelectField("Physician who signs instead", [left_open()])
    until_on = DayField("Last day of that")

    def offer(self, nurses: Iterable[Staff], physicians: Iterable[Staff]) -> None:
        """Offer the others; nobody is chosen."""
        self.nurse_id.choices = options({str(one.id): one.name for one in nurses}, blank=True)
        self.physician_id.choices = options({str(one.id): one.name for one in physicians}, blank=True)


class LeavingForm(Form):
    """Why the account is disabled; the page of accounts takes it."""

    reason = StringField("Why")


def _others(person: Staff, role: Role) -> dict[str, Staff]:
    return {str(one.id): one for one in accounts.staff_in_role(role) if one.id != person.id}


def _form(person: Staff, *, is_new: bool) -> OpenWorkForm:
    form = OpenWorkForm(formdata=None) if is_new else OpenWorkForm()
    form.offer(_others(person, Role.NURSE).values(), _others(person, Role.PHYSICIAN).values())
    return form


def _page(person: Staff, form: OpenWorkForm) -> str:
    at = clock.now()
    return render_template(
        "notes/open_work.html",
        person=person,
        waiting=open_work(person, at=at),
        covers=[one for one in cover.covers_of(person.id, cover.clinic_day(at)) if one.away_id == person.id],
        signs=person.may(Permission.READ_INBOX),
        is_oneself=person.id == actor().id,
        is_disabled=person.status == "disabled",
        leaving_form=LeavingForm(formdata=None),
        form=form,
    )


def _person(staff_id: uuid.UUID) -> Staff:
    return accounts.staff_with_roles(staff_id) or abort(404)


@bp.get("/staff/<uuid:staff_id>/open-work")
@requires(Permission.MANAGE_STAFF)
def show_open_work(staff_id: uuid.UUID) -> ResponseReturnValue:
    """What waits for a person, in numbers, and to whom it may go."""
    person = _person(staff_id)
    return _page(person, _form(person, is_new=True))


@bp.post("/staff/<uuid:staff_id>/open-work")
@requires(Permission.MANAGE_STAFF)
def hand_over_work(staff_id: uuid.UUID) -> ResponseReturnValue:
    """Give appointments to another nurse, or have another physician sign."""
    person = _person(staff_id)
    form = _form(person, is_new=False)
    said = attempt(form, lambda: _cover(person, form) if form.act.data == "cover" else _give(person, form))
    if said is None:
        return _page(person, form), 422
    flash(said)
    return redirect(url_for(".show_open_work", staff_id=person.id), 303)


def _give(person: Staff, form: OpenWorkForm) -> str:
    nurse = _others(person, Role.NURSE).get(form.nurse_id.data or "")
    if nurse is None:
        raise RuleBroken("Choose the nurse.", field="nurse_id")
    done = hand_over_to(person, nurse, by=actor(), at=clock.now())
    kept = (
        f" {done.kept} stay: the clinic's rules about nurses refuse them; the desk books them anew."
        if done.kept
        else ""
    )
    return f"{done.moved} went to {nurse.name}.{kept}"


def _cover(person: Staff, form: OpenWorkForm) -> str:
    physician, until = _others(person, Role.PHYSICIAN).get(form.physician_id.data or ""), form.until_on.data
    if physician is None or until is None:
        raise RuleBroken("Choose the physician and the last day.", field="physician_id" if until else "until_on")
    at = clock.now()
    cover.arrange(person, physician, cover.clinic_day(at), until, by=actor(), at=at)
    return f"{physician.name} signs for {person.name}."
