"""Write the next version of an order, go on with a draft, write down what was spoken."""

import uuid
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import queries as staff
from clinic.accounts.current import actor
from clinic.core import clock, db, formats
from clinic.core.choices import options
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.permissions import Permission, Role, requires
from clinic.core.requests import attempt, drawn_version, same_patient
from clinic.courses import operations
from clinic.courses.forms import CourseForm, NextOrderForm, OrderForm, ReasonForm, ReturnForm, VerbalOrderForm
from clinic.courses.models import Course
from clinic.courses.pages import (
    chosen_id,
    dosing_weight,
    order_page,
    order_values,
    plan_values,
    written_page,
)
from clinic.courses.pages_conflict import as_saved, as_typed, lines_beside
from clinic.courses.pages_cosign import need_of
from clinic.courses.rules import CourseStatus
from clinic.courses.views import (
    bp,
    found_course,
    found_version,
    order_address,
    order_view,
    refuse_newer_weight,
    signed_words,
    wants_to_sign,
    written,
)
from clinic.orders import operations as orders
from clinic.orders import queries as order_queries
from clinic.orders.models import OrderReturn, OrderVersion
from clinic.orders.operations_return import send_back
from clinic.orders.rules import SpokenMode
from clinic.patients import pages as patient_pages
from clinic.protocols import queries as protocols
from clinic.protocols.rules import CourseIntent
from clinic.protocols.terms import TermsDraft, draft_of

# --- the next version ------------------------------------------------------------------------------------------------


def _write_page(course: Course, form: OrderForm, before: OrderVersion | None, **page: Any) -> str:
    """`page` holds the address of the form (`act`), the way back, the title and the version it is drawn from."""
    reference, word = _reference(course, before)
    return render_template(
        "courses/write_order.html",
        course=course,
        before=before,
        need=need_of(actor()),
        **page,
        **written_page(course.patient, form, reference, protocol=operations.bounds(course), word=word),
    )


def _reference(course: Course, before: OrderVersion | None) -> tuple[TermsDraft, str]:
    """What the changes are marked against: the version before, or for a first one the protocol."""
    if before is not None:
        return draft_of(before.terms), "was"
    return operations.bounds(course), "protocol"


def _standing(course: Course) -> OrderVersion | None:
    """The version that is being written, else the one that stands."""
    return order_queries.draft_version(course.order_id) or order_queries.version_to_follow(course.order_id)


_NOT_SENT_AGAIN = {"csrf_token", "idempotency_key", "password", "act", "version", "before_id"}


def _moved_on(course: Course, form: OrderForm) -> Conflict:
    """The conflict of a form that was drawn before somebody else wrote or signed: what is saved beside what was typed.

    What was typed can be sent again over what is saved. It becomes a draft; it is signed where it is read.
    """
    saved = _standing(course)
    if saved is None:
        conflict = Conflict("This course changed meanwhile; no order of it is in force. Nothing of yours was saved.")
        conflict.saved_url = url_for("notes.show_course", course_id=course.id)
        return conflict
    typed = as_typed(form, course.patient)
    lines = lines_beside(as_saved(saved), typed) if typed else []
    is_open = saved.is_open
    act, at = ("signed", saved.signature.signed_at) if saved.signature else ("written", saved.drafted_at)
    who = saved.signature.signer_name if saved.signature else saved.drafted_by.name
    conflict = Conflict(
        f"Order {saved.number} was {act} by {who} at {formats.clock(at)}. Nothing of yours was signed or saved.",
        mine=[(line.label, line.after) for line in lines],
        theirs=[(line.label, line.before) for line in lines],
    )
    conflict.saved_url = order_address(course, saved)
    conflict.retry_url = (
        url_for(".save_draft", course_id=course.id, number=saved.number)
        if is_open
        else url_for(".adjust", course_id=course.id)
    )
    conflict.retry_fields = [
        *((name, value) for name, value in request.form.items(multi=True) if name not in _NOT_SENT_AGAIN),
        ("act", "keep"),
        ("version", str(saved.version)),
        ("before_id", str(saved.id)),
    ]
    return conflict


def _adjust_page(course: Course, form: OrderForm, before: OrderVersion) -> str:
    return _write_page(
        course,
        form,
        before,
        act=url_for(".adjust", course_id=course.id),
        back=order_address(course, before),
        title=f"Adjust order {before.number}",
    )


