"""Courses: begin one from a protocol, read and sign its orders, decide how it goes on."""

import uuid
from collections.abc import Callable

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm.exc import StaleDataError

from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock, db
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import drawn_version, onward, place_in_inbox, same_patient
from clinic.courses import operations, queries
from clinic.courses.forms import CosignForm, CourseForm, OrderForm, ReasonForm, ReturnForm, SignForm
from clinic.courses.models import Course
from clinic.courses.pages import (
    chosen_id,
    dosing_weight,
    order_page,
    patient_panel,
    protocol_panel,
    written_page,
)
from clinic.courses.pages_conflict import as_kept, as_saved, lines_beside
from clinic.courses.pages_cosign import cosign_of, need_of
from clinic.orders import queries as order_queries
from clinic.orders.models import OrderVersion
from clinic.patients import pages as patient_pages
from clinic.patients import queries as patients
from clinic.patients.models import Patient, Weight
from clinic.protocols import pages as protocol_pages
from clinic.protocols import queries as protocols
from clinic.protocols.models import ProtocolVersion
from clinic.protocols.pages import asks_for_more_rows
from clinic.protocols.rules import CourseIntent, ProtocolStatus
from clinic.protocols.terms import draft_of
from clinic.protocols.terms_form import form_values

bp = Blueprint("courses", __name__)

protocol_pages.panels["courses/_protocol_panel.html"] = protocol_panel
patient_pages.add_panel("courses/_patient_panel.html", patient_panel, column=1)


def found_course(course_id: uuid.UUID, page: str) -> Course:
    """The course of a page, with the reading noted; somebody else's course is not found."""
    course = queries.course(course_id) or abort(404)
    reading.note(AuditAction.COURSE_READ, course, actor_id=actor().id, page=page)
    return course


def found_version(course: Course, number: int) -> OrderVersion:
    """A version of the course's order, with the reading noted."""
    version = order_queries.version_numbered(course.order_id, number) or abort(404)
    reading.note(
        AuditAction.ORDER_READ, version, actor_id=actor().id, patient_id=course.patient_id, page=f"order {number}"
    )
    return version


def order_address(course: Course, version: OrderVersion) -> str:
    """Where a version of a course's order is read."""
    return url_for("courses.show_order", course_id=course.id, number=version.number)


def wants_to_sign() -> bool:
    """Whether the button that signs was pressed, by somebody who may."""
    if request.form.get("act") != "sign":
        return False
    if not actor().may(Permission.SIGN_ORDER):
        abort(403)
    return True


def signed_words(version: OrderVersion) -> str:
    """What is said once a version was signed."""
    waits = " It waits for its co-signature." if version.is_waiting else ""
    return f"Signed order {version.number}.{waits}"


def refuse_newer_weight(weight_id: str | None, weight: Weight | None) -> None:
    """An order is written with the weight that stood on the page."""
    if (weight_id or "") != (str(weight.id) if weight else ""):
        raise RuleBroken("The patient was weighed since this page was drawn. Read the order again.", field=None)


# --- a new course ----------------------------------------------------------------------------------------------------


def _patient() -> Patient:
    patient_id = chosen_id(request.args.get("patient", ""))
    patient = patients.patient(patient_id) if patient_id else None
    if patient is None:
        abort(404)
    reading.note(AuditAction.PATIENT_READ, patient, actor_id=actor().id, page="new course")
    return patient


def _protocol_version() -> ProtocolVersion | None:
    version_id = chosen_id(request.args.get("protocol", ""))
    version = protocols.version(version_id) if version_id else None
    return version if version is not None and version.status is ProtocolStatus.ACTIVE else None


def _new_page(patient: Patient, version: ProtocolVersion, form: CourseForm) -> str:
    return render_template(
        "courses/new.html",
        protocol_version=version,
        act=url_for(".create", patient=patient.id, protocol=version.id),
        need=need_of(actor()),
        **written_page(patient, form, draft_of(version.terms), protocol=draft_of(version.terms), word="protocol"),
    )


@bp.get("/courses/new")
@requires(Permission.DRAFT_ORDER)
def show_new() -> ResponseReturnValue:
    patient, version = _patient(), _protocol_version()
    if version is None:
        return render_template(
            "courses/choose_protocol.html",
            patient=patient,
            bar=patient_pages.bar(patient, now=clock.now()),
            versions=protocols.versions_in_use(),
        )
    weight = dosing_weight(patient)
    values = {"indication": patient.problem, "weight_id": str(weight.id) if weight else ""}
    return _new_page(patient, version, CourseForm(data=form_values(draft_of(version.terms)) | values))


@bp.post("/courses/new")
@requires(Permission.DRAFT_ORDER)
def create() -> ResponseReturnValue:
    patient = _patient()
    same_patient(patient.id)
    version = _protocol_version() or abort(409, "This version of the protocol is not in use any more. Begin again.")
    form = CourseForm()
    form.offer_drugs(protocols.drugs())
    return written(
        form,
        save=lambda: _create(patient, version, form),
        page=lambda: _new_page(patient, version, form),
    )


