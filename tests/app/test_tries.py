"""What the database gives up is done again, and what takes long is done while nobody waits for it."""

import io
import threading
import time

import pytest
import sqlalchemy as sa
from flask import Blueprint, flash, get_flashed_messages, redirect, request
from werkzeug.test import Client

from clinic.accounts import passwords
from clinic.accounts.models import Site
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import db, later
from clinic.core.permissions import public, signed_in
from tests.factories.accounts import PASSWORD


class Trial:
    """A shell with pages that meet, break and wait as the test asks."""

    def __init__(self, app, clinic_id):
        self.meeting, self.tries, self.is_cut_at_commit = threading.Barrier(2), 0, False
        self.clinic_id = clinic_id
        bp = Blueprint("tries", __name__)
        bp.post("/tries/cross", endpoint="cross")(signed_in(view(self.cross)))
        bp.route("/tries/cut", methods=["GET", "POST"], endpoint="cut")(signed_in(view(self.cut)))
        bp.post("/tries/public", endpoint="public")(public(view(self.cut)))
        bp.post("/tries/idle", endpoint="idle")(signed_in(view(self.idle)))
        bp.post("/tries/rename", endpoint="rename")(signed_in(view(self.rename)))
        bp.get("/tries/said", endpoint="said")(signed_in(lambda: page(*get_flashed_messages())))
        app.register_blueprint(bp)
        self.app = app

    def browser(self, person, clinic):
        made = self.app.test_client()
        made.sign_in(person, clinic.id)
        return made

    def cross(self):
        """Change two rows in the order asked for; both browsers hold their first before either wants its second."""
        self.tries += 1
        flash("Changed")
        later.do(lambda: db.session.add(Site(name=f"counted {time.time_ns()}")))
        first, second = request.form["order"].split()
        rename(first)
        if db.engine().dialect.name == "postgresql" and self.tries <= 2:
            self.meeting.wait(30)  # on SQLite the other waits for its turn and cannot come
        rename(second)
        return redirect("/tries/said", 303)

    def cut(self):
        """Add a row; the first time the connection breaks, before the row or at the commit."""
        self.tries += 1
        if self.tries == 1 and not self.is_cut_at_commit:
            cut_off()
        if request.method == "POST":
            db.session.add(Site(name="ward 9", clinic_id=self.clinic_id))
            db.session.flush()
        db.session.execute(sa.select(1))
        if self.tries == 1 and self.is_cut_at_commit:
            cut_off()
        return page("Done")

    def idle(self):
        """Add a row; the first time the process stands still for longer than the server lets a transaction lie."""
        self.tries += 1
        if self.tries == 1 and db.engine().dialect.name == "postgresql":
            db.session.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout TO '50ms'"))
            time.sleep(0.5)
        db.session.add(Site(name="ward 9", clinic_id=self.clinic_id))
        db.session.flush()
        return page("Done")

    def rename(self):
        rename("left")
        return page("Done")


def view(act):
    """A function, which can be declared; a method cannot."""

    def call():
        return act()

    return call


def page(*words):
    return f"<!doctype html><html><head><title>Trial</title></head><body><h1>Trial</h1>{words}</body></html>"


def rename(name):
    db.session.execute(sa.update(Site).where(Site.name.startswith(name)).values(name=Site.name + "!"))


def cut_off():
    """End the server's side of this connection, as a restart does. SQLite has no server that could."""
    if db.engine().dialect.name == "postgresql":
        pid = db.session.scalar(sa.text("SELECT pg_backend_pid()"))
        with db.engine().connect() as other:
            other.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})


def names():
    with db.unit_of_work(write=False):
        return sorted(db.session.scalars(sa.select(Site.name).execution_options(unscoped=True)))


@pytest.fixture
def tries(committed_db, clinic, nurse, make_trial_app):
    return Trial(make_trial_app(), clinic.id)


def at_once(*acts):
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def test_two_that_wait_for_each_other_are_both_served(tries, clinic, nurse, second_nurse):
    """A real deadlock: the server ends one of them, which is done again from the beginning."""
    with db.in_clinic(clinic.id), db.unit_of_work():
        db.session.add_all([Site(name="left"), Site(name="right")])
    browsers = [tries.browser(person, clinic) for person in (nurse, second_nurse)]
    answers = [None, None]

    def press(number, order):
        answers[number] = browsers[number].post("/tries/cross", data={"order": order}).status_code

    at_once(lambda: press(0, "left right"), lambda: press(1, "right left"))
    assert answers == [303, 303]
    found = names()
    assert {"left!!", "right!!"} <= set(found)
    assert sum(name.startswith("counted") for name in found) == 2  # what outlives a refusal is not done for each try
    assert [browser.get("/tries/said").text.count("Changed") for browser in browsers] == [1, 1]
    assert tries.tries == (3 if db.engine().dialect.name == "postgresql" else 2)


