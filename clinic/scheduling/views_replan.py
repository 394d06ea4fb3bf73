"""A day that went another way: say what happened, read the moves with their reasons, accept all or some of them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock, formats, times
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.scheduling import queries, queries_planning
from clinic.scheduling.booking import change_words, clash_words, slot_words
from clinic.scheduling.forms import MoveForm, chair_choices, instant_of, nurse_choices
from clinic.scheduling.forms_replan import ChairOutForm, LateForm, NurseOffForm
from clinic.scheduling.happening import ChairOut, Happening, NurseOff, RunsLate
from clinic.scheduling.models import Appointment
from clinic.scheduling.moving import place_value
from clinic.scheduling.operations import ChairInUse, Slot, SlotsTaken
from clinic.scheduling.operations_breaking import WouldBreak
from clinic.scheduling.operations_moves import Move
from clinic.scheduling.operations_replan import carry_out
from clinic.scheduling.operations_undo import undo_plan
from clinic.scheduling.out_of_step import out_of_step
from clinic.scheduling.overriding import override_asked, override_offer
from clinic.scheduling.replanning import Change, Replan
from clinic.scheduling.views import bp, calendar_page, nurses, week_asked
from clinic.scheduling.week import Ghost


@dataclass(slots=True)
class _Asked:
    """The three forms, the one that was sent, and what it says has happened."""

    nurse_off: NurseOffForm
    chair_out: ChairOutForm
    late: LateForm
    what: str = ""
    happening: Happening | None = None
    fact: str = ""

    @property
    def form(self) -> NurseOffForm | ChairOutForm | LateForm | None:
        """The form that was sent."""
        forms = {"nurse": self.nurse_off, "chair": self.chair_out, "late": self.late}
        return forms.get(self.what)


def _asked() -> _Asked:
    what = request.args.get("what", "")
    data = {key: request.args if what == key else None for key in ("nurse", "chair", "late")}
    asked = _Asked(NurseOffForm(data["nurse"]), ChairOutForm(data["chair"]), LateForm(data["late"]), what)
    chairs, people = queries.chairs(), nurses()
    asked.nurse_off.who.choices = nurse_choices(people) | {"": "Nurse"}
    asked.chair_out.chair.choices = chair_choices(chairs)
    asked.late.chair_id.choices = chair_choices(chairs) | {"": "All chairs"}
    if what == "nurse" and (span := asked.nurse_off.span()):
        who = next(each for each in people if str(each.id) == asked.nurse_off.who.data)
        asked.happening, asked.fact = NurseOff(who, *span), f"Take {who.name} off duty for that time"
    elif what == "chair" and (span := asked.chair_out.span()):
        chair = next(each for each in chairs if str(each.id) == asked.chair_out.chair.data)
        asked.happening = ChairOut(chair, *span, asked.chair_out.reason.data or "")
        asked.fact = f"Close chair {chair.name} for that time"
    elif what == "late" and asked.late.validate():
        meant = {each.id for each in chairs if asked.late.chair_id.data in {"", str(each.id)}}
        asked.happening = RunsLate(clock.now(), int(asked.late.minutes.data or 0), meant)
    return asked


@dataclass(frozen=True, slots=True)
class Line:
    """A change as the page lists it."""

    value: str
    name: str
    was: str
    will: str
    change: str
    reason: str


def _line(change: Change) -> Line:
    old, slot = change.appointment, change.slot
    was = slot_words(Slot(old.session_number, old.chair, old.starts_at, old.ends_at))
    if slot is None:
        return Line("", old.patient.name, was, "", "", change.reason)
    will = f"nurse {slot.nurse.name}" if change.is_nurse_alone and slot.nurse else slot_words(slot)
    words = "same time, same chair" if change.is_nurse_alone else change_words(old, slot)
    value = f"{old.id}|{old.version}|{place_value(slot)}"
    return Line(value, old.patient.name, was, will, words, change.reason)


def _page(asked: _Asked, refusal: RuleBroken | None = None) -> str:
    """The plan; after a refusal with the ticks as they were sent, and with what stands in the way."""
    changes: list[Change] = []
    if asked.happening is not None:
        plan = Replan(asked.happening, at=clock.now())
        changes = plan.changes()
        for change in changes:
            reading.note(AuditAction.PATIENT_READ, change.appointment.patient, actor_id=actor().id, page="replan")
    lines = [_line(change) for change in changes]
    shown = [
        Ghost(
            change.slot.session_number,
            change.appointment.patient.family_name,
            change.slot.chair.id,
            *_span(change.slot),
        )
        for change in changes
        if change.slot is not None and not change.is_nurse_alone
    ]
    first = times.local(asked.happening.starts_at, formats.zone.get()).date() if asked.happening else None
    return calendar_page(
        "scheduling/replan.html",
        week_asked(first),
        ghosts=shown,
        leaving={change.appointment.id for change in changes if change.slot is not None and not change.is_nurse_alone},
        asked=asked,
        form=asked.form,
        refusals=_refusals(refusal),
        standing=refusal.standing if isinstance(refusal, WouldBreak | ChairInUse) else (),
        spaced=refusal.lines if isinstance(refusal, _OutOfStep) else request.form.getlist("spaced"),
        override=None if refusal is None else override_offer(refusal),
        seen=refusal.key if isinstance(refusal, WouldBreak) else "",
        moves=[line for line in lines if line.value],
        stuck=[line for line in lines if not line.value],
        ticked=None if refusal is None else {*request.form.getlist("move"), request.form.get("fact", "")},
        here=url_for(".accept_replan", **_question()),
    )


class _OutOfStep(RuleBroken):
    """What is ticked leaves sessions of a course too near or too far from each other; `lines` say which."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("What is ticked breaks the order's spacing. Tick both, or do it all the same.")
        self.lines = list(lines)


