"""Moving one appointment: to a free place that is offered, or by hand, or dropped on the week; and taking it back."""

import uuid
from dataclasses import dataclass
from datetime import date, timedelta

from flask import flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from clinic.accounts.current import actor
from clinic.core import clock, formats, times
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.scheduling import operations, queries
from clinic.scheduling.booking import clash_words
from clinic.scheduling.forms import MoveForm, chair_choices, instant_of, nurse_choices
from clinic.scheduling.models import Appointment
from clinic.scheduling.moving import Mover, Rest, mover_of, place_value
from clinic.scheduling.operations import Slot, SlotsTaken
from clinic.scheduling.operations_moves import Move, move_all, undo_together
from clinic.scheduling.overriding import override_asked, override_fields, override_offer
from clinic.scheduling.rules import session_words, week_of
from clinic.scheduling.views import bp, nurses, week_asked
from clinic.scheduling.views_appointment import appointment_asked, appointment_page, appointment_posted, back_to_week

_DAYS_OF_A_WEEK = 7


@dataclass(frozen=True, slots=True)
class Question:
    """What a move breaks, with the fields that send it again once somebody has decided."""

    rest: Rest
    fields: list[tuple[str, str]]


def _mover(appointment: Appointment) -> Mover:
    return mover_of(appointment, at=clock.now())


def _form() -> MoveForm:
    """The form as it was typed, or as the place says that was chosen from those offered."""
    typed = MultiDict(request.form)
    day, _, others = request.form.get("to", "").partition("|")
    if others:
        typed["day"], (typed["clock"], typed["chair"], typed["nurse"]) = day, (*others.split("|"), "", "", "")[:3]
    if request.form.get("why"):
        typed["reason"] = request.form["why"]
    form = MoveForm(formdata=MultiDict() if _names_no_place() else typed)
    form.chair.choices, form.nurse.choices = chair_choices(queries.chairs()), nurse_choices(nurses())
    return form


def _names_no_place() -> bool:
    """Whether a button below the free places was pressed and none of them chosen."""
    return bool(request.form.get("why")) and not (request.form.get("to") or request.form.get("day"))


def _slot(appointment: Appointment, form: MoveForm) -> Slot | None:
    start = instant_of(form.day, form.clock) if form.validate() else None
    if start is None:
        return None
    return Slot(
        appointment.session_number,
        next(chair for chair in queries.chairs() if str(chair.id) == form.chair.data),
        start,
        start + (appointment.ends_at - appointment.starts_at),
        next((each for each in nurses() if str(each.id) == form.nurse.data), None),
        appointment.pump,
    )


@bp.post("/calendar/appointments/<uuid:appointment_id>/move")
@requires(Permission.BOOK)
def move_appointment(appointment_id: uuid.UUID) -> ResponseReturnValue:
    return _move(appointment_id)


@bp.post("/calendar/drop")
@requires(Permission.BOOK)
def drop_appointment() -> ResponseReturnValue:
    """An appointment that was dragged to another place of the week: the same act, named in the form."""
    try:
        dropped = uuid.UUID(request.form.get("appointment", ""))
    except ValueError as problem:
        raise RuleBroken("Nothing was dragged. Open the appointment to move it.") from problem
    return _move(dropped)


def _move(appointment_id: uuid.UUID) -> ResponseReturnValue:
    form = _form()
    appointment = appointment_posted(appointment_id, form)
    if _names_no_place():
        form.refuse(RuleBroken("Choose one of the free places, then press again."))
        return appointment_page(appointment, move=form), 422
    slot, question, override = _slot(appointment, form), None, None
    if slot is not None:
        try:
            question = _question(appointment, slot, form)
            if question is None:
                return _moved(appointment, slot, form.reason.data or "")
        except SlotsTaken as refusal:
            form.refuse(RuleBroken(clash_words(refusal.clashes[0]), field="clock"))
            override = override_offer(refusal, _decided(slot))
        except RuleBroken as refusal:
            form.refuse(RuleBroken(refusal.message, field="reason" if refusal.field == "reason" else "clock"))
            override = override_offer(refusal, _decided(slot))
    return appointment_page(appointment, question=question, override=override, move=form), 422


