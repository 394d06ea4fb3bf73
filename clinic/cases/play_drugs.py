"""The controlled drugs of a session: taken out, prepared, wasted before a witness, returned, counted."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal

import sqlalchemy as sa

from clinic.accounts.models import Staff
from clinic.cases.account import AmountLine, CountPart, DiscrepancyPart, DrugAccountPart
from clinic.cases.details import container_facts
from clinic.cases.facts import EventKind
from clinic.cases.playing import NotThere, Turn
from clinic.cases.stage import MINUTE, SECOND, Stage, Visit
from clinic.core import db
from clinic.druglog import operations as druglog
from clinic.druglog import queries as register
from clinic.druglog.models import Container, Discrepancy, DrugAccount
from clinic.sessions import operations as sessions

SPILLED = "spilled"


def play_drugs(stage: Stage, visit: Visit) -> None:
    """Put every line of the session's accounts on the list, each at an instant of its own.

    Lines that the file gives no time are played before the start (out and into the bag) and after the stop.
    """
    for place, account in enumerate(visit.part.drug_accounts):
        _Account(stage, visit, account, place).play()


class _Account:
    """One drug of a session's account."""

    def __init__(self, stage: Stage, visit: Visit, part: DrugAccountPart, place: int) -> None:
        self.stage, self.visit, self.part, self.place = stage, visit, part, place
        self.drug = part.drug or visit.order.drug
        self.is_infused = self.drug.lower() == visit.order.drug.lower()
        self.seconds = 40 * place

    def play(self) -> None:
        self._play_out()
        self._play_back()
        self._play_afterwards()

    def _play_out(self) -> None:
        """Out of the vial and into the bag."""
        part, first = self.part, self._out_at()
        listed = part.withdrawals or tuple(self._lines("withdrawn", part.withdrawn_mg))
        told = [line.when.at for line in listed if line.when]
        self._add(min([first, *told]) - 2 * SECOND, "container", self._receive)
        for number, line in enumerate(listed):
            at = (max(line.when.at, self.visit.arrival + SECOND) if line.when else first) + number * SECOND
            self._add(at, "withdraw", self._withdraw, line.mg, place=line.place)
        if part.prepared_mg:
            self._add(first + timedelta(seconds=10), "prepare", self._prepare, part.prepared_mg)

    def _play_back(self) -> None:
        """What was left: settled before the patient goes home."""
        part = self.part
        if part.given_mg is not None and not self.is_infused:
            self._add(self._later(), "given", self._give_the_rest, part.given_mg)
        for line in part.waste:
            self._add(self._at(line, EventKind.WASTE), "waste", self._waste, line, line.what, place=line.place)
        for line in part.spilled:
            self._add(self._at(line, None), "spilled", self._waste, line, SPILLED, place=line.place)
        for line in part.returned:
            self._add(self._at(line, EventKind.RETURN), "return", self._return, line.mg, place=line.place)

    def _play_afterwards(self) -> None:
        """What was counted, corrected and found missing."""
        part, after = self.part, max(self.visit.left or self.visit.last, self.visit.last)
        for line in part.adjustments:
            at = line.when.at if line.when else after + 3 * MINUTE
            self._add(at, "adjust", self._adjust, line, place=line.place)
        for count in part.counts:
            at = count.when.at if count.when else after + 5 * MINUTE
            self._add(at, "count", self._count, count, place=count.place)
        for found in part.discrepancies:
            at = found.opened.at if found.opened else after + 10 * MINUTE
            self._add(at, "discrepancy", self._discrepancy, found, place=found.place)

    # --- when and who ---

    def _add(self, at: datetime, what: str, act: Callable[..., object], *about: object, place: str = "") -> None:
        """Every line has an instant of its own: the register's balance follows the order in which they are written."""
        shifted = at + self.place * timedelta(milliseconds=500)
        what = f"{self.drug}: {what}"
        self.stage.script.add(shifted, Turn.DRUG_LOG, what, act, *about, place=place or self.part.place)

    def _out_at(self) -> datetime:
        """When it was taken out: the infused drug before the start, another one before its first dose."""
        told = [event.when.at for event, _ in self.visit.told(EventKind.WITHDRAW)]
        if self.is_infused:
            early = max(told[0], self.visit.arrival + SECOND) if told else self.visit.start
            return early if early < self.visit.start else self.visit.before_start(30)
        return min(self._doses(), default=self.visit.start) - 30 * SECOND

    def _doses(self) -> list[datetime]:
        told = self.visit.told(EventKind.PRN_GIVEN)
        return [event.when.at for event, said in told if self.drug.lower() in (said.drug or "").lower()]

    def _later(self) -> datetime:
        """The next free second after the stop, and after the last dose of a medicine given as needed."""
        self.seconds += 1
        return self.visit.soon_after(max([self.visit.stop or self.visit.start, *self._doses()]), self.seconds)

    def _at(self, line: AmountLine, kind: EventKind | None) -> datetime:
        """When a line after the stop was written; the account is settled before the patient goes home."""
        told = [event.when.at for event, _ in self.visit.told(kind)] if kind else []
        at = line.when.at if line.when else told[0] if told else None
        stop, left = self.visit.stop or self.visit.start, self.visit.left
        if at is None or at <= stop or (left is not None and at >= left):
            return self._later()
        return at

    def _people(self, at: datetime, line: AmountLine | None = None) -> tuple[Staff, Staff]:
        """Who wrote and who watched."""
        witness = (line.witness if line else None) or self.part.witness
        code, by = self.stage.nurse_of(self.visit, at, other_than=(witness,))
        if line is not None and line.by and line.by != witness:
            code, by = self.stage.world.nurse(line.by, at=at)
        return by, self.stage.second(self.visit, at, said=witness, other_than=(code,))

    def _lines(self, what: str, mg: Decimal | None) -> list[AmountLine]:
        if not mg:
            return []
        return [AmountLine(what=what, mg=mg, when=None, by=None, witness=None, text="", place=self.part.place)]

    # --- the verbs ---

    def _account(self, at: datetime) -> DrugAccount:
        by, _ = self._people(at)
        return sessions.open_drug_account(self.visit.infusion, by=by, at=at)

    def _container(self) -> Container:
        found = self.visit.containers.get(self.place)
        if found is None:
            raise NotThere
        return found

    def _receive(self, at: datetime) -> None:
        """The vial as the case finds it: with the balance it states, else with what its label says."""
        text = self.part.container or self.drug
        said = container_facts(text)
        out = self.part.withdrawn_mg or Decimal(0)
        held = self.part.vial_balance_before_mg
        if held is None:
            full = said.content_mg or out
            held = full * (out / full).to_integral_value(ROUND_CEILING) if full else out
        if not held:
            return
        self.visit.containers[self.place] = druglog.add_container(
            self.drug,
            quantity_mg=held,
            description=text,
            strength_mg_ml=said.strength_mg_ml,
            size_ml=said.volume_ml,
            lot=said.lot,
            received_at=at,
            by=self._people(at)[0],
            at=at,
        )

    def _withdraw(self, mg: Decimal, at: datetime) -> None:
        by, _ = self._people(at)
        druglog.withdraw(self._account(at), self._container(), mg, happened_at=at, by=by, at=at)

    def _prepare(self, mg: Decimal, at: datetime) -> None:
        by, _ = self._people(at)
        druglog.prepare(self._account(at), self.drug, mg, happened_at=at, by=by, at=at)

    def _give_the_rest(self, mg: Decimal, at: datetime) -> None:
        """What the file says was given beyond the doses that the flowsheet put into the register by itself."""
        account = self._account(at)
        rest = mg - register.given_mg(account, self.drug)
        if rest > 0:
            self.stage.script.supply(f"{rest.normalize():f} mg of {self.drug} given, from its account alone.")
            by, _ = self._people(at)
            druglog.record_given(account, self.drug, rest, happened_at=at, by=by, at=at)

    def _waste(self, line: AmountLine, reason: str, at: datetime) -> None:
        if line.mg == 0:
            return
        by, witness = self._people(at, line)
        account = self._account(at)
        # A case says what was measured, also where the reckoning leaves less.
        druglog.waste(account, self.drug, line.mg, witness, happened_at=at, reason=reason, is_more=True, by=by, at=at)

    def _return(self, mg: Decimal, at: datetime) -> None:
        if mg:
            by, _ = self._people(at)
            druglog.return_to_stock(self._account(at), self._container(), mg, happened_at=at, by=by, at=at)

    def _adjust(self, line: AmountLine, at: datetime) -> None:
        by, witness = self._people(at, line)
        why = line.text or line.what
        druglog.adjust(line.mg, why, witness, container=self._container(), happened_at=at, by=by, at=at)

    def _count(self, part: CountPart, at: datetime) -> None:
        container = self._container()
        held = register.balance_mg(container)
        if part.expected_mg is not None and part.expected_mg != held:
            message = f"The case says that the register held {part.expected_mg} mg; it holds {held} mg."
            self.stage.script.refuse(at, "count", message, part.place)
        if part.found_mg is None:
            return
        code, by = self.stage.world.nurse(part.by[0] if part.by else None, at=at)
        other = next((one for one in part.by if one != code), None)
        witness = self.stage.second(self.visit, at, said=other, other_than=(code,))
        druglog.count(container, part.found_mg, witness, happened_at=at, by=by, at=at)

    def _discrepancy(self, part: DiscrepancyPart, at: datetime) -> None:
        """Nothing is opened twice: closing the session or counting the vial may have opened it already."""
        account = self._account(at)
        container = self.visit.containers.get(self.place)
        opened = register.discrepancies_of(account) + discrepancies_about(container)
        if part.mg is None or any(abs(one.amount_mg) == abs(part.mg) for one in opened):
            return
        text = "; ".join(word for word in (part.cause, part.text) if word) or "not stated"
        druglog.open_discrepancy(account, self.drug, -part.mg, text, by=self._people(at)[0], at=at)


def discrepancies_about(container: Container | None) -> list[Discrepancy]:
    """What counts of a container opened."""
    if container is None:
        return []
    return list(db.session.scalars(sa.select(Discrepancy).where(Discrepancy.container_id == container.id)))
