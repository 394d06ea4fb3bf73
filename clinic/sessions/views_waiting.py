"""Entries that a device made while the network was away (docs/offline.md).

The device cannot read what it keeps. It hands the envelope over as soon as its author is signed in, gets the form back
that was filled in, and posts that to its own address with its own key: the same view, the same rules, saved once
however often it is tried. What the rules refuse then goes into the flowsheet as it was typed, so that nothing is lost.
"""

import json
import uuid
from datetime import datetime
from typing import Any

from flask import abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from clinic.accounts.current import actor
from clinic.core import clock, idempotency
from clinic.core.permissions import Permission, requires
from clinic.core.requests import installation_secrets
from clinic.core.seal import BadSeal, read_envelope, unseal
from clinic.sessions import operations, queries
from clinic.sessions.views_shared import MAY_WAIT, bp


@bp.post("/sessions/<uuid:infusion_id>/waiting")
@requires(Permission.RECORD_OBSERVATION)
def open_waiting(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Give the form that was sealed in an envelope back to its author, to be posted to its own address.

    Answers 204 for one that stands in the flowsheet already: the device went before it could forget the entry, and the
    rules, which refused it then, might take it now.
    """
    entry = _entry(infusion_id)
    if idempotency.earlier_answer(actor().id, f"{entry['entry']}.kept") is not None:
        return "", 204
    return jsonify(path=entry["path"], fields=[*entry["fields"], ["entered_at", entry["entered_at"]]])


@bp.post("/sessions/<uuid:infusion_id>/waiting/kept")
@requires(Permission.RECORD_OBSERVATION)
def keep_waiting(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Write an entry that was refused into the flowsheet as it was typed."""
    entry = _entry(infusion_id)
    infusion = queries.bare(infusion_id) or abort(404)
    entered_at = datetime.fromisoformat(entry["entered_at"])
    operations.keep_refused(infusion, entry["said"], entered_at=entered_at, by=actor(), at=clock.now())
    return "", 204


def _entry(infusion_id: uuid.UUID) -> dict[str, Any]:
    """Return what was sent, in an envelope or as it is: path, fields, entered_at, said.

    A page without WebCrypto can seal nothing and hands over what its memory holds. Answers 403 to anybody but the
    author of an envelope, and 422 to what can never be read.
    """
    try:
        if "content" in request.form:
            return _checked(_parsed(request.form["content"]), infusion_id) | {"entry": None}
        envelope = read_envelope(request.form.get("envelope", ""))
        if envelope.author != str(actor().id):
            abort(403, "This entry was made by somebody else. It is sent when that person signs in here.")
        secrets = installation_secrets()
        return _checked(unseal(envelope, secrets), infusion_id) | {"entry": envelope.entry}
    except BadSeal as problem:
        abort(422, str(problem))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise BadSeal("This is no entry of a session.") from problem


def _checked(content: Any, infusion_id: uuid.UUID) -> dict[str, Any]:
    """Return the content of an envelope if it is a form that may wait, about this session; else raise BadSeal."""
    try:
        path, fields, said = content["path"], content["fields"], content["said"]
        is_text = all(isinstance(name, str) and isinstance(value, str) for name, value in fields)
        entered_at = datetime.fromisoformat(content["entered_at"])
        endpoint, arguments = current_app.url_map.bind("").match(path, method="POST")
    except (KeyError, TypeError, ValueError, HTTPException) as problem:
        raise BadSeal("This is no entry of a session.") from problem
    is_ours = endpoint in MAY_WAIT and arguments.get("infusion_id") == infusion_id
    if not (is_text and is_ours and isinstance(said, str) and entered_at.tzinfo):
        raise BadSeal("This is no entry of a session.")
    return {"path": path, "fields": fields, "said": said.replace("\0", " "), "entered_at": entered_at.isoformat()}
