"""What is done in a visit, act by act, through the operations that the screens call."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Final

from clinic.accounts.models import Staff
from clinic.core import db
from clinic.core.units import Unit, format_quantity
from clinic.demo import visits as minutes
from clinic.demo.people import DemoWorld
from clinic.demo.timeline import MINUTE, Act, Timeline
from clinic.demo.visits import Visit
from clinic.druglog import operations as druglog
from clinic.druglog import queries as druglog_queries
from clinic.druglog.models import Container
from clinic.orders.rules import round_to_pump_step
from clinic.patients import operations as patients
from clinic.patients.rules import WeightMethod
from clinic.protocols.rules import CheckKind, DischargeScale
from clinic.scheduling.models import Appointment
from clinic.sessions import operations, ordered_rates
from clinic.sessions.event_rules import CheckPurpose, DischargeExit, IvAction
from clinic.sessions.models import DoubleCheck, InfusionSession, RateProposal
from clinic.sessions.readiness import asked
from clinic.sessions.rules import GateResult

_VIAL_MG: Final = Decimal(500)
_TAKEN_MG: Final = Decimal(100)
_PUMP_STEP: Final = Decimal("0.1")
_WEIGHT_SWAY: Final = (Decimal(0), Decimal("0.3"), Decimal("-0.2"), Decimal("0.4"))
_DETAILS: Final = {
    CheckKind.FASTING: "food 9 h, water 3 h",
    CheckKind.ALLERGIES: "nothing new",
}

_Step = tuple[int, str, Act]


class Bedside:
    """The acts of one visit. Rows are fetched by their keys, since acts may stand in different transactions."""

    def __init__(self, world: DemoWorld, visit: Visit) -> None:
        """Take the stage and the visit that is played on it."""
        self.world = world
        self.visit = visit

    def add_to(self, timeline: Timeline) -> None:
        """Put every act of the visit on the list."""
        visit = self.visit
        if visit.start is None:
            return
        for minute, what, act in (*self._before(), *self._running(), *self._after(), *visit.own):
            timeline.add(visit.start + minute * MINUTE, f"{visit.treatment.family_name} {visit.number}: {what}", act)

    def _before(self) -> Iterator[_Step]:
        yield minutes.ARRIVES, "arrive", self.arrive
        yield minutes.WEIGHS, "weigh", self.weigh
        yield minutes.FIRST_VITALS, "first vitals", self.look
        for kind, minute in minutes.CHECKED_AT.items():
            yield minute, kind.value, partial(self.check, kind)
        yield minutes.SUPERVISED, "supervising", self.supervise
        yield minutes.PREPARES, "prepare", self.prepare
        yield minutes.TIME_OUT, "time-out", self.time_out

    def _running(self) -> Iterator[_Step]:
        yield 0, "start", self.start
        for minute in minutes.vitals_minutes(self.visit):
            yield minute, "vitals", self.look
        for place, minute in enumerate(self.visit.raises, start=1):
            yield minute, "raise", partial(self.raise_rate, place)
        yield self.visit.run, "stop", self.stop

    def _after(self) -> Iterator[_Step]:
        run = self.visit.run
        yield run + minutes.ASSESSED, "score", self.assess
        yield run + minutes.WASTED, "waste", self.waste
        yield run + minutes.WASTED, "cannula out", self.remove_cannula
        yield run + minutes.LEAVES_AFTER, "discharge", self.discharge

    # --- who and what ------------------------------------------------------------------------------------------------

    @property
    def infusion(self) -> InfusionSession:
        """The session, once the patient has arrived."""
        return db.session.get_one(InfusionSession, self.visit.infusion_id)

    def nurse(self, at: datetime) -> Staff:
        """Who runs the visit."""
        return self.world.person(self.visit.nurse, at=at)

    def second(self, at: datetime) -> Staff:
        """Who checks and witnesses."""
        return self.world.person(self.visit.second, at=at)

    def physician(self, at: datetime) -> Staff:
        """Who ordered the course and supervises."""
        return self.world.person(self.visit.treatment.physician, at=at)

    # --- before the pump runs ----------------------------------------------------------------------------------------

    def arrive(self, at: datetime) -> None:
        """The patient is at the desk."""
        appointment = db.session.get_one(Appointment, self.visit.appointment_id)
        self.visit.infusion_id = operations.arrive(appointment, arrived_at=at, by=self.nurse(at), at=at).id

    def weigh(self, at: datetime) -> None:
        """Weigh the patient and work with today's weight."""
        by, infusion = self.nurse(at), self.infusion
        kg = self.visit.treatment.body.kg + _WEIGHT_SWAY[self.visit.number % len(_WEIGHT_SWAY)]
        weight = patients.record_weight(
            infusion.patient, kg, method=WeightMethod.MEASURED, measured_at=at, by=by, at=at
        )
        operations.use_weight(infusion, weight, by=by, at=at)

    def check(self, kind: CheckKind, at: datetime) -> None:
        """Settle the checks of a kind, where the order asks them."""
        by, infusion = self.nurse(at), self.infusion
        if kind is CheckKind.IV_ACCESS:
            operations.record_iv(
                infusion, IvAction.PLACED, happened_at=at, site="right forearm", gauge="22", vip_score=0, by=by, at=at
            )
        for item in asked(infusion, kind):
            if kind is CheckKind.IDENTITY:
                operations.answer_identity(infusion, item, infusion.patient.born_on.year, by=by, at=at)
                continue
            is_escort = kind is CheckKind.ESCORT
            operations.answer_gate(
                infusion,
                item,
                result=GateResult.PASS,
                detail=_DETAILS.get(kind),
                contact_name=self._escort if is_escort else None,
                contact_phone="555 0100" if is_escort else None,
                by=by,
                at=at,
            )

    @property
    def _escort(self) -> str:
        return f"{self.visit.treatment.family_name}, family"

    def supervise(self, at: datetime) -> None:
        """The physician is on site."""
        operations.set_supervising(self.infusion, self.physician(at), by=self.nurse(at), at=at)

    def prepare(self, at: datetime) -> None:
        """Take a controlled drug out of the vial and into the bag."""
        infusion, by = self.infusion, self.nurse(at)
        drug = infusion.order_version.terms.drug
        if not drug.is_controlled:
            return
        account = operations.open_drug_account(infusion, by=by, at=at)
        druglog.withdraw(account, self._vial(drug.name, at), _TAKEN_MG, happened_at=at, by=by, at=at)
        druglog.prepare(account, drug.name, _TAKEN_MG, happened_at=at, reason="100 mg in 100 mL", by=by, at=at)

    def _vial(self, drug_name: str, at: datetime) -> Container:
        found = druglog_queries.containers_of(drug_name)
        if found and found[0].description == _VIAL and druglog_queries.balance_mg(found[0]) >= _TAKEN_MG:
            return found[0]
        return druglog.add_container(
            drug_name,
            quantity_mg=_VIAL_MG,
            description=_VIAL,
            strength_mg_ml=Decimal(50),
            size_ml=Decimal(10),
            lot=f"K{4471 + len(found)}",
            received_at=at,
            by=self.nurse(at),
            at=at,
        )

    def time_out(self, at: datetime) -> None:
        """The pause of the team, and the rate computed twice."""
        operations.time_out(
            self.infusion,
            f"{self.nurse(at).name} and {self.second(at).name}: patient, drug, bag, pump and line.",
            happened_at=at,
            by=self.nurse(at),
            at=at,
        )
        self._compute(0, CheckPurpose.START, at)

    def _rate(self, step: int) -> Decimal:
        exact = ordered_rates.ordered_steps_ml_h(self.infusion)[step]
        return round_to_pump_step(exact, step_ml_h=_PUMP_STEP).set_ml_h

    def _compute(self, step: int, purpose: CheckPurpose, at: datetime) -> DoubleCheck:
        """Two nurses compute the rate of a step of the order, each alone."""
        rate = self._rate(step)
        proposal: RateProposal = operations.propose_rate(
            self.infusion, rate_ml_h=rate, purpose=purpose, proposed_at=at, by=self.nurse(at), at=at
        )
        return operations.double_check(self.infusion, proposal, computed_rate_ml_h=rate, checker=self.second(at), at=at)

    # --- while it runs -----------------------------------------------------------------------------------------------

    def start(self, at: datetime) -> None:
        """Start the pump at the rate that was checked."""
        infusion = self.infusion
        check = max((row for made in infusion.rate_proposals for row in made.double_checks), key=lambda row: row.id)
        operations.start(infusion, happened_at=at, double_check=check, by=self.nurse(at), at=at)

    def look(self, at: datetime) -> None:
        """Take the vitals and enter them at once."""
        seen = minutes.reading(self.visit, self.visit.minute(at))
        operations.record_observation(self.infusion, seen, observed_at=at, by=self.nurse(at), at=at)

    def raise_rate(self, step: int, at: datetime) -> None:
        """Go up to a step of the order; a second nurse computes it too."""
        check = self._compute(step, CheckPurpose.RATE_CHANGE, at)
        operations.change_rate(
            self.infusion, rate_ml_h=self._rate(step), happened_at=at, double_check=check, by=self.nurse(at), at=at
        )

    def lower_rate(self, step: int, reason: str, at: datetime) -> None:
        """Go down to a step of the order."""
        operations.change_rate(
            self.infusion, rate_ml_h=self._rate(step), happened_at=at, reason=reason, by=self.nurse(at), at=at
        )

    def stop(self, at: datetime) -> None:
        """Stop as planned."""
        operations.stop(self.infusion, happened_at=at, reason="Planned end.", by=self.nurse(at), at=at)

    # --- afterwards --------------------------------------------------------------------------------------------------

    def assess(self, at: datetime) -> None:
        """Score the recovery."""
        items = (2, 2, 2, 1 if self.visit.number % 2 else 2, 2)
        operations.assess_discharge(
            self.infusion, DischargeScale.MPADSS, items, assessed_at=at, by=self.nurse(at), at=at
        )

    def waste(self, at: datetime) -> None:
        """Destroy what is left in the bag, before a witness."""
        account = self.infusion.drug_account
        for line in druglog.account_lines(account) if account else ():
            if line.unaccounted_mg > 0:
                druglog.waste(
                    account,  # type: ignore[arg-type] # there is one, or there would be no line
                    line.drug_name,
                    line.unaccounted_mg,
                    self.second(at),
                    happened_at=at,
                    reason="rest of the bag",
                    by=self.nurse(at),
                    at=at,
                )

    def remove_cannula(self, at: datetime) -> None:
        """Take the cannula out."""
        operations.record_iv(
            self.infusion, IvAction.REMOVED, happened_at=at, vip_score=0, detail="no swelling", by=self.nurse(at), at=at
        )

    def discharge(self, at: datetime) -> None:
        """Let the patient go home with the escort."""
        operations.discharge(
            self.infusion,
            discharged_at=at,
            exit=DischargeExit.HOME_WITH_ESCORT,
            is_cannula_removed=True,
            is_escort_present=True,
            escort_name=self._escort,
            escort_phone="555 0100",
            instructions="No driving and no signing until tomorrow. Whom to call is on the sheet.",
            language="English",
            belongings=True,
            by=self.nurse(at),
            at=at,
        )


_VIAL: Final = f"vial 50 mg/mL 10 mL, multi-dose, {format_quantity(_VIAL_MG, Unit.MG)}"
