"""What was chosen of a new plan is done, and what happened is recorded: both, or neither."""

from collections.abc import Sequence
from datetime import datetime

from clinic.accounts.models import Staff
from clinic.core import db
from clinic.scheduling.happening import ChairOut, NurseOff
from clinic.scheduling.models import Appointment
from clinic.scheduling.operations_moves import Move, accept_plan, hold
from clinic.scheduling.operations_override import Override
from clinic.scheduling.operations_rooms import close_chair
from clinic.scheduling.operations_shifts import take_off_duty


def carry_out(
    moves: Sequence[Move],
    fact: NurseOff | ChairOut | None,
    *,
    by: Staff,
    at: datetime,
    seen: str | None = None,
    override: Override | None = None,
) -> list[Appointment]:
    """Do the moves, and record the fact where one is given: the nurse is off duty for that time, the chair is closed.

    `WouldBreak` shows the appointments that would still be with the nurse; `seen` names them once a person saw them.
    Appointments that would still stand in the chair refuse with `ChairInUse`. Then nothing has moved either.
    """
    hold(
        moves,
        chairs={fact.chair.id} if isinstance(fact, ChairOut) else (),
        nurses={fact.nurse.id} if isinstance(fact, NurseOff) else (),
    )
    with db.session.begin_nested():
        moved = accept_plan(moves, by=by, at=at, override=override)
        if isinstance(fact, NurseOff):
            take_off_duty(fact.nurse, fact, by=by, at=at, seen=seen)
        elif isinstance(fact, ChairOut):
            span = {"starts_at": fact.starts_at, "ends_at": fact.ends_at}
            close_chair(fact.chair, **span, reason=fact.why, by=by, at=at)
    return moved
