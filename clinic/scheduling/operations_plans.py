"""A plan of many courses: asked for, worked on by a process of its own, stopped, and accepted in whole or in part.

The process reads, then searches without a transaction, and in between says in short ones how far it has come. Each of
them changes the plan only while it is still at work, so a process that was thought lost changes nothing afterwards.
"""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.courses.models import Course
from clinic.scheduling import queries, queries_plans
from clinic.scheduling.locking import lock_in_order
from clinic.scheduling.models_plans import MonthPlan, PlannedSession
from clinic.scheduling.operations import Clash, Slot, SlotsTaken, book
from clinic.scheduling.plan_rules import AT_WORK, MOST_DAYS, SILENT_AFTER, PlanStatus
from clinic.scheduling.planning import Found, Key, Waiting


def ask(wanted: Sequence[Waiting], *, first: date, last: date, seconds: int, by: Staff, at: datetime) -> MonthPlan:
    """Ask for a plan of the sessions that wait. One at a time: a second is refused while one is at work.

    A course whose order does not say how long a session takes is left out: nobody guesses it.
    """
    with_length = [each for each in wanted if each.minutes]
    if not with_length:
        raise RuleBroken("Choose at least one course.", field="courses")
    if last < first:
        raise RuleBroken("The last day lies before today.", field="last")
    if (last - first).days > MOST_DAYS:
        raise RuleBroken("Choose a day within a year.", field="last")
    _give_up_silent(at)
    plan = MonthPlan(
        first_on=first,
        last_on=last,
        seconds=seconds,
        asked_at=at,
        asked_by_id=by.id,
        status=PlanStatus.ASKED,
        heard_at=at,
        percent=0,
        is_stop_asked=False,
    )
    try:
        with db.session.begin_nested():
            db.session.add(plan)
            db.session.flush()  # a plan that is at work shows here
    except IntegrityError as error:
        raise RuleBroken("A plan is at work already. Wait for it, or stop it.") from error
    for each in with_length:
        db.session.add_all(
            PlannedSession(
                plan_id=plan.id,
                patient_id=each.course.patient_id,
                course_id=each.course.id,
                session_number=number,
                minutes=each.minutes,
            )
            for number in each.numbers
        )
    _record(plan, by=by, at=at)
    return plan


def _give_up_silent(at: datetime) -> None:
    """A plan whose process went away has ended; its best plan so far stays."""
    db.session.execute(
        sa.update(MonthPlan)
        .where(MonthPlan.status.in_(AT_WORK), MonthPlan.heard_at < at - SILENT_AFTER)
        .values(status=PlanStatus.BROKEN, ended_at=at)
    )


def stop(plan: MonthPlan, *, by: Staff, at: datetime) -> None:
    """Ask the process to end; what it has found stays. A plan that nobody works on ends at once."""
    _give_up_silent(at)
    changed = db.session.execute(
        sa.update(MonthPlan)
        .where(MonthPlan.id == plan.id, MonthPlan.status == PlanStatus.ASKED)
        .values(status=PlanStatus.STOPPED, ended_at=at, is_stop_asked=True)
    )
    if not changed.rowcount:  # type: ignore[attr-defined] # an UPDATE counts its rows
        db.session.execute(
            sa.update(MonthPlan)
            .where(MonthPlan.id == plan.id, MonthPlan.status == PlanStatus.RUNNING)
            .values(is_stop_asked=True)
        )
    db.session.refresh(plan)
    _record(plan, by=by, at=at)


def _record(plan: MonthPlan, *, by: Staff, at: datetime) -> None:
    audit.record(
        AuditAction.PLAN_CHANGED,
        plan,
        actor_id=by.id,
        at=at,
        status=plan.status,
        first_on=plan.first_on,
        last_on=plan.last_on,
        seconds=plan.seconds,
        is_stop_asked=plan.is_stop_asked,
    )


# --- the process -----------------------------------------------------------------------------------------------------


def begin(plan: MonthPlan, *, at: datetime) -> bool:
    """Take a plan that nobody has begun. False when somebody else was faster, or it was stopped."""
    return _change(plan.id, PlanStatus.ASKED, status=PlanStatus.RUNNING, heard_at=at)


def go_on(plan_id: uuid.UUID, percent: int, found: Mapping[Key, Found] | None, *, at: datetime) -> bool:
    """Say how far the search has come, with a better plan if there is one. False when it shall end."""
    if not _change(plan_id, PlanStatus.RUNNING, percent=percent, heard_at=at):
        return False
    if found is not None:
        _keep(plan_id, found)
    return not db.session.scalar(sa.select(MonthPlan.is_stop_asked).where(MonthPlan.id == plan_id))


