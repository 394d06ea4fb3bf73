"""Who is there for a session: the clinician on site, the nurse, and the hand-over from one nurse to another."""

from datetime import datetime

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission
from clinic.protocols.rules import CheckKind
from clinic.scheduling import operations as scheduling
from clinic.sessions.event_rules import SessionEventKind
from clinic.sessions.models import HandOverOffer, InfusionSession, SessionEvent
from clinic.sessions.operations_checks import settle_by_software, update_readiness
from clinic.sessions.operations_shared import add, locked, needed, optional, refuse_future, refuse_unless_may
from clinic.sessions.rules import SessionStatus


def set_supervising(infusion: InfusionSession, physician: Staff, *, by: Staff, at: datetime) -> None:
    """Name the clinician who is on site for this session from now on, and answer that check."""
    locked(infusion)
    refuse_unless_may(physician, Permission.SIGN_ORDER, "Choose a physician.", field="supervising")
    if infusion.status.is_closed:
        raise RuleBroken("This session is closed.")
    infusion.supervising = physician
    _record_people(
        infusion,
        SessionEventKind.SUPERVISING,
        physician,
        f"{physician.name} is on site.",
        happened_at=at,
        by=by,
        at=at,
    )
    settle_by_software(infusion, CheckKind.SUPERVISING, is_passed=True, detail=physician.name, by=by, at=at)
    update_readiness(infusion, by=by, at=at)


def assign_nurse(infusion: InfusionSession, nurse: Staff, *, by: Staff, at: datetime) -> None:
    """Give a session to a nurse before it has started; the appointment goes with it, within the clinic's limit."""
    locked(infusion)
    if infusion.status not in {SessionStatus.PLANNED, SessionStatus.PRECHECKING, SessionStatus.READY}:
        raise RuleBroken("The session has started. Hand it over instead.")
    was = _give_to(infusion, nurse, by=by, at=at)
    audit.record(
        AuditAction.SESSION_STATUS_CHANGED, infusion, actor_id=by.id, at=at, was_nurse_id=was, nurse_id=nurse.id
    )


def hand_over(
    infusion: InfusionSession, to: Staff, *, text: str | None, happened_at: datetime, by: Staff, at: datetime
) -> SessionEvent:
    """Hand a session over to another nurse, with what was said; nobody hands over to the one who has it."""
    locked(infusion)
    refuse_future(happened_at, at, field="happened_at")
    _refuse_hand_over(infusion, to)
    _give_to(infusion, to, by=by, at=at)
    said = needed(text or f"Handed over to {to.name}.", "Say what was handed over.", field="text")
    return _record_people(infusion, SessionEventKind.HAND_OVER, to, said, happened_at=happened_at, by=by, at=at)


def offer_hand_over(
    infusion: InfusionSession, to: Staff, *, text: str | None, by: Staff, at: datetime
) -> HandOverOffer:
    """Offer a session to another nurse. It stays with the one who has it until she accepts; a newer offer counts."""
    locked(infusion)
    _refuse_hand_over(infusion, to)
    offer = HandOverOffer(infusion=infusion, to=to, text=optional(text), recorded_at=at, recorded_by_id=by.id)
    add(offer, AuditAction.EVENT_RECORDED, infusion, by=by, at=at, kind="hand_over_offer", person_id=to.id, text=text)
    return offer


def accept_hand_over(offer: HandOverOffer, *, by: Staff, at: datetime) -> SessionEvent:
    """Take over a session that was offered; only the person it was offered to does."""
    infusion = locked(offer.infusion)
    if by.id != offer.to_id:
        raise RuleBroken(f"This session was offered to {offer.to.name}.")
    if infusion.open_offer is not offer:
        raise RuleBroken("This offer holds no longer. Open the page again.")
    said = f"{offer.recorded_by.name} to {by.name}. {offer.text or ''}".strip()
    return hand_over(infusion, by, text=said, happened_at=at, by=by, at=at)


def _refuse_hand_over(infusion: InfusionSession, to: Staff) -> None:
    if not infusion.status.is_open:
        raise RuleBroken("This session is not open.")
    if infusion.nurse_id == to.id:
        raise RuleBroken(f"{to.name} has this session already.", field="to")
    refuse_unless_may(to, Permission.RUN_SESSION, "Choose a nurse.", field="to")


def _give_to(infusion: InfusionSession, nurse: Staff, *, by: Staff, at: datetime) -> object:
    refuse_unless_may(nurse, Permission.RUN_SESSION, "Choose a nurse.", field="nurse")
    if infusion.appointment.nurse_id != nurse.id:
        scheduling.assign_nurse(infusion.appointment, nurse, by=by, at=at)
    was = infusion.nurse_id
    infusion.nurse = nurse
    db.session.flush()  # a session that somebody else has changed meanwhile shows here
    return was


def _record_people(
    infusion: InfusionSession,
    kind: SessionEventKind,
    person: Staff,
    text: str,
    *,
    happened_at: datetime,
    by: Staff,
    at: datetime,
) -> SessionEvent:
    event = SessionEvent(
        infusion=infusion,
        kind=kind,
        happened_at=happened_at,
        text=text,
        person_id=person.id,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    add(event, AuditAction.EVENT_RECORDED, infusion, by=by, at=at, kind=kind, person_id=person.id, text=text)
    return event
