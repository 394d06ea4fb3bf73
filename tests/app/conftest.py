"""The shell with a few pages of its own, each of which does one thing that pages do."""

import pytest
from flask import Blueprint, abort, redirect, request

from clinic import create_unchecked_app
from clinic.accounts import current
from clinic.accounts.models import Site
from clinic.audit import operations as audit
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock, db
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.permissions import Permission, public, requires, signed_in
from clinic.core.requests import afterwards
from config import Testing
from tests.client import AuditingClient

bp = Blueprint("trial", __name__)
PAGE = "<!doctype html><html><head><title>Trial</title></head><body><h1>Trial</h1></body></html>"


def add_site():
    """Add the row that the tests look for."""
    site = Site(name=request.form.get("name", "new site"))
    db.session.add(site)
    audit.record(AuditAction.CLINIC_SETTINGS_CHANGED, site, actor_id=current.actor().id, at=clock.now(), name=site.name)


@bp.get("/trial/undeclared")
def undeclared():
    return PAGE


@bp.get("/trial/page")
@signed_in
def page():
    reading.note(AuditAction.BOARD_READ, None, actor_id=current.actor().id)
    return PAGE


@bp.get("/trial/print")
@signed_in
def print_page():
    reading.note(AuditAction.SESSION_PRINTED, None, actor_id=current.actor().id, is_single=True)
    return PAGE


@bp.get("/trial/open")
@public
def open_page():
    return PAGE


@bp.get("/trial/board")
@requires(Permission.READ_BOARD)
def board():
    return PAGE


@bp.get("/trial/crash")
@bp.get("/trial/crash/<name>")
@public
def crash(name=""):
    raise ZeroDivisionError("the secret reason")


@bp.post("/trial/save")
@signed_in
def save():
    """Save, then answer as the test asks."""
    add_site()
    afterwards(lambda: audit.record(AuditAction.LOCKED, actor_id=None, at=clock.now()))
    match request.form.get("answer", "303"):
        case "303":
            return redirect("/trial/page", 303)
        case "rule":
            raise RuleBroken("The rule says no.")
        case "conflict":
            raise Conflict("Somebody was faster.", mine=[("Name", "mine")], theirs=[("Name", "theirs")])
        case "crash":
            raise ZeroDivisionError("the secret reason")
        case "float":
            audit.record(AuditAction.LOCKED, actor_id=None, at=clock.now(), dose=0.5)
            return PAGE
        case "404":
            return abort(404)
        case status:
            return PAGE, int(status)


def trial_app(**settings):
    values = {"DATABASE_URL": "sqlite://", "PROPAGATE_EXCEPTIONS": False, **settings}
    chosen = db._current_engine[:]
    made = create_unchecked_app(type("Settings", (Testing,), values))
    db._current_engine[:] = chosen
    made.register_blueprint(bp)
    made.test_client_class = AuditingClient
    return made


@pytest.fixture(scope="session")
def trial():
    """The shell with the pages above; faults are answered as they are to a browser."""
    return trial_app()


@pytest.fixture
def nurse_browser(trial, database, nurse):
    """A nurse's browser on the shell with the pages above."""
    made = trial.test_client()
    made.sign_in(nurse)
    return made


@pytest.fixture
def make_trial_app():
    """Makes the shell with the pages above and settings of the test's own."""
    return trial_app
