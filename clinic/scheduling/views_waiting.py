"""The waiting list, and giving a time that has become free to somebody on it."""

import uuid

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock, formats
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import same_patient
from clinic.scheduling import operations_waiting, queries, queries_waiting
from clinic.scheduling.booking import clash_words
from clinic.scheduling.forms import ReasonForm
from clinic.scheduling.forms_rooms import WaitingForm
from clinic.scheduling.operations import Slot, SlotsTaken
from clinic.scheduling.rules import AppointmentStatus
from clinic.scheduling.views import bp
from clinic.scheduling.views_appointment import appointment_asked, back_to_week
from clinic.scheduling.waiting_list import lines, minutes_of, offers


@bp.get("/calendar/waiting")
@requires(Permission.BOOK)
def list_waiting() -> ResponseReturnValue:
    reading.note(AuditAction.BOARD_READ, None, actor_id=actor().id, page="waiting list")
    return render_template("scheduling/waiting.html", lines=lines())


def _course_page(course_id: uuid.UUID, form: WaitingForm | None = None) -> str:
    course = queries.course_to_book(course_id) or abort(404)
    reading.note(AuditAction.PATIENT_READ, course.patient, actor_id=actor().id, page="waiting list")
    return render_template(
        "scheduling/waiting_new.html",
        course=course,
        form=form,
        waiting_form=form or WaitingForm(formdata=None, session=request.args.get("session", type=int)),
    )


@bp.get("/calendar/waiting/course/<uuid:course_id>")
@requires(Permission.BOOK)
def show_wish(course_id: uuid.UUID) -> ResponseReturnValue:
    return _course_page(course_id)


@bp.post("/calendar/waiting/course/<uuid:course_id>/add")
@requires(Permission.BOOK)
def add_waiting(course_id: uuid.UUID) -> ResponseReturnValue:
    course, form = queries.course_to_book(course_id) or abort(404), WaitingForm()
    same_patient(course.patient_id)
    if form.validate():
        try:
            operations_waiting.put_on_the_list(
                course, int(form.session.data or 0), form.wishes, by=actor(), at=clock.now()
            )
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash(f"Session {form.session.data} is on the waiting list.")
            return redirect(url_for(".list_waiting"), 303)
    return _course_page(course_id, form), 422


@bp.post("/calendar/waiting/<uuid:entry_id>/remove")
@requires(Permission.BOOK)
def remove_waiting(entry_id: uuid.UUID) -> ResponseReturnValue:
    entry = queries_waiting.entry(entry_id) or abort(404)
    form = ReasonForm()
    if form.validate():
        try:
            operations_waiting.take_off_the_list(entry, reason=form.reason.data or "", by=actor(), at=clock.now())
        except RuleBroken as refusal:
            flash(refusal.message, "warn")
        else:
            flash("Taken off the waiting list.")
    else:
        flash("Nothing was changed: say why the patient waits no longer.", "warn")
    return redirect(url_for(".list_waiting"), 303)


@bp.post("/calendar/appointments/<uuid:appointment_id>/give/<uuid:entry_id>")
@requires(Permission.BOOK)
def give_time(appointment_id: uuid.UUID, entry_id: uuid.UUID) -> ResponseReturnValue:
    """The time of a cancelled appointment goes to somebody on the waiting list."""
    free, entry = appointment_asked(appointment_id), queries_waiting.entry(entry_id) or abort(404)
    if free.status is not AppointmentStatus.CANCELLED:
        abort(404)
    offer = next((each for each in offers(free, at=clock.now()) if each.entry.id == entry.id), None)
    held = queries_waiting.appointment_of(entry.course_id, entry.session_number)
    if offer is None or not minutes_of(entry, held):
        flash("This patient does not fit that time any more.", "warn")
        return redirect(url_for(".show_appointment", appointment_id=free.id), 303)
    slot = Slot(entry.session_number, free.chair, free.starts_at, offer.ends_at, free.nurse)
    try:
        made = operations_waiting.give_time(entry, slot, by=actor(), at=clock.now())
    except SlotsTaken as refusal:
        flash(f"Not booked. {clash_words(refusal.clashes[0])}", "warn")
    except RuleBroken as refusal:
        flash(refusal.message, "warn")
    else:
        when = f"{formats.weekday_day(made.starts_at)} {formats.clock(made.starts_at)}"
        return back_to_week(made, f"Booked from the waiting list: {when}.", can_undo=held is not None)
    return redirect(url_for(".show_appointment", appointment_id=free.id), 303)
