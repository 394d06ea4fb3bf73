"""A real mail server that keeps what it is given, and says no when told to."""

import email
import email.policy
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from aiosmtpd.controller import Controller

from clinic.notifications.mail import Mailer, MailSettings


class _Keeping:
    """The server's side: `answers` are said to the next recipients or mails instead of yes."""

    def __init__(self):
        self.mails, self.to_recipients, self.to_data = [], [], []

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 the library's name
        if self.to_recipients:
            return self.to_recipients.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 the library's name
        if self.to_data:
            return self.to_data.pop(0)
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"


class _AnyPort(Controller):
    """Listens where the system has room, and looks there whether it answers."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def a_mail_server():
    kept = _Keeping()
    controller = _AnyPort(kept, hostname="127.0.0.1", port=0)
    controller.start()
    port = controller.port
    settings = MailSettings("127.0.0.1", port, "none", "desk@clinic.example", "https://chairtime.clinic.example")
    try:
        yield SimpleNamespace(kept=kept, settings=settings, port=port)
    finally:
        controller.stop()


@pytest.fixture
def mail_server():
    """`kept.mails` holds what arrived; `kept.to_recipients.append("550 no")` makes it refuse the next one."""
    with a_mail_server() as server:
        yield server


@pytest.fixture
def mailer(mail_server):
    with Mailer(mail_server.settings) as made:
        yield made
