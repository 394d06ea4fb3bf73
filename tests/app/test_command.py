"""The `clinic` command and the server, as somebody at a terminal meets them."""

import os
import socket
import subprocess
import sys
import time
from functools import partial

import pytest
import sqlalchemy as sa

from clinic import beside
from clinic.audit.models import AuditEntry
from clinic.core import clock, db
from clinic.core.ids import new_id
from tests.structure.tree import ROOT


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as held:
        return str(held.getsockname()[1])


@pytest.fixture
def run(tmp_path):
    """Runs `clinic …` where there is no database yet."""

    def go(*words, program="clinic.cli", **variables):
        environment = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{tmp_path / 'none.sqlite'}",
            "SECRET_FILE": str(tmp_path / "secret"),
            "CHAIRTIME_ENV": "production",
            **variables,
        }
        line = [sys.executable, "-m", program, *words]
        return subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    return go


@pytest.fixture
def command(run, committed_db):
    """Runs `clinic …` against the test's database."""
    return partial(run, DATABASE_URL=committed_db)


def test_the_command_names_faults_and_fails(command):
    done = command("doctor")
    assert done.returncode == 1
    assert "TRUSTED_HOSTS" in done.stdout


def test_the_server_ends_for_good_when_production_is_refused(run):
    done = run("--bind", "127.0.0.1:0", "wsgi:app", program="gunicorn")
    assert done.returncode == 3
    assert "TRUSTED_HOSTS" in done.stderr


def test_serving_the_demonstration_in_production_is_refused_in_one_line(run):
    done = run("serve", "--demo", "--port", free_port())
    assert done.returncode == 1
    assert (done.stdout, done.stderr) == ("", "Error: Refused: there are no demonstration accounts in production.\n")


def test_a_port_in_use_is_told_in_one_line(run):
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        done = run("serve", "--port", str(port))
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: Nothing can be served at 127.0.0.1:{port}: Address already in use.")
    assert done.stderr.count("\n") == 1


PERSON = ("--email", "Petra.Lund@clinic.example", "--given-name", "Petra", "--family-name", "Lund", "--role", "admin")


def test_a_new_installation_begins_with_one_invitation(command, app):
    done = command("staff", "add", *PERSON, "--clinic", "Harbour", "--zone", "Europe/Lisbon", TRUSTED_HOSTS="c.example")
    assert done.returncode == 0, done.stderr
    link = done.stdout.strip().rsplit("\n", maxsplit=1)[-1]
    assert link.startswith("https://c.example/invitation/")
    assert "P. Lund" in app.test_client().get(link.removeprefix("https://c.example")).text


def test_the_command_wants_a_clinic_that_exists(command):
    assert "--zone" in command("staff", "add", *PERSON).stderr
    assert "no time zone" in command("staff", "add", *PERSON, "--clinic", "Harbour", "--zone", "Nowhere").stderr


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "DATABASE_URL cannot be used"),
        ("sqlite:////proc/nowhere/clinic.sqlite", "DATABASE_URL cannot be used"),
        ("postgresql+psycopg://clinic@127.0.0.1:1/clinic", "Error: The database refuses: connection"),
    ],
)
def test_a_database_that_cannot_be_used_is_told_in_one_line(run, url, words):
    done = run("db", "upgrade", DATABASE_URL=url)
    assert done.returncode == 1
    assert done.stderr.startswith(words)
    assert done.stderr.count("\n") == 1


def test_a_revision_that_does_not_exist_is_told_in_one_line(command):
    assert command("db", "upgrade", "9999").stderr == "Error: Can't locate revision identified by '9999'\n"


def test_the_folder_of_a_new_database_is_made(run, tmp_path):
    place = tmp_path / "new" / "clinic.sqlite"
    done = run("staff", "add", *PERSON, DATABASE_URL=f"sqlite:///{place}")
    assert place.parent.is_dir()
    assert done.stderr == "Error: The database refuses: no such table: clinic. Is it up to date (clinic db upgrade)?\n"


def test_the_trail_is_proved_and_its_damage_ends_with_one(command, tmp_path):
    checkpoint = tmp_path / "checkpoint"
    assert command("audit", "checkpoint", "--out", str(checkpoint)).returncode == 0
    sound = command("audit", "verify", "--checkpoint", str(checkpoint))
    assert (sound.returncode, sound.stdout) == (0, "The trail is sound: 0 lines in 0 chains.\n")
    with db.engine().begin() as connection:  # a line that no transaction of ours wrote
        line = {"id": new_id(), "at": clock.now(), "action": "demo:clinic:created", "body": "{}"}
        connection.execute(sa.insert(AuditEntry).values(line))
    broken = command("audit", "verify")
    assert (broken.returncode, broken.stdout) == (1, "The trail of the installation is broken: not sealed.\n")
    assert command("audit", "verify", "--checkpoint", __file__).returncode == 2


def test_a_trail_whose_seals_were_taken_away_is_not_sealed_again(command):
    with db.engine().begin() as connection:  # a line that no transaction of ours wrote, and no chain
        line = {"id": new_id(), "at": clock.now(), "action": "demo:clinic:created", "body": "{}"}
        connection.execute(sa.insert(AuditEntry).values(line))
    assert command("db", "upgrade").returncode == 0
    assert "not sealed" in command("audit", "verify").stdout


def test_what_runs_beside_the_server_is_begun_again(tmp_path):
    marks = tmp_path / "marks"
    line = [sys.executable, "-c", f"open({str(marks)!r}, 'a').write('x')"]
    beside.keep_running(line, lambda: marks.exists() and len(marks.read_text()) > 1, lambda _seconds: time.sleep(0.01))
    assert marks.read_text() == "xx"


def test_what_runs_beside_the_server_ends_with_it(tmp_path):
    """The server is killed; the command that would wait for ever is told to end, and says so."""
    said = tmp_path / "said"
    waits = (
        "import pathlib, signal, time\n"
        f"said = pathlib.Path({str(said)!r})\n"
        "def end(*_): said.write_text('told'); raise SystemExit\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "said.write_text('there')\n"
        "time.sleep(60)\n"
    )
    line = [sys.executable, "-m", "clinic.beside", sys.executable, "-c", waits]
    server = subprocess.Popen(
        [sys.executable, "-c", f"import subprocess, time; subprocess.Popen({line}); time.sleep(60)"]
    )
    for word in ("there", "told"):
        until = time.monotonic() + 20
        while not (said.exists() and said.read_text() == word):
            assert time.monotonic() < until, word
            time.sleep(0.02)
        server.kill()
    server.wait()
