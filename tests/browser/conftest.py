"""A real browser against the real server with the demo clinic, started once per run."""

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page

from tests.databases import Databases
from tests.server import Server


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
def clinic_file(databases: Databases) -> Path:
    """Where the database of the run's server lies."""
    return Path(mkdtemp(prefix="server-", dir=databases.folder)) / "chairtime.sqlite"


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
def later_server(live_server: str, clinic_file: Path, databases: Databases) -> Iterator[LaterServer]:
    """Another server, with the demo clinic as it was when it was new, and with its own clock."""
    folder = Path(mkdtemp(prefix="later-", dir=databases.folder))
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
