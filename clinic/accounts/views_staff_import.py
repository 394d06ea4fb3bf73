"""Many people at once, from a table: checked line by line first, and then all of them or nobody."""

import csv
import io
from dataclasses import dataclass
from typing import Final

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from wtforms import TextAreaField
from wtforms.validators import InputRequired, Length

from clinic.accounts import current, staff_operations
from clinic.accounts.forms import ROLE_WORDS, PersonForm, text
from clinic.accounts.models import Staff
from clinic.accounts.rules import roles_given_by
from clinic.accounts.views import bp
from clinic.core import clock, db
from clinic.core.errors import RuleBroken
from clinic.core.forms import Form
from clinic.core.permissions import Permission, requires

NEEDED: Final = ("email", "given_name", "family_name", "roles")
MOST: Final = 200


class ImportForm(Form):
    """The table, as text."""

    table = TextAreaField("Table", [InputRequired("Enter the table"), Length(max=60_000)])


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one line; lines count from 1, the head included."""

    line: int
    words: str


@dataclass(frozen=True, slots=True)
class Added:
    """Somebody of the table, with the link that is shown once."""

    person: Staff
    roles: str
    link: str


def _lines(table: str) -> tuple[list[tuple[int, dict[str, str]]], list[Problem]]:
    """The lines of a table by the names in its head, and what hinders reading it."""
    reader = csv.reader(io.StringIO(table.strip(), newline=""), strict=True)
    found: list[tuple[int, dict[str, str]]] = []
    try:
        head = [name.strip().lower() for name in next(reader, [])]
        if missing := [name for name in NEEDED if name not in head]:
            return [], [Problem(1, f"The head has no {', '.join(missing)}")]
        for values in reader:
            if any(value.strip() for value in values):
                found.append((reader.line_num, dict(zip(head, map(str.strip, values), strict=False))))
                if len(found) > MOST:
                    return [], [Problem(reader.line_num, f"At most {MOST} people at once")]
    except csv.Error:
        return [], [Problem(reader.line_num, "This line is no CSV: look for a quotation mark that is not closed")]
    return found, [] if found else [Problem(2, "There is nobody in the table")]


def _form_of(values: dict[str, str]) -> PersonForm:
    """The form of one person, as if it had been typed."""
    fields = [(name, value) for name, value in values.items() if name != "roles"]
    roles = [("roles", role) for role in values.get("roles", "").lower().replace(";", " ").replace(",", " ").split()]
    form = PersonForm(formdata=MultiDict([*fields, *roles]), meta={"csrf": False})
    form.offer(roles_given_by(current.actor().roles))
    return form


def _added(form: PersonForm) -> Added:
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
    roles = ", ".join(words for role, words in ROLE_WORDS.items() if role in form.roles.roles)
    return Added(person, roles, url_for(".show_invitation", token=token, _external=True))


def _try(table: str, *, is_meant: bool) -> tuple[list[Added], list[Problem]]:
    """Add everybody, and take it all back where somebody cannot be added or it was only to be checked."""
    lines, problems = _lines(table)
    people: list[Added] = []
    with db.session.begin_nested() as attempt:
        for number, values in lines:
            form = _form_of(values)
            if not form.validate():
                problems += [Problem(number, words) for _, words in form.summary]
                continue
            try:
                people.append(_added(form))
            except RuleBroken as refusal:
                problems.append(Problem(number, refusal.message))
        if problems or not is_meant:
            attempt.rollback()
    return people, problems


def _page(form: ImportForm, people: list[Added], problems: list[Problem], *, is_done: bool = False) -> str:
    return render_template(
        "accounts/staff_import.html", form=form, people=people, problems=problems, is_done=is_done, roles=ROLE_WORDS
    )


@bp.get("/staff/import")
@requires(Permission.MANAGE_STAFF)
def show_import() -> ResponseReturnValue:
    return _page(ImportForm(formdata=None), [], [])


@bp.post("/staff/import")
@requires(Permission.MANAGE_STAFF)
def import_staff() -> ResponseReturnValue:
    """Say what would happen; or, when that is meant, do it and show each person's link, once."""
    form = ImportForm()
    if not form.validate_on_submit():
        return _page(form, [], []), 422
    is_meant = request.form.get("act") == "invite"
    people, problems = _try(form.table.data or "", is_meant=is_meant)
    return _page(form, people, problems, is_done=is_meant and not problems), 422 if problems else 200
