"""Today's board: a patient at every stage, placed around the moment of filling."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import sqlalchemy as sa

from clinic.core import db
from clinic.demo.bedside import Bedside
from clinic.demo.patients import Treatment
from clinic.demo.people import DemoWorld
from clinic.demo.timeline import MINUTE, Days, Timeline
from clinic.demo.visits import BEFORE, Reading, Visit, plan_visit
from clinic.orders import operations as orders
from clinic.orders.rules import SpokenMode
from clinic.scheduling import operations as scheduling
from clinic.scheduling.models import Appointment, Chair
from clinic.sessions import operations
from clinic.sessions.event_rules import AdverseOutcome, SessionEventKind
from clinic.sessions.models import AdverseEvent
from clinic.sessions.progress import current
from clinic.sessions.queries import breaches_of

_CLOSED: Final = ("B3", -330, -120)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a patient stands today, in minutes from now: when the pump starts, or when the chair is booked."""

    family_name: str
    chair: str
    starts: int | None = None
    booked: int | None = None
    skipped: frozenset[int] = frozenset()
    raises: tuple[int, ...] = ()
    remark: str | None = None


# Vitals are asked for every 15 min: started 87 min ago, the next fall due in 3; started 64 min ago and not looked at
# since the 45th minute, they are 4 min late.
PLACES: Final = (
    Place(family_name="Osei", chair="A2", starts=-260),
    Place(
        family_name="Haddad",
        chair="A3",
        starts=-312,
        raises=(30, 60),
        remark="Last session of the course. Slept through the nights since session 4.",
    ),
    Place(family_name="Walsh", chair="B2", booked=-280),
    Place(family_name="Brandt", chair="A1", starts=-139),
    Place(family_name="Petrova", chair="B1", starts=-129),
    Place(family_name="Almeida", chair="A3", starts=-87, raises=(30, 60)),
    Place(family_name="Kim", chair="A2", starts=-64, skipped=frozenset({60})),
    Place(family_name="Ibrahim", chair="C1", starts=-48),
    Place(family_name="Adeyemi", chair="B2", starts=11),
    Place(family_name="Dubois", chair="C2", starts=25),
    Place(family_name="Rossi", chair="B3", booked=-10),
    Place(family_name="Gray", chair="B1", booked=50),
    Place(family_name="Novak", chair="C1", booked=110),
)


def todays_visits(days: Days, treatments: Mapping[str, Treatment]) -> dict[str, Visit]:
    """The visits of the board by family name, booked on full five minutes."""
    return {place.family_name: _visit(days, place, treatments[place.family_name]) for place in PLACES}


def _visit(days: Days, place: Place, treatment: Treatment) -> Visit:
    booked = place.booked if place.starts is None else place.starts - BEFORE
    visit = plan_visit(treatment, len(treatment.past) + 1, days.round(days.minutes(booked or 0)), chair=place.chair)
    visit.skipped, visit.raises = place.skipped, place.raises
    visit.remark = place.remark or visit.remark
    if place.starts is not None:
        visit.start = days.minutes(place.starts)
    return visit


def add_today(world: DemoWorld, days: Days, timeline: Timeline, visits: Mapping[str, Visit]) -> dict[str, Bedside]:
    """Put today's visits on the list, with what makes some of them special."""
    bedsides = {name: Bedside(world, visit) for name, visit in visits.items()}
    for name, special in _SPECIAL.items():
        special(bedsides[name])
    for bedside in bedsides.values():
        bedside.add_to(timeline)
    missed = visits["Walsh"]
    timeline.add(missed.booked_from + 30 * MINUTE, "Walsh: no-show", partial(_miss, world, missed))
    timeline.add(days.at(days.workday(-1), "16:00"), "chair closed", partial(_close, world, days))
    return bedsides


def _miss(world: DemoWorld, visit: Visit, at: datetime) -> None:
    appointment = db.session.get_one(Appointment, visit.appointment_id)
    reason = "Did not come, called twice, no answer."
    scheduling.mark_no_show(appointment, reason=reason, by=world.person("DESK", at=at), at=at)


def _close(world: DemoWorld, days: Days, at: datetime) -> None:
    name, start, end = _CLOSED
    scheduling.close_chair(
        db.session.get_one(Chair, world.chairs[name]),
        starts_at=days.round(days.minutes(start)),
        ends_at=days.round(days.minutes(end)),
        reason="pump service",
        by=world.person("DESK", at=at),
        at=at,
    )


# --- what is special -------------------------------------------------------------------------------------------------


