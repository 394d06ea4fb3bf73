"""Several appointments move at once: all of them, or none. Each says why; all can be taken back together."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from clinic.accounts.models import Staff
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.scheduling.locking import lock_in_order
from clinic.scheduling.models import Appointment
from clinic.scheduling.operations import (
    Slot,
    SlotsTaken,
    _appointment,
    _refuse_impossible,
    _refuse_retired,
    _same_place,
    _try,
    assign_nurse,
    change_status,
    undo,
    with_own_pump,
)
from clinic.scheduling.operations_override import Override, decided_for, record_override, refuse_override
from clinic.scheduling.operations_standing import record_appointment
from clinic.scheduling.operations_waits import wait_again
from clinic.scheduling.rules import AppointmentStatus

TAKEN_BACK: Final = "The move was taken back."


@dataclass(frozen=True, slots=True)
class Move:
    """An appointment, where it shall stand, and why; `override` is what was decided for that place before."""

    appointment: Appointment
    slot: Slot
    reason: str
    override: Override | None = None


def move_all(moves: Sequence[Move], *, by: Staff, at: datetime, override: Override | None = None) -> list[Appointment]:
    """Move every appointment or none; `SlotsTaken` names what stands in the way.

    1. Lock what all of them need, in the one order, and look again at what was read before the locks.
    2. Give up every old place before the first new one is tried: two appointments may change places.
    3. Try the new places; with any collision nothing has moved.
    """
    moves = [replace(move, slot=with_own_pump(move.slot, move.appointment)) for move in moves]
    hold(moves)
    refuse_override(override, by=by)
    for move in moves:
        _refuse_unless_booked(move)
        _refuse_impossible(move.slot, at=at)
    _refuse_retired([move.slot for move in moves])
    with db.session.begin_nested():
        moved, clashes = [], []
        for move in moves:
            change_status(move.appointment, AppointmentStatus.CANCELLED, reason=move.reason, by=by, at=at)
        for move in moves:
            old = move.appointment
            new = _appointment(old.patient_id, old.course_id, move.slot, by=by, at=at, moved_from_id=old.id)
            clash = _try(new, move.slot, move.override or override, by=by)
            if clash is None:
                moved.append(new)
            else:
                clashes.append(clash)
        if clashes:
            raise SlotsTaken(clashes)
    for move, new in zip(moves, moved, strict=True):
        was = move.appointment.id
        record_appointment(AuditAction.APPOINTMENT_MOVED, new, by=by, at=at, reason=move.reason, moved_from_id=was)
        record_override(new, by=by, at=at)
    return moved


def hold(moves: Sequence[Move], *, chairs: Collection[uuid.UUID] = (), nurses: Collection[uuid.UUID] = ()) -> None:
    """Hold all that moves need, and chairs and nurses that the same act changes, in the one order."""
    lock_in_order(
        chairs={*chairs, *(move.slot.chair.id for move in moves)},
        patients={move.appointment.patient_id for move in moves},
        courses={move.appointment.course_id for move in moves},
        nurses={*nurses, *(move.slot.nurse.id for move in moves if move.slot.nurse)},
        pumps={move.slot.pump.id for move in moves if move.slot.pump},
    )


def _refuse_unless_booked(move: Move) -> None:
    """Whoever has arrived, or does not come, is not moved; read again, for it may be some seconds ago.

    The version stays as it was read: what another desk has changed since is not written over, but shows as stale.
    """
    db.session.refresh(move.appointment, ["status"])
    if move.appointment.status is not AppointmentStatus.BOOKED:
        raise RuleBroken(
            f"{move.appointment.patient.name} is not booked any more: {move.appointment.status.value}. "
            "Look at the plan again."
        )


def moved_together(appointment: Appointment) -> list[Appointment]:
    """The appointments that moved in one act with this one, itself among them; empty when it did not move.

    One that was cancelled since is no part of it: what can be taken back of that is the cancelling.
    """
    if appointment.moved_from_id is None or appointment.status is not AppointmentStatus.BOOKED:
        return []
    return moved_at(appointment.booked_at, appointment.booked_by_id)


def moved_at(at: datetime, by_id: uuid.UUID) -> list[Appointment]:
    """The appointments that somebody moved in one act and that are booked there."""
    return list(
        db.session.scalars(
            sa.select(Appointment).where(
                Appointment.booked_at == at,
                Appointment.booked_by_id == by_id,
                Appointment.moved_from_id.is_not(None),
                Appointment.status == AppointmentStatus.BOOKED,
            )
        )
    )


def undo_together(appointment: Appointment, *, by: Staff, at: datetime) -> list[Appointment]:
    """Take back an act as a whole: one cancelling, one move, or all that moved with it."""
    together = moved_together(appointment)
    if len(together) <= 1:
        return [undo(appointment, by=by, at=at)]
    with db.session.begin_nested():
        moved = move_all(ways_back(together), by=by, at=at)
        wait_again([each.id for each in together], by=by, at=at)
    return moved


def ways_back(moved: Sequence[Appointment]) -> list[Move]:
    """The moves that take appointments back to where they stood, with what was decided for those places."""
    return [
        Move(each, _same_place(each.moved_from), TAKEN_BACK, decided_for(each.moved_from))
        for each in moved
        if each.moved_from
    ]


def accept_plan(
    moves: Sequence[Move], *, by: Staff, at: datetime, override: Override | None = None
) -> list[Appointment]:
    """Carry out a plan or the part of it that was chosen: all of these moves, or none.

    Where time and chair stay, the appointment stays too and only its nurse changes: the patient is told nothing new.
    Nurses give up their patients first and take the new ones last: two may swap, or one move make room for another.
    """
    moves = [replace(move, slot=with_own_pump(move.slot, move.appointment)) for move in moves]
    hold(moves)  # a nurse is held after the chairs, as everywhere
    alone = [move for move in moves if _is_nurse_alone(move)]
    others = [move for move in moves if not _is_nurse_alone(move)]
    had = {move.appointment.id: move.appointment.nurse_id for move in alone}
    with db.session.begin_nested():
        for move in alone:
            _refuse_unless_booked(move)
            move.appointment.nurse = None
        db.session.flush()  # whoever was faster shows here
        moved = move_all(others, by=by, at=at, override=override) if others else []
        for move in alone:
            was = had[move.appointment.id]
            assign_nurse(move.appointment, move.slot.nurse, by=by, at=at, override=override, freed_from=was)
    return moved


def _is_nurse_alone(move: Move) -> bool:
    old, new = move.appointment, move.slot
    return (old.starts_at, old.ends_at, old.chair_id) == (new.starts_at, new.ends_at, new.chair.id)
