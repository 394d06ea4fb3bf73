"""The outbox as the desk sees it: what waits, what went out, what was given up and can be tried again."""

import uuid
from typing import Final

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.audit import operations as audit
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.notifications import operations as outbox
from clinic.notifications import queries as messages
from clinic.notifications.models import OutboxMessage
from clinic.notifications.rules import MessageState
from clinic.reminders import queries

bp = Blueprint("reminders", __name__)

_SHOWN: Final = {
    "open": (MessageState.WAITING, MessageState.SENDING, MessageState.GIVEN_UP),
    "sent": (MessageState.SENT,),
    "cancelled": (MessageState.CANCELLED,),
}


@bp.get("/messages")
@requires(Permission.BOOK)
def list_messages() -> ResponseReturnValue:
    shown = request.args.get("show", "open")
    rows = messages.messages(_SHOWN.get(shown) or abort(404))
    about = queries.appointments_by_id(row.about_id for row in rows)
    reading.note(AuditAction.BOARD_READ, None, actor_id=actor().id, page="messages")
    counts = messages.counts()
    return render_template(
        "reminders/messages.html",
        rows=[(row, about.get(row.about_id)) for row in rows],
        shown=shown,
        counts={name: sum(counts.get(state, 0) for state in states) for name, states in _SHOWN.items()},
        is_sending=bool(current_app.config["SMTP_HOST"]),
    )


def _given_up(message_id: uuid.UUID) -> OutboxMessage:
    return messages.message(message_id) or abort(404)


@bp.post("/messages/<uuid:message_id>/try-again")
@requires(Permission.BOOK)
def try_again(message_id: uuid.UUID) -> ResponseReturnValue:
    message = _given_up(message_id)
    try:
        outbox.try_again(message, at=clock.now())
    except RuleBroken as refusal:
        flash(refusal.message, "warn")
    else:
        audit.record(AuditAction.MESSAGE_CHANGED, message, actor_id=actor().id, at=clock.now(), act="try again")
        flash("The message is tried again.")
    return redirect(url_for(".list_messages"), 303)


@bp.post("/messages/<uuid:message_id>/cancel")
@requires(Permission.BOOK)
def cancel_message(message_id: uuid.UUID) -> ResponseReturnValue:
    message = _given_up(message_id)
    try:
        outbox.cancel(message, f"cancelled by {actor().name}")
    except RuleBroken as refusal:
        flash(refusal.message, "warn")
    else:
        audit.record(AuditAction.MESSAGE_CHANGED, message, actor_id=actor().id, at=clock.now(), act="cancel")
        flash("The message is not sent any more.")
    return redirect(url_for(".list_messages"), 303)


from clinic.reminders import (  # noqa: E402 they add their routes and their part of the chart
    patient_panel,  # noqa: F401
    views_answer,  # noqa: F401
    views_patient,  # noqa: F401
    views_reminders,  # noqa: F401
)
