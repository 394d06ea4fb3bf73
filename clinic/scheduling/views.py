"""The calendar: the week by chairs, and what is waiting to be placed."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import queries as accounts
from clinic.accounts.current import actor
from clinic.accounts.models import Staff
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock, formats, times
from clinic.core.permissions import Permission, Role, requires
from clinic.courses import queries as courses
from clinic.courses.models import Course
from clinic.scheduling import queries
from clinic.scheduling.queries import CourseFacts
from clinic.scheduling.rules import sessions_to_book, week_of
from clinic.scheduling.week import Ghost, show_week

bp = Blueprint("scheduling", __name__)

_YEARS = range(1990, 2200)


@dataclass(frozen=True, slots=True)
class ToPlace:
    """A course whose sessions wait for times."""

    course: Course
    missing: int
    planned: int | None
    drug_name: str | None


def today() -> date:
    """The day on the clinic's wall."""
    return times.local(clock.now(), formats.zone.get()).date()


def week_asked(default: date | None = None) -> date:
    """A day of the week that the address asks for; this week, or that of `default`, when it asks for none."""
    text = request.args.get("week", "")
    if not text:
        return default or today()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        abort(400, "A week is asked for by one of its days, as in week=2025-11-17.")
    if day.year not in _YEARS:
        abort(400, "That week is too far away.")
    return day


def nurses() -> list[Staff]:
    """The people who can look after a patient in a chair."""
    return accounts.staff_in_role(Role.NURSE)


def sees_drugs() -> bool:
    """Whether this person may know what a patient is given; the desk may not."""
    return actor().may(Permission.READ_COURSE)


def course_words(course: Course, facts: CourseFacts | None) -> str:
    """`Ketamine course 1`, for the desk `Course 1`."""
    if facts and sees_drugs():
        return f"{facts.drug_name.capitalize()} course {course.number}"
    return f"Course {course.number}"


def calendar_page(
    template: str,
    day: date,
    *,
    ghosts: Sequence[Ghost] = (),
    leaving: Collection[uuid.UUID] = (),
    chosen_id: uuid.UUID | None = None,
    **context: Any,
) -> str:
    """The week of a day with a panel beside it."""
    week = show_week(
        day,
        now=clock.now(),
        sees_drugs=sees_drugs(),
        ghosts=ghosts,
        leaving=leaving,
        chosen_id=chosen_id,
    )
    return render_template(template, week=week, this_week=week_of(today()), turn=_turn, **context)


def _turn(day: date) -> str:
    """The address of the week of a day or instant. A page that was asked for keeps what it shows beside the week."""
    if isinstance(day, datetime):
        day = times.local(day, formats.zone.get()).date()
    if request.method != "GET":
        return url_for(".show_calendar", week=day)
    kept: dict[str, Any] = {name: value for name, value in request.args.items() if name != "week"}
    return url_for(str(request.endpoint), **(request.view_args or {}), **kept, week=day)


@bp.get("/calendar")
@requires(Permission.READ_CALENDAR)
def show_calendar() -> ResponseReturnValue:
    reading.note(AuditAction.BOARD_READ, None, actor_id=actor().id, page="calendar")
    return calendar_page("scheduling/calendar.html", week_asked(), to_place=_to_place())


def _to_place() -> list[ToPlace]:
    """The active courses with sessions that hold no time yet, the longest waiting first."""
    active = courses.bookable_courses()
    keys = [course.id for course in active]
    taken, facts = queries.numbers_taken_of(keys), queries.course_facts(keys)
    found = []
    for course in active:
        fact = facts.get(course.id)
        missing = sessions_to_book(fact.planned if fact else None, taken.get(course.id, set()))
        if missing:
            drug = fact.drug_name if fact and sees_drugs() else None
            found.append(ToPlace(course, len(missing), fact.planned if fact else None, drug))
    return found


from clinic.scheduling import (  # noqa: E402 they add their routes and their part of the chart
    patient_panel,  # noqa: F401
    views_appointment,  # noqa: F401
    views_availability,  # noqa: F401
    views_booking,  # noqa: F401
    views_clinicians,  # noqa: F401
    views_hours,  # noqa: F401
    views_lost,  # noqa: F401
    views_move,  # noqa: F401
    views_plans,  # noqa: F401
    views_policy,  # noqa: F401
    views_pumps,  # noqa: F401
    views_replan,  # noqa: F401
    views_rooms,  # noqa: F401
    views_shifts,  # noqa: F401
    views_skills,  # noqa: F401
    views_waiting,  # noqa: F401
)
