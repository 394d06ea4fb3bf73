"""One appointment beside its week: move it, cancel it, say who did not attend, give it to a nurse."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from flask import abort, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock, formats, times
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.forms import Form, typed
from clinic.core.permissions import Permission, requires
from clinic.core.requests import drawn_version, same_patient
from clinic.scheduling import operations, queries, queries_rooms, queries_waiting, waiting_list
from clinic.scheduling.answers import answers_to
from clinic.scheduling.booking import change_words, slot_words
from clinic.scheduling.forms import HoldPumpForm, LossForm, MoveForm, NurseForm, chair_choices, nurse_choices
from clinic.scheduling.models import Appointment, LostReason
from clinic.scheduling.moving import mover_of, place_value
from clinic.scheduling.overriding import override_asked, override_offer
from clinic.scheduling.rules import AppointmentStatus, LossKind, override_words, rules_in
from clinic.scheduling.views import bp, calendar_page, course_words, nurses, week_asked
from clinic.scheduling.waiting_rules import wish_words

# From so long before its time on the patient may be at the door.
_NEAR = timedelta(hours=12)
_STATUS_WORDS = {
    AppointmentStatus.BOOKED: ("booked", None),
    AppointmentStatus.ARRIVED: ("arrived", None),
    AppointmentStatus.FULFILLED: ("completed", "Attended"),
    AppointmentStatus.CANCELLED: ("cancelled", None),
    AppointmentStatus.NO_SHOW: ("did_not_attend", None),
}


def appointment_asked(appointment_id: uuid.UUID) -> Appointment:
    """The appointment of the address; that it is looked at is noted."""
    appointment = queries.appointment(appointment_id) or abort(404)
    reading.note(AuditAction.PATIENT_READ, appointment.patient, actor_id=actor().id, page="appointment")
    return appointment


def appointment_posted(appointment_id: uuid.UUID, form: Form) -> Appointment:
    """The appointment of a form that changes it, unchanged since the form was drawn; else both versions are shown."""
    appointment = appointment_asked(appointment_id)
    same_patient(appointment.patient_id)
    if drawn_version() != appointment.version:
        mine = [(field.label.text, typed(field)) for field in form if field.name != "csrf_token" and typed(field)]
        conflict = Conflict(
            "Somebody else changed this appointment since you opened it. Nothing of yours was saved.",
            mine=[(label, _readable(value)) for label, value in mine],
            theirs=_lines(appointment),
        )
        now_at = queries.moved_to(appointment) or appointment
        conflict.saved_url = url_for(".show_appointment", appointment_id=now_at.id)
        raise conflict
    return appointment


def _still_booked(appointment: Appointment) -> None:
    """Once the patient has arrived, the visit is changed on its own page, where the nurse sees it."""
    if appointment.status is not AppointmentStatus.BOOKED:
        raise RuleBroken("Only a booked appointment can be changed here.")


def _readable(value: str) -> str:
    """A chosen chair or nurse by name instead of its key."""
    names = {str(chair.id): chair.name for chair in queries.chairs()} | {str(each.id): each.name for each in nurses()}
    return names.get(value, value)


def _lines(appointment: Appointment) -> list[tuple[str, str]]:
    lines = [
        ("Day", formats.weekday_day(appointment.starts_at)),
        ("Time", f"{formats.clock(appointment.starts_at)} to {formats.clock(appointment.ends_at)}"),
        ("Chair", appointment.chair.name),
        ("Nurse", appointment.nurse.name if appointment.nurse else "none"),
        ("State", _state_line(appointment)),
    ]
    return [*lines, ("Why", appointment.status_reason)] if appointment.status_reason else lines


def _state_line(appointment: Appointment) -> str:
    moved_to = queries.moved_to(appointment)
    if moved_to is not None:
        return f"moved to {formats.weekday_day(moved_to.starts_at)} {formats.clock(moved_to.starts_at)}"
    state, words = _STATUS_WORDS[appointment.status]
    return words or state.replace("_", " ")


def appointment_page(
    appointment: Appointment, *, question: object = None, override: object = None, **forms: Form
) -> str:
    """The week of the appointment with its panel; a form that was refused is shown as it was typed."""
    facts = queries.course_facts([appointment.course_id]).get(appointment.course_id)
    move = forms.get("move") or _move_form(appointment)
    nurse = forms.get("nurse") or NurseForm(formdata=None, nurse_id=str(appointment.nurse_id or ""))
    for field in (move["nurse"], nurse["nurse_id"]):
        field.choices = nurse_choices(nurses())
    move["chair"].choices = chair_choices(queries.chairs())
    state, words = _STATUS_WORDS[appointment.status]
    return calendar_page(
        "scheduling/appointment.html",
        week_asked(_day(appointment.starts_at)),
        chosen_id=appointment.id,
        appointment=appointment,
        course_words=course_words(appointment.course, facts),
        planned=facts.planned if facts else None,
        state=state,
        answer=answers_to([appointment.id]).get(appointment.id),
        state_words=words,
        form=next(iter(forms.values()), None),
        move=move,
        nurse=nurse,
        pump=_pump_form(appointment, forms.get("pump")),
        cancel=_loss_form(forms.get("cancel") or LossForm(formdata=None, prefix="cancel-"), LossKind.CANCELLED),
        miss=_loss_form(forms.get("miss") or LossForm(formdata=None, prefix="miss-"), LossKind.NO_SHOW),
        overridden=[override_words(rule) for rule in sorted(rules_in(appointment.override_rules))],
        moved_to=queries.moved_to(appointment),
        has_begun=appointment.starts_at <= clock.now(),
        question=question,
        waiting=waiting_list.offers(appointment, at=clock.now())
        if appointment.status is AppointmentStatus.CANCELLED and not queries.moved_to(appointment)
        else [],
        wish=_wish(appointment),
        override=override,
        free_places=_places(appointment) if question is None else [],
        is_near=appointment.starts_at - clock.now() < _NEAR,
    )


def _places(appointment: Appointment) -> list[tuple[str, str, str]]:
    """The free places that are offered: value, when and where, what changes."""
    if appointment.status is not AppointmentStatus.BOOKED or not actor().may(Permission.BOOK):
        return []
    mover = mover_of(appointment, at=clock.now())
    return [(place_value(slot), slot_words(slot), change_words(appointment, slot)) for slot in mover.offers()]


def _day(instant: datetime) -> Any:
    return times.local(instant, formats.zone.get()).date()


def _move_form(appointment: Appointment) -> MoveForm:
    """The form as it stands now, to be changed: the chair and the nurse stay unless another is chosen."""
    wall = times.local(appointment.starts_at, formats.zone.get())
    return MoveForm(
        formdata=None,
        day=wall.date(),
        clock=wall.time(),
        chair=str(appointment.chair_id),
        nurse=str(appointment.nurse_id or ""),
    )


def _pump_form(appointment: Appointment, form: Form | None) -> Form:
    form = form or HoldPumpForm(formdata=None, pump_id=str(appointment.pump_id or ""))
    form.offer(queries_rooms.pumps())
    return form


def _loss_form(form: Form, kind: LossKind) -> Form:
    form.offer(queries_rooms.lost_reasons(kind))
    return form


def _listed(form: LossForm) -> LostReason | None:
    """The reason of the clinic's list that was chosen."""
    return queries_rooms.lost_reason(uuid.UUID(form.listed.data)) if form.listed.data else None


