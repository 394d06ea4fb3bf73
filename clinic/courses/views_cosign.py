"""Co-sign a version of an order where it is read, or send it back to its signer."""

import uuid

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.core import clock
from clinic.core.errors import Conflict
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt, onward, same_patient
from clinic.courses import operations
from clinic.courses.forms import CosignForm, ReturnForm
from clinic.courses.views import bp, found_course, found_version, order_address, order_view
from clinic.orders import cosigning
from clinic.orders.models import OrderReturn
from clinic.signatures.models import Signature


@bp.post("/courses/<uuid:course_id>/orders/<int:number>/co-sign")
@requires(Permission.SIGN_ORDER)
def cosign_order(course_id: uuid.UUID, number: int) -> ResponseReturnValue:
    """Co-sign; an order that waited for it comes into force."""
    course = found_course(course_id, f"order {number}")
    same_patient(course.patient_id)
    version = found_version(course, number)
    form = CosignForm()

    def act() -> Signature:
        return operations.cosign_order(
            course,
            version,
            by=actor(),
            password=form.password.data or "",
            at=clock.now(),
            seen=request.form.get("seen", ""),
        )

    try:
        signature = attempt(form, act)
    except Conflict as conflict:
        conflict.saved_url = order_address(course, version)
        raise
    if signature is None:
        return order_view(course, version, cosign=form), 422
    flash(f"Co-signed order {version.number}.")
    return redirect(onward(order_address(course, version)), 303)


@bp.post("/courses/<uuid:course_id>/orders/<int:number>/decline")
@requires(Permission.SIGN_ORDER)
def decline_order(course_id: uuid.UUID, number: int) -> ResponseReturnValue:
    """Send a signed order back instead of co-signing it."""
    course = found_course(course_id, f"order {number}")
    same_patient(course.patient_id)
    version = found_version(course, number)
    form = ReturnForm()

    def act() -> OrderReturn:
        return cosigning.decline(version, form.return_reason.data or "", by=actor(), at=clock.now())

    if attempt(form, act) is None:
        return order_view(course, version, back=form), 422
    flash("Sent back. It does not come into force.")
    return redirect(onward(order_address(course, version)), 303)
