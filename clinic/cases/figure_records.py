"""The records behind the figures: one session's numbers, its drug account, its rows; and the case's own."""

from collections.abc import Iterable
from copy import copy
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from clinic.accounts.models import Clinic
from clinic.cases.figure_log import Log, log_of
from clinic.cases.figures import Known
from clinic.cases.stage import Visit
from clinic.core import db
from clinic.core.times import elapsed_minutes, from_local, local
from clinic.core.units import EXACT, Unit
from clinic.notes.models import Note
from clinic.notes.rules import NoteKind, NoteStatus
from clinic.orders import queries as orders
from clinic.orders.plan_rules import in_session, session_plans
from clinic.protocols.dose_rules import rate_in
from clinic.protocols.limit_rules import Vital
from clinic.protocols.rules import DischargeScale
from clinic.protocols.terms import draft_of
from clinic.sessions import delivery_rules as delivery
from clinic.sessions import queries as sessions
from clinic.sessions.delivery_rules import RateSegment
from clinic.sessions.due_rules import DueState
from clinic.sessions.event_rules import Actuality, DischargeExit, IvAction, SessionEventKind
from clinic.sessions.models import AdverseEvent, DoubleCheck, InfusionSession, ObservationSet, PrnDose
from clinic.sessions.progress import Progress, current, first_start, last_stop, progress
from clinic.sessions.score_rules import SCORES, score_total

_MINUTES_PER_HOUR = 60