@pytest.mark.parametrize("is_cut_at_commit", [False, True])
def test_a_save_whose_connection_broke_is_done_again_once(tries, clinic, nurse, is_cut_at_commit):
    tries.is_cut_at_commit = is_cut_at_commit
    assert tries.browser(nurse, clinic).post("/tries/cut").status_code < 400
    assert names().count("ward 9") == 1


def test_a_page_whose_connection_broke_is_made_again(tries, clinic, nurse):
    assert tries.browser(nurse, clinic).get("/tries/cut").status_code == 200


def test_a_save_without_a_key_is_not_repeated_when_nobody_knows_what_was_kept(tries, clinic, nurse):
    tries.is_cut_at_commit = True
    status = tries.app.test_client().post("/tries/public").status_code
    is_cut = db.engine().dialect.name == "postgresql"
    assert (status, tries.tries) == (503 if is_cut else 200, 1)


def test_a_save_that_lay_too_long_is_done_again(tries, clinic, nurse):
    assert tries.browser(nurse, clinic).post("/tries/idle").status_code == 200
    assert names().count("ward 9") == 1


def test_a_save_behind_one_that_never_ends_is_answered_with_what_was_typed(tries, clinic, nurse, monkeypatch):
    monkeypatch.setattr(db, "PATIENCE_SECONDS", 1)
    db.engine().dispose()  # connections know how long to wait
    with db.in_clinic(clinic.id), db.unit_of_work():
        db.session.add(Site(name="left"))
    browser = tries.browser(nurse, clinic)
    with db.unit_of_work():
        rename("left")
        with db.using_session(None):
            answer = browser.post("/tries/rename", data={"note": 'pale, "cold"', "password": "never shown"})
    db.engine().dispose()
    assert answer.status_code == 503
    assert 'name="note" value="pale, &#34;cold&#34;"' in answer.text
    assert "never shown" not in answer.text


# --- what takes long -------------------------------------------------------------------------------------------------


class Pause:
    """Something that takes as long as another writer needs for a change; `was_free` tells whether one could."""

    def __init__(self):
        self._began, self._written = threading.Event(), threading.Event()
        self.was_free = None

    def last(self):
        self._began.set()
        self.was_free = self._written.wait(10)

    def during(self, act):
        """Run `act`, and write while it pauses."""
        running = threading.Thread(target=act)
        running.start()
        assert self._began.wait(30)
        with db.unit_of_work():
            db.session.add(Site(name="ward 9"))
        self._written.set()
        running.join(30)


@pytest.fixture
def pause(committed_db):
    return Pause()


@pytest.fixture
def slow_hash(pause, monkeypatch):
    """A password takes as long as the pause lasts."""
    compare = passwords._is_hashed

    def slowly(*pair):
        pause.last()
        return compare(*pair)

    monkeypatch.setattr(passwords, "_is_hashed", slowly)
    return pause


@pytest.mark.parametrize("password", ["not the password", PASSWORD])
def test_no_writer_waits_while_a_password_is_compared(app, slow_hash, clinic, nurse, password):
    statuses = []

    def sign_in():
        form = {"email": nurse.email, "password": password}
        statuses.append(app.test_client().post("/login", data=form).status_code)

    with db.in_clinic(clinic.id):
        slow_hash.during(sign_in)
    assert slow_hash.was_free
    assert statuses == [303 if password == PASSWORD else 422]
    with db.unit_of_work(write=False):
        refused = sa.select(sa.func.count()).where(AuditEntry.action == AuditAction.SIGN_IN_REFUSED)
        assert db.session.scalar(refused) == (422 in statuses)


class SlowLine(io.BytesIO):
    """A body that arrives after a while."""

    def __init__(self, body, pause):
        super().__init__(body)
        self._pause = pause

    def read(self, *size):
        self._pause.last()
        return super().read(*size)

    def readinto(self, place):
        self._pause.last()
        return super().readinto(place)


def test_no_writer_waits_for_a_form_that_arrives_slowly(app, committed_db, clinic, nurse, pause):
    text = f"email={nurse.email}&password=x"
    kind = {"content_type": "application/x-www-form-urlencoded", "content_length": str(len(text))}
    line = SlowLine(text.encode(), pause)
    with db.in_clinic(clinic.id):
        pause.during(lambda: Client(app).post("/login", input_stream=line, **kind))
    assert pause.was_free