def _almeida(bedside: Bedside) -> None:
    """Mild nausea with ondansetron, then a systolic over the limit: the physician was told and the rate lowered."""
    bedside.visit.readings = {
        55: _seen("144/86", "86 14 96", sedation=-1, pain=4, nausea=1),
        70: _seen("164/94", "92 13 95", sedation=-1, pain=3),
        75: _seen("154/90", "89 13 96", sedation=-1, pain=3),
        77: _seen("152/88", "88 14 96", sedation=-1, pain=3),
    }
    bedside.visit.own = (
        (56, "nausea", partial(_nausea, bedside)),
        (57, "ondansetron", partial(_ondansetron, bedside)),
        (71, "told", partial(_told, bedside)),
        (72, "lower", partial(bedside.lower_rate, 1, "Systolic 164, over the order's 160. Dr Okafor told.")),
        (76, "nausea over", partial(_over, bedside)),
    )


def _kim(bedside: Bedside) -> None:
    """The physician said by telephone not to go up; the order waits for the signature."""
    bedside.visit.own = ((34, "spoken order", partial(_spoken, bedside)),)


def _ibrahim(bedside: Bedside) -> None:
    """Paused: the patient was dizzy."""
    bedside.visit.readings = {43: _seen("108/66", "88 15 98", sedation=-1, pain=4)}
    bedside.visit.skipped = frozenset({45})
    bedside.visit.own = (
        (41, "dizziness", partial(_dizzy, bedside)),
        (42, "pause", partial(_pause, bedside)),
    )


_SPECIAL: Final[Mapping[str, Callable[[Bedside], None]]] = {"Almeida": _almeida, "Kim": _kim, "Ibrahim": _ibrahim}


def _seen(pressure: str, rates: str, *, sedation: int, pain: int, nausea: int = 0) -> Reading:
    """A set of vitals; `rates` are pulse, breathing and saturation."""
    sbp, dbp = map(int, pressure.split("/"))
    hr, rr, spo2 = map(int, rates.split())
    scores = {"sedation": sedation, "pain": pain, "dissociation": 1, "nausea": nausea}
    return {"sbp": sbp, "dbp": dbp, "hr": hr, "rr": rr, "spo2": spo2, **scores}


def _nausea(bedside: Bedside, at: datetime) -> None:
    operations.record_adverse_event(
        bedside.infusion,
        "nausea",
        onset_at=at - MINUTE,
        grade=1,
        is_serious=False,
        outcome=AdverseOutcome.RECOVERING,
        by=bedside.nurse(at),
        at=at,
    )


def _ondansetron(bedside: Bedside, at: datetime) -> None:
    item = next(row for row in bedside.infusion.order_version.terms.prn_items if row.drug_name == "ondansetron")
    operations.give_prn(bedside.infusion, item, given_at=at, reason="nausea, mild", by=bedside.nurse(at), at=at)


def _told(bedside: Bedside, at: datetime) -> None:
    infusion = bedside.infusion
    outside = next(row for row in current(infusion.observation_sets) if breaches_of(row))
    operations.notify(
        infusion,
        "BP 164/94, over the order's limit of 160.",
        happened_at=at,
        person=bedside.physician(at),
        reply="Go back to 20 mg per hour, look again in 5 min.",
        observation=outside,
        by=bedside.nurse(at),
        at=at,
    )


def _over(bedside: Bedside, at: datetime) -> None:
    (event,) = db.session.scalars(sa.select(AdverseEvent).where(AdverseEvent.infusion_id == bedside.infusion.id))
    changes = {"resolved_at": at, "outcome": AdverseOutcome.RESOLVED, "action": "ondansetron 4 mg IV"}
    operations.resolve_adverse_event(event, changes, "No longer sick.", by=bedside.nurse(at), at=at)


def _spoken(bedside: Bedside, at: datetime) -> None:
    orders.write_verbal_order(
        bedside.infusion.order_version,
        "Rate stays at 20 mg per hour, no step up today.",
        spoken_by=bedside.physician(at),
        spoken_at=at - 2 * MINUTE,
        mode=SpokenMode.TELEPHONE,
        is_read_back=True,
        by=bedside.nurse(at),
        at=at,
    )


def _dizzy(bedside: Bedside, at: datetime) -> None:
    text = "Dizzy on sitting up. Laid flat."
    operations.record_event(
        bedside.infusion, SessionEventKind.INTERVENTION, text, happened_at=at, by=bedside.nurse(at), at=at
    )


def _pause(bedside: Bedside, at: datetime) -> None:
    reason = "Dizzy, the patient asks for a break."
    operations.pause(bedside.infusion, happened_at=at, reason=reason, by=bedside.nurse(at), at=at)