class Numbers:
    """What one session came to."""

    def __init__(self, visit: Visit, known: Known) -> None:
        self.visit, self.known = visit, known
        # As a page reads it: whole, and from the database.
        db.session.expire_all()
        self.infusion: InfusionSession = sessions.flowsheet(visit.infusion.id) or visit.infusion
        self.at: datetime = max(visit.left or visit.last, visit.last, visit.stop or visit.start)
        self.rows = Rows(self.infusion, self.at)
        self.drug = self.infusion.order_version.terms.drug.name

    @cached_property
    def progress(self) -> Progress:
        return progress(self.infusion, self.at)

    @cached_property
    def segments(self) -> list[RateSegment]:
        """The rate segments up to the end of the last flow: a pause that a stop ended belongs to no infusion."""
        found = list(self.progress.segments)
        while found and not found[-1].rate_ml_h:
            found.pop()
        return found

    @property
    def flowing(self) -> list[RateSegment]:
        return [segment for segment in self.segments if segment.rate_ml_h]

    @property
    def run_min(self) -> Decimal:
        return self.progress.run_minutes

    @property
    def span_min(self) -> Decimal:
        return delivery.span_minutes(self.segments)

    @property
    def started_at(self) -> datetime | None:
        return first_start(self.infusion)

    @property
    def stopped_at(self) -> datetime | None:
        return last_stop(self.infusion)

    @property
    def elapsed_min(self) -> Decimal:
        """Minutes that passed from the start to the stop, pauses before the stop counted in."""
        if self.started_at is None or self.stopped_at is None:
            return Decimal(0)
        return elapsed_minutes(self.started_at, self.stopped_at)

    @property
    def wall_min(self) -> Decimal:
        """What the clinic's clocks show between start and stop; across a clock change it is not what passed."""
        if self.started_at is None or self.stopped_at is None:
            return Decimal(0)
        zone = self.known.stage.world.zone
        start, stop = (local(at, zone).replace(tzinfo=None) for at in (self.started_at, self.stopped_at))
        return EXACT.divide(Decimal((stop - start).days * 86_400 + (stop - start).seconds), Decimal(60))

    @staticmethod
    def hours(minutes: Decimal) -> Decimal:
        return EXACT.divide(minutes, Decimal(_MINUTES_PER_HOUR))

    @property
    def pauses(self) -> list[Decimal]:
        """How long each pause between two flows lasted, in minutes."""
        gaps = [(before.end, after.start) for before, after in pairwise(self.flowing) if before.end < after.start]
        return [elapsed_minutes(start, end) for start, end in gaps]

    @property
    def paused_min(self) -> Decimal:
        return self.span_min - self.run_min

    @property
    def volume_ml(self) -> Decimal:
        return self.progress.delivered_ml

    @property
    def dose_mg(self) -> Decimal:
        return self.progress.delivered_mg

    @property
    def bolus_mg(self) -> Decimal:
        return self.progress.bolus_mg

    @property
    def boluses(self) -> int:
        return len(delivery.boluses_mg(sessions.pump_events(self.infusion), self.at))

    @property
    def infused_mg(self) -> Decimal:
        return self.dose_mg - self.bolus_mg

    @property
    def weight_kg(self) -> Decimal | None:
        return self.progress.weight_kg

    def per_kg(self, amount: Decimal | None) -> Decimal | None:
        return EXACT.divide(amount, self.weight_kg) if amount is not None and self.weight_kg else None

    def mcg_kg_min(self, mg_h: Decimal) -> Decimal | None:
        return rate_in(Unit.MCG_PER_KG_MIN, mg_h, weight_kg=self.weight_kg) if self.weight_kg else None

    def in_ml(self, mg: Decimal | None) -> Decimal | None:
        concentration = self.infusion.order_version.terms.concentration_mg_ml
        return EXACT.divide(mg, concentration) if mg is not None and concentration else None

    @property
    def highest_ml_h(self) -> Decimal:
        return self.progress.highest_rate_ml_h

    @property
    def highest_mg_h(self) -> Decimal:
        return self.progress.highest_rate_mg_h

    @property
    def rates_mg_h(self) -> list[Decimal]:
        return [delivery.highest_rate_mg_h([segment]) for segment in self.flowing]

    @property
    def mean_mg_h(self) -> Decimal | None:
        return EXACT.divide(self.infused_mg * _MINUTES_PER_HOUR, self.run_min) if self.run_min else None

    @property
    def planned_mg(self) -> Decimal | None:
        """What the order asks for in a session: its total, else its rate over its length with every step taken."""
        version = self.infusion.order_version
        plans = session_plans(in_session(draft_of(version.terms), self.infusion.number), self.weight_kg)
        return plans[0].stepped_mg if plans else None

    @property
    def undelivered_mg(self) -> Decimal | None:
        return None if self.planned_mg is None else max(self.planned_mg - self.dose_mg, Decimal(0))

    @property
    def delivered_pct(self) -> Decimal | None:
        return EXACT.divide(self.dose_mg * 100, self.planned_mg) if self.planned_mg else None

    def by_day(self) -> dict[str, "Numbers"]:
        """The session cut at every midnight of the clinic, by date; a bolus counts on its day."""
        zone = self.known.stage.world.zone
        days: dict[str, Numbers] = {}
        for segment in self.segments:
            first, last = local(segment.start, zone).date(), local(segment.end, zone).date()
            for day in (first + timedelta(days=number) for number in range((last - first).days + 1)):
                days.setdefault(
                    day.isoformat().replace("-", "_"),
                    self._between(_midnight(day, zone), _midnight(day + timedelta(days=1), zone)),
                )
        return {day: numbers for day, numbers in days.items() if numbers.segments}

    def _between(self, start: datetime, end: datetime) -> "Numbers":
        """The same session seen through a window of time."""
        cut = [replace(one, start=max(one.start, start), end=min(one.end, end)) for one in self.segments]
        pieces = [one for one in cut if one.start < one.end]
        events = [event for event in sessions.pump_events(self.infusion) if start <= event.at < end]
        boluses = delivery.boluses_mg(events, self.at)
        other = copy(self)
        other.__dict__["segments"] = pieces
        other.__dict__["progress"] = replace(
            self.progress,
            segments=tuple(pieces),
            run_minutes=delivery.run_minutes(pieces),
            delivered_ml=delivery.delivered_ml(pieces),
            delivered_mg=delivery.delivered_mg(pieces, boluses=boluses),
            bolus_mg=sum(boluses, Decimal(0)),
        )
        return other

    def minute_of(self, moment: datetime | None) -> Decimal | None:
        """Minutes from the start."""
        return elapsed_minutes(self.started_at, moment) if self.started_at and moment else None

    @property
    def minute_of_leaving(self) -> Decimal | None:
        return self.minute_of(self.infusion.discharge.discharged_at if self.infusion.discharge else None)

    @property
    def recovery_min(self) -> Decimal | None:
        left = self.infusion.discharge.discharged_at if self.infusion.discharge else None
        return elapsed_minutes(self.stopped_at, left) if self.stopped_at and left else None

    @property
    def visit_min(self) -> Decimal | None:
        left = self.infusion.discharge.discharged_at if self.infusion.discharge else None
        return elapsed_minutes(self.infusion.arrived_at, left) if left else None

    @property
    def adverse_min(self) -> Decimal | None:
        """How long the adverse event lasted; of several the longest, and None while one goes on."""
        rows = [(row.onset_at, row.resolved_at) for row in self.rows.adverse]
        lengths = [elapsed_minutes(onset, resolved) for onset, resolved in rows if resolved]
        return max(lengths) if lengths and len(lengths) == len(rows) else None

    @property
    def is_past_cap(self) -> bool:
        cap = self.infusion.order_version.terms.maximum_duration_min
        return cap is not None and self.elapsed_min > cap

    @property
    def is_at_cap(self) -> bool:
        cap = self.infusion.order_version.terms.maximum_duration_min
        return cap is not None and self.elapsed_min >= cap

    @cached_property
    def log(self) -> Log:
        """The account of the infused drug; without one nothing is known of it."""
        return self.account(self.drug.lower()) or Log()

    def account(self, drug: str) -> Log | None:
        """The account of one drug by its name in lower case."""
        return log_of(self.visit, self.infusion, drug)

    @property
    def second_account(self) -> Log | None:
        """The account of the first drug beside the infused one."""
        others = (part.drug for part in self.visit.part.drug_accounts if part.drug)
        return next((self.account(drug.lower()) for drug in others if drug.lower() != self.drug.lower()), None)

    def with_log(self, log: Log) -> "Numbers":
        """The same session seen through the account of another drug."""
        other = copy(self)
        other.__dict__["log"] = log
        return other


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return from_local(day, time(0), zone, fold=0)


