"""Planning a month: ask for a plan of many waiting courses, watch it, stop it, accept all or some of it."""

import hashlib
import os
import uuid
from collections.abc import Iterable

from flask import Response, abort, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock, later
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.courses.models import Course
from clinic.scheduling import operations_plans, plan_work, queries, queries_plans
from clinic.scheduling.booking import clash_words
from clinic.scheduling.forms_plans import PlanForm
from clinic.scheduling.models_plans import MonthPlan
from clinic.scheduling.operations_plans import Refused
from clinic.scheduling.plan_pages import PlanPage, plan_page
from clinic.scheduling.planning import waiting_courses
from clinic.scheduling.views import bp, course_words, today


def _page(form: PlanForm | None = None, *, ticked: set[str] | None = None) -> str:
    reading.note(AuditAction.BOARD_READ, None, actor_id=actor().id, page="month plan")
    courses, page = waiting_courses(), _last()
    return render_template(
        "scheduling/month_plan.html",
        page=page,
        courses=courses,
        words=_words([*(each.course for each in courses), *_courses(page)]),
        form=form,
        plan_form=form or PlanForm(formdata=None),
        ticked=ticked,
    )


def _last() -> PlanPage | None:
    plan = queries_plans.last_plan()
    return plan_page(plan, now=clock.now()) if plan else None


def _courses(page: PlanPage | None) -> list[Course]:
    return [each.course for each in page.courses] if page else []


def _words(courses: Iterable[Course]) -> dict[uuid.UUID, str]:
    """What each course is called, by key."""
    by_key = {course.id: course for course in courses}
    facts = queries.course_facts(by_key)
    return {key: course_words(course, facts.get(key)) for key, course in by_key.items()}


def _asked(plan_id: uuid.UUID) -> MonthPlan:
    return queries_plans.plan(plan_id) or abort(404)


@bp.get("/calendar/month-plan")
@requires(Permission.BOOK)
def show_month_plan() -> ResponseReturnValue:
    return _page()


@bp.get("/calendar/month-plan/<uuid:plan_id>/progress")
@requires(Permission.BOOK)
def refresh_month_plan(plan_id: uuid.UUID) -> ResponseReturnValue:
    """The plan alone, for a page that keeps itself fresh; 304 while nothing has changed."""
    plan = _asked(plan_id)
    page = plan_page(plan, now=clock.now())
    parts = (plan.id, page.status, plan.percent, plan.is_stop_asked, page.placed, page.to_accept)
    tag = hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:32]
    if request.if_none_match.contains_weak(tag):
        answer = Response(status=304)
    else:
        reading.note(AuditAction.BOARD_READ, None, actor_id=actor().id, page="month plan")
        answer = make_response(render_template("scheduling/_month_plan.html", page=page, words=_words(_courses(page))))
    answer.set_etag(tag, weak=True)
    return answer


@bp.post("/calendar/month-plan/start")
@requires(Permission.BOOK)
def start_month_plan() -> ResponseReturnValue:
    form, chosen = PlanForm(), set(request.form.getlist("course"))
    if form.validate() and form.last.data:
        wanted = [each for each in waiting_courses() if str(each.course.id) in chosen]
        try:
            operations_plans.ask(
                wanted, first=today(), last=form.last.data, seconds=int(form.seconds.data), by=actor(), at=clock.now()
            )
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            _start()
            return redirect(url_for(".show_month_plan"), 303)
    return _page(form, ticked=chosen), 422


def _start() -> None:
    """Once the plan is kept, a process of its own begins it; unless the clinic runs one all the time."""
    if current_app.config["STARTS_PLANS"]:
        environment = {**os.environ, "DATABASE_URL": current_app.config["DATABASE_URL"]}
        later.do(lambda: plan_work.start_apart(environment))


@bp.post("/calendar/month-plan/<uuid:plan_id>/stop")
@requires(Permission.BOOK)
def stop_month_plan(plan_id: uuid.UUID) -> ResponseReturnValue:
    operations_plans.stop(_asked(plan_id), by=actor(), at=clock.now())
    return redirect(url_for(".show_month_plan"), 303)


@bp.post("/calendar/month-plan/<uuid:plan_id>/accept")
@requires(Permission.BOOK)
def accept_month_plan(plan_id: uuid.UUID) -> ResponseReturnValue:
    """Every session that is ticked and can be booked; what collides stays in the list with what stands there."""
    plan = _asked(plan_id)
    sessions, courses = set(request.form.getlist("session")), set(request.form.getlist("course"))
    rows = [row for row in queries_plans.planned(plan.id) if str(row.id) in sessions or str(row.course_id) in courses]
    try:
        booked, refused = operations_plans.accept(plan, rows, by=actor(), at=clock.now())
    except RuleBroken as refusal:
        flash(refusal.message, "warn")
        return redirect(url_for(".show_month_plan"), 303)
    operations_plans.keep_refusals({each.row: _why(each) for each in refused})
    if booked:
        flash(f"Booked {_sessions(len(booked))}.")
    if refused:
        flash(f"{_sessions(len(refused)).capitalize()} not booked: the list says why.", "warn")
    return redirect(url_for(".show_month_plan"), 303)


def _why(refused: Refused) -> str:
    return clash_words(refused.clash) if refused.clash else refused.message


def _sessions(count: int) -> str:
    return "1 session" if count == 1 else f"{count} sessions"
