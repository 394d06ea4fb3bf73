"""Several senders at once on one outbox: every message goes out, and none twice."""

import threading
import uuid
from collections import Counter

import pytest

from clinic.core import db
from clinic.notifications import operations, sending
from clinic.notifications.mail import Letter, Mailer
from clinic.notifications.rules import MessageKind
from tests.factories.scheduling import DESK_OPENS

MESSAGES, SENDERS = 24, 4


@pytest.fixture
def full_outbox(committed_db, clinic, monkeypatch):
    letter = Letter("rosa@patient.example", "Tomorrow", "Come.", "Come.", "Harbour clinic")
    monkeypatch.setattr(sending, "_wordings", {MessageKind.REMINDER: lambda *_: letter})
    with db.unit_of_work():
        for _ in range(MESSAGES):
            operations.put(MessageKind.REMINDER, uuid.uuid4(), at=DESK_OPENS)


def run(senders, act):
    start = threading.Barrier(senders)

    def work():
        start.wait()
        act()

    threads = [threading.Thread(target=work) for _ in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_no_message_goes_out_twice(full_outbox, mail_server):
    def send():
        with Mailer(mail_server.settings) as mailer:
            sending.send_due(mailer, lambda: DESK_OPENS)

    run(SENDERS, send)
    seen = Counter(mail["Message-ID"] for mail in mail_server.kept.mails)
    assert len(seen) == MESSAGES
    assert set(seen.values()) == {1}


def test_without_the_claim_the_test_would_see_doubles(full_outbox, mail_server, monkeypatch):
    """The negative control: senders that only look, and do not take."""
    with db.unit_of_work():
        claimed = operations.claim(at=DESK_OPENS)
    monkeypatch.setattr(operations, "claim", lambda *, at: claimed if len(mail_server.kept.mails) < 8 else None)
    monkeypatch.setattr(operations, "finish", lambda *_, **__: None)

    def send():
        with Mailer(mail_server.settings) as mailer:
            sending.send_due(mailer, lambda: DESK_OPENS)

    run(2, send)
    assert max(Counter(mail["Message-ID"] for mail in mail_server.kept.mails).values()) > 1
