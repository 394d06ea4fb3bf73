"""Visits of the demonstration clinic: when each act of a visit happens, and what the nurse sees.

A visit is planned whole, from the door to the co-signature. The timeline plays what lies before the moment of filling,
so where that moment falls decides how far the visit has come.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from clinic.demo.patients import Treatment
from clinic.demo.people import NURSE_OF, SECOND_OF
from clinic.demo.protocols import LIDOCAINE, MAGNESIUM, STEPPED
from clinic.demo.timeline import MINUTE, Act, Days
from clinic.protocols.rules import CheckKind

# Minutes of the pump, by protocol; before it the checks, after it recovery.
RUNS: Final[Mapping[str, int]] = {STEPPED: 150, MAGNESIUM: 240}
_USUAL_RUN: Final = 120
BEFORE: Final = 30
_AFTER: Final = 30
LEAVES_AFTER: Final = 36
_VITALS_EVERY: Final = 15
_RAISED_AT: Final = (30, 60)
_RECHECK: Final = 5

Reading = dict[str, int | None]


@dataclass(slots=True, kw_only=True)
class Visit:
    """One session of a course. `start` is when the pump starts, or None for a visit that is only booked.

    `skipped` are minutes after the start at which nobody took the vitals; `readings` replace what the nurse saw;
    `raises` are the minutes at which the rate went up a step; `own` are acts that only this visit has.
    """

    treatment: Treatment
    number: int
    chair: str
    booked_from: datetime
    booked_until: datetime
    start: datetime | None = None
    skipped: frozenset[int] = frozenset()
    readings: Mapping[int, Reading] = field(default_factory=dict)
    raises: tuple[int, ...] = ()
    own: tuple[tuple[int, str, Act], ...] = ()
    remark: str = "Tolerated well."
    appointment_id: uuid.UUID | None = None
    infusion_id: uuid.UUID | None = None
    note_id: uuid.UUID | None = None

    @property
    def nurse(self) -> str:
        """The code of who runs it."""
        return NURSE_OF[self.chair]

    @property
    def second(self) -> str:
        """The code of who checks and witnesses."""
        return SECOND_OF[self.nurse]

    @property
    def run(self) -> int:
        """The minutes of the pump."""
        return run_of(self.treatment)

    def minute(self, at: datetime) -> int:
        """The minute of an instant, from the start of the pump."""
        return (at - (self.start or self.booked_from)) // MINUTE


def run_of(treatment: Treatment) -> int:
    """The ordered minutes of a session."""
    return RUNS.get(treatment.regimen, _USUAL_RUN)


def length_of(treatment: Treatment) -> int:
    """The minutes that a chair is booked for."""
    return BEFORE + run_of(treatment) + _AFTER


def plan_visit(treatment: Treatment, number: int, booked_from: datetime, *, chair: str | None = None) -> Visit:
    """A visit that is only booked."""
    until = booked_from + length_of(treatment) * MINUTE
    return Visit(
        treatment=treatment,
        number=number,
        chair=chair or treatment.chair,
        booked_from=booked_from,
        booked_until=until,
        raises=_RAISED_AT if treatment.regimen == STEPPED else (),
    )


def past_visits(days: Days, treatment: Treatment) -> list[Visit]:
    """The sessions of a course that are over, each on its own weekday."""
    visits = []
    for number, offset in enumerate(treatment.past, start=1):
        booked = days.at(days.workday(-offset), treatment.half)
        visit = plan_visit(treatment, number, booked)
        # Nobody is ready on the minute.
        visit.start = booked + (BEFORE + (number * 3 + offset) % 5) * MINUTE
        visits.append(visit)
    return visits


def coming_visits(days: Days, treatment: Treatment, *, first: int) -> list[Visit]:
    """The sessions that are booked for the days after today."""
    return [
        plan_visit(treatment, number, days.at(days.workday(offset), treatment.half))
        for number, offset in enumerate(treatment.coming, start=first)
    ]


# --- the minutes of a visit ------------------------------------------------------------------------------------------

# The checks in the order in which a nurse comes to them, in minutes from the start.
CHECKED_AT: Final[Mapping[CheckKind, int]] = {
    CheckKind.IDENTITY: -24,
    CheckKind.ALLERGIES: -23,
    CheckKind.CONSENT: -21,
    CheckKind.FASTING: -20,
    CheckKind.CHANGES: -19,
    CheckKind.IV_ACCESS: -16,
    CheckKind.READINESS: -14,
    CheckKind.OTHER: -13,
    CheckKind.VITALS: -12,
    CheckKind.ESCORT: -10,
}
ARRIVES, WEIGHS, FIRST_VITALS, SUPERVISED, PREPARES = -30, -22, -13, -9, -8
TIME_OUT = -5
ASSESSED, WASTED = 31, 33


def vitals_minutes(visit: Visit) -> Iterator[int]:
    """When the nurse looks: as the order's schedule asks, except what was skipped."""
    due = {*range(0, visit.run + 1, _VITALS_EVERY), *(minute + _RECHECK for minute in visit.raises), *visit.readings}
    due |= {visit.run + _VITALS_EVERY, visit.run + 2 * _VITALS_EVERY}
    yield from sorted(due - visit.skipped)


def reading(visit: Visit, minute: int) -> Reading:
    """What the nurse sees so many minutes after the start. The drug comes on over an hour and goes in half of one."""
    if minute in visit.readings:
        return visit.readings[minute]
    body = visit.treatment.body
    effect = _effect(minute, visit.run)
    sway = (minute * 7 + visit.number * 5 + body.hr) % 5 - 2
    is_ketamine = visit.treatment.regimen not in {LIDOCAINE, MAGNESIUM}
    push = 12 if is_ketamine else -6
    relief = _effect(min(minute, visit.run), visit.run)  # the relief outlasts the drug
    pain = max(body.pain - (visit.number - 1) // 2 - relief * 3 // 100, 0)
    return {
        "sbp": body.sbp + push * effect // 100 + sway,
        "dbp": body.dbp + push * effect // 200 + sway // 2,
        "hr": body.hr + (8 if is_ketamine else -2) * effect // 100 + sway,
        "rr": 14 + sway // 2,
        "spo2": min(body.spo2 - effect // 90, 100),
        "sedation": -1 if is_ketamine and effect >= 70 else 0,  # noqa: PLR2004 per cent
        "pain": pain,
        "dissociation": 1 if is_ketamine and effect >= 50 else 0,  # noqa: PLR2004 per cent
        "nausea": 0,
    }


def _effect(minute: int, run: int) -> int:
    """How much of its whole effect the drug has, in per cent."""
    if minute <= 0:
        return 0
    reached = min(min(minute, run) * 100 // 60, 100)
    return max(reached - max(minute - run, 0) * 3, 0)
