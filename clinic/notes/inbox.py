"""The physician's inbox: everything that waits for this person, in one list, from what the areas hold today."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from clinic.accounts.models import Staff
from clinic.core.times import clock_label, date_label, local
from clinic.notes import queries
from clinic.notes.inbox_rules import (
    EVENTS_FOR,
    Group,
    ItemKind,
    OrderSpan,
    age_words,
    gravity_of,
    group_of,
    is_covered,
    outside_words,
    ranked,
    until_words,
)
from clinic.notes.models import Note
from clinic.notes.session_facts import session_facts
from clinic.notes.summary_rules import SessionFacts
from clinic.orders import queries as orders
from clinic.orders.models import OrderVersion, VerbalOrder
from clinic.orders.rules import OrderStatus
from clinic.patients.models import Patient
from clinic.scheduling.models import Appointment
from clinic.sessions.models import AdverseEvent, InfusionSession, SessionEvent
from clinic.sessions.pages_log import adverse_title
from clinic.sessions.pages_words import vitals_sentence
from clinic.sessions.progress import current, progress

AHEAD: Final = timedelta(days=7)
"""How far ahead booked sessions are held against their order."""

_NO_COURSE: Final = uuid.UUID(int=0)


@dataclass(frozen=True)
class InboxItem:
    """One line of the inbox. `when` and `side` stand on its right; `alert` is marked as outside a limit.

    `id` is that of the record behind it: note, note from the chair, spoken order, order version, adverse event,
    appointment.
    """

    id: uuid.UUID
    kind: ItemKind
    group: Group
    patient: Patient
    title: str
    what: str
    when: str
    side: str
    since: datetime
    gravity: int = 0
    is_mine: bool = True
    is_soon: bool = False
    alert: str = ""
    course_id: uuid.UUID | None = None
    infusion_id: uuid.UUID | None = None
    note: Note | None = None
    spoken: VerbalOrder | None = None
    version: OrderVersion | None = None
    event: AdverseEvent | None = None
    sent: SessionEvent | None = None
    row: str = ""
    appointment: Appointment | None = None


@dataclass(frozen=True)
class Inbox:
    """The items in their order, and the sessions they are about with their facts."""

    items: list[InboxItem]
    sessions: Mapping[uuid.UUID, InfusionSession]
    facts: Mapping[uuid.UUID, SessionFacts]

    @property
    def to_do(self) -> list[InboxItem]:
        """What asks for an act; items for information do not."""
        return [item for item in self.items if item.group is not Group.INFORMATION]

    def find(self, item_id: uuid.UUID) -> InboxItem | None:
        """The item of this id."""
        return next((item for item in self.items if item.id == item_id), None)

    def after(self, item_id: uuid.UUID) -> InboxItem | None:
        """The item that opens once this one is done: the next one, or the first of what is left."""
        ids = [item.id for item in self.to_do]
        if item_id not in ids:
            return self.to_do[0] if self.to_do else None
        place = ids.index(item_id)
        left = [*self.to_do[place + 1 :], *self.to_do[:place]]
        return left[0] if left else None


def inbox(physician: Staff, *, zone: ZoneInfo, now: datetime) -> Inbox:
    """Return what waits for a physician, in a number of reads that does not grow with it."""
    notes = queries.notes_to_cosign(physician)
    events = queries.unreviewed_events(now - EVENTS_FOR)
    sent = queries.sent_notes(physician)
    ids = {note.infusion_id for note in notes if note.infusion_id}
    ids |= {event.infusion_id for event in events} | {event.infusion_id for event in sent}
    sessions = queries.sessions(ids)
    facts = {row.id: session_facts(row, progress(row, now), zone) for row in sessions.values()}
    maker = _Maker(physician, sessions, facts, zone, now)
    items = [
        *maker.notes(notes),
        *maker.events(events),
        *maker.sent(sent),
        *maker.spoken(orders.unsigned_verbal_orders(physician)),
        *maker.orders(),
    ]
    return Inbox(ranked(items), sessions, facts)


def _gravest(infusion: InfusionSession | None) -> int:
    """How grave the gravest event of a session is, 0 without one."""
    rows = current(infusion.adverse_events) if infusion is not None else []
    return max((gravity_of(row.grade, is_serious=row.is_serious) for row in rows), default=0)


@dataclass(frozen=True)
class _Maker:
    """Makes the lines; holds what they are all made from."""

    physician: Staff
    sessions: Mapping[uuid.UUID, InfusionSession]
    facts: Mapping[uuid.UUID, SessionFacts]
    zone: ZoneInfo
    now: datetime

    def notes(self, notes: Sequence[Note]) -> Iterator[InboxItem]:
        for note in notes:
            signed_at = note.signed_at or note.saved_at
            infusion = self.sessions.get(note.infusion_id) if note.infusion_id else None
            facts = self.facts.get(note.infusion_id) if note.infusion_id else None
            alert = outside_words(len(facts.outside), len(facts.events)) if facts else ""
            what = f"{facts.title[:1].upper()}{facts.title[1:]}." if facts else ""
            yield InboxItem(
                note.id,
                ItemKind.NOTE,
                group_of(ItemKind.NOTE),
                note.patient,
                title="Session note",
                what=what if alert or facts is None else f"{what} Nothing outside limits, no events.",
                alert=alert,
                when=self._when(signed_at),
                side=note.author.name,
                since=signed_at,
                gravity=_gravest(infusion),
                is_mine=note.cosigner_id == self.physician.id,
                course_id=infusion.course_id if infusion else None,
                infusion_id=note.infusion_id,
                note=note,
            )

    def events(self, events: Sequence[AdverseEvent]) -> Iterator[InboxItem]:
        for event in events:
            infusion = self.sessions.get(event.infusion_id)
            gravity = gravity_of(event.grade, is_serious=event.is_serious)
            group = group_of(ItemKind.EVENT, gravity=gravity)
            title = adverse_title(event)
            action = f" {event.action[:1].upper()}{event.action[1:]}." if event.action else ""
            yield InboxItem(
                event.id,
                ItemKind.EVENT,
                group,
                event.patient,
                title="Adverse event",
                what=action.strip() if group is Group.SIGN else f"{title}.{action}",
                alert=f"{title}." if group is Group.SIGN else "",
                when=self._when(event.onset_at),
                side=event.recorded_by.name,
                since=event.onset_at,
                gravity=gravity,
                course_id=infusion.course_id if infusion else None,
                infusion_id=event.infusion_id,
                event=event,
            )

    def sent(self, found: Sequence[SessionEvent]) -> Iterator[InboxItem]:
        for event in found:
            infusion = self.sessions.get(event.infusion_id)
            rows = infusion.observation_sets if infusion is not None else []
            about = next((row for row in rows if row.id == event.observation_set_id), None)
            row = f"{clock_label(about.observed_at, self.zone)} {vitals_sentence(about)}" if about is not None else ""
            yield InboxItem(
                event.id,
                ItemKind.SENT,
                group_of(ItemKind.SENT),
                event.infusion.patient,
                title="Note from the chair",
                what=event.text,
                when=self._when(event.happened_at),
                side=event.recorded_by.name,
                since=event.happened_at,
                course_id=event.infusion.course_id,
                infusion_id=event.infusion_id,
                sent=event,
                row=row,
            )

    def spoken(self, found: Sequence[VerbalOrder]) -> Iterator[InboxItem]:
        order_of = queries.orders_of_versions([row.order_version_id for row in found]) if found else {}
        courses = queries.courses_by_order(list(order_of.values())) if order_of else {}
        for row in found:
            course = courses.get(order_of.get(row.order_version_id, _NO_COURSE))
            yield InboxItem(
                row.id,
                ItemKind.SPOKEN,
                group_of(ItemKind.SPOKEN),
                row.patient,
                title="Spoken order",
                what=f"{row.text.rstrip('. ')}. Spoken {clock_label(row.spoken_at, self.zone)}.",
                when=self._when(row.spoken_at),
                side=f"{age_words(row.spoken_at, self.now)} ago \N{MIDDLE DOT} {row.recorded_by.name}",
                since=row.spoken_at,
                course_id=course.id if course else None,
                spoken=row,
            )

    def orders(self) -> Iterator[InboxItem]:
        drafts = orders.drafts_by(self.physician)
        appointments = queries.coming_appointments(self.physician, self.now, self.now + AHEAD)
        courses = queries.courses_by_order([draft.order_id for draft in drafts]) if drafts else {}
        first: dict[uuid.UUID, Appointment] = {}
        for appointment in appointments:
            first.setdefault(appointment.course.order_id, appointment)
        for draft in drafts:
            yield self._draft(draft, first.get(draft.order_id), courses)
        drafted = {draft.order_id for draft in drafts}
        for order_id, appointment in first.items():
            if order_id not in drafted and not self._is_covered(appointment):
                yield self._gap(appointment)

    def _draft(
        self, draft: OrderVersion, appointment: Appointment | None, courses: Mapping[uuid.UUID, object]
    ) -> InboxItem:
        course_id = getattr(courses.get(draft.order_id), "id", None)
        drug = draft.terms.drug.name
        which = f"Version {draft.number} of the order for {drug} is a draft."
        if appointment is not None:
            which = f"Session {appointment.session_number} is booked. {which}"
        return InboxItem(
            draft.id,
            ItemKind.ORDER,
            group_of(ItemKind.ORDER, is_before_a_session=appointment is not None),
            draft.order.patient,
            title="Order to sign",
            what=which,
            when=self._day(appointment.starts_at) if appointment else self._when(draft.drafted_at),
            side=until_words(appointment.starts_at, self.now) if appointment else "drafted by you",
            since=appointment.starts_at if appointment else draft.drafted_at,
            is_soon=appointment is not None,
            course_id=course_id,
            version=draft,
            appointment=appointment,
        )

    def _gap(self, appointment: Appointment) -> InboxItem:
        return InboxItem(
            appointment.id,
            ItemKind.RENEW,
            group_of(ItemKind.RENEW),
            appointment.patient,
            title="Order to renew",
            what=f"Session {appointment.session_number} is booked; no signed order covers that day.",
            when=self._day(appointment.starts_at),
            side=until_words(appointment.starts_at, self.now),
            since=appointment.starts_at,
            is_soon=True,
            course_id=appointment.course_id,
            appointment=appointment,
        )

    def _is_covered(self, appointment: Appointment) -> bool:
        spans = [
            OrderSpan(version.status is OrderStatus.ACTIVE, version.valid_from, version.valid_until)
            for version in appointment.course.order.versions
        ]
        return is_covered(spans, local(appointment.starts_at, self.zone).date())

    def _when(self, instant: datetime) -> str:
        day, today = local(instant, self.zone).date(), local(self.now, self.zone).date()
        words = {0: "today", 1: "yesterday"}.get((today - day).days, date_label(day)[:6])
        return f"{words} {clock_label(instant, self.zone)}"

    def _day(self, instant: datetime) -> str:
        wall = local(instant, self.zone)
        return f"{wall:%a} {date_label(wall.date())[:6]} {clock_label(instant, self.zone)}"
