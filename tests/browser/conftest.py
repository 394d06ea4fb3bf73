"""A real browser against the real server with the demo clinic, started once per run."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page

from tests.structure.tree import ROOT

START_SECONDS = 180


def find_chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise RuntimeError("Chromium is needed for the browser tests. Debian: apt-get install chromium")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """The system's own Chromium, kept from calling home; its sandbox works for everybody but root."""
    quiet = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
    if os.geteuid() == 0:
        quiet.append("--no-sandbox")
    return {**browser_type_launch_args, "executable_path": find_chromium(), "args": quiet}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    """The bedside tablet, held upright; a test that is about the desk sets its own viewport."""
    return {**browser_context_args, "viewport": {"width": 820, "height": 1180}, "locale": "en-GB"}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


class Server:
    """`clinic serve` on a database, at an address that stays while it is killed and started again."""

    def __init__(self, url: str, folder: Path) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        clinic = str(Path(sys.executable).with_name("clinic"))
        self._command = [clinic, "serve", "--port", str(self.port)]
        self._environment = {**os.environ, "DATABASE_URL": url, "SECRET_FILE": str(folder / "secret")}
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        """Start it, unless it runs."""
        if self._process is not None and self._process.poll() is None:
            return
        command = [*self._command, *options]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + START_SECONDS
        while not answers(self.address):
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("The server did not start:\n" + self._log.read_text(errors="replace"))
            time.sleep(0.2)

    def stop(self) -> None:
        """End it as an operating system does, and without mercy when it does not go."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """The whole server at once, with no time to finish anything."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class LaterServer(Server):
    """A server whose clock a test puts forward, so that nobody waits for half an hour of recovery."""

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(url, folder)
        self._ahead = folder / "ahead"
        self._ahead.write_text("0")
        gunicorn = [sys.executable, "-m", "gunicorn", "--threads", "4", "--no-control-socket"]
        self._command = [*gunicorn, "--bind", f"127.0.0.1:{self.port}", "tests.browser.later_wsgi:app"]
        self._environment |= {"CLOCK_AHEAD": str(self._ahead), "LOCK_AFTER_SECONDS": "0"}

    def put_forward(self, minutes: int) -> None:
        """Let minutes pass at once."""
        self._ahead.write_text(str(int(self._ahead.read_text()) + minutes))


@pytest.fixture(scope="session")
def clinic_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the database of the run's server lies."""
    return tmp_path_factory.mktemp("server") / "chairtime.sqlite"


@pytest.fixture(scope="session")
def live_server(clinic_file: Path) -> Iterator[str]:
    """The address of `clinic serve` on a new database with the demo clinic in it."""
    server = Server(f"sqlite:///{clinic_file}", clinic_file.parent)
    server.start("--demo")
    try:
        server.wait()
        with sqlite3.connect(clinic_file) as filled, sqlite3.connect(clinic_file.with_name("filled.sqlite")) as copy:
            filled.backup(copy)
        yield server.address
    finally:
        server.stop()


@pytest.fixture(scope="session")
def later_server(
    live_server: str, clinic_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LaterServer]:
    """Another server, with the demo clinic as it was when it was new, and with its own clock."""
    folder = tmp_path_factory.mktemp("later")
    for name in ("secret", "filled.sqlite"):
        shutil.copy(clinic_file.with_name(name), folder)
    server = LaterServer(f"sqlite:///{folder}/filled.sqlite", folder)
    server.start()
    try:
        server.wait()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def base_url(live_server):
    """So that `page.goto("/patients")` finds the server."""
    return live_server


@pytest.fixture(autouse=True)
def _no_script_fails(page: Page) -> Iterator[None]:
    """A test fails when a script fails or the content security policy refuses something, whatever it is about."""
    faults: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            faults.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield
    assert not faults


@pytest.fixture
def barriers():
    """Call it with a page: what axe finds there that would stop somebody, as lines of text; by `rules`, or by all."""

    def found(page: Page, *rules: str) -> list[str]:
        options = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else None
        violations = Axe().run(page, options=options).response["violations"]
        return [f"{rule['id']}: {node['html'][:160]}" for rule in violations for node in rule["nodes"]]

    return found
