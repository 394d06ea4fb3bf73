"""Speak to a mail server (SMTP). Knows neither the database nor Flask."""

import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from types import TracebackType
from typing import Any, Final, Self

from clinic.notifications.rules import Outcome

_PATIENCE_SECONDS: Final = 20
_REFUSED_FOR_GOOD: Final = range(500, 600)


class NoMailServer(ValueError):
    """The settings name no mail server, or name it in part."""


SECURITY: Final = ("starttls", "tls", "none")


@dataclass(frozen=True, slots=True)
class MailSettings:
    """How mail leaves this installation."""

    host: str
    port: int
    security: str
    sender: str
    public_url: str
    user: str = ""
    password: str = ""

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Self:
        """The settings of an application. Raises NoMailServer, naming what is missing."""
        missing = [name for name in ("SMTP_HOST", "MAIL_FROM", "PUBLIC_URL") if not config.get(name)]
        if missing:
            raise NoMailServer(f"No mail can be sent: set {', '.join(missing)}.")
        if config["SMTP_SECURITY"] not in SECURITY:
            raise NoMailServer(f"No mail can be sent: SMTP_SECURITY is none of {', '.join(SECURITY)}.")
        return cls(
            config["SMTP_HOST"],
            config["SMTP_PORT"],
            config["SMTP_SECURITY"],
            config["MAIL_FROM"],
            config["PUBLIC_URL"].rstrip("/"),
            config["SMTP_USER"],
            config["SMTP_PASSWORD"],
        )


@dataclass(frozen=True, slots=True)
class Letter:
    """A message in words. `kept_body` is the text without its secret link, for the record."""

    to_address: str
    subject: str
    body: str
    kept_body: str
    sender_name: str
    calendar: bytes | None = None
    calendar_method: str = "PUBLISH"


class NotDelivered(Exception):
    """A try failed: how, and the number that the server gave for it."""

    def __init__(self, outcome: Outcome, code: str) -> None:
        super().__init__(f"{outcome.value} {code}")
        self.outcome, self.code = outcome, code


def compose(letter: Letter, message_id: str, sender: str, *, at: datetime) -> EmailMessage:
    """A letter as mail. Its Message-ID is that of the message, so that a second copy can be recognised as one."""
    made = EmailMessage(policy=SMTP)
    try:
        made["From"] = formataddr((letter.sender_name, sender))
        made["To"] = letter.to_address
        made["Subject"] = letter.subject
    except (ValueError, IndexError) as error:  # a line break, or what is no address: nothing of it becomes a header
        raise NotDelivered(Outcome.REFUSED, "address") from error
    made["Date"] = format_datetime(at)
    made["Message-ID"] = f"<{message_id}@{sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(letter.body)
    if letter.calendar is not None:
        made.add_attachment(
            letter.calendar,
            maintype="text",
            subtype="calendar",
            filename="appointment.ics",
            params={"method": letter.calendar_method, "charset": "utf-8"},
        )
    return made


class Mailer:
    """A connection to the mail server, opened when the first mail goes and kept for those that follow."""

    def __init__(self, settings: MailSettings) -> None:
        self.settings = settings
        self._server: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye; a server that is gone already is no fault."""
        server, self._server = self._server, None
        if server is not None:
            try:
                server.quit()
            except (smtplib.SMTPException, OSError):
                server.close()

    def deliver(self, mail: EmailMessage) -> None:
        """Hand a mail to the server; raises NotDelivered. When it returns, the server has taken the mail on itself."""
        try:
            self._connected().send_message(mail)
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            self.close()
            raise _judged(error) from error

    def _connected(self) -> smtplib.SMTP:
        if self._server is None:
            chosen = self.settings
            context = ssl.create_default_context()
            server: smtplib.SMTP
            if chosen.security == "tls":
                server = smtplib.SMTP_SSL(chosen.host, chosen.port, timeout=_PATIENCE_SECONDS, context=context)
            else:
                server = smtplib.SMTP(chosen.host, chosen.port, timeout=_PATIENCE_SECONDS)
            self._server = server
            if chosen.security == "starttls":
                server.starttls(context=context)
            if chosen.user:
                server.login(chosen.user, chosen.password)
        return self._server


def _judged(error: Exception) -> NotDelivered:
    """What a failure means for the message. The server's words are dropped: they often repeat the address."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            code = next(iter(error.recipients.values()))[0]
            return NotDelivered(Outcome.REFUSED if code in _REFUSED_FOR_GOOD else Outcome.DEFERRED, str(code))
        case smtplib.SMTPDataError():
            is_for_good = error.smtp_code in _REFUSED_FOR_GOOD
            return NotDelivered(Outcome.REFUSED if is_for_good else Outcome.DEFERRED, str(error.smtp_code))
        case smtplib.SMTPResponseException():
            # Greeting, sign-in or sender: a fault between us and our server, which somebody will cure.
            return NotDelivered(Outcome.DEFERRED, str(error.smtp_code))
        case UnicodeError():
            return NotDelivered(Outcome.REFUSED, "address")
        case _:
            return NotDelivered(Outcome.UNREACHABLE, type(error).__name__)
