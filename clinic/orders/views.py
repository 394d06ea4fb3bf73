"""Spoken orders: the speaker reads what was written down and signs it."""

import uuid

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.errors import Conflict
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt, same_patient
from clinic.orders import facing, operations, queries
from clinic.orders.forms import SignForm
from clinic.orders.models import VerbalOrder
from clinic.orders.wording import OVERDUE
from clinic.patients.pages import bar
from clinic.signatures import queries as signature_queries
from clinic.signatures.models import Signature
from clinic.signatures.pages import shown
from clinic.signatures.rules import Meaning, seen_code

bp = Blueprint("orders", __name__)


def _found(verbal_order_id: uuid.UUID) -> VerbalOrder:
    spoken = queries.verbal_order(verbal_order_id) or abort(404)
    reading.note(AuditAction.ORDER_READ, spoken, actor_id=actor().id, page="spoken order")
    return spoken


def _spoken_page(spoken: VerbalOrder, form: SignForm) -> str:
    signature = signature_queries.signature_with(spoken.id, Meaning.VERBAL_ORDER)
    return render_template(
        "orders/verbal_order.html",
        spoken=spoken,
        patient=spoken.patient,
        bar=bar(spoken.patient, now=clock.now()),
        signature=shown(signature, operations.verbal_content(spoken)) if signature else None,
        is_overdue=signature is None and facing.is_signature_overdue(spoken, clock.now()),
        overdue=OVERDUE,
        seen=seen_code(operations.verbal_content(spoken)),
        form=form,
    )


@bp.get("/verbal-orders/<uuid:verbal_order_id>")
@requires(Permission.READ_ORDER)
def show_verbal_order(verbal_order_id: uuid.UUID) -> ResponseReturnValue:
    return _spoken_page(_found(verbal_order_id), SignForm())


@bp.post("/verbal-orders/<uuid:verbal_order_id>/sign")
@requires(Permission.SIGN_ORDER)
def sign_verbal_order(verbal_order_id: uuid.UUID) -> ResponseReturnValue:
    spoken = _found(verbal_order_id)
    same_patient(spoken.patient_id)
    form = SignForm()

    def act() -> Signature:
        return operations.sign_verbal_order(
            spoken, by=actor(), password=form.password.data, at=clock.now(), seen=request.form.get("seen", "")
        )

    try:
        if attempt(form, act) is None:
            return _spoken_page(spoken, form), 422
    except Conflict as conflict:
        conflict.theirs = [(spoken.title, spoken.text)]
        conflict.saved_url = url_for(".show_verbal_order", verbal_order_id=spoken.id)
        raise
    flash("Signed the spoken order.")
    return redirect(url_for(".show_verbal_order", verbal_order_id=spoken.id), 303)