def numbers_of(visit: Visit, known: Known) -> Numbers:
    """A session's numbers, read once."""
    found = known.read.get(id(visit))
    if not isinstance(found, Numbers):
        found = known.read[id(visit)] = Numbers(visit, known)
    return found


class Rows:
    """What was charted in one session."""

    def __init__(self, infusion: InfusionSession, at: datetime) -> None:
        self.infusion, self.at = infusion, at

    @property
    def seen(self) -> list[ObservationSet]:
        return current(self.infusion.observation_sets)

    @property
    def prn(self) -> list[PrnDose]:
        return current(self.infusion.prn_doses)

    @property
    def adverse(self) -> list[AdverseEvent]:
        return [row for row in current(self.infusion.adverse_events) if row.actuality is Actuality.ACTUAL]

    @property
    def near_misses(self) -> list[AdverseEvent]:
        return [row for row in current(self.infusion.adverse_events) if row.actuality is Actuality.POTENTIAL]

    @property
    def double_checks(self) -> list[DoubleCheck]:
        return [check for proposal in self.infusion.rate_proposals for check in proposal.double_checks]

    @property
    def late_entries(self) -> int:
        """Vitals whose first entry came later than the clinic's grace; a correction is no late entry."""
        grace = db.session.get_one(Clinic, self.infusion.clinic_id).late_entry_after_min or 0
        first = [row for row in self.infusion.observation_sets if row.supersedes_id is None]
        return sum(elapsed_minutes(row.observed_at, row.recorded_at) > grace for row in first)

    @property
    def corrections(self) -> int:
        every: Iterable[object] = [*self.infusion.observation_sets, *self.infusion.administrations]
        return sum(getattr(row, "supersedes_id", None) is not None for row in every)

    @property
    def notified(self) -> int:
        return sum(row.kind is SessionEventKind.NOTIFY for row in current(self.infusion.events))

    @property
    def outside(self) -> int:
        return len(progress(self.infusion, self.at).breaches)

    @property
    def missed(self) -> int:
        return sum(line.state is DueState.MISSED for line in progress(self.infusion, self.at).dues)

    @property
    def spoken(self) -> int:
        return len(orders.verbal_orders_of(self.infusion.order_version.order_id))

    @property
    def unsigned_spoken(self) -> int:
        return sum(not is_signed for _, is_signed in orders.verbal_orders_of(self.infusion.order_version.order_id))

    @property
    def cannulas(self) -> int:
        return sum(row.action is IvAction.PLACED for row in current(self.infusion.iv_records))

    @property
    def _notes(self) -> list[Note]:
        return list(db.session.scalars(sa.select(Note).where(Note.infusion_id == self.infusion.id)))

    @property
    def addenda(self) -> int:
        return sum(note.kind is NoteKind.ADDENDUM for note in self._notes)

    @property
    def is_cosigned(self) -> bool:
        return any(note.status is NoteStatus.COSIGNED for note in self._notes)

    @property
    def note_status(self) -> str | None:
        return next((note.status.value for note in self._notes if note.kind is NoteKind.SESSION), None)

    @property
    def exit(self) -> str | None:
        if self.infusion.discharge is None:
            return None
        way = self.infusion.discharge.exit
        return "home" if way in {DischargeExit.HOME_WITH_ESCORT, DischargeExit.HOME_ALONE} else way.value

    def score(self, scale: DischargeScale) -> int | None:
        """The last total of a recovery score."""
        taken = [row for row in current(self.infusion.discharge_assessments) if row.scale is scale]
        if not taken:
            return None
        last = max(taken, key=lambda row: row.assessed_at)
        keys = [item.key for item in SCORES[scale].items]
        return score_total(scale, dict(zip(keys, last.items, strict=True)))

    @staticmethod
    def is_vital(column: str) -> bool:
        return column in {vital.value for vital in Vital} | {"nrs", "rass"}

    def vital(self, column: str, which: str) -> Decimal | None:
        """The lowest, highest, first or last value of a vital, as it now stands."""
        name = {"nrs": "pain", "rass": "sedation"}.get(column, column)
        rows = sorted(self.seen, key=lambda row: row.observed_at)
        values = [Decimal(value) for row in rows if (value := getattr(row, name)) is not None]
        if not values:
            return None
        return {"min": min(values), "max": max(values), "first": values[0], "last": values[-1]}[which]
