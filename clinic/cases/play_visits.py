"""The desk's part: the visits booked and lost, and each session booked before its patient arrives."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from clinic.cases.details import GateFacts, gate_facts
from clinic.cases.parts import GateEntry
from clinic.cases.play_course import new_version, weigh
from clinic.cases.playing import NotThere, Turn
from clinic.cases.stage import MINUTE, SECOND, Stage, Visit
from clinic.core.times import from_local, local
from clinic.patients import operations as patients
from clinic.patients.rules import WeightMethod
from clinic.protocols.rules import CheckKind
from clinic.scheduling import operations as scheduling
from clinic.scheduling.models import Appointment
from clinic.sessions import operations as sessions
from clinic.sessions.readiness import asked, findings
from clinic.sessions.rules import GateResult

_MORNING = time(9)
_SLOT = timedelta(hours=3)
_APART = timedelta(minutes=15)
_EARLY = timedelta(minutes=40)
_AFTER_SLOT = timedelta(minutes=30)

_LOST = {"noshow": "no-show", "no-show": "no-show", "no_show": "no-show", "dna": "no-show"}
_KEPT = frozenset({"fulfilled", "arrived", "attended", "done", "completed"})


@dataclass(slots=True)
class _Lost:
    """A visit that was booked and did not lead to an infusion."""

    entry: GateEntry
    said: GateFacts
    starts_at: datetime
    number: int
    visit: Visit
    appointment: Appointment | None = None


def play_visits(stage: Stage) -> None:
    """Put every booking on the list, and what became of those that were lost."""
    free_from = stage.opening + MINUTE
    for visit in stage.visits:
        for entry in _lost_before(stage, visit):
            free_from = _play_lost(stage, visit, entry, free_from) + MINUTE
        booked_at = min(_bookable(stage, free_from, visit.arrival), visit.arrival)
        stage.script.add(
            booked_at,
            Turn.DESK,
            "book",
            _book,
            stage,
            visit,
            place=visit.part.session.place,
        )
        free_from = (visit.left or visit.last) + MINUTE


def _lost_before(stage: Stage, visit: Visit) -> list[GateEntry]:
    """The lost visits between the session before and this one; the last session takes those behind it as well."""
    place = stage.visits.index(visit)
    earlier = stage.visits[place - 1].start if place else None
    is_last = place == len(stage.visits) - 1
    return [
        entry
        for entry in stage.case.gates
        if (entry.appointment or "").lower() not in _KEPT
        and (earlier is None or _starts_at(stage, visit, entry) > earlier)
        and (is_last or _starts_at(stage, visit, entry) < visit.start)
    ]


def _starts_at(stage: Stage, visit: Visit, entry: GateEntry) -> datetime:
    """When a lost visit was to begin: as the file says, else at the session's own time of the day."""
    if entry.at is not None:
        return entry.at
    clock = local(visit.start, stage.world.zone).time()
    return from_local(entry.on, clock.replace(second=0, microsecond=0), stage.world.zone, fold=0)


def _bookable(stage: Stage, free_from: datetime, before: datetime) -> datetime:
    """The first moment from which the course can be booked for a visit: signed, and resumed after a hold."""
    resumed = [turn.at + MINUTE for turn in (stage.case.course.resumptions if stage.case.course else ())]
    return max([free_from, *(at for at in resumed if at < before)])


def _book(stage: Stage, visit: Visit, at: datetime) -> None:
    part = visit.part.session
    if part.chair is None:
        stage.script.supply("The chair.")
    slot = scheduling.Slot(
        session_number=visit.number,
        chair=stage.world.chair(part.chair, at=at),
        starts_at=visit.arrival,
        ends_at=max(visit.left or visit.last, visit.start) + MINUTE,
        nurse=stage.nurse_of(visit, at)[1],
    )
    (booked,) = scheduling.book(stage.course, [slot], by=stage.world.desk(at=at), at=at)
    visit.appointment_id = booked.id


# --- lost visits -----------------------------------------------------------------------------------------------------


def _play_lost(stage: Stage, visit: Visit, entry: GateEntry, free_from: datetime) -> datetime:
    """Put one lost visit on the list; gives the moment at which its time was free again."""
    starts_at = _starts_at(stage, visit, entry)
    lost = _Lost(entry, gate_facts(entry), starts_at, visit.number, visit)
    booked_at = min(_bookable(stage, free_from, starts_at), starts_at - 60 * MINUTE)

    def step(at: datetime, what: str, act: Callable[..., None], *about: object) -> None:
        stage.script.add(at, Turn.DESK, what, act, stage, lost, *about, place=entry.place)

    step(booked_at, "book", _book_lost)
    ended = starts_at
    if lost.said.typed_kg is not None or lost.said.weight_kg is not None:
        step(starts_at - 10 * MINUTE, "weigh", _weigh_lost)
    if (entry.appointment or "").lower() in _LOST:
        ended = starts_at + _AFTER_SLOT
        step(ended, "no-show", _no_show)
    elif lost.said.pressures:
        ended = _play_held(stage, lost, step)
    else:
        step(ended, "cancel", _cancel)
    return ended


