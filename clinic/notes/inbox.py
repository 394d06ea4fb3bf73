"""The physician's inbox: everything that waits for this person, in one list, from what the areas hold today."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from clinic.accounts.models import Cover, Staff
from clinic.audit.rules import AuditAction
from clinic.core import db, formats
from clinic.courses.models import Course
from clinic.notes import cosign_queries as cosigning
from clinic.notes import inbox_cosign, inbox_referrals
from clinic.notes import inbox_queries as queries
from clinic.notes import inbox_sources as sources
from clinic.notes.inbox_items import Desk, InboxItem, Kind, counted
from clinic.notes.inbox_rules import Group, ItemKind, pages_of, ranked
from clinic.notes.models import Note
from clinic.notes.queries import note, sessions
from clinic.notes.session_facts import session_facts
from clinic.notes.summary_rules import SessionFacts
from clinic.orders.models import OrderVersion, VerbalOrder
from clinic.orders.queries import verbal_order, version, waits_for_cosignature
from clinic.outcomes.models import OutcomeResult
from clinic.outcomes.queries import result
from clinic.patients import referral_queries
from clinic.patients.models import Referral, ScreeningAnswer
from clinic.protocols import queries as protocols
from clinic.protocols.models import ProtocolVersion
from clinic.scheduling.models import Appointment
from clinic.sessions.event_rules import SessionEventKind
from clinic.sessions.models import AdverseEvent, InfusionSession, SessionEvent
from clinic.sessions.progress import progress

KINDS: Final = {
    kind.kind: kind
    for kind in (
        Kind(
            ItemKind.NOTE,
            "notes/inbox/_note.html",
            AuditAction.NOTE_READ,
            sources.notes,
            note,
            count=lambda desk: counted(
                Note, cosigning.waits_for_cosignature(desk.person.id), ~cosigning.is_with_its_author()
            ),
            tell=sources.tell_note,
        ),
        Kind(
            ItemKind.RETURNED,
            "notes/inbox/_note.html",
            AuditAction.NOTE_READ,
            sources.returned,
            note,
            count=lambda desk: counted(Note, cosigning.sent_back_to(desk.person.id)),
        ),
        Kind(
            ItemKind.EVENT,
            "notes/inbox/_event.html",
            AuditAction.SESSION_READ,
            sources.events,
            queries.adverse_event,
            count=lambda _desk: counted(AdverseEvent, queries.unreviewed(), queries.is_grave()),
        ),
        Kind(
            ItemKind.SENT,
            "notes/inbox/_chair.html",
            AuditAction.SESSION_READ,
            sources.sent,
            queries.sent_note,
            count=lambda desk: counted(SessionEvent, queries.told(desk.ids, SessionEventKind.ROW_NOTE)),
        ),
        Kind(
            ItemKind.TOLD,
            "notes/inbox/_chair.html",
            AuditAction.SESSION_READ,
            sources.told,
            queries.sent_note,
            count=lambda desk: counted(
                SessionEvent, queries.told(desk.ids, SessionEventKind.NOTIFY), SessionEvent.reply.is_(None)
            ),
        ),
        Kind(
            ItemKind.SPOKEN,
            "notes/inbox/_spoken.html",
            AuditAction.ORDER_READ,
            sources.spoken,
            verbal_order,
            count=lambda desk: counted(VerbalOrder, queries.unsigned_spoken(desk.ids)),
        ),
        Kind(
            ItemKind.ORDER,
            "notes/inbox/_order.html",
            AuditAction.ORDER_READ,
            sources.drafts,
            version,
            count=lambda desk: counted(
                OrderVersion, queries.unsigned_drafts(desk.ids), ~queries.is_with_another_author(desk.ids)
            ),
        ),
        Kind(
            ItemKind.RENEW,
            "notes/inbox/_booked.html",
            AuditAction.COURSE_READ,
            sources.gaps,
            lambda key: db.session.get(Appointment, key),
        ),
        Kind(
            ItemKind.DECISION,
            "notes/inbox/_decision.html",
            AuditAction.COURSE_READ,
            sources.decisions,
            lambda key: db.session.get(Course, key),
            count=lambda desk: counted(Course, queries.at_a_decision_point(desk.ids, desk.quiet_since)),
        ),
        Kind(
            ItemKind.SCREENING,
            "notes/inbox/_screening.html",
            AuditAction.PATIENT_READ,
            sources.screening,
            lambda key: db.session.get(ScreeningAnswer, key),
            count=lambda desk: counted(ScreeningAnswer, queries.unsettled(desk.ids)),
        ),
        Kind(
            ItemKind.ANSWER,
            "notes/inbox/_answer.html",
            AuditAction.COURSE_READ,
            sources.answers,
            result,
            count=lambda _desk: counted(OutcomeResult, queries.unread_answers()),
        ),
        Kind(
            ItemKind.PROTOCOL,
            "notes/inbox/_protocol.html",
            None,
            sources.protocols_in_review,
            protocols.version,
            count=lambda desk: counted(ProtocolVersion, protocols.waits_for(desk.person.id)),
        ),
        Kind(
            ItemKind.COSIGN_ORDER,
            "notes/inbox/_order.html",
            AuditAction.ORDER_READ,
            inbox_cosign.cosigns,
            version,
            count=lambda desk: counted(OrderVersion, waits_for_cosignature(desk.person.id)),
        ),
        Kind(
            ItemKind.DECLINED,
            "notes/inbox/_order.html",
            AuditAction.ORDER_READ,
            inbox_cosign.declined,
            version,
            count=lambda desk: counted(OrderVersion, inbox_cosign.is_declined_of(desk.ids)),
        ),
        Kind(
            ItemKind.REFERRAL,
            "notes/inbox/_referral.html",
            AuditAction.PATIENT_READ,
            inbox_referrals.referrals,
            referral_queries.referral,
            count=lambda _desk: counted(Referral, referral_queries.undecided()),
        ),
    )
}
"""Every kind of item that the inbox knows."""


@dataclass(frozen=True)
class Inbox:
    """All that waits, in its order; for whom else the person signs today, and who signs for the person, now or soon."""

    items: list[InboxItem]
    covers: list[Cover]
    covered_by: list[Cover]

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


def inbox(person: Staff, *, zone: ZoneInfo, now: datetime) -> Inbox:
    """Return what waits for a physician, in a number of reads that does not grow with it."""
    desk = Desk(person, zone, now)
    return Inbox(ranked(item for kind in KINDS.values() for item in kind.items(desk)), desk.covers, desk.covered_by)


@dataclass(frozen=True)
class Page:
    """One page of the list, its items with what their sessions were like; `item` stands beside it."""

    items: list[InboxItem]
    item: InboxItem | None
    number: int
    count: int
    sessions: Mapping[uuid.UUID, InfusionSession]
    facts: Mapping[uuid.UUID, SessionFacts]


def page(found: Inbox, item: InboxItem | None, number: int, *, show_all: bool, zone: ZoneInfo, now: datetime) -> Page:
    """Return the page that holds the item, or else the one of this number; sessions are read for this page alone."""
    pages = pages_of(found.items if show_all else found.to_do)
    place = min(max(number, 1), len(pages)) - 1
    if item is not None:
        place = next((at for at, items in enumerate(pages) if item in items), place)
    elif pages[place]:
        item = pages[place][0]
    ids = {each.infusion_id for each in [*pages[place], *([item] if item else [])] if each.infusion_id}
    rows = sessions(ids)
    facts = {row.id: session_facts(row, progress(row, now), zone) for row in rows.values()}

    def told(each: InboxItem) -> InboxItem:
        tell = KINDS[each.kind].tell
        known = facts.get(each.infusion_id) if each.infusion_id else None
        return tell(each, known) if tell is not None and known is not None else each

    items = [told(each) for each in pages[place]]
    return Page(items, told(item) if item else None, place + 1, len(pages), rows, facts)


def inbox_count(person: Staff, now: datetime) -> int:
    """How much waits for a physician, for the badge: one read, whatever the number."""
    desk = Desk(person, formats.zone.get(), now)
    parts = [kind.count(desk).scalar_subquery() for kind in KINDS.values() if kind.count is not None]
    return int(db.session.scalar(sa.select(sum(parts[1:], start=parts[0]))) or 0)
