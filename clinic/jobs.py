"""Scheduled work: calls to operations. Each command is run by a timer, or stays with --loop.

`clinic outbox send` sends the clinic's mail; `clinic plans work` makes the plans that the desk has asked for.
"""

import logging
import os
import signal
import threading

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError

from clinic.core import clock, db
from clinic.notifications.mail import Mailer, MailSettings, NoMailServer
from clinic.notifications.sending import send_due
from clinic.reminders import (
    operations,
    queries,
    wording,  # noqa: F401 it words the messages
)
from clinic.scheduling import plan_work

log = logging.getLogger("clinic.outbox")


def plan_all() -> None:
    """Put every clinic's reminders that have become due into the outbox."""
    with db.unit_of_work(write=False):
        clinics = queries.clinics()
    for clinic in clinics:
        with db.in_clinic(clinic.id), db.unit_of_work():
            operations.plan_reminders(clinic, at=clock.now())


@click.group()
def outbox() -> None:
    """Look after the clinic's mail."""


@outbox.command()
@click.option("--loop", is_flag=True, help="Stay and send whatever becomes due, until told to stop.")
@click.option("--every", default=30, show_default=True, type=click.IntRange(1, 3600), help="Seconds between two looks.")
@with_appcontext
def send(*, loop: bool, every: int) -> None:
    """Send what is due. Any number may run beside the server: each message goes out once."""
    try:
        settings = MailSettings.of(current_app.config)
    except NoMailServer as missing:
        raise click.ClickException(f"{missing} See docs/settings.md.") from missing
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    over = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: over.set())  # the message under way is finished first
    while True:
        try:
            plan_all()
            with Mailer(settings) as mailer:
                sent = send_due(mailer, clock.now, is_over=over.is_set)
        except DBAPIError as error:
            if not loop:
                raise
            log.warning("The database does not answer (%s). The outbox waits.", type(error.orig).__name__)
        else:
            if not loop:
                click.echo(f"{sent} sent.")
        if not loop or over.wait(every):
            return


_KINDNESS = 10


@click.group()
def plans() -> None:
    """Make the plans of many courses that the desk has asked for."""


@plans.command()
@click.option("--loop", is_flag=True, help="Stay and make whatever is asked for, until told to stop.")
@click.option("--every", default=5, show_default=True, type=click.IntRange(1, 3600), help="Seconds between two looks.")
@with_appcontext
def work(*, loop: bool, every: int) -> None:
    """Make the plans that were asked for, of all clinics. Any number may run: each plan is made by one."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    over = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: over.set())  # the best plan so far is kept first
    os.nice(_KINDNESS)  # whoever looks at the clinic's pages comes first
    while True:
        try:
            with db.unit_of_work(write=False):
                clinics = queries.clinics()
            made = sum(plan_work.make_plans(clinic, is_over=over.is_set) for clinic in clinics)
        except DBAPIError as error:
            if not loop:
                raise
            log.warning("The database does not answer (%s). The plans wait.", type(error.orig).__name__)
        else:
            if not loop:
                click.echo(f"{made} made.")
        if not loop or over.wait(every):
            return