def end(plan_id: uuid.UUID, status: PlanStatus, found: Mapping[Key, Found] | None, *, at: datetime) -> None:
    """Keep the best plan; nothing of it is booked."""
    share = {"percent": 100} if status is PlanStatus.FINISHED else {}
    if _change(plan_id, PlanStatus.RUNNING, status=status, ended_at=at, heard_at=at, **share) and found is not None:
        _keep(plan_id, found)


def _change(plan_id: uuid.UUID, was: PlanStatus, **values: object) -> bool:
    changed = db.session.execute(
        sa.update(MonthPlan).where(MonthPlan.id == plan_id, MonthPlan.status == was).values(**values)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined] # an UPDATE counts its rows


def _keep(plan_id: uuid.UUID, found: Mapping[Key, Found]) -> None:
    for row in queries_plans.planned(plan_id):
        place = found.get((row.course_id, row.session_number), Found())
        row.chair_id, row.nurse_id, row.starts_at = place.chair_id, place.nurse_id, place.starts_at
        row.in_the_way = place.in_the_way
    db.session.flush()  # a place that cannot be kept shows here


# --- acceptance ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Refused:
    """A session of a plan that was not booked: what collided with it, or why it could not be tried."""

    row: PlannedSession
    clash: Clash | None = None
    message: str = ""


def accept(
    plan: MonthPlan, rows: Sequence[PlannedSession], *, by: Staff, at: datetime
) -> tuple[list[PlannedSession], list[Refused]]:
    """Book the chosen sessions of a plan: each that can be, and for each that cannot, why.

    The operation of the desk books them and the database judges. What collides keeps none of the others away: the rest
    of its course is booked all the same, and the session stays to place.
    """
    db.session.refresh(plan)
    if plan.ended_at is None:
        raise RuleBroken("This plan is still at work. Stop it first; the best plan so far is kept.")
    chairs, nurses = queries_plans.chairs_of(rows), queries_plans.nurses_of(rows)
    wishes: dict[uuid.UUID, list[_Wish]] = defaultdict(list)
    for row in rows:
        if row.chair_id and row.starts_at and row.appointment_id is None:
            until = row.starts_at + timedelta(minutes=row.minutes)
            nurse = nurses.get(row.nurse_id) if row.nurse_id else None
            slot = Slot(row.session_number, chairs[row.chair_id], row.starts_at, until, nurse)
            wishes[row.course_id].append(_Wish(row, slot))
    if not wishes:
        raise RuleBroken("Tick at least one session.")
    lock_in_order(
        chairs=set(chairs), patients={row.patient_id for row in rows}, courses=set(wishes), nurses=set(nurses)
    )
    courses = queries_plans.courses_of(rows)
    booked: list[PlannedSession] = []
    refused: list[Refused] = []
    for key, mine in wishes.items():
        made, left = _book(courses[key], mine, by=by, at=at)
        booked += made
        refused += left
    return booked, refused


class _Wish(NamedTuple):
    row: PlannedSession
    slot: Slot


def _book(
    course: Course, wishes: Sequence[_Wish], *, by: Staff, at: datetime
) -> tuple[list[PlannedSession], list[Refused]]:
    """What can be booked of one course; what collides is left out and told."""
    taken = queries.numbers_taken(course.id)
    refused, left = [], []
    for wish in wishes:
        message = _passed(wish, taken, at)
        refused += [Refused(wish.row, message=message)] if message else []
        left += [] if message else [wish]
    while left:
        try:
            made = book(course, [wish.slot for wish in left], by=by, at=at)
        except SlotsTaken as refusal:
            clashes = {clash.slot.session_number: clash for clash in refusal.clashes}
            refused += [Refused(row, clashes[row.session_number]) for row, _ in left if row.session_number in clashes]
            left = [wish for wish in left if wish.row.session_number not in clashes]
        except RuleBroken as refusal:
            return [], [*refused, *(Refused(row, message=refusal.message) for row, _ in left)]
        else:
            keys = {each.session_number: each.id for each in made}
            for row, _ in left:
                row.appointment_id = keys[row.session_number]
            return [row for row, _ in left], refused
    return [], refused


def _passed(wish: _Wish, taken: set[int], at: datetime) -> str:
    if wish.row.session_number in taken:
        return "It has a time already."
    return "This time has passed." if wish.slot.starts_at < at else ""


def keep_refusals(words: Mapping[PlannedSession, str]) -> None:
    """Keep beside each session that was not booked what stood in its way."""
    for row, why in words.items():
        row.in_the_way = why
    db.session.flush()  # what is shown next is read from the database
