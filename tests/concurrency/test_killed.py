"""The server is killed while people save: what was confirmed is there, and there once.

`KILL_SECONDS=60` goes on for a minute (`make kill`). The confirmed saves are remembered here, outside the server.
"""

import contextlib
import http.client
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid
from pathlib import Path

import pytest
import sqlalchemy as sa

from clinic.core import db
from clinic.core.permissions import Role
from clinic.patients.models import Patient
from tests.factories.accounts import PASSWORD
from tests.structure.tree import ROOT

SECONDS = int(os.environ.get("KILL_SECONDS", "1"))
WRITERS = 3
PATIENCE = 60
PATIENT = {"family_name": "Alder", "given_name": "Maren", "born_on": "02-Jan-1980", "sex": "female"}
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class Server:
    """Two worker processes that serve one database."""

    def __init__(self, url, folder):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        self._environment = {**os.environ, "DATABASE_URL": url, "SECRET_FILE": str(folder / "secret")}
        self._log = folder / "server.log"
        self.start()

    def start(self):
        options = ["--bind", f"127.0.0.1:{self.port}", "--worker-class", "gthread", "--workers", "2", "--threads", "4"]
        command = [sys.executable, "-m", "gunicorn", *options, "--no-control-socket", "wsgi:app"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )

    def wait(self):
        """Until it answers."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5):
                return
            time.sleep(0.05)
        raise TimeoutError(self._log.read_text(encoding="utf-8"))

    def kill(self):
        """The whole server at once."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def kill_a_worker(self):
        main = self._process.pid
        workers = Path(f"/proc/{main}/task/{main}/children").read_text(encoding="ascii").split()
        if workers:
            os.kill(int(random.choice(workers)), signal.SIGKILL)


class Writer(threading.Thread):
    """A browser that adds patients and repeats each save until it is answered."""

    def __init__(self, port, email, number, stopped):
        super().__init__()
        self._port, self._email, self._number, self._stopped = port, email, number, stopped
        self._cookie, self.confirmed, self.unexpected = "", [], []

    def ask(self, method, path, form=None):
        """Ask until there is an answer that is none about the server's own trouble."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                status, text = self._ask(method, path, urllib.parse.urlencode(form or {}))
            except (OSError, http.client.HTTPException):
                status, text = 0, ""
            if 0 < status < 500:
                return status, text
            time.sleep(0.05)
        raise TimeoutError(path)

    def _ask(self, method, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=15)
        headers = {"Cookie": self._cookie, "Content-Type": "application/x-www-form-urlencoded"}
        try:
            connection.request(method, path, body if method == "POST" else None, headers)
            answer = connection.getresponse()
            self._cookie = (answer.getheader("Set-Cookie") or self._cookie).split(";")[0]
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def run(self):
        try:
            self._save_until_stopped()
        except Exception as fault:  # noqa: BLE001 the test tells what went wrong
            self.unexpected.append(repr(fault))

    def _save_until_stopped(self):
        token = TOKEN.search(self.ask("GET", "/login")[1])[1]
        self.ask("POST", "/login", {"csrf_token": token, "email": self._email, "password": PASSWORD})
        token = TOKEN.search(self.ask("GET", "/patients/new")[1])[1]
        while not self._stopped.is_set():
            mrn = f"{self._number}-{len(self.confirmed)}"
            key = uuid.uuid4().hex
            form = {"csrf_token": token, "idempotency_key": key, "mrn": mrn, **PATIENT}
            status, _ = self.ask("POST", "/patients/new", form)
            if status != 303:
                self.unexpected.append(status)
                return
            self.confirmed.append(mrn)


@pytest.fixture
def server(committed_db, tmp_path):
    made = Server(committed_db, tmp_path)
    yield made
    made.kill()


def kill_until(server, end):
    """One worker, another one, then everything: again and again."""
    is_over = False
    while not is_over:
        for act in (server.kill_a_worker, server.kill_a_worker, server.kill):
            time.sleep(random.uniform(0.3, 1.2))
            act()
        server.start()
        server.wait()
        is_over = time.monotonic() > end


def test_what_was_confirmed_is_there_once(server, make_staff):
    desk = make_staff(Role.SCHEDULER, password=PASSWORD)
    stopped = threading.Event()
    writers = [Writer(server.port, desk.email, number, stopped) for number in range(WRITERS)]
    server.wait()
    for writer in writers:
        writer.start()
    while not all(writer.confirmed or writer.unexpected for writer in writers):
        time.sleep(0.05)
    kill_until(server, time.monotonic() + SECONDS)
    stopped.set()
    for writer in writers:
        writer.join(2 * PATIENCE)
    assert [writer.unexpected for writer in writers] == [[]] * WRITERS
    confirmed = [mrn for writer in writers for mrn in writer.confirmed]
    with db.unit_of_work(write=False):
        kept = list(db.session.scalars(sa.select(Patient.mrn).execution_options(unscoped=True)))
    assert len(confirmed) > WRITERS  # something was saved after the first kill
    assert sorted(kept) == sorted(confirmed)  # every writer waited for its last answer, so nothing else is there either
