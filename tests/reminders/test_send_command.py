"""`clinic outbox send`, as the operator's timer runs it."""

import os
import signal
import subprocess
import sys
import time
import uuid

import pytest
import sqlalchemy as sa

from clinic.core import clock, db
from clinic.notifications import operations as outbox
from clinic.notifications.models import OutboxMessage
from clinic.notifications.rules import MessageKind, MessageState
from tests.structure.tree import ROOT


@pytest.fixture
def start(committed_db, tmp_path, mail_server):
    """Starts `clinic outbox send …` beside the test's mail server."""

    def go(*words, **variables):
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": committed_db,
            "SECRET_FILE": str(tmp_path / "secret"),
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(mail_server.port),
            "SMTP_SECURITY": "none",
            "MAIL_FROM": "desk@clinic.example",
            "PUBLIC_URL": "https://clinic.example",
            **variables,
        }
        line = [sys.executable, "-m", "clinic.cli", "outbox", "send", *words]
        return subprocess.Popen(
            line, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    return go


def test_without_a_mail_server_it_says_what_is_missing(start):
    done = start(SMTP_HOST="", MAIL_FROM="")
    _, said = done.communicate(timeout=60)
    assert done.returncode == 1
    assert said.strip() == "Error: No mail can be sent: set SMTP_HOST, MAIL_FROM. See docs/settings.md."


def state_of(message):
    with db.unit_of_work(write=False):
        found = sa.select(OutboxMessage.state, OutboxMessage.state_reason).where(OutboxMessage.id == message.id)
        return tuple(db.session.execute(found).one())


def test_it_works_off_what_is_due_and_ends_when_it_is_told_to(start, clinic):
    with db.unit_of_work():
        message = outbox.put(MessageKind.REMINDER, uuid.uuid4(), at=clock.now())
    worker = start("--loop", "--every", "1")
    until = time.monotonic() + 60
    while state_of(message)[0] is MessageState.WAITING and time.monotonic() < until:
        time.sleep(0.1)
    worker.send_signal(signal.SIGTERM)
    _, said = worker.communicate(timeout=60)
    assert worker.returncode == 0, said
    assert state_of(message) == (MessageState.CANCELLED, "the appointment is not there")
    assert f"message {message.id} (reminder): the appointment is not there" in said
