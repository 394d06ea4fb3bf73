"""What a browser holds for the time without a network: the worker, and the page it shows instead of none.

Both are the same for everybody and hold nothing of any record. docs/offline.md tells the whole story.
"""

from pathlib import Path

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue

from clinic.core.permissions import public

bp = Blueprint("offline", __name__)

_WORKER = Path(__file__).parent / "static" / "js" / "worker.js"


@bp.get("/worker.js")
@public
def send_worker() -> ResponseReturnValue:
    """The service worker, from the top of the site so that it stands in front of every page."""
    return Response(_WORKER.read_text(encoding="utf-8"), mimetype="text/javascript")


@bp.get("/offline")
@public
def show_offline() -> ResponseReturnValue:
    """Say that the server does not answer, and how many entries wait on this device."""
    return render_template("errors/offline.html")
