"""What a physician decides on reviewing a course: continue, adjust, hold, resume, discontinue, complete."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.core import clock, db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import drawn_version, same_patient
from clinic.courses import operations
from clinic.courses.forms import DECISION_WORDS, ReviewForm
from clinic.courses.models import Course
from clinic.courses.pages import STATUS_LOOKS, decisions_open
from clinic.courses.rules import CourseDecision
from clinic.courses.views import bp, found_course
from clinic.orders import queries as order_queries
from clinic.patients import pages as patient_pages
from clinic.protocols.terms import draft_of
from clinic.protocols.wording import sentence

_ENDS = {CourseDecision.DISCONTINUE, CourseDecision.COMPLETE}


def _review_page(course: Course, form: ReviewForm) -> str:
    standing = order_queries.current_version(course.order_id)
    return render_template(
        "courses/review.html",
        course=course,
        patient=course.patient,
        bar=patient_pages.bar(course.patient, now=clock.now()),
        form=form,
        look=STATUS_LOOKS[course.status],
        standing=standing,
        sentence=sentence(
            draft_of(standing.terms), drug_name=standing.terms.drug.name, weight_kg=standing.weight_used_kg
        )
        if standing
        else "",
        ends=[DECISION_WORDS[decision] for decision in decisions_open(course.status) if decision in _ENDS],
    )


@bp.get("/courses/<uuid:course_id>/review")
@requires(Permission.DECIDE_COURSE)
def show_review(course_id: uuid.UUID) -> ResponseReturnValue:
    course = found_course(course_id, "review")
    form = ReviewForm()
    form.offer(decisions_open(course.status))
    asked = request.args.get("decision", "")
    if asked in {str(decision) for decision in decisions_open(course.status)}:
        form.decision.data = asked  # the button that led here was the choice
    return _review_page(course, form)


@bp.post("/courses/<uuid:course_id>/review")
@requires(Permission.DECIDE_COURSE)
def review(course_id: uuid.UUID) -> ResponseReturnValue:
    course = found_course(course_id, "review")
    same_patient(course.patient_id)
    form = ReviewForm()
    # All six are taken here: whether one fits how the course stands by now is the rule's answer.
    form.offer(list(CourseDecision))
    if form.validate_on_submit():
        try:
            with db.session.begin_nested():
                _decide(course, form)
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash("Saved the decision.")
            if form.decision.data == CourseDecision.ADJUST:
                return redirect(url_for(".show_adjust", course_id=course.id), 303)
            return redirect(url_for("notes.show_course", course_id=course.id), 303)
    form.offer(decisions_open(course.status))
    return _review_page(course, form), 422


def _decide(course: Course, form: ReviewForm) -> None:
    decision = CourseDecision(form.decision.data)
    if decision in _ENDS and not form.is_dose_given.data:
        raise RuleBroken("Say whether any dose was given under this order.", field="is_dose_given")
    operations.review(
        course,
        decision,
        form.text.data,
        is_dose_given=form.is_dose_given.data == "yes",
        drawn_version=drawn_version(),
        by=actor(),
        at=clock.now(),
    )
