"""Who is on duty, with breaks and limits of their own."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.scheduling import queries, queries_rooms
from clinic.scheduling.limit_rules import beyond
from clinic.scheduling.locking import lock
from clinic.scheduling.models import Appointment, Shift, ShiftBreak
from clinic.scheduling.operations_breaking import refuse_other_edition, refuse_unseen
from clinic.scheduling.operations_hours import settle_own_clock
from clinic.scheduling.operations_limits import usual_limits
from clinic.scheduling.room_rules import Span, is_covered, outside
from clinic.scheduling.rules import Stretch

SHIFT_LIMITS: Final = ("patients_at_once", "starts_per_quarter")


def add_shift(
    staff: Staff,
    *,
    starts_at: datetime,
    ends_at: datetime,
    by: Staff | None,
    at: datetime,
    patients_at_once: int | None = None,
    starts_per_quarter: int | None = None,
) -> Shift:
    """Put a person on duty; limits that are typed stand in place of the clinic's."""
    if ends_at <= starts_at:
        raise RuleBroken("A shift ends after it starts.", field="until_time")
    lock(Staff, {staff.id})
    settle_own_clock()
    if queries.on_duty(staff.id, starts_at, ends_at):
        raise RuleBroken(f"{staff.name} is on duty at that time already.", field="staff_id")
    shift = Shift(
        staff_id=staff.id,
        starts_at=starts_at,
        ends_at=ends_at,
        patients_at_once=patients_at_once,
        starts_per_quarter=starts_per_quarter,
    )
    db.session.add(shift)
    _record(shift, "added", by=by, at=at)
    return shift


def remove_shift(shift: Shift, *, by: Staff, at: datetime, seen: str | None = None) -> None:
    """Take a person off duty. Appointments stay with their nurse; `WouldBreak` shows them first."""
    take_off_duty(shift.staff, shift, by=by, at=at, seen=seen)


def take_off_duty(staff: Staff, off: Span, *, by: Staff, at: datetime, seen: str | None = None) -> None:
    """Take a person off duty for a time; of each shift stays what lies outside it, with its limits and breaks.

    Appointments stay with their nurse; `WouldBreak` first shows those that no shift of hers would cover any more.
    """
    lock(Staff, {staff.id})
    standing = queries_rooms.standing(max(at, off.starts_at), off.ends_at, nurse_id=staff.id)
    if standing:
        first, last = min(each.starts_at for each in standing), max(each.ends_at for each in standing)
        there = queries_rooms.shifts_of(staff.id, first, last)
        left = [piece for each in there for piece in outside(each, off)]
        refuse_unseen([each for each in standing if is_covered(each, there) and not is_covered(each, left)], seen)
    for shift in queries_rooms.shifts_of(staff.id, off.starts_at, off.ends_at):
        _cut(shift, off, by=by, at=at)
    db.session.flush()  # whoever books now meets it


@dataclass(frozen=True, slots=True)
class ShiftAsItWas:
    """A shift before a time was taken of it, and what was left of it."""

    staff: Staff
    starts_at: datetime
    ends_at: datetime
    kept: list[tuple[datetime, datetime]]
    patients_at_once: int | None
    starts_per_quarter: int | None
    breaks: list[tuple[datetime, datetime]]


def _cut(shift: Shift, off: Span, *, by: Staff, at: datetime) -> None:
    """Keep of a shift what lies outside a time; the first piece is the shift itself."""
    pieces = outside(shift, off)
    _record(
        shift,
        "shortened" if pieces else "removed",
        by=by,
        at=at,
        kept=[_words(piece) for piece in pieces],
        had={
            "patients_at_once": shift.patients_at_once,
            "starts_per_quarter": shift.starts_per_quarter,
            "breaks": [_words(each) for each in shift.breaks],
        },
    )
    if not pieces:
        db.session.delete(shift)
        return
    rests = [Stretch(each.starts_at, each.ends_at) for each in shift.breaks]
    limits = {"patients_at_once": shift.patients_at_once, "starts_per_quarter": shift.starts_per_quarter}
    rows = [shift, *(Shift(staff_id=shift.staff_id, **limits) for _ in pieces[1:])]
    for row, piece in zip(rows, pieces, strict=True):
        row.starts_at, row.ends_at = piece.starts_at, piece.ends_at
        inside = [(max(rest.starts_at, piece.starts_at), min(rest.ends_at, piece.ends_at)) for rest in rests]
        row.breaks = [ShiftBreak(starts_at=start, ends_at=end) for start, end in inside if start < end]
        db.session.add(row)