def _book_lost(stage: Stage, lost: _Lost, at: datetime) -> None:
    slot = scheduling.Slot(
        session_number=lost.number,
        chair=stage.world.chair(lost.visit.part.session.chair, at=at),
        starts_at=lost.starts_at,
        ends_at=lost.starts_at + _SLOT,
    )
    (lost.appointment,) = scheduling.book(stage.course, [slot], by=stage.world.desk(at=at), at=at)


def _there(lost: _Lost) -> Appointment:
    if lost.appointment is None:
        raise NotThere
    return lost.appointment


def _said(lost: _Lost) -> str:
    return "; ".join(text for text in (lost.entry.reason, lost.entry.detail) if text) or "not stated"


def _weigh_lost(stage: Stage, lost: _Lost, at: datetime) -> None:
    """A weight that looks like pounds is held and leaves a line; the scale's own reading is kept."""
    _, by = stage.world.nurse(None, at=at)
    if lost.said.typed_kg is not None:
        try:
            patients.record_weight(
                stage.patient, lost.said.typed_kg, method=WeightMethod.MEASURED, measured_at=at, by=by, at=at
            )
        except patients.WeightHeld as held:
            patients.note_refused_weight(stage.patient, lost.said.typed_kg, held, by=by, at=at)
        else:
            stage.script.refuse(at, "weigh", "The case says that this weight was held; it was taken.", lost.entry.place)
    if lost.said.weight_kg is not None:
        weigh(stage, lost.said.weight_kg, at=at)


def _no_show(stage: Stage, lost: _Lost, at: datetime) -> None:
    scheduling.mark_no_show(_there(lost), reason=_said(lost), by=stage.world.desk(at=at), at=at)


def _cancel(stage: Stage, lost: _Lost, at: datetime) -> None:
    scheduling.cancel(_there(lost), reason=_said(lost), by=stage.world.desk(at=at), at=at)


def _play_held(stage: Stage, lost: _Lost, step: Callable[..., None]) -> datetime:
    """A patient who came and whose pressure was over the start limit: seen, rested, seen again, and nothing given."""
    holds = stage.case.course.holds if stage.case.course else ()
    day = local(lost.starts_at, stage.world.zone).date()
    ended = next((turn.at for turn in holds if local(turn.at, stage.world.zone).date() == day), lost.starts_at) - SECOND
    first = ended - MINUTE - _APART * (len(lost.said.pressures) - 1)
    step(min(first - MINUTE, lost.starts_at - _EARLY), "arrive", _arrive_held)
    for number, pressure in enumerate(lost.said.pressures):
        step(first + number * _APART, "vitals", _look, pressure)
    step(ended, "not done", _give_up)
    return ended


def _look(stage: Stage, lost: _Lost, pressure: tuple[int, int], at: datetime) -> None:
    by = stage.nurse_of(lost.visit, at)[1]
    reading = {"sbp": pressure[0], "dbp": pressure[1]}
    sessions.record_observation(lost.visit.infusion, reading, observed_at=at, by=by, at=at)


def _arrive_held(stage: Stage, lost: _Lost, at: datetime) -> None:
    by = stage.nurse_of(lost.visit, at)[1]
    lost.visit.infusion_id = sessions.arrive(_there(lost), arrived_at=at, by=by, at=at).id


def _give_up(stage: Stage, lost: _Lost, at: datetime) -> None:
    infusion, by = lost.visit.infusion, stage.nurse_of(lost.visit, at)[1]
    found = findings(infusion, CheckKind.VITALS, at)
    for item in asked(infusion, CheckKind.VITALS) if found else []:
        said = " ".join(finding.message for finding in found)
        sessions.answer_gate(infusion, item, result=GateResult.FAIL, detail=said, by=by, at=at)
    sessions.not_done(infusion, _said(lost), by=by, at=at)
    lost.visit.infusion_id = None


# --- the weight of the day -------------------------------------------------------------------------------------------


def play_weight(stage: Stage, visit: Visit) -> None:
    """Weigh the patient at the visit; where the order was signed again with that weight, go on under it."""
    gates = [gate_facts(entry) for entry in stage.case.gates if entry.on == _day(stage, visit)]
    signed_again = next((gate.order_weight_kg for gate in gates if gate.order_weight_kg is not None), None)
    part = visit.part.session
    kg = part.weight_used_kg or signed_again or visit.order.weight_used_kg or part.weight_kg
    kg = kg or stage.case.patient.weight_kg
    if kg is None:
        return
    weight_kg = kg

    def use(at: datetime) -> None:
        weight = weigh(stage, weight_kg, at=at, measured_at=at)
        sessions.use_weight(visit.infusion, weight, by=stage.nurse_of(visit, at)[1], at=at)

    def sign_again(at: datetime) -> None:
        version = stage.version
        if version.weight_used_kg != weight_kg:
            new_version(stage, visit.order, weigh(stage, weight_kg, at=at), "The weight changed.", at)

    stage.script.add(visit.before_start(5), Turn.CHECKS, "weigh", use, place=part.place)
    is_other = visit.order.weight_used_kg is not None and visit.order.weight_used_kg != weight_kg
    if is_other and (part.weight_used_kg is not None or signed_again is not None):
        stage.script.add(visit.before_start(15), Turn.CHECKS, "sign the order again", sign_again, place=part.place)


def _day(stage: Stage, visit: Visit) -> object:
    return local(visit.start, stage.world.zone).date()
