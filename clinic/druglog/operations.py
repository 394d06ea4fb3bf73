"""The one door to the verbs of the register. Lines are only ever added; a cabinet never holds less than nothing.

Here stand the verbs of a session's account; `operations_stock` has those of the cabinet.
"""

from datetime import datetime
from decimal import Decimal

from clinic.accounts.models import Clinic, Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.units import Unit, format_quantity
from clinic.druglog import queries
from clinic.druglog.models import Container, Discrepancy, DrugAccount, RegisterEntry
from clinic.druglog.operations_lines import add_line, hold, line_content, refuse_witness
from clinic.druglog.operations_preparation import hung, make_preparation
from clinic.druglog.operations_recall import lift_recall, recall_lot, refuse_unusable
from clinic.druglog.operations_receive import add_cabinet, add_container, receive
from clinic.druglog.operations_settling import Counted, count_cabinet, take_step
from clinic.druglog.operations_stock import (
    accept_transfer,
    count,
    count_page,
    destroy,
    may_strike,
    open_about,
    open_container,
    report_difference,
    send,
    strike,
)
from clinic.druglog.operations_times import correct_container_time, correct_preparation_time
from clinic.druglog.queries import AccountLine, account_lines
from clinic.druglog.rules import RegisterKind
from clinic.patients.models import Patient

__all__ = [
    "AccountLine",
    "Counted",
    "accept_transfer",
    "account_lines",
    "add_cabinet",
    "add_container",
    "adjust",
    "correct_container_time",
    "correct_preparation_time",
    "count",
    "count_cabinet",
    "count_page",
    "destroy",
    "hung",
    "lift_recall",
    "line_content",
    "make_preparation",
    "may_strike",
    "open_account",
    "open_container",
    "open_discrepancy",
    "prepare",
    "prime",
    "recall_lot",
    "receive",
    "record_given",
    "report_difference",
    "return_to_stock",
    "send",
    "strike",
    "take_step",
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


def withdraw(
    account: DrugAccount,
    container: Container,
    quantity_mg: Decimal,
    *,
    witness: Staff | None = None,
    happened_at: datetime,
    by: Staff,
    at: datetime,
) -> RegisterEntry:
    """Take drug (mg) out of a container for a session.

    Raises RuleBroken when the container holds less, when it is past its time, when its lot was recalled, and without a
    witness where the clinic asks for one.
    """
    refuse_unusable(container, happened_at)
    if witness is not None or db.session.get_one(Clinic, container.clinic_id).is_withdrawal_witnessed:
        refuse_witness(witness, by)
    return add_line(
        RegisterKind.WITHDRAW,
        container.drug_name,
        quantity_mg,
        account=account,
        container=container,
        witness=witness,
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
    return add_line(
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
    return add_line(RegisterKind.GIVE, drug_name, quantity_mg, account=account, happened_at=happened_at, by=by, at=at)


def waste(
    account: DrugAccount,
    drug_name: str,
    quantity_mg: Decimal,
    witness: Staff,
    *,
    happened_at: datetime,
    reason: str | None = None,
    is_more: bool = False,
    by: Staff,
    at: datetime,
) -> RegisterEntry:
    """Destroy a remainder (mg) before a witness, who is another person and has just proved who he or she is.

    Raises RuleBroken for more than the account still holds and the clinic's tolerance, unless both say that there
    really is more (`is_more`): what a pump gave is reckoned, and vials are overfilled. It stays a difference to settle.
    """
    if not is_more:
        _refuse_more_than_is_left(account, drug_name, quantity_mg)
    return add_line(
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


def prime(
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
    """Note what stayed in the line: primed or dead space (mg), neither given nor in the bag, before a witness."""
    return add_line(
        RegisterKind.PRIME,
        drug_name,
        quantity_mg,
        account=account,
        witness=witness,
        happened_at=happened_at,
        reason=reason,
        by=by,
        at=at,
    )


def _left_mg(account: DrugAccount, drug_name: str) -> Decimal:
    """Return what of a drug nobody has accounted for, read anew: its page is held, or another tab may be at it too."""
    register = queries.register_of(account, drug_name)
    if register is not None:
        hold(register)
    return next((line.unaccounted_mg for line in account_lines(account) if line.drug_name == drug_name), Decimal(0))


def _refuse_more_than_is_left(account: DrugAccount, drug_name: str, quantity_mg: Decimal) -> None:
    left = max(_left_mg(account, drug_name), Decimal(0))
    allowed = db.session.get_one(Clinic, account.clinic_id).drug_tolerance_mg or Decimal(0)
    if quantity_mg > left + allowed:
        held, tolerance = format_quantity(left, Unit.MG), format_quantity(allowed, Unit.MG)
        words = f"Only {held} of this session are left; your clinic allows a difference of {tolerance}."
        raise RuleBroken(f"{words} Was it wasted already? Measure again; say so if there is more.", field="is_more")


def return_to_stock(
    account: DrugAccount, container: Container, quantity_mg: Decimal, *, happened_at: datetime, by: Staff, at: datetime
) -> RegisterEntry:
    """Put unused drug (mg) back into its container; never more than the account still holds of it."""
    hold(container.register)
    left = _left_mg(account, container.drug_name)
    if quantity_mg > left:
        held = format_quantity(max(left, Decimal(0)), Unit.MG)
        raise RuleBroken(f"Only {held} of this session are left to return.", field="quantity_mg")
    return add_line(
        RegisterKind.RETURN,
        container.drug_name,
        quantity_mg,
        account=account,
        container=container,
        happened_at=happened_at,
        by=by,
        at=at,
    )


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
    return add_line(
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
    return open_about(drug_name, amount_mg, text, account_id=account.id, by=by, at=at)
