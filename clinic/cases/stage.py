"""Who and what is on stage while a case is played: the records made so far, and the times of each visit."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from clinic.accounts.models import Staff
from clinic.cases.facts import EventFacts, EventKind, facts
from clinic.cases.parts import Case, EventRow, Exit, OrderPart, SessionCase
from clinic.cases.play_clinic import World
from clinic.cases.play_pump import PumpAct, pump_acts
from clinic.cases.playing import NotThere, Script
from clinic.core import db
from clinic.courses.models import Course
from clinic.druglog.models import Container
from clinic.notes.models import Note
from clinic.orders.models import OrderVersion, VerbalOrder
from clinic.patients.models import Patient
from clinic.scheduling.models import Appointment
from clinic.sessions.models import DoubleCheck, InfusionSession, ObservationSet
from clinic.sessions.rules import AdministrationKind

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
_EARLY = timedelta(minutes=30)
_LEAVING = {
    EventKind.DISCHARGE: Exit.HOME,
    EventKind.TRANSFER: Exit.TRANSFER,
    EventKind.AGAINST_ADVICE: Exit.AGAINST_ADVICE,
}


@dataclass(slots=True)
class Visit:
    """One session of a case on stage: its times, and the records that were made of it.

    `start` is the first flow or, where nothing flowed, the session's own minute 0. `left` is when the patient went, or
    None; `last` is the latest thing that was charted before that. `containers` go by the place of their account in the
    file.
    """

    part: SessionCase
    number: int
    order: OrderPart
    arrival: datetime
    start: datetime
    stop: datetime | None
    left: datetime | None
    last: datetime
    acts: list[PumpAct]
    lines: list[tuple[EventRow, EventFacts]]
    appointment_id: uuid.UUID | None = None
    infusion_id: uuid.UUID | None = None
    seen: dict[datetime, ObservationSet] = field(default_factory=dict)
    checks: dict[datetime, DoubleCheck] = field(default_factory=dict)
    containers: dict[int, Container] = field(default_factory=dict)
    # Orders spoken in a line of their own, until the change that they ask for.
    spoken: list[tuple[datetime, VerbalOrder]] = field(default_factory=list)
    note: Note | None = None
    held: InfusionSession | None = None

    @property
    def infusion(self) -> InfusionSession:
        """The session's row, read anew where a step before this one was undone. Raises NotThere before arrival."""
        found = db.session.get(InfusionSession, self.infusion_id) if self.infusion_id else None
        if found is None:
            raise NotThere
        self.held = found
        return found

    @property
    def started(self) -> InfusionSession:
        """The same, once drug has flowed; what comes after a refused start is not tried one by one."""
        infusion = self.infusion
        if not infusion.administrations:
            raise NotThere
        return infusion

    @property
    def appointment(self) -> Appointment:
        """The booking of the visit."""
        found = db.session.get(Appointment, self.appointment_id) if self.appointment_id else None
        if found is None:
            raise NotThere
        return found

    def before_start(self, percent: int) -> datetime:
        """A moment between arrival and start, by its share of the time between them."""
        return self.arrival + (self.start - self.arrival) * percent / 100

    def soon_after(self, moment: datetime, seconds: int) -> datetime:
        """A moment so many seconds after another, never behind the patient's leaving."""
        if self.left is None or self.left > moment + timedelta(seconds=seconds) or self.left <= moment:
            return moment + timedelta(seconds=seconds)
        return moment + (self.left - moment) * min(seconds, 99) / 100

    def told(self, *kinds: EventKind) -> list[tuple[EventRow, EventFacts]]:
        """The event lines of these kinds."""
        return [(event, said) for event, said in self.lines if said.kind in kinds]


