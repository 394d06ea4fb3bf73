"""What every line of the inbox has, whatever it is about, and whose inbox it is."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from clinic.accounts import cover
from clinic.accounts.models import Clinic, Cover, Staff
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.times import clock_label, date_label, local
from clinic.notes import inbox_queries as queries
from clinic.notes.inbox_rules import EVENTS_FOR, Group, ItemKind
from clinic.notes.summary_rules import SessionFacts
from clinic.orders.models import OrderVersion
from clinic.patients.models import Patient
from clinic.scheduling.models import Appointment

AHEAD: Final = timedelta(days=7)
"""How far ahead booked sessions are looked at, and how long a course may rest before somebody decides."""


@dataclass(frozen=True)
class Desk:
    """Whose inbox is read, and when."""

    person: Staff
    zone: ZoneInfo
    now: datetime

    @property
    def ids(self) -> queries.Ids:
        """The physicians whose items stand here: the person, and those for whom the person signs today."""
        return cover.signs_for(self.person.id, cover.clinic_day(self.now))

    @cached_property
    def covers(self) -> list[Cover]:
        """The covers under which the person signs for others today."""
        return cover.covered_by(self.person.id, cover.clinic_day(self.now))

    @cached_property
    def covered_by(self) -> list[Cover]:
        """The covers under which others sign for the person, today or later: nobody does so without one's knowing."""
        standing = cover.covers_of(self.person.id, cover.clinic_day(self.now))
        return [each for each in standing if each.away_id == self.person.id]

    @cached_property
    def sign_within_hours(self) -> int | None:
        """How long a spoken order may wait for its signature, where the clinic says so."""
        return db.session.get_one(Clinic, db.current_clinic_id()).spoken_order_sign_hours

    @cached_property
    def people(self) -> frozenset[uuid.UUID]:
        """The same keys, to ask of one item whether it is theirs."""
        return frozenset({self.person.id, *(each.away_id for each in self.covers)})

    def whose(self, staff: Staff | None) -> str:
        """Return for whom else an item waits: empty for the person's own, "for any physician" for nobody's."""
        if staff is None:
            return "for any physician"
        return "" if staff.id == self.person.id else f"for {staff.name}"

    @property
    def since(self) -> datetime:
        """From when lesser adverse events are shown."""
        return self.now - EVENTS_FOR

    @property
    def until(self) -> datetime:
        """Up to when booked sessions are looked at."""
        return self.now + AHEAD

    @property
    def quiet_since(self) -> datetime:
        """From when a course without a session is at a standstill."""
        return self.now - AHEAD

    @cached_property
    def booked(self) -> dict[uuid.UUID, Appointment]:
        """The next booked session of each order, within the days looked ahead."""
        first: dict[uuid.UUID, Appointment] = {}
        for appointment in queries.coming_appointments(self.ids, self.now, self.until):
            first.setdefault(appointment.course.order_id, appointment)
        return first

    @cached_property
    def given(self) -> dict[uuid.UUID, int]:
        """How many sessions were given under each order of a booked session."""
        return queries.given_by_order(self.booked) if self.booked else {}

    @cached_property
    def drafts(self) -> list[OrderVersion]:
        """The orders that nobody has signed."""
        return queries.drafts(self.ids)

    def when(self, instant: datetime) -> str:
        """Return the day and time of what happened: "today 16:14"."""
        day, today = local(instant, self.zone).date(), local(self.now, self.zone).date()
        words = {0: "today", 1: "yesterday"}.get((today - day).days, date_label(day)[:6])
        return f"{words} {clock_label(instant, self.zone)}"

    def day(self, instant: datetime) -> str:
        """Return the day and time of what is to come: "Thu 20-Nov 13:00"."""
        wall = local(instant, self.zone)
        return f"{wall:%a} {date_label(wall.date())[:6]} {clock_label(instant, self.zone)}"


@dataclass(frozen=True)
class InboxItem:
    """One line of the inbox.

    `record` is what it is about, and `id` its key. `since` is when it began to wait, or must be done by. `when` and
    `side` stand on its right; `alert` is marked as outside a limit; `whose` says for whom else it waits. What is about
    no patient says what it is `about` instead.
    """

    id: uuid.UUID
    kind: ItemKind
    group: Group
    patient: Patient | None
    title: str
    what: str
    when: str
    side: str
    since: datetime
    record: Any
    gravity: int = 0
    is_mine: bool = True
    is_soon: bool = False
    whose: str = ""
    alert: str = ""
    course_id: uuid.UUID | None = None
    infusion_id: uuid.UUID | None = None
    about: str = ""

    def saying(self, what: str, alert: str) -> "InboxItem":
        """Return the same line with other words."""
        return replace(self, what=what, alert=alert)


@dataclass(frozen=True)
class Kind:
    """Everything that the inbox knows of one kind of item; a new kind is one of these in `inbox.KINDS`.

    `items` reads what waits, in a number of reads that does not grow with it. `reads` is how looking at one stands in
    the trail, where it is about a patient. `count` is its share of the badge, as one select; None where what waits
    cannot be counted without reading it. `find` reads the record behind an item that is done. `tell` puts the facts of
    its session into the line, for the items of one page alone. `template` draws the item beside the list.
    """

    kind: ItemKind
    template: str
    reads: AuditAction | None
    items: Callable[[Desk], Iterable[InboxItem]]
    find: Callable[[uuid.UUID], db.Base | None]
    count: Callable[[Desk], "sa.Select[int]"] | None = None
    tell: Callable[[InboxItem, SessionFacts], InboxItem] | None = None


def counted(model: type[db.Base], *conditions: sa.ColumnElement[bool]) -> "sa.Select[int]":
    """Return how many rows of this clinic there are under these conditions, as a part of the badge."""
    clinic: Mapping[str, Any] = model.__table__.c  # type: ignore[assignment]
    return (
        sa.select(sa.func.count()).select_from(model).where(clinic["clinic_id"] == db.current_clinic_id(), *conditions)
    )
