"""The panel "Book a course": ranked proposals, each session to be changed by hand; all that is accepted, or none."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock, formats, times
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import same_patient
from clinic.scheduling import operations, queries
from clinic.scheduling.availability import said_by
from clinic.scheduling.booking import (
    Plan,
    due_days,
    ghosts,
    next_due,
    plan_of,
    remarks,
    show_clashes,
    wished_slots,
    wished_words,
)
from clinic.scheduling.course_request import Ask, Part
from clinic.scheduling.forms import BookingForm, PatternForm, booking_form, chair_choices, nurse_choices
from clinic.scheduling.operations import Slot, SlotsTaken
from clinic.scheduling.overriding import Offer, override_asked, override_offer
from clinic.scheduling.proposal_words import Option, options
from clinic.scheduling.proposals import Desk
from clinic.scheduling.rules import every_so_many_days
from clinic.scheduling.views import bp, calendar_page, course_words, nurses, week_asked

_LONGEST_GAP = 400
_LONGEST_SESSION = 24 * 60
_KEPT = ("order", "course", "apart", "length", "part", "proposal")
_PARTS = {Part.MORNINGS.value: "Mornings", "": "Any time", Part.AFTERNOONS.value: "Afternoons"}


@dataclass(slots=True)
class _Panel:
    """What one request shows: the rows with what they hold, the proposals, and what is offered for refused rows."""

    plan: Plan
    form: BookingForm
    pattern: PatternForm
    slots: list[Slot] = field(default_factory=list)
    offered: list[Option] = field(default_factory=list)
    chosen: Option | None = None
    instead: list[Slot] = field(default_factory=list)
    is_edited: bool = True
    override: Offer | None = None

    def page(self) -> str:
        """The calendar with the panel, each wished time in the grid and each row with what is to know about it."""
        course = self.plan.course
        shown = [*(slot for slot in self.slots if slot.session_number not in self._refused()), *self.instead]
        first = min((slot.starts_at for slot in shown), default=None)
        return calendar_page(
            "scheduling/book.html",
            week_asked(_day(first) if first else None),
            ghosts=ghosts(self.plan, shown),
            plan=self.plan,
            form=self.form,
            pattern=self.pattern,
            remarks=remarks(self.plan, self.slots),
            filled=len(self.slots),
            next_due=next_due(self.plan),
            course_words=course_words(course, queries.course_facts([course.id]).get(course.id)),
            offered=self.offered,
            chosen=self.chosen,
            slots=self.slots,
            is_edited=self.is_edited,
            override=self.override,
            instead=[(slot, wished_words(slot)) for slot in self.instead],
            instead_rows=_typed_rows(self.form, self.slots, self.instead),
            half=request.args.get("part", ""),
            parts=[(key, words, _address(part=key or None, proposal=None)) for key, words in _PARTS.items()],
            proposal_url=lambda key: _address(proposal=key),
            edit_url=_address(edit=1),
        )

    def _refused(self) -> set[int]:
        return {slot.session_number for slot in self.instead}


def _typed_rows(form: BookingForm, slots: list[Slot], instead: list[Slot]) -> dict[str, str]:
    """The fields that book the other places together with the rows that were not refused."""
    if not instead:
        return {}
    rows = {slot.session_number: slot for slot in [*slots, *instead]}
    typed = {"length": str(form.length.data)} if form.length else {}
    for number, slot in rows.items():
        typed[f"day_{number}"] = formats.day(slot.starts_at)
        typed[f"clock_{number}"] = f"{times.local(slot.starts_at, formats.zone.get()):%H:%M}"
        typed[f"chair_{number}"] = str(slot.chair.id)
        typed[f"nurse_{number}"] = str(slot.nurse.id) if slot.nurse else ""
    return typed


def _address(**changed: Any) -> str:
    """This page asked in another way; the week is that of the first session again."""
    kept: dict[str, Any] = {name: value for name, value in request.args.items() if name in _KEPT}
    return url_for(".show_booking", **(kept | changed))


def _asked_plan() -> Plan:
    order, course_key = request.args.get("order"), request.args.get("course", "")
    try:
        key = uuid.UUID(order or course_key)
    except ValueError:
        abort(404)
    course = queries.course_to_book(key, is_order=bool(order)) or abort(404)
    reading.note(AuditAction.PATIENT_READ, course.patient, actor_id=actor().id, page="booking")
    plan = plan_of(course)
    refusal = operations.order_refusal(course, wished=1, on=_day(clock.now())) if plan.numbers else None
    return replace(plan, refusal=refusal)


def _forms(plan: Plan, formdata: Mapping[str, Any] | None, *, is_post: bool) -> tuple[BookingForm, PatternForm]:
    """The rows and the pattern; on a post what was typed, for sessions that have a time meanwhile too."""
    chairs, people = queries.chairs(), nurses()
    pattern = PatternForm(formdata=formdata)
    pattern.chair.choices, pattern.nurse.choices = chair_choices(chairs), nurse_choices(people)
    typed = {each.session_number for each in plan.standing if request.form.get(f"day_{each.session_number}")}
    form = booking_form(
        sorted({*plan.numbers, *typed}) if is_post else plan.numbers,
        chair_choices(chairs),
        nurse_choices(people),
        asks_length=plan.length_min is None,
        **({} if is_post else {"formdata": None}),
    )
    return form, pattern


def _whole(name: str, most: int) -> int | None:
    """A whole number of the address; None for anything else."""
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and 0 < int(text) <= most else None


def _ask(plan: Plan, length_min: int) -> Ask:
    part = request.args.get("part", "")
    return Ask(
        terms=plan.terms,
        length_min=length_min,
        apart_days=_whole("apart", _LONGEST_GAP),
        part=Part(part) if part in list(Part) else None,
        first=plan.valid_from,
        last=plan.valid_until,
        said=said_by(plan.course.patient_id),
    )


def _desk(plan: Plan, length_min: int) -> Desk:
    return Desk(plan, _ask(plan, length_min), at=clock.now())


def _day(instant: datetime) -> date:
    return times.local(instant, formats.zone.get()).date()


@bp.get("/calendar/book")
@requires(Permission.BOOK)
def show_booking() -> ResponseReturnValue:
    if not (request.args.get("order") or request.args.get("course")):
        return redirect(url_for(".show_calendar"))  # what can be booked is listed there
    plan = _asked_plan()
    is_pattern = bool(request.args.get("first"))
    form, pattern = _forms(plan, request.args if is_pattern else None, is_post=False)
    panel = _Panel(plan, form, pattern)
    if is_pattern:
        if pattern.validate():
            _fill_by_pattern(panel)
    elif plan.numbers and not plan.refusal:
        _fill_by_proposal(panel)
    return panel.page()


def _fill_by_proposal(panel: _Panel) -> None:
    """Fill the rows with the proposal that was asked for, else the best one."""
    plan, length = panel.plan, panel.plan.length_min or _whole("length", _LONGEST_SESSION)
    if length is None:
        return
    if panel.form.length:
        panel.form.length.data = length
    desk = _desk(plan, length)
    panel.offered = options(desk.proposals(), desk.frame)
    key = request.args.get("proposal")
    panel.chosen = next((each for each in panel.offered if each.key == key), None) or next(iter(panel.offered), None)
    if panel.chosen is not None:
        panel.slots = list(panel.chosen.slots)
        panel.form.fill_with(panel.slots)
        panel.is_edited = bool(request.args.get("edit")) or not panel.slots


def _fill_by_pattern(panel: _Panel) -> None:
    """Fill the rows with what the pattern says, else with the days that the order expects."""
    plan, pattern = panel.plan, panel.pattern
    first, apart = pattern.first.data or date.max, pattern.apart.data
    if not apart and not (plan.terms and plan.terms.spacing):
        pattern.apart.errors = ["Enter the days apart: the order does not say how the sessions follow"]
        return
    try:
        panel.form.fill(
            every_so_many_days(first, int(apart), len(plan.numbers)) if apart else due_days(plan, first), pattern
        )
    except OverflowError:
        pattern.first.errors = ["Enter a date of this century"]
    panel.slots, _ = wished_slots(panel.form, plan, queries.chairs(), nurses())


@bp.post("/calendar/book")
@requires(Permission.BOOK)
def book_course() -> ResponseReturnValue:
    plan = _asked_plan()
    same_patient(plan.course.patient_id)
    form, pattern = _forms(plan, None, is_post=True)
    is_valid = form.validate()
    slots, is_whole = wished_slots(form, plan, queries.chairs(), nurses())
    panel = _Panel(plan, form, pattern, slots)
    # "Look at the dates" draws the page again with every spacing, and books nothing.
    if is_valid and is_whole and request.form.get("act") != "look":
        try:
            made = operations.book(plan.course, slots, by=actor(), at=clock.now(), override=override_asked())
        except RuleBroken as refusal:
            form.refuse(refusal)
            panel.override = override_offer(refusal)
            if isinstance(refusal, SlotsTaken):
                show_clashes(form, refusal.clashes)
                panel.instead = _next_best(plan, slots, refusal)
        else:
            _say_booked(plan, slots)
            return redirect(url_for(".show_calendar", week=_day(made[0].starts_at)), 303)
    return panel.page(), 422


def _next_best(plan: Plan, slots: list[Slot], refusal: SlotsTaken) -> list[Slot]:
    """Other places for the sessions that collided, while the rest of what was wished stays."""
    length = plan.length_min or int((slots[0].ends_at - slots[0].starts_at).total_seconds()) // 60
    return _desk(plan, length).instead(slots, {clash.slot.session_number for clash in refusal.clashes})


def _say_booked(plan: Plan, slots: list[Slot]) -> None:
    count = "1 session" if len(slots) == 1 else f"{len(slots)} sessions"
    notes = [
        f"session {number} is {note}" if not note[0].isupper() else f"session {number}: {note}"
        for number, remark in remarks(plan, slots).items()
        for note in remark.notes
    ]
    left = len(plan.numbers) - len(slots)
    if plan.planned and left > 0:
        notes.append(f"{left} to place")
    flash(f"Booked {count}; {', '.join(notes)}." if notes else f"Booked {count}.", "warn" if notes else "message")
