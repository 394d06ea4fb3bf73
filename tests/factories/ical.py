"""Calendar addresses, and reading them with another library than the one that wrote them."""

import pytest
import vobject

from clinic.core import db
from clinic.ical import operations
from tests.factories.scheduling import DESK_OPENS


@pytest.fixture
def make_address(scheduler):
    """Issues an address and gives its path."""

    def make(kind, owner, *, by=scheduler, at=DESK_OPENS):
        with db.unit_of_work():
            return f"/calendar-feed/{operations.issue(kind, owner, by=by, at=at)}.ics"

    return make


@pytest.fixture
def read_calendar():
    """Reads an iCalendar text: its events as (uid, sequence, status, start, end, summary) and the calendar itself."""

    def read(answer):
        text = answer if isinstance(answer, str) else answer.get_data(as_text=True)
        calendar = vobject.readOne(text, validate=True)
        events = [
            (
                event.uid.value,
                int(event.sequence.value),
                event.status.value,
                event.dtstart.value,
                event.dtend.value,
                event.summary.value,
            )
            for event in calendar.contents.get("vevent", [])
        ]
        return events, calendar

    return read