def written(
    form: OrderForm, *, save: Callable[[], str], page: Callable[[], str], moved_on: Callable[[], Conflict] | None = None
) -> ResponseReturnValue:
    """Answer the post of a page that writes an order: another line, read it again, keep it, or keep and sign it.

    `save` gives the address to go to; refused, everything it did is undone and the page keeps what was typed.
    `moved_on` gives the conflict with both versions, when somebody else was faster.
    """
    act = request.form.get("act", "")
    if asks_for_more_rows(form):
        return page()
    is_valid = form.validate_on_submit()
    if act == "read":
        return page()
    if is_valid:
        try:
            with db.session.begin_nested():
                address = save()
        except RuleBroken as refusal:
            form.refuse(refusal)
        except (Conflict, StaleDataError):
            if moved_on is None:
                raise
            raise moved_on() from None
        else:
            return redirect(address, 303)
    return page(), 422


def _create(patient: Patient, version: ProtocolVersion, form: CourseForm) -> str:
    weight = dosing_weight(patient)
    refuse_newer_weight(form.weight_id.data, weight)
    is_signed = wants_to_sign()
    course = operations.create_course(
        patient,
        version,
        form.draft(),
        indication=form.indication.data,
        goal=form.goal.data,
        intent=CourseIntent(form.intent.data),
        weight=weight,
        valid_from=form.valid_from.data,
        valid_until=form.valid_until.data,
        dosing=form.dosing(),
        physician=actor(),
        by=actor(),
        at=clock.now(),
    )
    first = order_queries.version_numbered(course.order_id, 1) or abort(404)
    if not is_signed:
        flash("Kept as a draft.")
        return order_address(course, first)
    operations.sign_order(
        course,
        first,
        by=actor(),
        password=form.password.data or "",
        at=clock.now(),
        reason=form.excess_reason.data,
        remarked=request.form.get("remarked", ""),
    )
    flash("Signed. It waits for its co-signature." if first.is_waiting else "Signed. The course is active.")
    return url_for("notes.show_course", course_id=course.id)


# --- one version of an order -----------------------------------------------------------------------------------------


def order_view(
    course: Course,
    version: OrderVersion,
    form: SignForm | None = None,
    *,
    drop: ReasonForm | None = None,
    back: ReturnForm | None = None,
    cosign: CosignForm | None = None,
) -> str:
    """The page of a version; a draft is signed, sent back or dropped on it, a signed one co-signed."""
    return render_template(
        "courses/order.html",
        course=course,
        patient=course.patient,
        bar=patient_pages.bar(course.patient, now=clock.now()),
        shown=order_page(version, protocol=operations.bounds(course)),
        version=version,
        form=form or SignForm(formdata=None),
        drop=drop or ReasonForm(formdata=None),
        inbox=place_in_inbox(),
        back=back or ReturnForm(formdata=None),
        need=need_of(actor()) if version.is_open else None,
        cosign=cosign_of(version, actor()),
        cosign_form=cosign or CosignForm(formdata=None),
    )


@bp.get("/courses/<uuid:course_id>/orders/<int:number>")
@requires(Permission.READ_ORDER)
def show_order(course_id: uuid.UUID, number: int) -> ResponseReturnValue:
    course = found_course(course_id, f"order {number}")
    return order_view(course, found_version(course, number))


@bp.post("/courses/<uuid:course_id>/orders/<int:number>/sign")
@requires(Permission.SIGN_ORDER)
def sign_order(course_id: uuid.UUID, number: int) -> ResponseReturnValue:
    course = found_course(course_id, f"order {number}")
    same_patient(course.patient_id)
    version = found_version(course, number)
    form = SignForm()
    if form.validate_on_submit():
        try:
            with db.session.begin_nested():
                operations.sign_order(
                    course,
                    version,
                    by=actor(),
                    password=form.password.data,
                    at=clock.now(),
                    seen=request.form.get("seen", ""),
                    reason=form.excess_reason.data,
                )
        except RuleBroken as refusal:
            form.refuse(refusal)
        except Conflict as conflict:
            raise _not_as_read(conflict, course, version) from None
        else:
            flash(signed_words(version))
            return redirect(onward(order_address(course, version)), 303)
    return order_view(course, version, form), 422


def _not_as_read(conflict: Conflict, course: Course, version: OrderVersion) -> Conflict:
    """The conflict of a signature, with what the person read beside what is saved."""
    conflict.saved_url = order_address(course, version)
    kept = order_queries.kept_draft(version.id, drawn_version())
    saved = as_saved(version)
    if kept is None:
        conflict.theirs = [("Reads as", saved.reads_as)]
        return conflict
    lines = lines_beside(saved, as_kept(kept, version))
    conflict.mine = [(line.label, line.after) for line in lines]
    conflict.theirs = [(line.label, line.before) for line in lines]
    conflict.mine_words = "As you read it"
    return conflict


from clinic.courses import views_cosign, views_orders  # noqa: E402, F401 they add their pages to `bp`
