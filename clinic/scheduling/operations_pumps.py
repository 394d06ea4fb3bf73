"""The clinic's pumps: name, serial number, out of service."""

from datetime import datetime

from sqlalchemy.exc import IntegrityError

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.rows import following
from clinic.scheduling import queries_rooms
from clinic.scheduling.locking import lock
from clinic.scheduling.models_rooms import Pump, PumpClosure
from clinic.scheduling.operations_breaking import StandsInTheWay


def add_pump(name: str, serial: str, *, by: Staff, at: datetime) -> Pump:
    """Add a pump; its name and its serial number are its own."""
    name, serial = name.strip(), serial.strip()
    if not name:
        raise RuleBroken("Give the pump a name.", field="name")
    if not serial:
        raise RuleBroken("Enter the serial number.", field="serial")
    pump = Pump(name=name, serial=serial)
    try:
        with db.session.begin_nested():
            db.session.add(pump)
            db.session.flush()  # a name or number that is taken shows here
    except IntegrityError as error:
        raise RuleBroken(
            f"A pump with the name {name} or the number {serial} is here already.", field="name"
        ) from error
    audit.record(AuditAction.PUMP_CHANGED, pump, actor_id=by.id, at=at, change="added", name=name, serial=serial)
    return pump


def retire_pump(pump: Pump, *, by: Staff, at: datetime) -> None:
    """Offer a pump no more; refused while coming appointments hold it."""
    lock(Pump, {pump.id})
    if standing := queries_rooms.standing(at, pump_id=pump.id):
        raise StandsInTheWay("this pump", standing)
    pump.is_retired = True
    audit.record(AuditAction.PUMP_CHANGED, pump, actor_id=by.id, at=at, change="retired")


def take_out_of_service(
    pump: Pump, *, starts_at: datetime, ends_at: datetime, reason: str, by: Staff, at: datetime
) -> PumpClosure:
    """Take a pump out of service for a time; refused while appointments hold it then."""
    if ends_at <= starts_at:
        raise RuleBroken("It is back after it goes.", field="until_time")
    if ends_at <= at:
        raise RuleBroken("That time has passed.", field="until_day")
    if not reason.strip():
        raise RuleBroken("Say why.", field="reason")
    lock(Pump, {pump.id})
    if standing := queries_rooms.standing(starts_at, ends_at, pump_id=pump.id):
        raise StandsInTheWay("this pump", standing)
    made = PumpClosure(
        pump_id=pump.id,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason.strip(),
        recorded_at=at,
        recorded_by_id=by.id,
    )
    db.session.add(made)
    db.session.flush()  # the database has the last word
    _record(made, "out of service", by=by, at=at)
    return made


def put_back_in_service(closure: PumpClosure, *, reason: str, by: Staff, at: datetime) -> PumpClosure:
    """The pump is back: a void row supersedes the one that took it out."""
    if not reason.strip():
        raise RuleBroken("Say why.", field="reason")
    lock(Pump, {closure.pump_id})  # whoever puts it back at the same moment is seen
    if closure.is_void or queries_rooms.is_superseded(closure):
        raise RuleBroken("This pump is back already.")
    void = following(closure, reason=reason.strip(), by_id=by.id, at=at, is_void=True)
    db.session.add(void)
    db.session.flush()  # the audit line needs the row
    _record(void, "back in service", by=by, at=at)
    return void


def _record(row: PumpClosure, change: str, *, by: Staff, at: datetime) -> None:
    audit.record(
        AuditAction.PUMP_CHANGED,
        row,
        actor_id=by.id,
        at=at,
        change=change,
        pump_id=row.pump_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        reason=row.correction_reason or row.reason,
    )