@bp.get("/courses/<uuid:course_id>/orders/new")
@requires(Permission.DRAFT_ORDER)
def show_adjust(course_id: uuid.UUID) -> ResponseReturnValue:
    course = found_course(course_id, "adjust order")
    draft = order_queries.draft_version(course.order_id)
    if draft is not None:
        return redirect(url_for(".show_draft", course_id=course.id, number=draft.number))
    before = order_queries.version_to_follow(course.order_id)
    if (waiting := course.order.waiting) is not None:
        flash("This order waits for its co-signature. It is co-signed or sent back first.")
        return redirect(order_address(course, waiting))
    if before is None:
        flash("No order of this course is in force.")
        return redirect(url_for("notes.show_course", course_id=course.id))
    weight = dosing_weight(course.patient)
    values = order_values(before) | {
        "weight_id": str(weight.id) if weight else "",
        "before_id": str(before.id),
        "change_reason": None,
    }
    return _adjust_page(course, NextOrderForm(data=values), before)


@bp.post("/courses/<uuid:course_id>/orders/new")
@requires(Permission.DRAFT_ORDER)
def adjust(course_id: uuid.UUID) -> ResponseReturnValue:
    course = found_course(course_id, "adjust order")
    same_patient(course.patient_id)
    before = order_queries.version_to_follow(course.order_id)
    form = NextOrderForm()
    form.offer_drugs(protocols.drugs())
    if before is None:
        raise _moved_on(course, form)

    def save() -> str:
        if order_queries.draft_version(course.order_id) or form.before_id.data not in {"", None, str(before.id)}:
            raise Conflict("Somebody else wrote or signed a version meanwhile.")
        weight = dosing_weight(course.patient)
        refuse_newer_weight(form.weight_id.data, weight)
        is_signed = wants_to_sign()
        version = operations.adjust(
            course,
            form.draft(),
            reason=form.change_reason.data,
            weight=weight,
            valid_from=form.valid_from.data,
            valid_until=form.valid_until.data,
            dosing=form.dosing(),
            by=actor(),
            at=clock.now(),
        )
        return _sign_or_keep(course, version, form, is_signed=is_signed)

    return written(
        form, save=save, page=lambda: _adjust_page(course, form, before), moved_on=lambda: _moved_on(course, form)
    )


def _sign_or_keep(course: Course, version: OrderVersion, form: OrderForm, *, is_signed: bool) -> str:
    if is_signed:
        operations.sign_order(
            course,
            version,
            by=actor(),
            password=form.password.data or "",
            at=clock.now(),
            reason=form.excess_reason.data,
            remarked=request.form.get("remarked", ""),
        )
        flash(signed_words(version))
    else:
        flash("Kept as a draft.")
    return order_address(course, version)


# --- a draft ---------------------------------------------------------------------------------------------------------


def _draft_page(course: Course, form: OrderForm, version: OrderVersion) -> str:
    before = order_page(version, protocol=operations.bounds(course)).before
    return _write_page(
        course,
        form,
        before,
        act=url_for(".save_draft", course_id=course.id, number=version.number),
        back=order_address(course, version),
        title=f"Order {version.number}, draft",
        drawn=drawn_version() or version.version,
    )


def _draft_form(version: OrderVersion, **values: object) -> OrderForm:
    kind = CourseForm if version.number == 1 else NextOrderForm
    return kind(data=values) if values else kind()


@bp.get("/courses/<uuid:course_id>/orders/<int:number>/draft")
@requires(Permission.DRAFT_ORDER)
def show_draft(course_id: uuid.UUID, number: int) -> ResponseReturnValue:
    course = found_course(course_id, f"order {number}")
    version = found_version(course, number)
    if not version.is_open:
        return redirect(order_address(course, version))
    weight = dosing_weight(course.patient)
    values = order_values(version) | plan_values(course) | {"weight_id": str(weight.id) if weight else ""}
    return _draft_page(course, _draft_form(version, **values), version)


@bp.post("/courses/<uuid:course_id>/orders/<int:number>/draft")
@requires(Permission.DRAFT_ORDER)
def save_draft(course_id: uuid.UUID, number: int) -> ResponseReturnValue:
    course = found_course(course_id, f"order {number}")
    same_patient(course.patient_id)
    version = found_version(course, number)
    form = _draft_form(version)
    form.offer_drugs(protocols.drugs())

    def save() -> str:
        weight = dosing_weight(course.patient)
        refuse_newer_weight(form.weight_id.data, weight)
        is_signed = wants_to_sign()
        _keep(course, version, form)
        return _sign_or_keep(course, version, form, is_signed=is_signed)

    return written(
        form, save=save, page=lambda: _draft_page(course, form, version), moved_on=lambda: _moved_on(course, form)
    )


