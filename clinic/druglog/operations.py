"""Verbs of the register of controlled drugs. Lines are only ever added; a container never holds less than nothing."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission
from clinic.core.units import Unit, format_quantity
from clinic.druglog import queries
from clinic.druglog.models import Container, Discrepancy, DrugAccount, RegisterEntry
from clinic.druglog.queries import AccountLine, account_lines
from clinic.druglog.rules import BalanceBelowZero, RegisterKind, balance_after
from clinic.patients.models import Patient

# What its column can hold before the point.
MOST_DIGITS = 9

__all__ = [
    "AccountLine",
    "account_lines",
    "add_container",
    "adjust",
    "count",
    "open_account",
    "open_discrepancy",
    "prepare",
    "record_given",
    "return_to_stock",
    "waste",
    "withdraw",
]


def open_account(patient: Patient, *, by: Staff, at: datetime) -> DrugAccount:
    """Open an account for what is taken out for one session of a patient."""
    account = DrugAccount(patient_id=patient.id, opened_at=at)
    db.session.add(account)
    db.session.flush()  # its lines name it
    audit.record(AuditAction.DRUG_ENTRY_RECORDED, account, actor_id=by.id, at=at, kind="account opened")
    return account


def add_container(
    drug_name: str,
    *,
    quantity_mg: Decimal,
    description: str,
    strength_mg_ml: Decimal | None = None,
    size_ml: Decimal | None = None,
    lot: str | None = None,
    expires_on: date | None = None,
    received_at: datetime,
    by: Staff,
    at: datetime,
) -> Container:
    """Take a vial or bag into stock with what it holds (mg), as a receive line of the register."""
    _refuse_future(received_at, at)
    container = Container(
        drug_name=drug_name,
        strength_mg_ml=strength_mg_ml,
        size_ml=size_ml,
        description=description,
        lot=lot,
        expires_on=expires_on,
        received_at=received_at,
    )
    db.session.add(container)
    db.session.flush()  # its first line names it
    _add(RegisterKind.RECEIVE, drug_name, quantity_mg, container=container, happened_at=received_at, by=by, at=at)
    return container


def withdraw(
    account: DrugAccount, container: Container, quantity_mg: Decimal, *, happened_at: datetime, by: Staff, at: datetime
) -> RegisterEntry:
    """Take drug (mg) out of a container for a session. Raises RuleBroken when the container holds less."""
    return _add(
        RegisterKind.WITHDRAW,
        container.drug_name,
        quantity_mg,
        account=account,
        container=container,
        happened_at=happened_at,
        by=by,
        at=at,
    )


def prepare(
    account: DrugAccount,
    drug_name: str,
    quantity_mg: Decimal,
    *,
    happened_at: datetime,
    reason: str | None = None,
    by: Staff,
    at: datetime,
) -> RegisterEntry:
    """Note what went into the bag or syringe (mg); it changes no balance. `reason` may describe the preparation."""
    return _add(
        RegisterKind.PREPARE,
        drug_name,
        quantity_mg,
        account=account,
        happened_at=happened_at,
        reason=reason,
        by=by,
        at=at,
    )


def record_given(
    account: DrugAccount, drug_name: str, quantity_mg: Decimal, *, happened_at: datetime, by: Staff, at: datetime
) -> RegisterEntry:
    """Note what the patient was given (mg), from the flowsheet."""
    return _add(RegisterKind.GIVE, drug_name, quantity_mg, account=account, happened_at=happened_at, by=by, at=at)


def waste(
    account: DrugAccount,
    drug_name: str,
    quantity_mg: Decimal,
    witness: Staff,
    *,
    happened_at: datetime,
    reason: str | None = None,
    by: Staff,
    at: datetime,
) -> RegisterEntry:
    """Destroy a remainder (mg) before a witness, who is another person and has just proved who he or she is."""
    return _add(
        RegisterKind.WASTE,
        drug_name,
        quantity_mg,
        account=account,
        witness=witness,
        happened_at=happened_at,
        reason=reason,
        by=by,
        at=at,
    )


def return_to_stock(
    account: DrugAccount, container: Container, quantity_mg: Decimal, *, happened_at: datetime, by: Staff, at: datetime
) -> RegisterEntry:
    """Put unused drug (mg) back into its container; never more than the account still holds of it."""
    left = next(
        (line.unaccounted_mg for line in account_lines(account) if line.drug_name == container.drug_name), Decimal(0)
    )
    if quantity_mg > left:
        held = format_quantity(max(left, Decimal(0)), Unit.MG)
        raise RuleBroken(f"Only {held} of this session are left to return.", field="quantity_mg")
    return _add(
        RegisterKind.RETURN,
        container.drug_name,
        quantity_mg,
        account=account,
        container=container,
        happened_at=happened_at,
        by=by,
        at=at,
    )


def count(
    container: Container, quantity_mg: Decimal, witness: Staff, *, happened_at: datetime, by: Staff, at: datetime
) -> tuple[RegisterEntry, Discrepancy | None]:
    """Count a container (mg) before a witness; a count other than the balance opens a discrepancy."""
    expected = _locked_balance(container)
    entry = _add(
        RegisterKind.COUNT,
        container.drug_name,
        quantity_mg,
        container=container,
        witness=witness,
        happened_at=happened_at,
        by=by,
        at=at,
    )
    if quantity_mg == expected:
        return entry, None
    counted, held = format_quantity(quantity_mg, Unit.MG), format_quantity(expected, Unit.MG)
    text = f"Counted {counted}; the register says {held}."
    opened = _open(container.drug_name, expected - quantity_mg, text, container_id=container.id, by=by, at=at)
    return entry, opened


def adjust(
    quantity_mg: Decimal,
    reason: str,
    witness: Staff,
    *,
    container: Container | None = None,
    account: DrugAccount | None = None,
    drug_name: str | None = None,
    happened_at: datetime,
    by: Staff,
    at: datetime,
) -> RegisterEntry:
    """Correct the register by a line of its own (mg, minus for less), with a reason, before a witness.

    With a `container` it changes what the container holds. With an `account` and `drug_name` it changes what the
    session used. A wrong line itself is never touched.
    """
    if (container is None) is (account is None):
        raise RuleBroken("Adjust a container or a session's account, one at a time.")
    if not reason.strip():
        raise RuleBroken("Say why.", field="reason")
    name = container.drug_name if container else drug_name
    if name is None:
        raise RuleBroken("Choose the drug.", field="drug_name")
    return _add(
        RegisterKind.ADJUST,
        name,
        quantity_mg,
        account=account,
        container=container,
        witness=witness,
        happened_at=happened_at,
        reason=reason,
        by=by,
        at=at,
    )


def open_discrepancy(
    account: DrugAccount, drug_name: str, amount_mg: Decimal, text: str, *, by: Staff, at: datetime
) -> Discrepancy:
    """Open a discrepancy about a session's account: above zero drug is missing (mg), below more was used than taken."""
    return _open(drug_name, amount_mg, text, account_id=account.id, by=by, at=at)