def _wish(appointment: Appointment) -> str:
    """What the session waits for although it has a time; empty when it waits for nothing."""
    if appointment.status is not AppointmentStatus.BOOKED:
        return ""
    entries = queries_waiting.waiting_for({(appointment.course_id, appointment.session_number)})
    return wish_words(entries[0]) if entries else ""


def back_to_week(appointment: Appointment, message: str, *, can_undo: bool = True) -> Response:
    """The week of an appointment after something was done, with the way to take it back."""
    undo = url_for(".undo", appointment_id=appointment.id) if can_undo else None
    flash({"text": message, "undo_url": undo} if undo else message)  # type: ignore[arg-type] # a toast takes both
    return redirect(url_for(".show_calendar", week=_day(appointment.starts_at)), 303)


@bp.get("/calendar/appointments/<uuid:appointment_id>")
@requires(Permission.READ_CALENDAR)
def show_appointment(appointment_id: uuid.UUID) -> ResponseReturnValue:
    return appointment_page(appointment_asked(appointment_id))


@bp.post("/calendar/appointments/<uuid:appointment_id>/cancel")
@requires(Permission.BOOK)
def cancel_appointment(appointment_id: uuid.UUID) -> ResponseReturnValue:
    form = LossForm(prefix="cancel-")
    form.offer(queries_rooms.lost_reasons(LossKind.CANCELLED))
    appointment = appointment_posted(appointment_id, form)
    if form.validate():
        try:
            _still_booked(appointment)
            operations.cancel(appointment, reason=form.reason.data, listed=_listed(form), by=actor(), at=clock.now())
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            said = f"Cancelled session {appointment.session_number}. It can be booked again."
            back = back_to_week(appointment, said)
            if waiting_list.offers(appointment, at=clock.now()):
                return redirect(url_for(".show_appointment", appointment_id=appointment.id), 303)
            return back
    return appointment_page(appointment, cancel=form), 422


@bp.post("/calendar/appointments/<uuid:appointment_id>/no-show")
@requires(Permission.BOOK)
def mark_no_show(appointment_id: uuid.UUID) -> ResponseReturnValue:
    form = LossForm(prefix="miss-")
    form.offer(queries_rooms.lost_reasons(LossKind.NO_SHOW))
    appointment = appointment_posted(appointment_id, form)
    if form.validate():
        try:
            _still_booked(appointment)
            operations.mark_no_show(
                appointment, reason=form.reason.data, listed=_listed(form), by=actor(), at=clock.now()
            )
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            return back_to_week(
                appointment,
                f"Session {appointment.session_number}: did not attend. It can be booked again.",
                can_undo=False,
            )
    return appointment_page(appointment, miss=form), 422


@bp.post("/calendar/appointments/<uuid:appointment_id>/nurse")
@requires(Permission.BOOK)
def assign_nurse(appointment_id: uuid.UUID) -> ResponseReturnValue:
    form = NurseForm()
    people = nurses()
    form.nurse_id.choices = nurse_choices(people)
    override = None
    appointment = appointment_posted(appointment_id, form)
    if form.validate():
        chosen = next((each for each in people if str(each.id) == form.nurse_id.data), None)
        try:
            _still_booked(appointment)
            operations.assign_nurse(appointment, chosen, by=actor(), at=clock.now(), override=override_asked())
        except RuleBroken as refusal:
            form.refuse(RuleBroken(refusal.message, field="nurse_id"))
            override = override_offer(refusal)
        else:
            flash(f"Nurse: {chosen.name}." if chosen else "No nurse yet.")
            return redirect(url_for(".show_appointment", appointment_id=appointment.id), 303)
    return appointment_page(appointment, override=override, nurse=form), 422