def _keep(course: Course, version: OrderVersion, form: OrderForm) -> None:
    draft = form.draft()
    orders.revise(
        version,
        draft,
        weight=dosing_weight(course.patient),
        valid_from=form.valid_from.data,
        valid_until=form.valid_until.data,
        dosing=form.dosing(),
        sessions_allowed=draft.sessions_planned,
        change_reason=form.change_reason.data if isinstance(form, NextOrderForm) else None,
        drawn_version=drawn_version(),
        by=actor(),
        at=clock.now(),
    )
    if isinstance(form, CourseForm):
        operations.change_plan(
            course,
            indication=form.indication.data,
            goal=form.goal.data,
            intent=CourseIntent(form.intent.data),
            by=actor(),
            at=clock.now(),
        )


@bp.post("/courses/<uuid:course_id>/orders/<int:number>/cancel")
@requires(Permission.DRAFT_ORDER)
def drop_draft(course_id: uuid.UUID, number: int) -> ResponseReturnValue:
    course = found_course(course_id, f"order {number}")
    same_patient(course.patient_id)
    version = found_version(course, number)
    orders.refuse_moved_on(version, drawn_version())
    if not version.is_open:
        raise RuleBroken("This order is no draft any more.")
    form = ReasonForm()
    if not form.validate_on_submit():
        return order_view(course, version, drop=form), 422
    if course.status is CourseStatus.DRAFT:
        operations.enter_in_error(course, reason=form.reason.data, by=actor(), at=clock.now())
        return redirect(url_for("patients.show_patient", patient_id=course.patient_id), 303)
    orders.cancel(version, reason=form.reason.data, by=actor(), at=clock.now())
    return redirect(url_for("notes.show_course", course_id=course.id), 303)


@bp.post("/courses/<uuid:course_id>/orders/<int:number>/send-back")
@requires(Permission.DRAFT_ORDER)
def send_back_draft(course_id: uuid.UUID, number: int) -> ResponseReturnValue:
    """Send a draft back to its author with what is to be changed."""
    course = found_course(course_id, f"order {number}")
    same_patient(course.patient_id)
    version = found_version(course, number)
    form = ReturnForm()

    def act() -> OrderReturn:
        return send_back(
            version, form.return_reason.data or "", by=actor(), at=clock.now(), drawn_version=drawn_version()
        )

    if attempt(form, act) is None:
        return order_view(course, version, back=form), 422
    flash(f"Sent back to {version.drafted_by.name}")
    return redirect(order_address(course, version), 303)


# --- spoken orders ---------------------------------------------------------------------------------------------------


def _spoken_page(course: Course, version: OrderVersion, form: VerbalOrderForm) -> str:
    return render_template(
        "courses/verbal_order.html",
        course=course,
        patient=course.patient,
        bar=patient_pages.bar(course.patient, now=clock.now()),
        version=version,
        form=form,
    )


def _offer_speakers(form: VerbalOrderForm) -> VerbalOrderForm:
    speakers = {str(person.id): person.name for person in staff.staff_in_role(Role.PHYSICIAN)}
    speakers.pop(str(actor().id), None)
    form.spoken_by_id.choices = options(speakers, blank=True)
    return form


@bp.get("/courses/<uuid:course_id>/orders/<int:number>/spoken")
@requires(Permission.WRITE_VERBAL_ORDER)
def show_spoken(course_id: uuid.UUID, number: int) -> ResponseReturnValue:
    course = found_course(course_id, "spoken order")
    form = _offer_speakers(VerbalOrderForm.at(clock.now()))
    return _spoken_page(course, found_version(course, number), form)


@bp.post("/courses/<uuid:course_id>/orders/<int:number>/spoken")
@requires(Permission.WRITE_VERBAL_ORDER)
def write_spoken(course_id: uuid.UUID, number: int) -> ResponseReturnValue:
    course = found_course(course_id, "spoken order")
    same_patient(course.patient_id)
    version = found_version(course, number)
    form = _offer_speakers(VerbalOrderForm())
    if form.validate_on_submit():
        speaker_id = chosen_id(form.spoken_by_id.data)
        speaker = staff.staff_with_roles(speaker_id) if speaker_id else None
        try:
            with db.session.begin_nested():
                orders.write_verbal_order(
                    version,
                    form.text.data,
                    spoken_by=speaker or abort(404),
                    spoken_at=form.instant(),
                    mode=SpokenMode(form.spoken_mode.data),
                    is_read_back=form.is_read_back.data,
                    by=actor(),
                    at=clock.now(),
                )
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash("Written down. It waits for the speaker's signature.")
            return redirect(order_address(course, version), 303)
    return _spoken_page(course, version, form), 422
