"""The drug account of a session as figures: what was taken out, given, wasted, returned and is missing, in mg."""

from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from clinic.cases.play_drugs import SPILLED, discrepancies_about
from clinic.cases.stage import Visit
from clinic.core import db
from clinic.druglog import queries as register
from clinic.druglog.models import RegisterEntry
from clinic.druglog.rules import RegisterKind, total_mg
from clinic.sessions.models import InfusionSession


@dataclass(frozen=True, slots=True)
class Log:
    """The drug account of one drug in one session, in mg; every amount is None where nothing was logged."""

    withdrawn_mg: Decimal | None = None
    prepared_mg: Decimal | None = None
    given_mg: Decimal | None = None
    wasted_mg: Decimal | None = None
    spilled_mg: Decimal | None = None
    returned_mg: Decimal | None = None
    unaccounted_mg: Decimal | None = None
    balance_mg: Decimal | None = None
    counted_mg: Decimal | None = None
    discrepancies_mg: tuple[Decimal, ...] = ()
    labels: tuple[tuple[str, Decimal], ...] = ()

    def of_label(self, label: str) -> Decimal:
        """What was wasted under one label."""
        return total_mg(mg for name, mg in self.labels if name == label)


def log_of(visit: Visit, infusion: InfusionSession, drug: str) -> Log | None:
    """How a session's account of one drug stands in the register, or None when it has none."""
    account = infusion.drug_account
    line = (
        next((one for one in register.account_lines(account) if one.drug_name.lower() == drug), None)
        if account
        else None
    )
    if account is None or line is None:
        return None
    entries = [entry for entry in register.entries_of(account) if entry.drug_name == line.drug_name]
    wasted = [entry for entry in entries if entry.kind is RegisterKind.WASTE]
    spilled = total_mg(entry.quantity_mg for entry in wasted if entry.reason == SPILLED)
    container = next((held for held in visit.containers.values() if held.drug_name.lower() == drug), None)
    # What was counted comes first: the size of a discrepancy is what is missing from the container.
    opened = discrepancies_about(container)
    opened += [one for one in register.discrepancies_of(account) if one.drug_name == line.drug_name]
    counts = (
        sa.select(RegisterEntry).where(RegisterEntry.kind == RegisterKind.COUNT).order_by(RegisterEntry.happened_at)
    )
    counted = db.session.scalars(counts.where(RegisterEntry.container_id == container.id)).all() if container else []
    return Log(
        withdrawn_mg=line.withdrawn_mg,
        prepared_mg=line.prepared_mg,
        given_mg=line.given_mg,
        wasted_mg=line.wasted_mg - spilled,
        spilled_mg=spilled,
        returned_mg=line.returned_mg,
        unaccounted_mg=line.unaccounted_mg,
        balance_mg=register.balance_mg(container) if container else None,
        counted_mg=counted[-1].quantity_mg if counted else None,
        # Closing the session and counting the vial may both have found the same drug missing.
        discrepancies_mg=tuple(dict.fromkeys(abs(one.amount_mg) for one in opened)),
        labels=tuple((entry.reason or "", entry.quantity_mg) for entry in wasted),
    )
