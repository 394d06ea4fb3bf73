"""What a device kept of a form that was not saved: sealed there, opened here, for its author and for nobody else."""

from flask import Response, abort, json, request
from flask.typing import ResponseReturnValue

from clinic.accounts import current
from clinic.accounts.views import bp
from clinic.core import idempotency, seal
from clinic.core.permissions import signed_in
from clinic.core.requests import installation_secrets

_MOST_KEYS = 50


@bp.get("/here")
@signed_in
def stay() -> ResponseReturnValue:
    """Somebody types or touches the page: the shell notes it, as with every page."""
    return "", 204


@bp.get("/drafts/saved")
@signed_in
def list_saved() -> ResponseReturnValue:
    """Which of these keys of forms have led to a save of mine: what was kept of them may go."""
    keys = request.args.getlist("key")[:_MOST_KEYS]
    return {"saved": [key for key in keys if idempotency.earlier_answer(current.actor().id, key) is not None]}


@bp.post("/drafts/open")
@signed_in
def open_draft() -> ResponseReturnValue:
    """Give what I typed back to me, as JSON. A draft of somebody else is not found."""
    try:
        envelope = seal.read_envelope(request.form.get("envelope", ""))
        if envelope.author != str(current.actor().id):
            abort(404)
        content = seal.unseal(envelope, installation_secrets())
    except seal.BadSeal as problem:
        abort(422, str(problem))
    return Response(json.dumps(content), mimetype="application/json")
