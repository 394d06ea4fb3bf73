"""Checkpoints of the trail leave the machine: into a folder of another one, and by mail. Only then do they prove a cut.

A checkpoint says how far each chain has come, signed, and nothing of any patient (docs/audit.md).
"""

import logging
import os
import signal
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError

from clinic.audit import verify
from clinic.core import clock, db
from clinic.notifications.mail import Letter, Mailer, MailSettings, NoMailServer, NotDelivered, compose

log = logging.getLogger("clinic.checkpoints")
# A folder takes one at every look, a person reads one a day.
_MAILED_EVERY: Final = timedelta(days=1)
_WORDS: Final = (
    "How far the audit trail of {where} had come at {at}. Keep this mail where nobody who has the server reaches it.\n"
    "To prove the trail with it, save the lines below as a file: clinic audit verify --checkpoint FILE\n\n"
)


class NotKept(Exception):
    """A checkpoint did not leave the machine; the text says why."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where checkpoints go; one of both may be missing."""

    folder: Path | None
    mail_to: str | None

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Self | None:
        """The places that the settings name; None where they name none."""
        folder, mail_to = config["CHECKPOINT_FOLDER"], config["CHECKPOINT_MAIL_TO"]
        return cls(Path(folder) if folder else None, mail_to or None) if folder or mail_to else None


def keep(text: str, folder: Path, *, at: datetime) -> Path:
    """Write a checkpoint as a new file, seen on the disk; nothing is written over. Raises NotKept."""
    path = folder / f"checkpoint-{at:%Y-%m-%dT%H%M%SZ}.jsonl"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as problem:
        raise NotKept(f"No checkpoint in CHECKPOINT_FOLDER ({problem.strerror}).") from problem
    return path


def mail(text: str, mail_to: str, settings: MailSettings, *, at: datetime) -> None:
    """Send a checkpoint. Raises NotKept."""
    words = _WORDS.format(where=settings.public_url, at=f"{at:%Y-%m-%d %H:%M} UTC") + text
    letter = Letter(mail_to, f"Audit checkpoint {at:%Y-%m-%d}", words, words, "Chairtime")
    try:
        with Mailer(settings) as mailer:
            mailer.deliver(compose(letter, uuid.uuid4().hex, settings.sender, at=at))
    except NotDelivered as problem:
        raise NotKept(f"No checkpoint by mail ({problem}).") from problem


def send_out(places: Places, *, at: datetime, is_mail_due: bool) -> tuple[list[str], bool]:
    """Make a checkpoint and send it to every place; gives what went wrong, and whether it was mailed."""
    with db.unit_of_work(write=False):
        text = verify.written(verify.checkpoints(db.session, at=at), current_app.config["SECRET_KEY"])
    problems, is_mailed = [], False
    try:
        if places.folder is not None:
            keep(text, places.folder, at=at)
    except NotKept as problem:
        problems.append(str(problem))
    try:
        if places.mail_to is not None and is_mail_due:
            mail(text, places.mail_to, MailSettings.of(current_app.config), at=at)
            is_mailed = True
    except (NotKept, NoMailServer) as problem:
        problems.append(str(problem))
    return problems, is_mailed


@click.command("send-checkpoints")
@click.option("--loop", is_flag=True, help="Stay and go on until told to stop; the mail goes once a day.")
@click.option("--every", default=3600, show_default=True, type=click.IntRange(1, 86_400), help="Seconds between two.")
@with_appcontext
def send_checkpoints(*, loop: bool, every: int) -> None:
    """Send a checkpoint to CHECKPOINT_FOLDER and CHECKPOINT_MAIL_TO, so that it is not on this machine alone."""
    places = Places.of(current_app.config)
    if places is None:
        raise click.ClickException("Set CHECKPOINT_FOLDER or CHECKPOINT_MAIL_TO. See docs/settings.md.")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    over = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: over.set())
    mailed_at: datetime | None = None
    while True:
        at = clock.now()
        is_mail_due = mailed_at is None or at >= mailed_at + _MAILED_EVERY
        try:
            problems, is_mailed = send_out(places, at=at, is_mail_due=is_mail_due)
            mailed_at = at if is_mailed else mailed_at
        except DBAPIError as error:
            problems = [f"The database does not answer ({type(error.orig).__name__})."]
        if problems and not loop:
            raise click.ClickException(" ".join(problems))
        for problem in problems:
            log.warning("%s", problem)
        if not loop or over.wait(every):
            return
