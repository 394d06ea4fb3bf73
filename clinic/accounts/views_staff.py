"""The administrator's pages: who works here, in which role, and who no longer does."""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from flask import abort, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import credentials, current, factors, queries, staff_operations
from clinic.accounts.forms import ROLE_WORDS, DisableForm, PersonForm, RolesForm, text
from clinic.accounts.models import Staff
from clinic.accounts.models_credentials import StaffCredential
from clinic.accounts.queries import SignIns
from clinic.accounts.rules import StaffStatus, roles_given_by
from clinic.accounts.views import bp, limits_of_a_login, live_logins, role_words, say
from clinic.accounts.views_credentials import today
from clinic.accounts.views_factor import factor_link_to_show
from clinic.audit import queries as audit_queries
from clinic.audit.rules import AuditAction
from clinic.core import clock, times
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.formats import zone
from clinic.core.permissions import Permission, Role, requires
from clinic.core.requests import drawn_version

UNUSED_DAYS = 90


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    person: Staff
    role: str
    last_at: datetime | None
    state: str
    remark: str
    unused_days: int | None
    factor: str = ""


def _row(
    person: Staff, sign_ins: dict[uuid.UUID, SignIns], links: dict[uuid.UUID, datetime], reasons: dict[uuid.UUID, str]
) -> Row:
    seen = sign_ins.get(person.id, SignIns(None, 0))
    state, remark, unused = str(person.status), "", None
    if person.status is StaffStatus.DISABLED:
        remark = reasons.get(person.id, "")
    elif person.status is StaffStatus.INVITED:
        until = links.get(person.id)
        remark = f"link works until {times.local(until, zone.get()):%d-%b %H:%M}" if until else "link no longer works"
    elif seen.live:
        state = "signed_in"
        remark = "you" if person.id == current.actor().id else ""
        remark = remark or (f"{seen.live} browsers" if seen.live > 1 else "")
    elif seen.last_at and (days := (clock.now() - seen.last_at).days) >= UNUSED_DAYS:
        unused, remark = days, f"{days} days unused"
    return Row(person, role_words(person), seen.last_at, state, remark, unused)


def _rows() -> list[Row]:
    at = clock.now()
    people = queries.staff_of_clinic()
    sign_ins = queries.sign_ins(at=at, **limits_of_a_login())
    links = queries.open_invitations(at=at)
    reasons = audit_queries.latest_reasons(AuditAction.STAFF_DISABLED, [person.id for person in people])
    has = factors.kinds_of([person.id for person in people])
    rows = [_row(person, sign_ins, links, reasons) for person in people]
    return [replace(row, factor=has.get(row.person.id, "")) for row in rows]


def _ending(rows: list[Row]) -> list[tuple[StaffCredential, bool]]:
    """Credentials of those who may sign in that have ended or end soon, and whether they have."""
    working = [row.person.id for row in rows if row.person.status is not StaffStatus.DISABLED]
    return [(one, credentials.has_ended(one, today())) for one in credentials.to_warn_of(working, today())]


@bp.get("/staff")
@requires(Permission.READ_STAFF)
def list_staff() -> ResponseReturnValue:
    """Everybody with an account in this clinic."""
    rows = _rows()
    wanted = request.args.get("q", "").strip().casefold()
    role = next((role for role in Role if role == request.args.get("role")), None)
    shows_disabled = request.args.get("show") == "disabled"
    shown = [
        row
        for row in rows
        if (row.person.status is StaffStatus.DISABLED) == shows_disabled
        and (role is None or role in row.person.roles)
        and wanted in f"{row.person.family_name} {row.person.given_name} {row.person.email}".casefold()
    ]
    disabled = sum(row.person.status is StaffStatus.DISABLED for row in rows)
    return render_template(
        "accounts/staff.html",
        rows=shown,
        unused=[row for row in rows if row.unused_days],
        ending=_ending(rows),
        counts={"active": len(rows) - disabled, "disabled": disabled},
        q=request.args.get("q", "").strip(),
        role=role,
        shows_disabled=shows_disabled,
        roles=ROLE_WORDS,
    )


# --- a new person ----------------------------------------------------------------------------------------------------


@bp.get("/staff/new")
@requires(Permission.MANAGE_STAFF)
def new_staff() -> ResponseReturnValue:
    """The form for a new person."""
    form = PersonForm(formdata=None)
    form.offer(roles_given_by(current.actor().roles))
    return render_template("accounts/staff_new.html", form=form)


@bp.post("/staff/new")
@requires(Permission.MANAGE_STAFF)
def add_staff() -> ResponseReturnValue:
    """Add a person; the page that follows shows the link once."""
    form = PersonForm()
    form.offer(roles_given_by(current.actor().roles))
    if form.validate_on_submit():
        try:
            person, token = staff_operations.add_person(
                email=text(form.email),
                given_name=text(form.given_name),
                family_name=text(form.family_name),
                title=form.title.data or None,
                credentials=form.credentials.data or None,
                roles=form.roles.roles,
                by=current.actor(),
                at=clock.now(),
            )
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            _show_link_once(person, token)
            return redirect(url_for(".show_staff", staff_id=person.id), 303)
    return render_template("accounts/staff_new.html", form=form), 422


