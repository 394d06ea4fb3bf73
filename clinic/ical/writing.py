"""Write appointments as iCalendar (RFC 5545). Knows values, neither the database nor Flask.

Times are UTC instants, without a VTIMEZONE: an appointment is one instant and no recurring rule, an instant is what the
record keeps, and a calendar shows it on its owner's own clock. A zone that we wrote along would be wrong in every
calendar that has it already on the day a government moves the clocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from icalendar import Calendar, Event, vCalAddress

_PRODUCT: Final = "-//Chairtime//Appointments//EN"
_ASK_AGAIN: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """One appointment as a calendar shows it."""

    uid: str
    sequence: int
    stamped_at: datetime
    starts_at: datetime
    ends_at: datetime
    summary: str
    is_cancelled: bool
    location: str | None = None
    description: str | None = None
    is_busy: bool = True


def _event(entry: Entry) -> Event:
    made = Event()
    made.add("uid", entry.uid)
    made.add("dtstamp", entry.stamped_at)
    made.add("dtstart", entry.starts_at)
    made.add("dtend", entry.ends_at)
    made.add("sequence", entry.sequence)
    made.add("status", "CANCELLED" if entry.is_cancelled else "CONFIRMED")
    made.add("summary", entry.summary)
    if entry.location:
        made.add("location", entry.location)
    if entry.description:
        made.add("description", entry.description)
    made.add("class", "PRIVATE")
    made.add("transp", "OPAQUE" if entry.is_busy and not entry.is_cancelled else "TRANSPARENT")
    return made


def _calendar() -> Calendar:
    made = Calendar()
    made.add("prodid", _PRODUCT)
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    return made


def feed(name: str, zone: str, entries: Sequence[Entry]) -> bytes:
    """A calendar to subscribe to. The same entries are the same bytes, so that its digest tells whether it changed."""
    made = _calendar()
    made.add("name", name)
    made.add("x-wr-calname", name)
    made.add("x-wr-timezone", zone)
    made.add("refresh-interval", _ASK_AGAIN, parameters={"VALUE": "DURATION"})
    made.add("x-published-ttl", "PT1H")
    for entry in entries:
        made.add_component(_event(entry))
    return bytes(made.to_ical())


def invitation(entry: Entry, organizer: str) -> bytes:
    """One appointment to put into a calendar, sent along with a mail; a cancelled one takes it out again.

    It is published and asks for no reply: a calendar program would send the answer to the clinic's mail box, where
    nobody turns it into a cancelled appointment. The link in the mail does.
    """
    made = _calendar()
    made.add("method", "CANCEL" if entry.is_cancelled else "PUBLISH")
    event = _event(entry)
    event.add("organizer", vCalAddress(f"mailto:{organizer}"))
    made.add_component(event)
    return bytes(made.to_ical())
