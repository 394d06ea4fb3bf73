"""The patient answers on the clinic's tablet: a page with nothing but the questions, which only staff can leave."""

import uuid

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import current
from clinic.accounts import operations as accounts
from clinic.accounts.current import actor
from clinic.core import clock
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.outcomes import operations_sheet, queries
from clinic.outcomes.forms import PatientForm, SheetForm, patient_form
from clinic.outcomes.models import AnswerSheet
from clinic.outcomes.pages import measures
from clinic.outcomes.views_shared import bar, bp, load_course
from clinic.outcomes.wording import Questionnaire, asked_in
from clinic.sessions import queries as sessions


def _draw_choice(course_id: uuid.UUID, form: SheetForm) -> str:
    course = load_course(course_id)
    return render_template("outcomes/sheet.html", course=course, bar=bar(course.patient), form=form)


def _form(course_id: uuid.UUID) -> SheetForm:
    form = SheetForm()
    form.ask(measures())
    form.offer(sessions.of_course(course_id))
    return form


@bp.get("/courses/<uuid:course_id>/sheets")
@requires(Permission.RECORD_OUTCOME)
def show_sheet_choice(course_id: uuid.UUID) -> ResponseReturnValue:
    load_course(course_id)
    return _draw_choice(course_id, _form(course_id))


@bp.post("/courses/<uuid:course_id>/sheets")
@requires(Permission.RECORD_OUTCOME)
def give_sheet(course_id: uuid.UUID) -> ResponseReturnValue:
    """Hand this tablet to the patient: from now on it answers under the sheet's address alone."""
    course = load_course(course_id)
    form = _form(course_id)
    if not form.validate_on_submit():
        return _draw_choice(course_id, form), 422
    given = sessions.of_course(course.id)
    sheet = operations_sheet.give_sheet(
        course,
        form.measures.data or [],
        occasion=form.chosen_occasion(),
        infusion=next((row for row in given if str(row.id) == form.infusion_id.data), None),
        by=actor(),
        at=clock.now(),
    )
    path = url_for(".show_sheet", sheet_id=sheet.id)
    accounts.hand_tablet(current.signed_in().login, path, at=clock.now())
    return redirect(path, 303)


def _load(sheet_id: uuid.UUID) -> tuple[AnswerSheet, list[Questionnaire]]:
    """A sheet with the measures it asks, each in the version that was answered or is asked now."""
    sheet = queries.sheet(sheet_id) or abort(404)
    asked = {found.key: found for found in measures()} | {found.key: found for found in map(asked_in, sheet.results)}
    return sheet, [asked[key] for key in sheet.measures if key in asked]


def _is_in_patients_hands(sheet: AnswerSheet) -> bool:
    return current.signed_in().login.handed_path == url_for(".show_sheet", sheet_id=sheet.id)


@bp.get("/tablet/answers/<uuid:sheet_id>")
@requires(Permission.RECORD_OUTCOME)
def show_sheet(sheet_id: uuid.UUID) -> ResponseReturnValue:
    """The first question that is open; taken back by staff, it leads to the answers of the course."""
    sheet, asked = _load(sheet_id)
    if not _is_in_patients_hands(sheet):
        return redirect(url_for(".list_outcomes", course_id=sheet.course_id), 303)
    return redirect(_next(sheet, asked, 0), 303)


def _next(sheet: AnswerSheet, asked: list[Questionnaire], after: int) -> str:
    """The part after this one that has no answers yet; behind the last stands the thanks."""
    answered = {asked_in(result).key for result in sheet.results}
    parts = [number for number, found in enumerate(asked, 1) if number > after and found.key not in answered]
    return url_for(".show_part", sheet_id=sheet.id, part=parts[0] if parts else len(asked) + 1)


@bp.get("/tablet/answers/<uuid:sheet_id>/<int:part>")
@requires(Permission.RECORD_OUTCOME)
def show_part(sheet_id: uuid.UUID, part: int) -> ResponseReturnValue:
    """One measure, or the thanks behind the last."""
    sheet, asked = _load(sheet_id)
    if not _is_in_patients_hands(sheet):
        return redirect(url_for(".show_sheet", sheet_id=sheet.id), 303)
    if not 1 <= part <= len(asked) + 1:
        abort(404)
    if part > len(asked):
        return render_template("outcomes/tablet_done.html")
    if asked[part - 1].key in {asked_in(result).key for result in sheet.results}:
        return redirect(_next(sheet, asked, part), 303)
    return _draw_part(sheet, asked, part, patient_form(asked[part - 1])(formdata=None))


def _draw_part(sheet: AnswerSheet, asked: list[Questionnaire], part: int, form: PatientForm) -> str:
    return render_template(
        "outcomes/tablet.html",
        patient=sheet.course.patient,
        asked=asked[part - 1],
        form=form,
        part=part,
        parts=len(asked),
        address=url_for(".answer_part", sheet_id=sheet.id, part=part),
        skip_address=_next(sheet, asked, part),
    )


@bp.post("/tablet/answers/<uuid:sheet_id>/<int:part>")
@requires(Permission.RECORD_OUTCOME)
def answer_part(sheet_id: uuid.UUID, part: int) -> ResponseReturnValue:
    """Keep what the patient answered. Open questions are named once, then taken as they are."""
    sheet, asked = _load(sheet_id)
    if not _is_in_patients_hands(sheet):
        abort(403)
    found = asked[part - 1] if 1 <= part <= len(asked) else abort(404)
    form = patient_form(found)()
    if form.validate_on_submit():
        if form.open_count() and request.form.get("leave") != form.OPEN:
            form.ask_for_open()
            return _draw_part(sheet, asked, part, form), 422
        try:
            operations_sheet.answer(sheet, found.measure, form.items(), by=actor(), at=clock.now())
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            return redirect(_next(sheet, asked, part), 303)
    return _draw_part(sheet, asked, part, form), 422
