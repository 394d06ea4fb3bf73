"""The review of a course: what was given, how it was borne, what was decided, and what comes next."""

import uuid
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm.exc import StaleDataError

from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock, db, pdf
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import drawn_version, onward, place_in_inbox, same_patient
from clinic.courses import operations as courses
from clinic.courses import queries as course_queries
from clinic.courses.models import Course
from clinic.courses.pages import DECISION_DOES, DECISION_WORDS, STATUS_LOOKS, decisions_open
from clinic.courses.pages_cosign import need_of
from clinic.courses.rules import CourseDecision, bookings_after
from clinic.notes.course_review import CourseReview, course_review, table_columns, table_rows
from clinic.notes.decisions import decide, seen
from clinic.notes.forms import DecisionForm, NextOrderForm
from clinic.notes.models import Note
from clinic.notes.next_order import next_form, next_order, offered, tell_both, write
from clinic.notes.operations import seen_content, signed_after
from clinic.notes.printed import course_content
from clinic.notes.views_shared import bp, link, zone
from clinic.orders.facing import clinic_day
from clinic.orders.models import OrderVersion
from clinic.orders.rules import OrderStatus
from clinic.orders.usage import ending_of
from clinic.outcomes.chart import BESIDE
from clinic.outcomes.pages import charts
from clinic.outcomes.wording import score_lines
from clinic.protocols import comparison, wording
from clinic.protocols import queries as protocol_queries
from clinic.protocols.terms import draft_of
from clinic.sessions.pages_patient import patient_bar
from clinic.signatures.printing import printed
from clinic.signatures.rules import seen_code

_MOVED_ON = "Somebody else wrote or signed a version meanwhile. Nothing of yours was signed or saved."


def _decision_form(course: Course, *, is_sent: bool = True) -> DecisionForm | None:
    """The form for a decision, for those who may decide while something can be decided."""
    if not actor().may(Permission.DECIDE_COURSE) or not decisions_open(course.status):
        return None
    form = DecisionForm() if is_sent else DecisionForm(formdata=None)
    form.offer(decisions_open(course.status))
    return form


def _sentence(version: OrderVersion | None) -> str:
    if version is None:
        return ""
    return wording.sentence(
        draft_of(version.terms), drug_name=version.terms.drug.name, weight_kg=version.weight_used_kg
    )


def _context(course: Course) -> dict[str, Any]:
    """What the page and the paper show of a course."""
    now = clock.now()
    review = course_review(course, actor(), zone=zone(), now=now)
    may_sign = actor().may(Permission.COSIGN_NOTE)
    versions = course.order.versions
    return {
        "course": course,
        "review": review,
        "drug": versions[-1].terms.drug.name if versions else "infusion",
        "bar": patient_bar(course.patient, weight=None, chair=None, now=now, zone=zone()),
        "columns": table_columns(review, zone=zone(), now=now, address=_session_address),
        "rows": table_rows(review, address=_sign_address if may_sign else lambda _note: None),
        "order": _sentence(review.version),
        "plan": _plan(review),
        "may_sign": may_sign,
        "look": STATUS_LOOKS[course.status],
        "DECISION_WORDS": DECISION_WORDS,
    }


def _draw(course: Course, form: DecisionForm | None, written: NextOrderForm | None = None) -> str:
    reading.note(AuditAction.COURSE_READ, course, actor_id=actor().id, page="course review")
    context = _context(course)
    review: CourseReview = context["review"]
    following = None
    if review.version is not None and offered(course, review, actor().may(Permission.DRAFT_ORDER)):
        following = next_order(review, review.version, written or next_form(review, review.version, is_sent=False))
    return render_template(
        "notes/course.html",
        **context,
        following=following,
        need=need_of(actor()) if following else None,
        inbox=place_in_inbox(),
        draft=_sentence(review.draft),
        changes=_changes(review),
        in_use=protocol_queries.number_in_use(course.protocol_version.protocol_id),
        scores=score_lines(review.results),
        score_charts=charts(review.results, review.given_at, zone=zone(), width=BESIDE),
        form=form,
        decisions=decisions_open(course.status),
        DECISION_DOES=DECISION_DOES,
        chosen=_chosen(form),
        seen=seen(course, review.booked),
        order_stands=_order_stands(review),
        to_sign=[(note, signed_after(note), seen_code(seen_content(note))) for note in review.to_sign],
        link=link,
    )


def _order_stands(review: CourseReview) -> str:
    """How the version on the page stands today: "in force", "on hold", "expired"."""
    if review.version is None:
        return ""
    ended = ending_of(review.version, clinic_day(clock.now()))
    words = (ended or review.version.status).value.replace("-", " ")
    return "in force" if words == OrderStatus.ACTIVE else words


def _chosen(form: DecisionForm | None) -> dict[str, Any] | None:
    """The decision that the form is drawn for, with what becomes of the booked sessions; None before one is chosen."""
    if form is None or form.decision.data not in set(CourseDecision):
        return None
    return {"decision": form.chosen(), "bookings": bookings_after(form.chosen())}


def _changes(review: CourseReview) -> list[comparison.Difference]:
    """What the draft changes against the version in force."""
    if review.version is None or review.draft is None:
        return []
    before, after = review.version.terms, review.draft.terms
    return comparison.differences(
        draft_of(before), draft_of(after), drugs=(wording.drug_text(before.drug), wording.drug_text(after.drug))
    )


def _plan(review: CourseReview) -> str:
    version = review.version or review.draft
    return wording.plan_text(draft_of(version.terms)) if version else ""