def _open(drug_name: str, amount_mg: Decimal, text: str, *, by: Staff, at: datetime, **about: Any) -> Discrepancy:
    opened = Discrepancy(
        drug_name=drug_name,
        amount_mg=amount_mg,
        opened_at=at,
        text=text,
        recorded_at=at,
        recorded_by_id=by.id,
        **about,
    )
    db.session.add(opened)
    db.session.flush()  # a row of the record is refused here, not at the end of the request
    audit.record(
        AuditAction.DISCREPANCY_OPENED, opened, actor_id=by.id, at=at, drug=drug_name, amount_mg=amount_mg, text=text
    )
    return opened


def _locked_balance(container: Container) -> Decimal:
    """Hold the container until the transaction ends, so that two withdrawals never count on the same drug."""
    db.session.execute(sa.select(Container.id).where(Container.id == container.id).with_for_update(key_share=True))
    return queries.balance_mg(container)


def _add(
    kind: RegisterKind,
    drug_name: str,
    quantity_mg: Decimal,
    *,
    happened_at: datetime,
    by: Staff,
    at: datetime,
    account: DrugAccount | None = None,
    container: Container | None = None,
    witness: Staff | None = None,
    reason: str | None = None,
) -> RegisterEntry:
    _refuse_future(happened_at, at)
    _refuse_quantity(kind, quantity_mg)
    if kind.needs_witness:
        _refuse_witness(witness, by)
    after = None
    if container is not None:
        try:
            after = balance_after(_locked_balance(container), kind, quantity_mg)
        except BalanceBelowZero as reason_why:
            raise RuleBroken(str(reason_why), field="quantity_mg") from reason_why
    entry = RegisterEntry(
        account_id=account.id if account else None,
        container_id=container.id if container else None,
        drug_name=drug_name,
        kind=kind,
        quantity_mg=quantity_mg,
        balance_after_mg=after,
        happened_at=happened_at,
        reason=reason,
        witness_id=witness.id if witness else None,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    db.session.add(entry)
    db.session.flush()  # the next line of the container counts on this one
    audit.record(
        AuditAction.DRUG_ENTRY_RECORDED,
        entry,
        actor_id=by.id,
        at=at,
        patient_id=account.patient_id if account else None,
        kind=kind,
        drug=drug_name,
        quantity_mg=quantity_mg,
        balance_after_mg=after,
        witness_id=witness.id if witness else None,
    )
    return entry


def _refuse_future(happened_at: datetime, at: datetime) -> None:
    if happened_at > at:
        raise RuleBroken("This time is in the future.", field="happened_at")


def _refuse_quantity(kind: RegisterKind, quantity_mg: Decimal) -> None:
    is_signed = kind is RegisterKind.ADJUST
    least_is_zero = kind in {RegisterKind.COUNT, RegisterKind.GIVE}
    if not quantity_mg.is_finite() or quantity_mg != round(quantity_mg, 4) or quantity_mg.adjusted() > MOST_DIGITS:
        raise RuleBroken("Enter a number with at most 4 decimals.", field="quantity_mg")
    if quantity_mg == 0 and not least_is_zero:
        raise RuleBroken("Enter a number other than zero.", field="quantity_mg")
    if quantity_mg < 0 and not is_signed:
        raise RuleBroken("Enter a number above zero.", field="quantity_mg")


def _refuse_witness(witness: Staff | None, by: Staff) -> None:
    if witness is None:
        raise RuleBroken("A second person witnesses this.", field="witness")
    if witness.id == by.id:
        raise RuleBroken("The witness is another person.", field="witness")
    if not witness.may(Permission.WITNESS):
        raise RuleBroken("A nurse or a physician witnesses this.", field="witness")
