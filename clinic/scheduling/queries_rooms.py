"""Named reads about what the clinic has: hours, closed days, clinicians on site, pumps, breaks, its rules and words."""

import uuid
from datetime import date, datetime
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from clinic.core import db
from clinic.scheduling.models import Appointment, Chair, Shift, ShiftBreak
from clinic.scheduling.models_rooms import (
    BookingPolicy,
    ClosedDay,
    LostReason,
    NurseLimit,
    OpeningHours,
    Presence,
    Pump,
    PumpClosure,
)
from clinic.scheduling.rules import HOLDING, BookingRule, LossKind

Dated = TypeVar("Dated", OpeningHours, ClosedDay, Presence, PumpClosure)
_WITH_PEOPLE = (joinedload(Appointment.patient), joinedload(Appointment.nurse), joinedload(Appointment.chair))


def _in_force(table: type[Dated]) -> sa.Select[Dated]:
    later = aliased(table)
    return sa.select(table).where(table.is_void.is_(False), ~sa.exists().where(later.supersedes_id == table.id))


def is_superseded(row: OpeningHours | ClosedDay | Presence | PumpClosure) -> bool:
    """Whether a later row took the place of this one."""
    table = type(row)
    return bool(db.session.scalar(sa.select(table.id).where(table.supersedes_id == row.id)))


# --- hours and closed days -------------------------------------------------------------------------------------------


def opening_hours(site_id: uuid.UUID | None = None) -> list[OpeningHours]:
    """The hours in force, of one site or of all, by weekday and time."""
    wanted = _in_force(OpeningHours)
    if site_id is not None:
        wanted = wanted.where(OpeningHours.site_id == site_id)
    return list(
        db.session.scalars(
            wanted.options(joinedload(OpeningHours.site)).order_by(
                OpeningHours.weekday, OpeningHours.valid_from, OpeningHours.from_min
            )
        )
    )


def closed_days(
    first: date | None = None, last: date | None = None, *, site_id: uuid.UUID | None = None
) -> list[ClosedDay]:
    """The closed days in force that touch the dates, earliest first."""
    wanted = _in_force(ClosedDay)
    if first is not None:
        wanted = wanted.where(ClosedDay.until_on >= first)
    if last is not None:
        wanted = wanted.where(ClosedDay.from_on <= last)
    if site_id is not None:
        wanted = wanted.where(ClosedDay.site_id == site_id)
    return list(
        db.session.scalars(
            wanted.options(joinedload(ClosedDay.site), joinedload(ClosedDay.recorded_by)).order_by(ClosedDay.from_on)
        )
    )


def one_closed_day(row_id: uuid.UUID) -> ClosedDay | None:
    """One row of closed days."""
    return db.session.get(ClosedDay, row_id)


# --- people ----------------------------------------------------------------------------------------------------------


def presences(start: datetime, end: datetime, *, site_id: uuid.UUID | None = None) -> list[Presence]:
    """When supervising clinicians are on site, as far as it touches the time."""
    wanted = _in_force(Presence).where(Presence.starts_at < end, Presence.ends_at > start)
    if site_id is not None:
        wanted = wanted.where(Presence.site_id == site_id)
    return list(
        db.session.scalars(
            wanted.options(joinedload(Presence.staff), joinedload(Presence.site)).order_by(Presence.starts_at)
        )
    )


def one_presence(row_id: uuid.UUID) -> Presence | None:
    """One presence with its person."""
    return db.session.get(Presence, row_id, options=[joinedload(Presence.staff)])


def shifts_of(staff_id: uuid.UUID, start: datetime, end: datetime) -> list[Shift]:
    """A person's shifts that touch the time, earliest first."""
    wanted = sa.select(Shift).where(Shift.staff_id == staff_id, Shift.starts_at < end, Shift.ends_at > start)
    return list(db.session.scalars(wanted.order_by(Shift.starts_at)))


def breaks_of(staff_id: uuid.UUID, start: datetime, end: datetime) -> list[ShiftBreak]:
    """A person's breaks that touch the time."""
    return list(
        db.session.scalars(
            sa.select(ShiftBreak)
            .join(Shift, Shift.id == ShiftBreak.shift_id)
            .where(Shift.staff_id == staff_id, ShiftBreak.starts_at < end, ShiftBreak.ends_at > start)
            .order_by(ShiftBreak.starts_at)
        )
    )


