"""What a request leaves behind even when its own transaction was rolled back or only read."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import flask
from flask import Response, g, request

from clinic.accounts import operations as accounts
from clinic.audit import operations as audit
from clinic.audit import origin, reading
from clinic.audit.rules import AuditAction
from clinic.core import clock, later, retry
from clinic.core.permissions import Permission


@dataclass(frozen=True, slots=True)
class Here:
    """Who is here, kept for the time after the transaction."""

    staff_id: uuid.UUID
    login_id: uuid.UUID
    seen_at: datetime
    is_locked: bool


def do_later() -> None:
    """Do what outlives a refusal, each act in a transaction of its own."""
    origin.watch.set(None)  # what was read is read; these lines only tell of it
    for act in later.taken():
        retry.in_transaction(act)


def leave(response: Response) -> None:
    """Write who was refused, what was read, and that somebody is still here."""
    here: Here | None = g.get("here")
    if here is None:
        return
    denied: Permission | None = g.get("denied")
    reads = reading.taken() if response.status_code < 400 else []  # noqa: PLR2004 HTTP's own border
    is_seen = _is_seen_again(here)
    if not (denied or reads or is_seen):
        return
    at = clock.now()

    def write() -> None:
        if denied:
            audit.record(
                AuditAction.ACCESS_DENIED, actor_id=here.staff_id, at=at, endpoint=request.endpoint, permission=denied
            )
        reading.write(reads, at=at)
        if is_seen:
            accounts.note_seen(here.login_id, at=at)

    retry.in_transaction(write)


_SEEN_EVERY_SECONDS = 60


def is_in_background() -> bool:
    """Whether the page asked by itself, without anybody touching it."""
    return "X-Background" in request.headers


def _is_seen_again(here: Here) -> bool:
    """Whether the sign-in's last sight is to be renewed; a page that refreshes itself does not count."""
    if here.is_locked or is_in_background() or request.endpoint == "accounts.end_login":
        return False
    # One write in a minute is enough, and more often where a sign-in falls asleep sooner.
    config = flask.current_app.config
    every: int = min(_SEEN_EVERY_SECONDS, config["LOGIN_IDLE_SECONDS"] // 10)
    if config["LOCK_AFTER_SECONDS"]:
        every = min(every, config["LOCK_AFTER_SECONDS"] // 10)
    return clock.now() - here.seen_at > timedelta(seconds=every)
