"""The demonstration clinic behind a real server, with a second clinic beside it.

A campaign of its own, `make attack`: tests/sweep tries most of it within the suite, without a network.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from clinic.accounts.rules import DEMO_PASSWORD
from tests.attack.attacker import Attacker
from tests.server import Server
from tests.structure.tree import ROOT
from tests.sweep.conftest import PEOPLE

STRANGER, STRANGERS_PASSWORD = "eve@elsewhere.example", "gravel teapot monsoon nine"


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("attack")


@pytest.fixture(scope="session")
def server(folder):
    """The address of the server under attack; its database is nobody else's."""
    made = Server(f"sqlite:///{folder}/chairtime.sqlite", folder)
    made.start("--demo")
    try:
        made.wait()
        yield made.address
    finally:
        made.kill()  # it would wait for the browsers, which keep their connections


@pytest.fixture(scope="session")
def server_log(folder, server):
    return folder / "server.log"


@pytest.fixture(scope="session")
def enter(server):
    """Signs somebody of the demonstration in at a browser of their own."""

    def entering(role):
        made = Attacker(server)
        assert made.sign_in(PEOPLE[role], DEMO_PASSWORD).status_code == 303
        return made

    return entering


@pytest.fixture(scope="session")
def walked(enter):
    """What each role reaches, walked once."""
    return {role: enter(role).walk() for role in PEOPLE}


@pytest.fixture(scope="session")
def stranger(server, folder):
    """Somebody with every role in another clinic of the same installation."""
    clinic = str(Path(sys.executable).with_name("clinic"))
    roles = [word for role in ("nurse", "physician", "scheduler", "admin") for word in ("--role", role)]
    who = ["--email", STRANGER, "--given-name", "Eve", "--family-name", "Elsewhere"]
    where = ["--clinic", "Elsewhere Clinic", "--zone", "Europe/Lisbon"]
    said = subprocess.run(
        [clinic, "staff", "add", *who, *roles, *where],
        cwd=ROOT, env={**os.environ, "DATABASE_URL": f"sqlite:///{folder}/chairtime.sqlite"},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    made = Attacker(server)
    link = re.search(r"https?://[^/\s]+(/\S+)", said)[1]
    _, page = made.read(link)
    (form,) = [form for form in page.forms if "new" in form.names]
    answer = made.submit(form, {"new": STRANGERS_PASSWORD, "again": STRANGERS_PASSWORD})
    assert answer.status_code == 303, answer.text
    made.sign_in(STRANGER, STRANGERS_PASSWORD)
    assert made.get("/today").status_code == 200
    return made
