"""Settle: steps of a discrepancy, sheets on which a whole cabinet is counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.rows import add_row
from clinic.druglog.models import Cabinet, Discrepancy, Register
from clinic.druglog.models_settling import DiscrepancyStep, StockCount
from clinic.druglog.operations_lines import needed, refuse_future, refuse_witness
from clinic.druglog.operations_stock import count_page
from clinic.druglog.settling_rules import Cause, CountPurpose, StepKind, TakenAt, status_after, step_problem
from clinic.signatures import operations as signatures
from clinic.signatures.rules import Meaning


def take_step(
    discrepancy: Discrepancy,
    kind: StepKind,
    note: str,
    *,
    cause: Cause | None = None,
    second: Staff | None = None,
    by: Staff,
    at: datetime,
) -> DiscrepancyStep:
    """Say what was done about a discrepancy. Closing it names a cause and takes a second person.

    Raises RuleBroken for a step that its state does not allow, and Conflict when somebody else was faster.
    """
    _hold(discrepancy)
    said = needed(note, "Say what was found.", field="note")
    problem = step_problem(status_after([one.kind for one in discrepancy.steps]), kind, cause)
    if problem is not None:
        raise RuleBroken(problem, field="cause" if cause is None and kind.closes else "kind")
    if kind.closes:
        refuse_witness(second, by)
    step = DiscrepancyStep(
        discrepancy_id=discrepancy.id,
        number=len(discrepancy.steps) + 1,
        kind=kind,
        cause=cause if kind.closes else None,
        note=said,
        second_id=second.id if second and kind.closes else None,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    add_row(step)
    _tell_and_sign(discrepancy, step, by=by, second=second, at=at)
    db.session.expire(discrepancy, ["steps"])
    return step


def _hold(discrepancy: Discrepancy) -> None:
    """Keep everybody else from taking a step until this transaction ends, and read those taken meanwhile."""
    held = sa.select(Discrepancy.id).where(Discrepancy.id == discrepancy.id).with_for_update(key_share=True)
    db.session.execute(held)
    db.session.refresh(discrepancy, ["steps"])


def _tell_and_sign(
    discrepancy: Discrepancy, step: DiscrepancyStep, *, by: Staff, second: Staff | None, at: datetime
) -> None:
    audit.record(
        AuditAction.DISCREPANCY_SETTLED,
        discrepancy,
        actor_id=by.id,
        at=at,
        step=step.kind,
        cause=step.cause,
        note=step.note,
        second_id=step.second_id,
    )
    if second is not None and step.kind.closes:
        for person, meaning in ((by, Meaning.AUTHOR), (second, Meaning.WITNESS)):
            signatures.sign_proved(step, step_content(step), meaning=meaning, by=person, at=at, patient_id=None)


def step_content(step: DiscrepancyStep) -> Mapping[str, object]:
    """Return exactly what both people sign."""
    return {
        "discrepancy": step.discrepancy_id,
        "number": step.number,
        "kind": step.kind,
        "cause": step.cause,
        "note": step.note,
        "recorded": step.recorded_at,
        "recorded by": step.recorded_by_id,
        "second": step.second_id,
    }


@dataclass(frozen=True, slots=True)
class Counted:
    """What two people found of one page."""

    register: Register
    quantity_mg: Decimal


def count_cabinet(
    cabinet: Cabinet,
    found: list[Counted],
    witness: Staff,
    *,
    purpose: CountPurpose,
    taken: TakenAt | None = None,
    counted_at: datetime,
    by: Staff,
    at: datetime,
) -> tuple[StockCount, list[Discrepancy]]:
    """Count every page of a cabinet on one sheet before a witness; each page that differs opens a discrepancy."""
    refuse_future(counted_at, at)
    refuse_witness(witness, by)
    if not found:
        raise RuleBroken("There is nothing to count in this cabinet.")
    if purpose.is_inventory and taken is None:
        raise RuleBroken("Say whether it was taken at the opening or the close of business.", field="taken")
    sheet = StockCount(
        cabinet_id=cabinet.id,
        purpose=purpose,
        taken=taken,
        counted_at=counted_at,
        witness_id=witness.id,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    db.session.add(sheet)
    db.session.flush()  # its lines name it
    audit.record(
        AuditAction.CABINET_COUNTED, sheet, actor_id=by.id, at=at, purpose=purpose, taken=taken, witness_id=witness.id
    )
    opened = []
    # Always in the same order, so that two sheets never wait for each other in a circle.
    for one in sorted(found, key=lambda each: each.register.id):
        _, differs = count_page(
            one.register, one.quantity_mg, witness, sheet_id=sheet.id, happened_at=counted_at, by=by, at=at
        )
        opened += [differs] if differs else []
    return sheet, opened
