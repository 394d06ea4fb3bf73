"""The Flask shell: one transaction per request, access, errors, headers. No clinical word stands in here."""

import os
import secrets
import uuid
from collections.abc import Iterable
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import flask
from flask import Flask, Response, abort, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import Babel  # type: ignore[import-untyped] # the library has no types
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy.exc import DBAPIError, IntegrityError, InternalError, OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as WerkzeugResponse

import config as settings
from clinic import door, offline, restricted, traces, tries
from clinic.accounts import current, passwords, proofs
from clinic.audit import chain, origin
from clinic.audit import operations as audit
from clinic.core import clock, db, formats, idempotency, later, pdf, retry, seal
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.permissions import Open, Permission
from clinic.core.requests import is_secret, without_secrets
from clinic.door import SAFE
from clinic.navigation import home_endpoint, nav_entries

ROOT = Path(__file__).resolve().parent.parent

csrf = CSRFProtect()
babel = Babel()


class Shell(Flask):
    """Flask with one unit of work around each request."""

    def full_dispatch_request(self) -> Response:
        """Answer a request: an answer below 400 commits, anything else rolls back."""
        if request.endpoint == "static":
            _begin_request()
            return super().full_dispatch_request()
        _take_in_the_form()
        try:
            with passwords.compared_between_tries():
                response = tries.until_it_stands(self._try)
        finally:
            traces.do_later()
        traces.leave(response)
        return _put_for_a_script(response)

    def _try(self) -> Response:
        _begin_request()
        proofs.device.set(current.device())
        with db.unit_of_work(write=request.method not in SAFE) as unit:
            response = super().full_dispatch_request()
            if response.status_code >= 400:  # noqa: PLR2004 HTTP's own border
                unit.rollback()
            else:
                _remember_answer(response)
        return response

    def log_exception(self, exc_info: Any) -> None:
        """Log a fault of ours; an address must neither forge a line by a line break nor give its secret away."""
        self.logger.error("Fault at %s %r", request.method, without_secrets(request), exc_info=exc_info)

    def handle_user_exception(self, e: Exception) -> Any:
        """Answer a fault in words, unless the request is to be tried again."""
        tries.go_on_with(e)
        return super().handle_user_exception(e)