def _session_address(infusion_id: uuid.UUID) -> str | None:
    return link("sessions.show_session", infusion_id=infusion_id)


def _sign_address(note: Note) -> str:
    return url_for(".show_item", item_id=note.id)


@bp.get("/courses/<uuid:course_id>")
@requires(Permission.READ_COURSE)
def show_course(course_id: uuid.UUID) -> ResponseReturnValue:
    """A course with all its sessions, its order and what was decided about it."""
    course = course_queries.review_page(course_id) or abort(404)
    form = _decision_form(course)
    if form is not None and request.args.get("decision") in decisions_open(course.status):
        form.decision.data = request.args["decision"]  # the button that led here was the choice
    return _draw(course, form)


@bp.post("/courses/<uuid:course_id>/reviews")
@requires(Permission.DECIDE_COURSE)
def decide_course(course_id: uuid.UUID) -> ResponseReturnValue:
    """Write down what the physician decided, and why; course and order follow."""
    course = course_queries.review_page(course_id) or abort(404)
    same_patient(course.patient_id)
    form = DecisionForm()
    form.offer(CourseDecision)  # whether it fits how the course stands by now is the rule's answer
    if form.validate_on_submit():
        try:
            with db.session.begin_nested():
                _decide(course, form)
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash(f"Decided: {DECISION_WORDS[form.chosen()].lower()}")
            if form.chosen() is CourseDecision.ADJUST:  # the next order is written on the same page
                inbox = place_in_inbox()
                return redirect(url_for(".show_course", course_id=course_id, inbox=inbox, _anchor="next-order"), 303)
            return redirect(onward(url_for(".show_course", course_id=course_id)), 303)
    form.offer(decisions_open(course.status))
    return _draw(course, form), 422


def _decide(course: Course, form: DecisionForm) -> None:
    try:
        decide(
            course,
            form.chosen(),
            form.text.data or "",
            bookings=form.chosen_bookings(),
            by=actor(),
            at=clock.now(),
            drawn_version=drawn_version(),
            drawn=form.seen.data or None,
        )
    except Conflict as conflict:
        conflict.mine = [("Decision", DECISION_WORDS[form.chosen()]), ("Why", form.text.data or "")]
        conflict.theirs = [("Course", STATUS_LOOKS[course.status][1]), *_last_decision(course)]
        conflict.saved_url = url_for(".show_course", course_id=course.id)
        raise


@bp.post("/courses/<uuid:course_id>/next-order")
@requires(Permission.DRAFT_ORDER)
def write_next_order(course_id: uuid.UUID) -> ResponseReturnValue:
    """Write the next order beside the course: read it again, keep it as a draft, or sign it."""
    course = course_queries.review_page(course_id) or abort(404)
    same_patient(course.patient_id)
    decision = _decision_form(course, is_sent=False)
    review = course_review(course, actor(), zone=zone(), now=clock.now())
    before = review.version
    if before is None:
        raise Conflict("No order of this course is in force any more. Nothing of yours was saved.")
    form = next_form(review, before, is_sent=True)
    act = request.form.get("act", "")
    if act == "sign" and not actor().may(Permission.SIGN_ORDER):
        abort(403)
    is_valid = form.validate_on_submit()
    if act == "read":
        return _draw(course, decision, form)
    if is_valid:
        try:
            with db.session.begin_nested():
                _write_next(review, before, form, is_signed=act == "sign")
        except RuleBroken as refusal:
            form.refuse(refusal)
        except (Conflict, StaleDataError) as clash:
            # Only here: within the savepoint nothing can be read any more.
            raise _moved_on(clash, review, before, form) from None
        else:
            flash("Signed the next order." if act == "sign" else "Kept as a draft.")
            here = url_for(".show_course", course_id=course.id)
            return redirect(onward(here) if act == "sign" else here, 303)
    return _draw(course, decision, form), 422


def _write_next(review: CourseReview, before: OrderVersion, form: NextOrderForm, *, is_signed: bool) -> None:
    now = clock.now()
    version = write(review, before, form, drawn=drawn_version(), by=actor(), at=now)
    if is_signed:
        courses.sign_order(
            review.course,
            version,
            by=actor(),
            password=form.password.data or "",
            at=now,
            reason=form.excess_reason.data,
            remarked=request.form.get("remarked", ""),
        )


def _moved_on(
    clash: Conflict | StaleDataError, review: CourseReview, before: OrderVersion, form: NextOrderForm
) -> Conflict:
    """The conflict with both sides: what was typed, and what is saved by now."""
    conflict = clash if isinstance(clash, Conflict) else Conflict(_MOVED_ON)
    tell_both(conflict, review.draft or before, form)
    conflict.saved_url = url_for(".show_course", course_id=review.course.id)
    return conflict


def _last_decision(course: Course) -> list[tuple[str, str]]:
    """The decision that stands, for the page that shows both of a conflict."""
    if not course.reviews:
        return []
    last = course.reviews[-1]
    return [("Decision", DECISION_WORDS[last.decision]), ("Why", last.text), ("Decided by", last.recorded_by.name)]


@bp.get("/courses/<uuid:course_id>/print")
@requires(Permission.READ_COURSE)
def print_course(course_id: uuid.UUID) -> ResponseReturnValue:
    """A course on paper."""
    course = course_queries.review_page(course_id) or abort(404)
    context = _context(course)
    code = printed(AuditAction.COURSE_PRINTED, course, course_content(context["review"]), page="course on paper")
    sheet = render_template("notes/print_course.html", **context, code=code)
    return pdf.answer(sheet, name=f"course-{course.number}")
