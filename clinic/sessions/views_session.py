"""The flowsheet: chart, table, what is due, and the parts of it that keep themselves fresh."""

import uuid

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from clinic.core import clock
from clinic.core.permissions import Permission, requires
from clinic.sessions.pages_last import last_session
from clinic.sessions.progress import progress
from clinic.sessions.views_shared import bp, fresh_or, load, news_of, session_page, sheet_parts, zone

_PARTS = {part: f"sessions/_{part}.html" for part in ("strip", "record", "due", "side")}


@bp.get("/sessions/<uuid:infusion_id>")
@bp.get("/sessions/<uuid:infusion_id>/recovery", endpoint="show_recovery")
@requires(Permission.READ_SESSION)
def show_session(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """A session's flowsheet; in recovery it is the same page."""
    answer: ResponseReturnValue = session_page(load(infusion_id))
    return answer


@bp.get("/sessions/<uuid:infusion_id>/fragment")
@requires(Permission.READ_SESSION)
def refresh_session(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """One part of the flowsheet, for a page that keeps itself fresh; 304 while nothing has changed."""
    part = request.args.get("part", "")
    infusion, news = news_of(infusion_id)
    if infusion is None or part not in _PARTS:
        abort(404)
    is_narrow = request.args.get("beside") == "sheet"

    def draw() -> str:
        whole, now = load(infusion_id), clock.now()
        return render_template(
            _PARTS[part],
            infusion=whole,
            status=whole.status.value,
            before=last_session(whole, now, zone()) if part == "side" else None,
            **sheet_parts(whole, progress(whole, now), now, beside_sheet=is_narrow),
        )

    return fresh_or([news, part, str(is_narrow), str(infusion_id)], draw)