def make_app(config: type | None = None) -> Flask:
    """The shell with its settings, extensions, filters, errors and headers."""
    app = Shell("clinic", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "clinic" / "static"))
    app.config.from_object(config or settings.chosen())
    app.config["SECRET_KEY"] = app.config["SECRET_KEY"] or _secret_from_file(Path(app.config["SECRET_FILE"]))
    chain.use_secrets([app.config["SECRET_KEY"], *(app.config["SECRET_KEY_FALLBACKS"] or ())])
    if proxies := app.config["TRUSTED_PROXIES"]:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    csrf.init_app(app)
    babel.init_app(app)
    current.init_app(app)
    app.jinja_env.filters.update(formats.FILTERS)
    app.jinja_env.globals.update(
        fresh_key=fresh_key,
        Permission=Permission,
        seal_key=lambda: seal.public_key(app.config["SECRET_KEY"]),
        makes_pdf=pdf.can_be_made,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.context_processor(_page_context)
    app.before_request(_refuse_unreadable)
    app.before_request(door.check_access)
    app.before_request(_answer_again)
    app.after_request(_headers)
    _register_errors(app)
    return app


def register_areas(app: Flask) -> None:
    """Add every area's pages."""
    from clinic.areas import blueprints  # noqa: PLC0415 the areas import the shell's neighbours

    for blueprint in (*blueprints(), offline.bp):
        app.register_blueprint(blueprint)

    @app.get("/", endpoint="home")
    def home() -> ResponseReturnValue:
        return redirect(url_for(home_endpoint(current.actor())), 303)

    home.access = Open.SIGNED_IN  # type: ignore[attr-defined]


def _secret_from_file(path: Path) -> str:
    """The installation's own secret, made at the first start and readable only by its owner."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Written aside and then given its name in one step: a second process must not read half a secret.
        draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:  # noqa: PTH123 pathlib cannot set the mode at birth
            file.write(secrets.token_hex(32))
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass  # another process was first; its secret counts
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii").strip()


def fresh_key() -> str:
    """A key for one drawing of a form."""
    return secrets.token_urlsafe(18)


# --- a request -------------------------------------------------------------------------------------------------------

_pending_key: ContextVar[idempotency.IdempotencyKey | None] = ContextVar("pending_key", default=None)


def _begin_request() -> None:
    db.enter_clinic(None)
    formats.zone.set(ZoneInfo("UTC"))
    _pending_key.set(None)
    later.begin()
    origin.watch.set(None)
    g.request_id = uuid.uuid4().hex
    audit.origin.set(audit.Origin(request_id=g.request_id, address=request.remote_addr))


def _take_in_the_form() -> None:
    """Read what is sent before the transaction begins: on a slow line it would hold up every other writer."""
    with suppress(HTTPException):  # which is raised once more where it can be answered
        request.form.keys()


def _refuse_unreadable() -> None:
    """Refuse what no keyboard types and no database keeps, and forms that another site sent."""
    sent = [*request.args.items(multi=True), *request.form.items(multi=True), *(request.view_args or {}).items()]
    if any("\0" in f"{name}{value}" for name, value in sent):
        abort(400, "This was sent with a character that no text has. Nothing was saved.")
    origin = request.headers.get("Origin")
    if request.method not in SAFE and origin is not None and urlsplit(origin).netloc != request.host:
        abort(400, "This form came from another site. Nothing was saved.")


def _answer_again() -> ResponseReturnValue | None:
    """Answer a repeated save as it was answered, and set aside the key of a new one."""
    if request.method in SAFE or door.declared_access() in {None, Open.PUBLIC}:
        return None
    key = request.form.get("idempotency_key", "")
    if not 8 <= len(key) <= 64:  # noqa: PLR2004 our own keys have 24 characters, a device's 36
        abort(400, "This form has no key of its own. Open the page again; what you typed was not saved.")
    digest = idempotency.digest(request.full_path, request.form.items(multi=True))
    earlier = idempotency.earlier_answer(g.here.staff_id, key)
    if earlier is None:
        made = idempotency.IdempotencyKey(
            actor_id=g.here.staff_id, key=key, digest=digest, location=None, saved_at=clock.now()
        )
        try:
            # On PostgreSQL a second request with this key waits here until the first has committed or given up.
            with db.session.begin_nested():
                db.session.add(made)
        except IntegrityError:
            earlier = idempotency.earlier_answer(g.here.staff_id, key)
            if earlier is None:
                raise
        else:
            _pending_key.set(made)
            return None
    if earlier.digest != digest:
        abort(409, "This form was already saved with other values. Open the page again to see what was saved.")
    return redirect(earlier.location, 303) if earlier.location else ("", 204)


def _put_for_a_script(response: Response) -> Response:
    """Tell a script in so many words that its save was kept, and where it leads.

    A script cannot look into a redirect, and one of a proxy that asks for a sign-in must not be taken for ours.
    """
    if "X-Script" in request.headers and request.method not in SAFE and response.status_code == 303:  # noqa: PLR2004
        response.headers["X-Saved"] = response.headers.pop("Location")
        response.status_code = 204
        response.set_data(b"")
    return response


def _remember_answer(response: WerkzeugResponse) -> None:
    made = _pending_key.get()
    if made is not None:
        made.location = response.headers.get("Location")


# --- pages -----------------------------------------------------------------------------------------------------------


def _page_context() -> dict[str, Any]:
    # A file is answered outside any transaction: nobody is known there.
    is_known = request.endpoint != "static" and not g.get("is_failing", False)
    signed_in = is_known and current.is_signed_in()
    return {
        "now": clock.now(),
        "nav_entries": (lambda: nav_entries(current.actor(), request.endpoint)) if signed_in else list,
        "current_user": current.actor() if signed_in else None,
        "may": current.actor().may if signed_in else (lambda _permission: False),
        "clinic_name": current.clinic().name if signed_in else "Chairtime",
        "clinic_zone": current.clinic().zone if signed_in else "UTC",
        "takes_passkey": signed_in and _takes_passkey(),
        "lock_after": current.lock_after_seconds() if signed_in and not _waits() else None,
        "glass": restricted.glass() if signed_in and not _waits() else None,
        "is_in_background": traces.is_in_background(),
        "is_demo": signed_in and current.clinic().is_demo,
    }


def _takes_passkey() -> bool:
    """Whether a passkey may stand for the password of whoever is asked for it again on this page."""
    return not _waits() and current.party() is not None


def _waits() -> bool:
    """Whether this browser has to pass a page first: the lock, the second factor, or the tablet's way back."""
    return current.is_locked() or current.is_factor_due() or current.handed_path() is not None


_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def _headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    # A view that gives its answer to a program which keeps it anyway says so itself; nothing else is kept anywhere.
    if request.endpoint != "static" and not g.get("is_kept_outside", False):
        response.headers["Cache-Control"] = "no-store"
    return response


# --- errors ----------------------------------------------------------------------------------------------------------

_DRAWN = frozenset({400, 403, 404, 409, 429, 500, 503})


def _register_errors(app: Flask) -> None:
    app.register_error_handler(CSRFError, _refuse_forged)
    app.register_error_handler(HTTPException, _show_error)
    app.register_error_handler(Conflict, _show_conflict)
    app.register_error_handler(restricted.ChartClosed, restricted.show_closed)
    app.register_error_handler(RuleBroken, _show_refusal)
    app.register_error_handler(StaleDataError, _show_stale)
    app.register_error_handler(OperationalError, _show_unavailable)
    app.register_error_handler(InternalError, _show_given_up)


def _error_page(code: int, **context: Any) -> tuple[str, int]:
    # A page about our own fault is drawn without asking the database, which may be the fault.
    g.is_failing = code >= 500  # noqa: PLR2004 HTTP's own border
    return render_template(f"errors/{code if code in _DRAWN else (500 if code >= 500 else 400)}.html", **context), code  # noqa: PLR2004


def _refuse_forged(error: CSRFError) -> ResponseReturnValue:
    return _error_page(400, message=error.description)


def _show_error(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if code < 400:  # noqa: PLR2004 a redirect of the router, not a fault
        return error.get_response()
    if isinstance(error, SecurityError):
        return "This server is not known under that name.", 400  # a page would have links, which need the name
    is_ours = bool(error.description) and error.description != type(error).description
    page, status = _error_page(code, message=error.description if is_ours else None, reference=g.get("request_id"))
    response = flask.make_response(page, status)
    if allowed := getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _show_refusal(refusal: RuleBroken) -> ResponseReturnValue:
    """A rule said no where the page had no place for it."""
    page, _ = _error_page(400, message=refusal.message)
    return page, 422


def _show_conflict(conflict: Conflict) -> ResponseReturnValue:
    return _error_page(409, message=conflict.what, conflict=conflict, mine=conflict.mine, theirs=conflict.theirs)


def _show_stale(_error: StaleDataError) -> ResponseReturnValue:
    return _error_page(
        409,
        message="Somebody else changed this record at the same moment. Nothing of yours was saved.",
        mine=_typed_fields(request.form.items()),
        theirs=[],
    )


def _typed_fields(fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    hidden = {"csrf_token", "idempotency_key", "patient_id", "version"}
    return [
        (name.replace("_", " "), value)
        for name, value in fields
        if value and name not in hidden and not is_secret(name)
    ]


def _show_unavailable(error: DBAPIError) -> ResponseReturnValue:
    """The database did not answer: what was typed stays on the page, to be sent again with its key."""
    flask.current_app.logger.error("The database refused: %s", type(error.orig).__name__)
    kept = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    return _error_page(
        503,
        reference=g.get("request_id"),
        address=request.full_path.rstrip("?"),
        kept=[(name, value) for name, value in kept if not is_secret(name)],
    )


def _show_given_up(error: InternalError) -> ResponseReturnValue:
    if not retry.was_given_up(error):
        raise error
    return _show_unavailable(error)
