"""The panel "Book a course": rows to fill, by hand or by a pattern, then all of them or none."""

import uuid
from datetime import date, datetime

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.accounts.models import Staff
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock, formats, times
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import same_patient
from clinic.scheduling import operations, queries
from clinic.scheduling.booking import Plan, due_days, ghosts, next_due, plan_of, remarks, show_clashes, wished_slots
from clinic.scheduling.forms import BookingForm, PatternForm, booking_form, chair_choices, nurse_choices
from clinic.scheduling.models import Chair
from clinic.scheduling.operations import Slot, SlotsTaken
from clinic.scheduling.rules import every_so_many_days
from clinic.scheduling.views import bp, calendar_page, course_words, nurses, week_asked


class _Desk:
    """What one request needs to fill the panel: the course, its rows, the chairs and nurses to choose from."""

    def __init__(self, plan: Plan, *, is_post: bool) -> None:
        self.plan = plan
        self.chairs: list[Chair] = queries.chairs()
        self.nurses: list[Staff] = nurses()
        self.slots: list[Slot] = []
        asked = request.args if not is_post and request.args.get("first") else None
        self.pattern = PatternForm(formdata=asked)
        self.pattern.chair.choices = chair_choices(self.chairs)
        self.pattern.nurse.choices = nurse_choices(self.nurses)
        options = {} if is_post else {"formdata": None}
        self.form: BookingForm = booking_form(
            sorted({*plan.numbers, *_numbers_typed(plan)}) if is_post else plan.numbers,
            chair_choices(self.chairs),
            nurse_choices(self.nurses),
            asks_length=plan.length_min is None,
            **options,
        )
        if asked and self.pattern.validate():
            self._fill()
        else:
            self.is_ready = is_post and self.form.validate()
        self.slots, is_whole = wished_slots(self.form, plan, self.chairs, self.nurses)
        self.is_ready = is_post and self.is_ready and is_whole

    def _fill(self) -> None:
        """Fill the rows with what the pattern says, else with the days that the order expects."""
        first, apart = self.pattern.first.data or date.max, self.pattern.apart.data
        if not apart and not (self.plan.terms and self.plan.terms.spacing):
            self.pattern.apart.errors = ["Enter the days apart: the order does not say how the sessions follow"]
            return
        try:
            self.form.fill(
                every_so_many_days(first, int(apart), len(self.plan.numbers)) if apart else due_days(self.plan, first),
                self.pattern,
            )
        except OverflowError:
            self.pattern.first.errors = ["Enter a date of this century"]

    def page(self) -> str:
        """The calendar with the panel, each wished time in the grid and each row with what is to know about it."""
        course = self.plan.course
        first = min((slot.starts_at for slot in self.slots), default=None)
        return calendar_page(
            "scheduling/book.html",
            week_asked(_day(first) if first else None),
            ghosts=ghosts(self.plan, self.slots),
            plan=self.plan,
            form=self.form,
            pattern=self.pattern,
            remarks=remarks(self.plan, self.slots),
            filled=len(self.slots),
            next_due=next_due(self.plan),
            course_words=course_words(course, queries.course_facts([course.id]).get(course.id)),
        )


def _numbers_typed(plan: Plan) -> set[int]:
    """Rows that were drawn before somebody else gave their session a time: what was typed there is kept."""
    return {each.session_number for each in plan.standing if request.form.get(f"day_{each.session_number}")}


def _day(instant: datetime) -> date:
    return times.local(instant, formats.zone.get()).date()


def _asked_plan() -> Plan:
    try:
        course_id = uuid.UUID(request.args.get("course", ""))
    except ValueError:
        abort(404)
    course = queries.course_to_book(course_id) or abort(404)
    reading.note(AuditAction.PATIENT_READ, course.patient, actor_id=actor().id, page="booking")
    return plan_of(course)


@bp.get("/calendar/book")
@requires(Permission.BOOK)
def show_booking() -> ResponseReturnValue:
    if not request.args.get("course"):
        return redirect(url_for(".show_calendar"))  # what can be booked is listed there
    return _Desk(_asked_plan(), is_post=False).page()


@bp.post("/calendar/book")
@requires(Permission.BOOK)
def book_course() -> ResponseReturnValue:
    plan = _asked_plan()
    same_patient(plan.course.patient_id)
    desk = _Desk(plan, is_post=True)
    # "Look at the dates" draws the page again with every spacing, and books nothing.
    if desk.is_ready and request.form.get("act") != "look":
        try:
            made = operations.book(plan.course, desk.slots, by=actor(), at=clock.now())
        except RuleBroken as refusal:
            desk.form.refuse(refusal)
            if isinstance(refusal, SlotsTaken):
                show_clashes(desk.form, refusal.clashes)
        else:
            _say_booked(plan, desk.slots)
            return redirect(url_for(".show_calendar", week=_day(made[0].starts_at)), 303)
    return desk.page(), 422


def _say_booked(plan: Plan, slots: list[Slot]) -> None:
    count = "1 session" if len(slots) == 1 else f"{len(slots)} sessions"
    notes = [
        f"session {number} is {note}" if not note[0].isupper() else f"session {number}: {note}"
        for number, remark in remarks(plan, slots).items()
        for note in remark.notes
    ]
    flash(f"Booked {count}; {', '.join(notes)}." if notes else f"Booked {count}.", "warn" if notes else "message")