def _question(appointment: Appointment, slot: Slot, form: MoveForm) -> Question | None:
    """What is to decide before a move that breaks the order's spacing; None when nothing is, or it was decided."""
    if _decided(slot):
        return None
    rest = _mover(appointment).rest(slot)
    if not rest.broken:
        return None
    fields = [("to", place_value(slot)), ("why", form.reason.data or "")]
    fields += [("follow", f"{each.id}|{each.version}|{place_value(there)}") for each, there in rest.follow]
    return Question(rest, [*fields, ("for", place_value(slot)), *override_fields()])


def _decided(slot: Slot) -> list[tuple[str, str]]:
    """What was decided about the rest of the course, as fields; nothing when it was decided for another place."""
    rest, place = request.form.get("rest", ""), place_value(slot)
    if rest not in {"leave", "follow"} or request.form.get("for", place) != place:
        return []
    return [("rest", rest), ("for", place), *(("follow", each) for each in request.form.getlist("follow"))]


def _moved(appointment: Appointment, slot: Slot, reason: str) -> ResponseReturnValue:
    moves = [Move(appointment, slot, reason)]
    if ("rest", "follow") in _decided(slot):
        moves += _followers(appointment, reason)
    if len(moves) == 1:
        new = operations.move(appointment, slot, reason=reason, by=actor(), at=clock.now(), override=override_asked())
    else:
        new = move_all(moves, by=actor(), at=clock.now(), override=override_asked())[0]
    which = session_words(move.slot.session_number for move in moves)
    when = f"{formats.weekday_day(slot.starts_at)} {formats.clock(slot.starts_at)}"
    return back_to_week(new, f"Moved {which} to {when}." if len(moves) == 1 else f"Moved {which}, from {when} on.")


def _followers(appointment: Appointment, reason: str) -> list[Move]:
    """The later sessions as the page showed them; one that changed meanwhile stops all of it."""
    standing = {str(each.id): each for each in queries.of_course(appointment.course_id)}
    chairs, people = {str(each.id): each for each in queries.chairs()}, {str(each.id): each for each in nurses()}
    moves = []
    for value in request.form.getlist("follow"):
        key, version, day, at, chair, nurse = (*value.split("|"), *[""] * 6)[:6]
        each, form = standing.get(key), MoveForm(formdata=MultiDict({"day": day, "clock": at}))
        form.day.validate(form), form.clock.validate(form)
        start = instant_of(form.day, form.clock)
        if each is None or str(each.version) != version or start is None or chair not in chairs:
            raise RuleBroken("A later session changed meanwhile. Nothing was moved; look at the plan again.")
        end = start + (each.ends_at - each.starts_at)
        there = Slot(each.session_number, chairs[chair], start, end, people.get(nurse), each.pump)
        moves.append(Move(each, there, f"follows session {appointment.session_number}: {reason}"))
    return moves


@bp.get("/calendar/appointments/<uuid:appointment_id>/places")
@requires(Permission.BOOK)
def list_places(appointment_id: uuid.UUID) -> ResponseReturnValue:
    """For each chair and day of a week, the free place nearest to the time of day: what can be dropped where."""
    appointment = appointment_asked(appointment_id)
    monday = week_of(week_asked(times.local(appointment.starts_at, formats.zone.get()).date()))
    days = [monday + timedelta(days=step) for step in range(_DAYS_OF_A_WEEK)]
    return jsonify([_place(on, slot) for on, slot in _mover(appointment).in_chairs(days)])


def _place(on: date, slot: Slot) -> dict[str, str]:
    return {
        "day": on.isoformat(),
        "chair": str(slot.chair.id),
        "clock": formats.clock(slot.starts_at),
        "to": place_value(slot),
    }


@bp.post("/calendar/appointments/<uuid:appointment_id>/undo")
@requires(Permission.BOOK)
def undo(appointment_id: uuid.UUID) -> ResponseReturnValue:
    appointment = appointment_asked(appointment_id)
    again = [appointment]
    try:
        again = undo_together(appointment, by=actor(), at=clock.now())
    except SlotsTaken as refusal:
        flash(f"Not undone. {clash_words(refusal.clashes[0])}", "warn")
    except RuleBroken as refusal:
        flash(refusal.message, "warn")
    else:
        first = again[0]
        when = f"{formats.weekday_day(first.starts_at)} {formats.clock(first.starts_at)}"
        more = f", and {len(again) - 1} more where they stood" if len(again) > 1 else ""
        flash(f"Session {first.session_number} stands at {when} again{more}.")
    day = times.local(again[0].starts_at, formats.zone.get()).date()
    return redirect(url_for(".show_calendar", week=day), 303)
