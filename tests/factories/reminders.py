"""Patients who agreed to be written to, and the clinic's times."""

from datetime import UTC, datetime, time

import pytest

from clinic.core import clock, db
from clinic.jobs import plan_all
from clinic.notifications import sending
from clinic.reminders import operations

AGREED = datetime(2025, 11, 3, 15, 0, tzinfo=UTC)
ADDRESS = "somebody@patient.example"


@pytest.fixture
def agrees(scheduler):
    """Lets a patient agree to be written to."""

    def agree(patient, address=ADDRESS, *, at=AGREED):
        with db.unit_of_work():
            return operations.agree(patient, address, by=scheduler, at=at)

    return agree


@pytest.fixture
def make_reminder_time(physician):
    """A reminder one day before at 17:30, unless said otherwise."""

    def make(days_before=1, at_clock=time(17, 30), *, at=AGREED):
        with db.unit_of_work():
            return operations.add_time(days_before, at_clock, by=physician, at=at)

    return make


@pytest.fixture
def work(app, mailer, mail_server, monkeypatch):
    """Does at an instant what the worker does; gives the mails that arrived because of it."""

    monkeypatch.setitem(app.config, "MAIL_FROM", mail_server.settings.sender)

    def do(at):
        before = len(mail_server.kept.mails)
        with app.app_context(), clock.standing_at(at):
            plan_all()
            sending.send_due(mailer, clock.now)
        return mail_server.kept.mails[before:]

    return do