def one_break(break_id: uuid.UUID) -> ShiftBreak | None:
    """One break with its shift and person."""
    return db.session.get(ShiftBreak, break_id, options=[joinedload(ShiftBreak.shift).joinedload(Shift.staff)])


def chair(chair_id: uuid.UUID) -> Chair | None:
    """One chair that is in use."""
    found = db.session.get(Chair, chair_id)
    return None if found is None or found.is_retired else found


# --- pumps -----------------------------------------------------------------------------------------------------------


def pumps() -> list[Pump]:
    """The pumps in use, by name."""
    return list(db.session.scalars(sa.select(Pump).where(Pump.is_retired.is_(False)).order_by(Pump.name)))


def pump(pump_id: uuid.UUID) -> Pump | None:
    """One pump."""
    return db.session.get(Pump, pump_id)


def pump_closures(
    start: datetime, end: datetime | None = None, *, pump_id: uuid.UUID | None = None
) -> list[PumpClosure]:
    """When pumps are out of service, from a time on, earliest first."""
    wanted = _in_force(PumpClosure).where(PumpClosure.ends_at > start)
    if end is not None:
        wanted = wanted.where(PumpClosure.starts_at < end)
    if pump_id is not None:
        wanted = wanted.where(PumpClosure.pump_id == pump_id)
    return list(
        db.session.scalars(
            wanted.options(joinedload(PumpClosure.pump), joinedload(PumpClosure.recorded_by)).order_by(
                PumpClosure.starts_at
            )
        )
    )


def pump_closure(row_id: uuid.UUID) -> PumpClosure | None:
    """One time in which a pump is out of service."""
    return db.session.get(PumpClosure, row_id)


# --- the clinic's own rules and words --------------------------------------------------------------------------------


def policies() -> dict[BookingRule, BookingPolicy]:
    """The clinic's last word on each rule that it spoke of."""
    rows = db.session.scalars(
        sa.select(BookingPolicy)
        .options(joinedload(BookingPolicy.recorded_by))
        .order_by(BookingPolicy.recorded_at, BookingPolicy.id)
    )
    return {row.rule: row for row in rows}


def overridable() -> frozenset[BookingRule]:
    """The rules that the clinic lets its people override."""
    return frozenset(rule for rule, row in policies().items() if row.is_allowed)


def lost_reasons(kind: LossKind | None = None, *, with_retired: bool = False) -> list[LostReason]:
    """The clinic's reasons for lost appointments."""
    wanted = sa.select(LostReason).order_by(LostReason.kind, LostReason.text)
    if kind is not None:
        wanted = wanted.where(LostReason.kind == kind)
    if not with_retired:
        wanted = wanted.where(LostReason.is_retired.is_(False))
    return list(db.session.scalars(wanted))


def lost_reason(row_id: uuid.UUID) -> LostReason | None:
    """One reason of the list."""
    return db.session.get(LostReason, row_id)


# --- what stands -----------------------------------------------------------------------------------------------------


def standing(
    start: datetime,
    end: datetime | None = None,
    *,
    site_id: uuid.UUID | None = None,
    chair_id: uuid.UUID | None = None,
    nurse_id: uuid.UUID | None = None,
    pump_id: uuid.UUID | None = None,
) -> list[Appointment]:
    """Appointments that hold their place and touch the time, with their patients, earliest first."""
    wanted = sa.select(Appointment).where(Appointment.status.in_(HOLDING), Appointment.ends_at > start)
    if end is not None:
        wanted = wanted.where(Appointment.starts_at < end)
    if site_id is not None:
        wanted = wanted.where(Appointment.chair_id.in_(sa.select(Chair.id).where(Chair.site_id == site_id)))
    for column, value in (
        (Appointment.chair_id, chair_id),
        (Appointment.nurse_id, nurse_id),
        (Appointment.pump_id, pump_id),
    ):
        if value is not None:
            wanted = wanted.where(column == value)
    return list(db.session.scalars(wanted.options(*_WITH_PEOPLE).order_by(Appointment.starts_at, Appointment.id)))


def nurse_limits() -> list[NurseLimit]:
    """All limits of nurses, the earliest date first; `limit_rules.in_force` says which hold on a day."""
    return list(
        db.session.scalars(
            sa.select(NurseLimit)
            .options(joinedload(NurseLimit.recorded_by))
            .order_by(NurseLimit.valid_from, NurseLimit.recorded_at)
        )
    )
