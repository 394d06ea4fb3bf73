"""Send what is due: claim, word, hand over, write down.

Each step is a transaction of its own; none is open while the mail server is spoken to. A message is handed over once,
except where a sender dies between the server's yes and its own note of it: nobody can know then, and the message is
sent again after the lease, with the same Message-ID.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from clinic.core import db, retry
from clinic.notifications import operations
from clinic.notifications.mail import Letter, Mailer, NotDelivered, compose
from clinic.notifications.models import OutboxMessage
from clinic.notifications.operations import Claim
from clinic.notifications.rules import MessageKind, Outcome

log = logging.getLogger("clinic.outbox")

Wording = Callable[[OutboxMessage, str, datetime], Letter]
"""Words a message from what holds at an instant, for an installation that is reached under a public address."""

_wordings: dict[MessageKind, Wording] = {}


class NothingToTell(Exception):
    """What a message told of is gone. The reason stands in the outbox and names nobody."""


def word(kind: MessageKind, wording: Wording) -> None:
    """Let an area above this one word the messages of a kind."""
    _wordings[kind] = wording


def send_due(mailer: Mailer, now: Callable[[], datetime], *, is_over: Callable[[], bool] = lambda: False) -> int:
    """Send every message that is due; gives how many the server took. Stops between two messages when told to."""
    sent = 0
    while not is_over():
        with db.unit_of_work():
            claimed = operations.claim(at=now())
        if claimed is None:
            break
        sent += _send(claimed, mailer, now)
    return sent


def _send(claimed: Claim, mailer: Mailer, now: Callable[[], datetime]) -> bool:
    outcome, code = Outcome.SENT, ""
    try:
        with db.in_clinic(claimed.clinic_id):
            letter = _worded(claimed, mailer.settings.public_url, now())
            if letter is None:
                return False
            mail = compose(letter, str(claimed.message_id), mailer.settings.sender, at=now())
        mailer.deliver(mail)
    except NotDelivered as failure:
        outcome, code = failure.outcome, failure.code
    except Exception as error:  # noqa: BLE001 one message that cannot be worded must not hold up the others
        outcome, code = Outcome.FAULT, type(error).__name__[:40]
    retry.in_transaction(lambda: operations.finish(claimed, outcome, code or None, at=now()))
    log.info(
        "message %s (%s), try %d: %s %s", claimed.message_id, claimed.kind.value, claimed.number, outcome.value, code
    )
    return outcome is Outcome.SENT


def _worded(claimed: Claim, public_url: str, at: datetime) -> Letter | None:
    """The message in words, kept as it goes out; None where it is not to be sent any more."""
    with db.unit_of_work():
        message = operations.held(claimed)
        if message is None:
            return None
        try:
            letter = _wordings[claimed.kind](message, public_url, at)
        except NothingToTell as reason:
            operations.withdraw(claimed, str(reason), at=at)
            log.info("message %s (%s): %s", claimed.message_id, claimed.kind.value, reason)
            return None
        operations.keep_words(message, to_address=letter.to_address, subject=letter.subject, body=letter.kept_body)
        return letter