_LINK = "invitation"


def _show_link_once(person: Staff, token: str) -> None:
    """Keep the link in the admin's own cookie until the next page; the server keeps only its hash."""
    session[_LINK] = [str(person.id), token]


def _link_to_show(person: Staff) -> str | None:
    kept = session.pop(_LINK, None)
    if not kept or kept[0] != str(person.id):
        return None
    return url_for(".show_invitation", token=kept[1], _external=True)


# --- one person ------------------------------------------------------------------------------------------------------


def _person(staff_id: uuid.UUID) -> Staff:
    return queries.staff_with_roles(staff_id) or abort(404)


def _page(person: Staff, *, roles_form: RolesForm | None = None, disable_form: DisableForm | None = None) -> str:
    if roles_form is None:
        roles_form = RolesForm(formdata=None, roles=[role.value for role in person.roles])
    roles_form.offer(roles_given_by(current.actor().roles))
    disable_form = disable_form or DisableForm(formdata=None)
    failed = next((form for form in (roles_form, disable_form) if form.summary), None)
    return render_template(
        "accounts/staff_member.html",
        person=person,
        row=next(row for row in _rows() if row.person.id == person.id),
        is_oneself=person.id == current.actor().id,
        logins=live_logins(person),
        papers=[(one, credentials.has_ended(one, today())) for one in credentials.standing([person.id])],
        events=audit_queries.account_events(person.id),
        roles_form=roles_form,
        disable_form=disable_form,
        form=failed,
        link=_link_to_show(person),
        factor_link=factor_link_to_show(person.id),
        has_factor=bool(kinds := factors.kinds(person.id)),
        factor=", ".join(kinds),
    )


@bp.get("/staff/<uuid:staff_id>")
@requires(Permission.READ_STAFF)
def show_staff(staff_id: uuid.UUID) -> ResponseReturnValue:
    """One account: who, where signed in, what happened to it, and the acts."""
    return _page(_person(staff_id))


def _unchanged(person: Staff, mine: list[tuple[str, str]], theirs: list[tuple[str, str]]) -> None:
    drawn = drawn_version()
    if drawn is not None and drawn != person.version:
        raise Conflict("Another admin changed this account while you had it open.", mine=mine, theirs=theirs)


@bp.post("/staff/<uuid:staff_id>/roles")
@requires(Permission.MANAGE_STAFF)
def change_roles(staff_id: uuid.UUID) -> ResponseReturnValue:
    """Give and take roles."""
    person = _person(staff_id)
    form = RolesForm()
    form.offer(roles_given_by(current.actor().roles))
    if form.validate_on_submit():
        mine = ", ".join(words for role, words in ROLE_WORDS.items() if role in form.roles.roles)
        _unchanged(person, [("Roles", mine)], [("Roles", role_words(person)), ("State", str(person.status))])
        try:
            staff_operations.change_roles(person, form.roles.roles, by=current.actor(), at=clock.now())
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            say(f"{person.name} now: {role_words(person)}")
            return redirect(url_for(".show_staff", staff_id=person.id), 303)
    return _page(person, roles_form=form), 422


@bp.post("/staff/<uuid:staff_id>/disable")
@requires(Permission.MANAGE_STAFF)
def disable(staff_id: uuid.UUID) -> ResponseReturnValue:
    """End a person's access."""
    person = _person(staff_id)
    form = DisableForm()
    if form.validate_on_submit():
        _unchanged(person, [("State", "disabled")], [("Roles", role_words(person)), ("State", str(person.status))])
        try:
            staff_operations.disable(person, text(form.reason), by=current.actor(), at=clock.now())
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            say(f"{person.name} is disabled")
            return redirect(url_for(".show_staff", staff_id=person.id), 303)
    return _page(person, disable_form=form), 422


@bp.post("/staff/<uuid:staff_id>/enable")
@requires(Permission.MANAGE_STAFF)
def enable(staff_id: uuid.UUID) -> ResponseReturnValue:
    """Let a person in again."""
    person = _person(staff_id)
    staff_operations.enable(person, by=current.actor(), at=clock.now())
    say(f"{person.name} can sign in again")
    return redirect(url_for(".show_staff", staff_id=person.id), 303)


@bp.post("/staff/<uuid:staff_id>/reset")
@requires(Permission.MANAGE_STAFF)
def reset(staff_id: uuid.UUID) -> ResponseReturnValue:
    """A new link for a person who lost the password or the first link."""
    person = _person(staff_id)
    _show_link_once(person, staff_operations.reset(person, by=current.actor(), at=clock.now()))
    return redirect(url_for(".show_staff", staff_id=person.id), 303)


@bp.post("/staff/<uuid:staff_id>/sign-out")
@requires(Permission.MANAGE_STAFF)
def end_logins(staff_id: uuid.UUID) -> ResponseReturnValue:
    """Sign a person out everywhere."""
    person = _person(staff_id)
    ended = staff_operations.end_sign_ins(person, by=current.actor(), at=clock.now())
    say(f"{person.name} is signed out of {ended} browser{'' if ended == 1 else 's'}")
    return redirect(url_for(".show_staff", staff_id=person.id), 303)