def _refuse_out_of_step(moves: Sequence[Move]) -> None:
    """The order's spacing is a note, so that a person decides: it refuses until it was shown."""
    lines = out_of_step(moves)
    if not set(lines) <= set(request.form.getlist("spaced")):
        raise _OutOfStep(lines)


def _refusals(refusal: RuleBroken | None) -> list[str]:
    if isinstance(refusal, SlotsTaken):
        return [clash_words(each) for each in refusal.clashes]
    if isinstance(refusal, _OutOfStep):
        return [refusal.message, *refusal.lines]
    return [] if refusal is None else [refusal.message]


def _span(slot: Slot) -> tuple[Any, Any]:
    return slot.starts_at, slot.ends_at


def _question() -> dict[str, Any]:
    return {name: value for name, value in request.args.items() if name != "week"}


@bp.get("/calendar/replan")
@requires(Permission.BOOK)
def show_replan() -> ResponseReturnValue:
    return _page(_asked())


@bp.post("/calendar/replan")
@requires(Permission.BOOK)
def accept_replan() -> ResponseReturnValue:
    """Everything that is ticked, in one transaction; each appointment is looked at again, and the database judges."""
    asked = _asked()
    if asked.happening is None:
        return _page(asked), 422
    values = request.form.getlist("move")
    try:
        moves = _moves(values)
        _refuse_out_of_step(moves)
        fact = (
            asked.happening if request.form.get("fact") and isinstance(asked.happening, NurseOff | ChairOut) else None
        )
        seen, now = request.form.get("seen"), clock.now()
        carry_out(moves, fact, by=actor(), at=now, seen=seen, override=override_asked())
    except RuleBroken as refusal:
        return _page(asked, refusal), 422
    count = "1 appointment" if len(moves) == 1 else f"{len(moves)} appointments"
    words = f"Changed {count}." if moves else "Recorded."
    day = times.local(asked.happening.starts_at, formats.zone.get()).date()
    undo = url_for(".undo_replan", act=now.isoformat(), week=day)
    flash({"text": words, "undo_url": undo})  # type: ignore[arg-type] # a toast takes both
    return redirect(url_for(".show_calendar", week=day), 303)


@bp.post("/calendar/replan/undo")
@requires(Permission.BOOK)
def undo_replan() -> ResponseReturnValue:
    """What this person did of a plan at an instant, taken back as a whole."""
    try:
        act = datetime.fromisoformat(request.args.get("act", ""))
    except ValueError:
        abort(404)
    if act.tzinfo is None:
        abort(404)
    try:
        count = undo_plan(act, by=actor(), at=clock.now())
    except SlotsTaken as refusal:
        flash(f"Not undone. {clash_words(refusal.clashes[0])}", "warn")
    except RuleBroken as refusal:
        flash(f"Not undone. {refusal.message}", "warn")
    else:
        patients = "1 appointment is" if count == 1 else f"{count} appointments are"
        flash(f"Undone: {patients} as before again." if count else "Undone.")
    return redirect(url_for(".show_calendar", week=request.args.get("week")), 303)


def _moves(values: Sequence[str]) -> list[Move]:
    """The moves that were ticked, as the page showed them; one whose appointment changed since stops all."""
    if not values and not request.form.get("fact"):
        raise RuleBroken("Tick at least one move.")
    parts = [(*value.split("|"), *[""] * 6)[:6] for value in values]
    rows = queries_planning.appointments(found for part in parts if (found := _key(part[0])))
    chairs, people = {str(each.id): each for each in queries.chairs()}, {str(each.id): each for each in nurses()}
    moves = []
    for key, version, day, at, chair, nurse in parts:
        form = MoveForm(formdata=MultiDict({"day": day, "clock": at}))
        form.day.validate(form), form.clock.validate(form)
        each, start = rows.get(_key(key) or uuid.UUID(int=0)), instant_of(form.day, form.clock)
        if each is None or str(each.version) != version or start is None or chair not in chairs:
            name = each.patient.name if each else "One of them"
            raise RuleBroken(f"{name} has changed since this plan was made. Nothing was moved; look at it again.")
        end = start + (each.ends_at - each.starts_at)
        slot = Slot(each.session_number, chairs[chair], start, end, people.get(nurse), each.pump)
        moves.append(Move(each, slot, _reason(each)))
    return moves


def _reason(each: Appointment) -> str:
    return request.form.get(f"why-{each.id}", "").strip()[:200] or "New plan for the day"


def _key(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
