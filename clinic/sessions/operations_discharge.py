"""How a visit ends: the discharge score, the way out, or that nothing was infused at all."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from clinic.accounts.models import Staff
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission
from clinic.core.rows import following
from clinic.core.times import elapsed_minutes
from clinic.core.units import Unit, format_quantity
from clinic.druglog import operations as druglog
from clinic.protocols.rules import DischargeScale
from clinic.scheduling import operations as scheduling
from clinic.scheduling.models import Appointment
from clinic.scheduling.rules import AppointmentStatus
from clinic.sessions.event_rules import DischargeExit
from clinic.sessions.models import Discharge, DischargeAssessment, InfusionSession, SessionTransition
from clinic.sessions.operations_drug_account import (
    LEFT_OVER,
    known_to_be_left,
    open_drug_account,
    register_given,
    unaccounted_by_drug,
)
from clinic.sessions.operations_shared import (
    add,
    become,
    locked,
    needed,
    optional,
    refuse_future,
    refuse_unless_may,
)
from clinic.sessions.progress import current, last_stop, undo_until
from clinic.sessions.rules import SessionStatus
from clinic.sessions.score_rules import SCORES, DischargeTerms, may_discharge_home

__all__ = [
    "assess_discharge",
    "discharge",
    "home_reasons",
    "is_untouched",
    "not_done",
    "open_drug_account",
    "undo_arrival",
    "undo_discharge",
]

_STATUS: Final = {
    DischargeExit.HOME_WITH_ESCORT: SessionStatus.CLOSED_HOME,
    DischargeExit.HOME_ALONE: SessionStatus.CLOSED_HOME,
    DischargeExit.TRANSFER: SessionStatus.CLOSED_TRANSFER,
    DischargeExit.ADMITTED: SessionStatus.CLOSED_TRANSFER,
    DischargeExit.AGAINST_ADVICE: SessionStatus.CLOSED_AGAINST_ADVICE,
}
_HOME: Final = frozenset({DischargeExit.HOME_WITH_ESCORT, DischargeExit.HOME_ALONE})
_ITEMS: Final = 5


def assess_discharge(
    infusion: InfusionSession,
    scale: DischargeScale,
    items: Sequence[int | None],
    *,
    assessed_at: datetime,
    by: Staff,
    at: datetime,
) -> DischargeAssessment:
    """Record a discharge score: its five items in the order of the scale, each 0, 1, 2 or None (not assessed)."""
    refuse_future(assessed_at, at, field="assessed_at")
    if infusion.status is not SessionStatus.RECOVERING:
        raise RuleBroken("The discharge score is taken in recovery, after the stop.")
    if len(items) != _ITEMS:
        raise RuleBroken("A discharge score has five items.")
    for number, item in enumerate(items, start=1):
        if item not in (None, 0, 1, 2):
            raise RuleBroken("Choose 0, 1 or 2.", field=f"item_{number}")
    row = DischargeAssessment(
        infusion=infusion,
        scale=scale,
        assessed_at=assessed_at,
        recorded_at=at,
        recorded_by_id=by.id,
        **{f"item_{number}": item for number, item in enumerate(items, start=1)},
    )
    add(row, AuditAction.DISCHARGE_ASSESSED, infusion, by=by, at=at, scale=scale, items=list(items))
    return row


def home_reasons(
    infusion: InfusionSession,
    *,
    discharged_at: datetime,
    exit: DischargeExit,  # noqa: A002 -- the word of the record
    is_escort_present: bool | None,
    are_instructions_given: bool | None,
    is_cannula_removed: bool | None,
    is_overridden: bool = False,
) -> list[str]:
    """Return every reason why the patient may not go home yet by the order; none means it may."""
    terms, stopped = infusion.order_version.terms, last_stop(infusion)
    asks_score = terms.discharge_scale is not None and terms.discharge_cutoff is not None
    scale = terms.discharge_scale or DischargeScale.MPADSS
    return may_discharge_home(
        DischargeTerms(
            scale=scale,
            cutoff=terms.discharge_cutoff or 0,
            minimum_recovery_min=terms.recovery_min or 0,
            is_escort_needed=bool(terms.is_escort_required) or exit is DischargeExit.HOME_WITH_ESCORT,
            is_overridden=is_overridden or not asks_score,
        ),
        items=_latest_items(infusion, scale, discharged_at),
        recovery_min=Decimal(0) if stopped is None else elapsed_minutes(stopped, discharged_at),
        is_escort_present=is_escort_present and exit is DischargeExit.HOME_WITH_ESCORT,
        are_instructions_given=are_instructions_given,
        is_cannula_out=is_cannula_removed,
        # A physician who overrides leaves a discrepancy behind instead.
        unaccounted_mg={} if is_overridden else unaccounted_by_drug(infusion),
    )


def _latest_items(infusion: InfusionSession, scale: DischargeScale, until: datetime) -> dict[str, int | None]:
    taken = [row for row in current(infusion.discharge_assessments) if row.scale is scale and row.assessed_at <= until]
    latest = max(taken, key=lambda row: (row.assessed_at, row.recorded_at), default=None)
    if latest is None:
        return {}
    return {item.key: value for item, value in zip(SCORES[scale].items, latest.items, strict=True)}


def _refuse_moment(infusion: InfusionSession, discharged_at: datetime, at: datetime) -> None:
    refuse_future(discharged_at, at, field="discharged_at")
    if infusion.status is not SessionStatus.RECOVERING:
        raise RuleBroken("Stop the infusion first." if infusion.status.is_open else "This session is not open.")
    stopped = last_stop(infusion)
    if stopped is not None and discharged_at < stopped:
        raise RuleBroken("This is before the infusion was stopped.", field="discharged_at")


def discharge(
    infusion: InfusionSession,
    *,
    discharged_at: datetime,
    exit: DischargeExit,  # noqa: A002 -- the word of the record
    is_cannula_removed: bool,
    is_escort_present: bool,
    escort_name: str | None = None,
    escort_phone: str | None = None,
    instructions: str | None = None,
    language: str | None = None,
    belongings: bool | None = None,
    destination: str | None = None,
    reason: str | None = None,
    override_by: Staff | None = None,
    override_reason: str | None = None,
    by: Staff,
    at: datetime,
) -> Discharge:
    """Close the session the way the patient left, from recovery.

    Home asks for the order's score and recovery time, the escort (or an order that needs none), instructions, the
    cannula out and a drug account that balances; a physician who does not run the session may override the score with
    a reason (`override_by` has just proved who that is). Other ways out ask for a destination or a reason. Drug that
    is not accounted for then opens a discrepancy. The appointment is fulfilled and frees what is left of its time.
    """
    locked(infusion)
    _refuse_moment(infusion, discharged_at, at)
    _refuse_override(infusion, override_by, override_reason)
    register_given(infusion, by=by, at=at)
    row = Discharge(
        discharged_at=discharged_at,
        exit=exit,
        escort_name=optional(escort_name),
        escort_phone=optional(escort_phone),
        instructions=optional(instructions),
        instructions_language=optional(language),
        is_cannula_removed=is_cannula_removed,
        is_escort_present=is_escort_present,
        are_belongings_returned=belongings,
        destination=optional(destination),
        reason=optional(reason),
        override_by_id=override_by.id if override_by else None,
        override_reason=optional(override_reason) if override_by else None,
        held_until=_held_until(infusion, discharged_at),
        recorded_at=at,
        recorded_by_id=by.id,
        **_after_undoing(infusion),
    )
    _refuse_exit(row)
    _refuse_home(infusion, row)
    row.infusion = infusion
    said = {"override_by_id": row.override_by_id, "override_reason": row.override_reason}
    add(row, AuditAction.DISCHARGED, infusion, by=by, at=at, exit=exit, discharged_at=discharged_at, **said)
    _open_discrepancies(infusion, by=by, at=at)
    become(infusion, _STATUS[exit], happened_at=discharged_at, by=by, at=at, reason=optional(reason))
    _free_the_chair(infusion, row, by=by, at=at)
    return row


def _after_undoing(infusion: InfusionSession) -> dict[str, Any]:
    """A discharge after one that was undone goes on from there: a session has one line of them."""
    superseded = {row.supersedes_id for row in infusion.discharges}
    last = next((row for row in infusion.discharges if row.id not in superseded), None)
    return {} if last is None else {"supersedes_id": last.id, "correction_reason": "Discharged again."}


def undo_discharge(infusion: InfusionSession, *, by: Staff, at: datetime) -> Discharge:
    """Take the patient back into recovery, within minutes of a discharge that was entered by mistake.

    What was recorded of it stays, withdrawn, and the register of controlled drugs is not touched. Whether a note was
    signed that tells of it is asked before (`notes.undoing`) and by the database.
    """
    locked(infusion)
    was = infusion.discharge
    if was is None:
        raise RuleBroken("This session has no discharge to undo.")
    if undo_until(infusion, at) is None:
        raise RuleBroken("A discharge can be undone for 10 minutes. Write in the note what is wrong with it.")
    row = following(was, reason="The discharge was undone.", by_id=by.id, at=at)
    row.infusion, row.is_void = infusion, True
    add(row, AuditAction.DISCHARGE_UNDONE, infusion, by=by, at=at, exit=was.exit, discharged_at=was.discharged_at)
    become(infusion, SessionStatus.RECOVERING, happened_at=at, by=by, at=at, reason=row.correction_reason)
    scheduling.hold_again(infusion.appointment, was.held_until, by=by, at=at)
    return row


def _refuse_exit(row: Discharge) -> None:
    """Each way out names what goes with it."""
    match row.exit:
        case DischargeExit.HOME_WITH_ESCORT:
            needed(row.escort_name, "Name the escort.", field="escort_name")
        case DischargeExit.TRANSFER | DischargeExit.ADMITTED:
            needed(row.destination, "Say where the patient was taken.", field="destination")
        case DischargeExit.AGAINST_ADVICE:
            needed(row.reason, "Say why the patient left.", field="reason")
        case DischargeExit.HOME_ALONE:
            pass


def _refuse_home(infusion: InfusionSession, row: Discharge) -> None:
    """Raise RuleBroken with every reason against a way home."""
    if row.exit not in _HOME:
        return
    reasons = home_reasons(
        infusion,
        discharged_at=row.discharged_at,
        exit=row.exit,
        is_escort_present=row.is_escort_present,
        are_instructions_given=bool(row.instructions),
        is_cannula_removed=row.is_cannula_removed,
        is_overridden=row.override_by_id is not None,
    )
    if reasons:
        raise RuleBroken(" ".join(reasons))


def _refuse_override(infusion: InfusionSession, override_by: Staff | None, override_reason: str | None) -> None:
    if override_by is None:
        return
    message = "Only a physician overrides the discharge criteria."
    refuse_unless_may(override_by, Permission.OVERRIDE_DISCHARGE, message, field="override_by")
    if override_by.id == infusion.nurse_id:
        raise RuleBroken("Who runs the session cannot override its criteria.", field="override_by")
    needed(override_reason, "Say why.", field="override_reason")


def _open_discrepancies(infusion: InfusionSession, *, by: Staff, at: datetime) -> None:
    if infusion.drug_account is None:
        return
    for drug, left in unaccounted_by_drug(infusion).items():
        missing = left - known_to_be_left(infusion.drug_account, drug)
        if missing > 0:
            text = LEFT_OVER.format(format_quantity(missing, Unit.MG))
            druglog.open_discrepancy(infusion.drug_account, drug, missing, text, by=by, at=at)


def _held_until(infusion: InfusionSession, left_at: datetime) -> datetime | None:
    appointment = infusion.appointment
    return appointment.ends_at if appointment.starts_at < left_at < appointment.ends_at else None


def _free_the_chair(infusion: InfusionSession, row: Discharge, *, by: Staff, at: datetime) -> None:
    appointment = infusion.appointment
    if row.held_until is not None:
        appointment.ends_at = row.discharged_at
    scheduling.change_status(appointment, AppointmentStatus.FULFILLED, by=by, at=at)


def not_done(infusion: InfusionSession, reason: str, *, by: Staff, at: datetime) -> None:
    """Close a session in which nothing was infused, with the reason; its appointment is cancelled with the same.

    Drug that was taken out and not put back opens a discrepancy.
    """
    locked(infusion)
    said = needed(reason, "Say why.", field="reason")
    become(infusion, SessionStatus.NOT_DONE, happened_at=at, by=by, at=at, reason=said)
    _open_discrepancies(infusion, by=by, at=at)
    scheduling.change_status(infusion.appointment, AppointmentStatus.CANCELLED, reason=said, by=by, at=at)
    db.session.flush()


def is_untouched(infusion: InfusionSession) -> bool:
    """Whether nothing was recorded since the patient arrived, in no area: answers and notes name the visit, too."""
    if infusion.status is not SessionStatus.PRECHECKING or infusion.weight_id or infusion.drug_account_id:
        return False
    about = InfusionSession.__table__.c.id
    tables = (table for table in db.Base.metadata.sorted_tables if table is not SessionTransition.__table__)
    rows = [key.parent for table in tables for key in table.foreign_keys if key.column is about]
    return not db.session.scalar(sa.select(sa.or_(*(sa.exists().where(row == infusion.id) for row in rows))))


def undo_arrival(infusion: InfusionSession, *, by: Staff, at: datetime) -> Appointment:
    """Take back that a patient arrived, which was said of the wrong one; the booked time stands again.

    The visit stays in the record, as not done. Raises RuleBroken once something was recorded of it.
    """
    # The full lock, unlike others: vitals that somebody records at this moment are waited for, and keep the visit.
    db.session.execute(sa.select(InfusionSession.id).where(InfusionSession.id == infusion.id).with_for_update())
    locked(infusion)
    if infusion.status.is_closed:
        raise RuleBroken("This visit is closed already.")
    if not is_untouched(infusion):
        raise RuleBroken("Something was recorded since the patient arrived. Close the visit with “Not today”.")
    reason = "The arrival was taken back: it was entered by mistake."
    become(infusion, SessionStatus.NOT_DONE, happened_at=at, by=by, at=at, reason=reason)
    return scheduling.stand_again(infusion.appointment, reason=reason, by=by, at=at)
