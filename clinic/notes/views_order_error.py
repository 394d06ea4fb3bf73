"""The page on which a physician enters a signed order in error."""

import uuid

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.errors import Conflict
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt, same_patient
from clinic.courses import queries as course_queries
from clinic.courses.models import Course
from clinic.notes.forms import OrderErrorForm
from clinic.notes.order_error import RAN, booked_under, booked_words, enter_in_error, ran_under, seen_content
from clinic.notes.views_shared import bp, zone
from clinic.orders import queries as orders
from clinic.orders.models import OrderError, OrderVersion
from clinic.protocols.terms import draft_of
from clinic.protocols.wording import sentence
from clinic.sessions.pages_patient import patient_bar
from clinic.signatures.rules import seen_code


def _found(course_id: uuid.UUID, number: int) -> tuple[Course, OrderVersion]:
    course = course_queries.course(course_id) or abort(404)
    version = orders.version_numbered(course.order_id, number)
    if version is None or version.signature is None:
        abort(404)
    reading.note(AuditAction.ORDER_READ, version, actor_id=actor().id, patient_id=course.patient_id, page="in error")
    return course, version


def _draw(course: Course, version: OrderVersion, form: OrderErrorForm) -> str:
    booked = booked_words(booked_under(course), zone())
    return render_template(
        "notes/order_error.html",
        course=course,
        version=version,
        bar=patient_bar(course.patient, weight=None, chair=None, now=clock.now(), zone=zone()),
        sentence=sentence(draft_of(version.terms), drug_name=version.terms.drug.name, weight_kg=version.weight_used_kg),
        booked=booked,
        refusal=RAN if ran_under(version) else "",
        seen=seen_code(seen_content(version, booked)),
        form=form,
    )


def _address(course: Course, version: OrderVersion) -> str:
    return url_for("courses.show_order", course_id=course.id, number=version.number)


@bp.get("/courses/<uuid:course_id>/orders/<int:number>/error")
@requires(Permission.SIGN_ORDER)
def show_order_error(course_id: uuid.UUID, number: int) -> ResponseReturnValue:
    """What was signed and what is booked under it, before it is entered in error."""
    course, version = _found(course_id, number)
    if version.error is not None:
        return redirect(_address(course, version))
    return _draw(course, version, OrderErrorForm())


@bp.post("/courses/<uuid:course_id>/orders/<int:number>/error")
@requires(Permission.SIGN_ORDER)
def sign_order_error(course_id: uuid.UUID, number: int) -> ResponseReturnValue:
    """Sign that the order was entered in error."""
    course, version = _found(course_id, number)
    same_patient(course.patient_id)
    form = OrderErrorForm()

    def act() -> OrderError:
        return enter_in_error(
            course,
            version,
            form.reason.data or "",
            by=actor(),
            password=form.password.data or "",
            at=clock.now(),
            zone=zone(),
            seen=request.form.get("seen", ""),
        )

    try:
        if attempt(form, act) is None:
            return _draw(course, version, form), 422
    except Conflict as conflict:
        words = booked_words(booked_under(course), zone())
        conflict.theirs = [("Booked", "; ".join(words) or "nothing")]
        conflict.mine = [("Why", form.reason.data or "")]
        conflict.saved_url = url_for(".show_order_error", course_id=course.id, number=version.number)
        raise
    flash(f"Order {version.number} is entered in error.")
    return redirect(_address(course, version), 303)
