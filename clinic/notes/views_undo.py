"""The button that takes a discharge back."""

import uuid

from flask import abort, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.core import clock
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import same_patient
from clinic.notes import queries, undoing
from clinic.notes.views_shared import bp


@bp.post("/sessions/<uuid:infusion_id>/discharge/undo")
@requires(Permission.RUN_SESSION)
def undo_discharge(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Take the patient back into recovery."""
    infusion = queries.session(infusion_id) or abort(404)
    same_patient(infusion.patient_id)
    try:
        undoing.undo_discharge(infusion, by=actor(), at=clock.now())
    except RuleBroken as refusal:
        raise Conflict(refusal.message) from refusal
    flash("The discharge was undone. The patient is in recovery again.")
    return redirect(url_for("sessions.show_session", infusion_id=infusion.id), 303)