def put_back_on_duty(was: ShiftAsItWas, *, by: Staff, at: datetime) -> Shift:
    """Give a person the whole shift again of which a time was taken; refused where her duty has changed since."""
    lock(Staff, {was.staff.id})
    now = queries_rooms.shifts_of(was.staff.id, was.starts_at, was.ends_at)
    if [(each.starts_at, each.ends_at) for each in now] != was.kept:
        raise RuleBroken(f"The duty of {was.staff.name} has changed since. Put it back on the page of the shifts.")
    for piece in now[1:]:
        db.session.delete(piece)
    shift = now[0] if now else Shift(staff_id=was.staff.id)
    shift.starts_at, shift.ends_at = was.starts_at, was.ends_at
    shift.patients_at_once, shift.starts_per_quarter = was.patients_at_once, was.starts_per_quarter
    shift.breaks = [ShiftBreak(starts_at=start, ends_at=end) for start, end in was.breaks]
    db.session.add(shift)
    db.session.flush()  # who goes back to her meets it
    _record(shift, "put back", by=by, at=at)
    return shift


def _words(piece: Span) -> list[datetime]:
    return [piece.starts_at, piece.ends_at]


def set_shift_limits(
    shift: Shift,
    *,
    patients_at_once: int | None,
    starts_per_quarter: int | None,
    by: Staff,
    at: datetime,
    seen: str | None = None,
    drawn: str | None = None,
) -> None:
    """Give a shift limits of its own, or the clinic's; `WouldBreak` shows the appointments beyond lower ones.

    `drawn` is the edition that the person changed; Conflict when it is another one now.
    """
    lock(Staff, {shift.staff_id})
    refuse_other_edition(shift, SHIFT_LIMITS, drawn)
    then = _WithLimits(shift.starts_at, shift.ends_at, patients_at_once, starts_per_quarter)
    refuse_unseen(_newly_beyond(shift, then, at), seen)
    shift.patients_at_once, shift.starts_per_quarter = patients_at_once, starts_per_quarter
    _record(
        shift,
        "limits",
        by=by,
        at=at,
        patients_at_once=patients_at_once,
        starts_per_quarter=starts_per_quarter,
    )


def add_break(
    shift: Shift, *, starts_at: datetime, ends_at: datetime, by: Staff | None, at: datetime, seen: str | None = None
) -> ShiftBreak:
    """Give a person a break, in which nobody begins with her; `WouldBreak` shows the appointments that would."""
    if ends_at <= starts_at:
        raise RuleBroken("A break ends after it starts.", field="until_time")
    if starts_at < shift.starts_at or ends_at > shift.ends_at:
        raise RuleBroken("The break lies inside the shift.", field="from_time")
    lock(Staff, {shift.staff_id})
    if any(each.starts_at < ends_at and each.ends_at > starts_at for each in shift.breaks):
        raise RuleBroken("There is a break at that time already.", field="from_time")
    refuse_unseen([each for each in _standing(shift, at) if starts_at <= each.starts_at < ends_at], seen)
    made = ShiftBreak(starts_at=starts_at, ends_at=ends_at, shift=shift)
    db.session.add(made)
    db.session.flush()  # whoever books now meets it
    _record(shift, "break added", by=by, at=at, break_from=starts_at, break_until=ends_at)
    return made


def remove_break(found: ShiftBreak, *, by: Staff, at: datetime) -> None:
    """Take a break away."""
    shift = found.shift
    lock(Staff, {shift.staff_id})
    _record(shift, "break removed", by=by, at=at, break_from=found.starts_at, break_until=found.ends_at)
    shift.breaks.remove(found)
    db.session.flush()


def _standing(shift: Shift, at: datetime) -> list[Appointment]:
    """What the person still has to do in the shift."""
    return queries_rooms.standing(max(at, shift.starts_at), shift.ends_at, nurse_id=shift.staff_id)


@dataclass(frozen=True, slots=True)
class _WithLimits:
    """A shift as it would be."""

    starts_at: datetime
    ends_at: datetime
    patients_at_once: int | None
    starts_per_quarter: int | None


def _newly_beyond(shift: Shift, then: _WithLimits, at: datetime) -> list[Appointment]:
    """What the person has in the shift within the limits of now, its own or the clinic's, and beyond those of then."""
    usual, standing = usual_limits(queries_rooms.nurse_limits()), _standing(shift, at)
    others = [
        each for each in queries_rooms.shifts_of(shift.staff_id, shift.starts_at, shift.ends_at) if each is not shift
    ]
    was = beyond(standing, [shift, *others], usual)
    return [each for each in beyond(standing, [then, *others], usual) if each not in was]


def _record(shift: Shift, change: str, *, by: Staff | None, at: datetime, **more: Any) -> None:
    audit.record(
        AuditAction.SHIFT_CHANGED,
        shift,
        actor_id=by.id if by else None,
        at=at,
        change=change,
        staff_id=shift.staff_id,
        starts_at=shift.starts_at,
        ends_at=shift.ends_at,
        **more,
    )
