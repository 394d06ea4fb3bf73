"""What waits for a person who leaves, in numbers, and how it goes to somebody else.

Whoever looks after accounts sees no patient: the page counts, and a hand-over says how many it moved. What is a
person's own by law, a draft or a spoken order, is never signed in another's name; it stays, counted.
"""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission
from clinic.druglog import stock_queries
from clinic.notes.models import Note
from clinic.notes.rules import NoteStatus
from clinic.orders import queries as orders
from clinic.orders.models import OrderVersion
from clinic.orders.rules import OrderStatus
from clinic.scheduling import operations as scheduling
from clinic.scheduling.models import Appointment
from clinic.scheduling.models_rooms import Presence
from clinic.scheduling.rules import AppointmentStatus
from clinic.sessions import operations as sessions
from clinic.sessions.models import InfusionSession
from clinic.sessions.rules import SessionStatus

_AT_THE_CHAIR: Final = frozenset({SessionStatus.INFUSING, SessionStatus.PAUSED, SessionStatus.RECOVERING})
_NOT_STARTED: Final = frozenset({SessionStatus.PLANNED, SessionStatus.PRECHECKING, SessionStatus.READY})


@dataclass(frozen=True, slots=True)
class Waiting:
    """So many of one kind, and what becomes of them."""

    words: str
    number: int
    how: str


def open_work(person: Staff, *, at: datetime) -> list[Waiting]:
    """Return everything that waits for a person, kind by kind, those of which there are none too."""
    versions = sa.select(OrderVersion.id).where(OrderVersion.drafted_by_id == person.id)
    notes = sa.select(Note.id)
    later = aliased(Presence)
    stands = sa.and_(Presence.is_void.is_(False), ~sa.exists().where(later.supersedes_id == Presence.id))
    presences = sa.select(Presence.id).where(Presence.staff_id == person.id, Presence.ends_at > at, stands)
    return [
        Waiting("sessions that run", _count(_sessions(person, _AT_THE_CHAIR)), "a nurse takes each over at the chair"),
        Waiting("sessions that have not started", _count(_sessions(person, _NOT_STARTED)), "go to the nurse you name"),
        Waiting("appointments to come", _count(_appointments(person, at)), "go to the nurse you name"),
        Waiting(
            "notes in draft",
            _count(notes.where(Note.author_id == person.id, Note.status == NoteStatus.DRAFT)),
            "only their author signs or discards them: do it before the last day",
        ),
        Waiting(
            "notes to co-sign",
            _count(notes.where(Note.cosigner_id == person.id, Note.status == NoteStatus.COSIGN_PENDING)),
            "any physician co-signs; who covers finds them in the inbox",
        ),
        Waiting(
            "spoken orders to sign",
            len(orders.unsigned_verbal_orders(person)),
            "only who spoke signs them: do it before the last day",
        ),
        Waiting(
            "orders in draft or waiting for a signature",
            _count(versions.where(OrderVersion.status.in_([OrderStatus.DRAFT, OrderStatus.PENDING_SIGNATURE]))),
            "any physician signs; who covers finds them in the inbox",
        ),
        Waiting("days on site to come", _count(presences), "are changed under Clinicians on site"),
        Waiting(
            "drug discrepancies that the person opened",
            sum(one.recorded_by_id == person.id and not one.status.is_closed for one in stock_queries.discrepancies()),
            "stay open until two others close them",
        ),
    ]


def _count(found: "sa.Select[uuid.UUID]") -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(found.subquery())) or 0


def _sessions(person: Staff, states: Iterable[SessionStatus]) -> "sa.Select[uuid.UUID]":
    return sa.select(InfusionSession.id).where(
        InfusionSession.nurse_id == person.id, InfusionSession.status.in_(list(states))
    )


def _appointments(person: Staff, at: datetime) -> "sa.Select[uuid.UUID]":
    """Return the appointments that nobody has arrived for; who has arrived is counted with the session."""
    return sa.select(Appointment.id).where(
        Appointment.nurse_id == person.id, Appointment.status == AppointmentStatus.BOOKED, Appointment.ends_at > at
    )


@dataclass(frozen=True, slots=True)
class HandedOver:
    """How many went to the other person, and how many the clinic's rules kept back."""

    moved: int
    kept: int


def hand_over_to(person: Staff, to: Staff, *, by: Staff, at: datetime) -> HandedOver:
    """Give the appointments to come, and sessions that have not started, to another nurse, where the rules allow it.

    What the clinic's rules about nurses refuse stays, and is counted: somebody books it anew. Raises RuleBroken for
    somebody who is no nurse here.
    """
    if to.id == person.id or not to.may(Permission.RUN_SESSION):
        raise RuleBroken("Choose another nurse.", field="nurse_id")
    not_started = sa.select(InfusionSession).where(InfusionSession.id.in_(_sessions(person, _NOT_STARTED)))
    to_come = sa.select(Appointment).where(Appointment.id.in_(_appointments(person, at)))
    gives: list[Callable[[], object]] = [
        *(partial(sessions.assign_nurse, one, to, by=by, at=at) for one in db.session.scalars(not_started)),
        *(partial(scheduling.assign_nurse, one, to, by=by, at=at) for one in db.session.scalars(to_come)),
    ]
    moved = sum(_is_given(give) for give in gives)
    kept = len(gives) - moved
    act = f"open work handed to {to.name}: {moved} moved, {kept} kept back by the clinic's rules"
    audit.record(AuditAction.STAFF_CHANGED, person, actor_id=by.id, at=at, act=act, to_id=to.id, moved=moved, kept=kept)
    return HandedOver(moved, kept)


def _is_given(give: Callable[[], object]) -> bool:
    """Try it; whether the clinic's rules let it."""
    try:
        with db.session.begin_nested():
            give()
    except RuleBroken:
        return False
    return True
