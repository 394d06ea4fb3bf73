"""Who is there for a session: the clinician on site, the nurse, and the hand-over from one nurse to another."""

from datetime import datetime
from decimal import Decimal

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission
from clinic.protocols.rules import CheckKind
from clinic.scheduling import operations as scheduling
from clinic.sessions.event_rules import CheckPurpose, SessionEventKind
from clinic.sessions.models import DoubleCheck, HandOverOffer, InfusionSession, SessionEvent
from clinic.sessions.operations_checks import settle_by_software, update_readiness
from clinic.sessions.operations_rates import propose_rate
from clinic.sessions.operations_shared import add, locked, needed, optional, refuse_future, refuse_unless_may
from clinic.sessions.readiness import clinic_of
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
    """Give a session to a nurse before it has started; the appointment goes with it, within the clinic's limits."""
    locked(infusion)
    if infusion.status not in {SessionStatus.PLANNED, SessionStatus.PRECHECKING, SessionStatus.READY}:
        raise RuleBroken("The session has started. Hand it over instead.")
    refuse_unless_may(nurse, Permission.RUN_SESSION, "Choose a nurse.", field="nurse")
    if infusion.appointment.nurse_id != nurse.id:
        scheduling.assign_nurse(infusion.appointment, nurse, by=by, at=at)
    was = _give_to(infusion, nurse)
    audit.record(
        AuditAction.SESSION_STATUS_CHANGED, infusion, actor_id=by.id, at=at, was_nurse_id=was, nurse_id=nurse.id
    )


def hand_over(
    infusion: InfusionSession, to: Staff, *, text: str | None, happened_at: datetime, by: Staff, at: datetime
) -> SessionEvent:
    """Hand a session over to another nurse, with what was said; nobody hands over to the one who has it.

    It has happened at the bedside: where she has more patients now than the clinic's limits allow, the appointment
    names the limit, and nothing is refused.
    """
    locked(infusion)
    refuse_future(happened_at, at, field="happened_at")
    _refuse_hand_over(infusion, to)
    if infusion.appointment.nurse_id != to.id:
        scheduling.take_over(infusion.appointment, to, by=by, at=at)
    _give_to(infusion, to)
    said = needed(text or f"Handed over to {to.name}.", "Say what was handed over.", field="text")
    return _record_people(infusion, SessionEventKind.HAND_OVER, to, said, happened_at=happened_at, by=by, at=at)


def asks_rate(infusion: InfusionSession) -> bool:
    """Whether the clinic asks both nurses for the rate at a hand-over of this session: its pump was started."""
    is_at_pump = infusion.status in {SessionStatus.INFUSING, SessionStatus.PAUSED}
    return is_at_pump and bool(clinic_of(infusion).is_hand_over_checked)


def offer_hand_over(
    infusion: InfusionSession, to: Staff, *, text: str | None, rate_ml_h: Decimal | None = None, by: Staff, at: datetime
) -> HandOverOffer:
    """Offer a session to another nurse. It stays with the one who has it until she accepts; a newer offer counts.

    Where the clinic asks for it, `rate_ml_h` is what the first nurse read from the pump; the other one types her own.
    """
    locked(infusion)
    _refuse_hand_over(infusion, to)
    proposal = None
    if asks_rate(infusion):
        if rate_ml_h is None:
            raise RuleBroken("Type the rate that you read on the pump.", field="rate_ml_h")
        purpose = CheckPurpose.HAND_OVER
        proposal = propose_rate(infusion, rate_ml_h=rate_ml_h, purpose=purpose, proposed_at=at, by=by, at=at)
    offer = HandOverOffer(
        infusion=infusion, to=to, text=optional(text), proposal=proposal, recorded_at=at, recorded_by_id=by.id
    )
    add(offer, AuditAction.EVENT_RECORDED, infusion, by=by, at=at, kind="hand_over_offer", person_id=to.id, text=text)
    return offer


def accept_hand_over(
    offer: HandOverOffer, *, double_check: DoubleCheck | None = None, by: Staff, at: datetime
) -> SessionEvent:
    """Take over a session that was offered; only the person it was offered to does.

    Where the clinic asks both for the rate, `double_check` is her own computation, and it agrees with the first.
    """
    infusion = locked(offer.infusion)
    if by.id != offer.to_id:
        raise RuleBroken(f"This session was offered to {offer.to.name}.")
    if infusion.open_offer is not offer:
        raise RuleBroken("This offer holds no longer. Open the page again.")
    if asks_rate(infusion):
        _refuse_unchecked(offer, double_check)
    said = f"{offer.recorded_by.name} to {by.name}. {offer.text or ''}".strip()
    return hand_over(infusion, by, text=said, happened_at=at, by=by, at=at)


def _refuse_unchecked(offer: HandOverOffer, check: DoubleCheck | None) -> None:
    if offer.proposal is None:
        raise RuleBroken("Your clinic asks both for the rate now: offer the session again.")
    if check is None or check.proposal_id != offer.proposal_id or check.checker_id != offer.to_id:
        raise RuleBroken("Compute the rate first, without seeing the other number.")
    if not check.is_match:
        raise RuleBroken("The two rates differ. Both read the pump again; then offer the session again.")


def _refuse_hand_over(infusion: InfusionSession, to: Staff) -> None:
    if not infusion.status.is_open:
        raise RuleBroken("This session is not open.")
    if infusion.nurse_id == to.id:
        raise RuleBroken(f"{to.name} has this session already.", field="to")
    refuse_unless_may(to, Permission.RUN_SESSION, "Choose a nurse.", field="to")


def _give_to(infusion: InfusionSession, nurse: Staff) -> object:
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