@dataclass(slots=True)
class Stage:
    """A case on stage."""

    world: World
    case: Case
    script: Script
    visits: list[Visit]
    opening: datetime
    patient_id: uuid.UUID | None = None
    course_id: uuid.UUID | None = None
    verbal: list[VerbalOrder] = field(default_factory=list)
    # The session holds its rows weakly: what the next step needs again is held here.
    held: dict[str, db.Base] = field(default_factory=dict)

    @property
    def patient(self) -> Patient:
        found = db.session.get(Patient, self.patient_id) if self.patient_id else None
        if found is None:
            raise NotThere
        self.held["patient"] = found
        return found

    @property
    def course(self) -> Course:
        found = db.session.get(Course, self.course_id) if self.course_id else None
        if found is None:
            raise NotThere
        self.held["course"] = found
        return found

    @property
    def version(self) -> OrderVersion:
        """The order version in force or on hold. Raises NotThere before the first is signed."""
        course = self.course
        db.session.expire(course.order, ["versions"])
        version = course.order.current
        if version is None:
            raise NotThere
        return version

    def physician(self, code: str | None, *, at: datetime) -> Staff:
        """The physician of a code, else the one who signed the order."""
        return self.world.physician(code or self.case.orders[0].signed_by, at=at)

    def nurse_of(self, visit: Visit, at: datetime, *, other_than: tuple[str | None, ...] = ()) -> tuple[str, Staff]:
        """Who runs a visit; of several the next where the first may not."""
        able = [code for code in visit.part.session.nurses if code not in other_than]
        return self.world.nurse(able[0] if able else None, at=at, other_than=other_than)

    def second(self, visit: Visit, at: datetime, *, said: str | None, other_than: tuple[str | None, ...]) -> Staff:
        """The second person of a check or a witness: whom the line names, the session's own, else one more nurse."""
        code = said or visit.part.session.second_check
        found, person = self.world.nurse(code, at=at, other_than=other_than)
        if code is None:
            self.script.supply(f"The second person: {found}.")
        return person


def stage_visits(case: Case) -> list[Visit]:
    """The visits of a case with their times, earliest first."""
    visits = [_visit(case, part, place) for place, part in enumerate(case.sessions, start=1)]
    return sorted(visits, key=lambda visit: visit.start)


def _visit(case: Case, part: SessionCase, place: int) -> Visit:
    acts = pump_acts(part)
    lines = [(event, facts(event)) for event in part.events]
    start = acts[0].when.at if acts else part.session.start
    stop = acts[-1].when.at if acts else None
    left = _left(part, lines)
    order = _order_for(case, part, start)
    before = [row.when.at for row in part.obs if row.when.at < start]
    before += [event.when.at for event, said in lines if event.when.at < start and said.kind not in _LEAVING]
    before += [miss.when.at for miss in part.near_misses if miss.when and miss.when.at < start]
    arrival = min([start - _EARLY, *(at - 2 * MINUTE for at in before)])
    if order.signed_at is not None:
        arrival = max(arrival, min(order.signed_at + 2 * MINUTE, start - SECOND))
    ends = [row.when.at for row in part.obs] + [stop or start]
    last = max(at for at in ends if left is None or at <= left) if left is None or min(ends) <= left else left
    return Visit(
        part=part,
        number=part.session.no or place,
        order=order,
        arrival=arrival,
        start=start,
        stop=stop,
        left=left,
        last=last,
        acts=acts,
        lines=lines,
    )


def _left(part: SessionCase, lines: list[tuple[EventRow, EventFacts]]) -> datetime | None:
    """When the patient went: as the discharge says, else the event, else after the last row where a way out is told."""
    if part.discharge is not None and part.discharge.when is not None:
        return part.discharge.when.at
    leaving = [event.when.at for event, said in lines if said.kind in _LEAVING]
    if leaving:
        return max(leaving)
    if part.discharge is None and part.exit is None:
        return None
    rows = [row.when.at for row in part.obs] + [row.end.at for row in part.infusion]
    rows += [event.when.at for event, said in lines if said.kind is EventKind.STOP]
    return max(rows, default=part.session.start) + MINUTE


def _order_for(case: Case, part: SessionCase, start: datetime) -> OrderPart:
    """The order that a session begins under: its own, the one it names, else the latest signed before its start."""
    if part.order is not None:
        return part.order
    named = [order for order in case.orders if order.version == part.session.order_version]
    if named:
        return named[0]
    signed = [order for order in case.orders if order.signed_at is not None and order.signed_at <= start]
    return signed[-1] if signed else case.orders[0]


def is_flow(act: PumpAct) -> bool:
    """Whether drug flows from this act on."""
    return act.kind in {AdministrationKind.START, AdministrationKind.RATE_CHANGE, AdministrationKind.RESUME}
