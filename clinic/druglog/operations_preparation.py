"""Make a bag or syringe for one session: what went in, who made it, who checked it, until when it may be used."""

import secrets
import uuid
from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal

from clinic.accounts.models import Staff
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.units import Unit, format_quantity
from clinic.druglog import preparation_queries, queries
from clinic.druglog.models import DrugAccount
from clinic.druglog.models_settling import Preparation
from clinic.druglog.operations_lines import add_line, hold, refuse_future, refuse_witness
from clinic.druglog.rules import RegisterKind
from clinic.druglog.settling_rules import CODE_LETTERS, PreparationKind, concentration_mg_ml, read_code
from clinic.signatures import operations as signatures
from clinic.signatures.rules import Meaning

_LETTERS = 8


def make_preparation(
    account: DrugAccount,
    drug_name: str,
    amount_mg: Decimal,
    volume_ml: Decimal,
    checker: Staff,
    *,
    kind: PreparationKind,
    diluent: str | None = None,
    beyond_use_at: datetime,
    made_at: datetime,
    by: Staff,
    at: datetime,
) -> Preparation:
    """Make up drug that was taken out for a session, checked by another person who has just proved who that is.

    Raises RuleBroken for more than was taken out and not made up yet, and for a beyond-use time that is past.
    """
    refuse_future(made_at, at)
    refuse_witness(checker, by)
    _refuse_impossible(amount_mg, volume_ml, made_at, beyond_use_at)
    _refuse_more_than_is_out(account, drug_name, amount_mg)
    made = Preparation(
        account_id=account.id,
        code="".join(secrets.choice(CODE_LETTERS) for _ in range(_LETTERS)),
        kind=kind,
        drug_name=drug_name,
        amount_mg=amount_mg,
        volume_ml=volume_ml,
        diluent=(diluent or "").strip() or None,
        made_at=made_at,
        beyond_use_at=beyond_use_at,
        checked_by_id=checker.id,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    db.session.add(made)
    db.session.flush()  # its line names it
    _add_its_line(made, account, by=by, at=at)
    _sign(made, account, checker, by=by, at=at)
    return made


def _refuse_impossible(amount_mg: Decimal, volume_ml: Decimal, made_at: datetime, beyond_use_at: datetime) -> None:
    if beyond_use_at <= made_at:
        raise RuleBroken("It may be used until after it is made.", field="beyond_use_at")
    if amount_mg <= 0 or volume_ml <= 0:
        raise RuleBroken("Enter a number above zero.", field="amount_mg" if amount_mg <= 0 else "volume_ml")


def _add_its_line(made: Preparation, account: DrugAccount, *, by: Staff, at: datetime) -> None:
    """Add the line of the register that names what was made; it changes no balance."""
    add_line(
        RegisterKind.PREPARE,
        made.drug_name,
        made.amount_mg,
        account=account,
        preparation_id=made.id,
        quantity_ml=made.volume_ml,
        reason=f"{made.kind.value} {made.code}, {format_quantity(made.volume_ml, Unit.ML)}",
        happened_at=made.made_at,
        by=by,
        at=at,
    )


def _refuse_more_than_is_out(account: DrugAccount, drug_name: str, amount_mg: Decimal) -> None:
    page = queries.register_of(account, drug_name)
    if page is not None:
        hold(page)
    line = next((one for one in queries.account_lines(account) if one.drug_name == drug_name), None)
    free = line.withdrawn_mg - line.prepared_mg - line.returned_mg if line else Decimal(0)
    # What was wasted, stayed in a line or was given straight from the vial is no more there either.
    free = min(free, line.unaccounted_mg) if line else free
    if amount_mg > free:
        said = format_quantity(max(free, Decimal(0)), Unit.MG)
        raise RuleBroken(f"Only {said} were taken out and not made up yet.", field="amount_mg")


def _sign(made: Preparation, account: DrugAccount, checker: Staff, *, by: Staff, at: datetime) -> None:
    content = preparation_content(made)
    for person, meaning in ((by, Meaning.AUTHOR), (checker, Meaning.REVIEWED)):
        signatures.sign_proved(made, content, meaning=meaning, by=person, at=at, patient_id=account.patient_id)


def preparation_content(made: Preparation) -> Mapping[str, object]:
    """Return exactly what both people sign."""
    return {
        "code": made.code,
        "account": made.account_id,
        "kind": made.kind,
        "drug": made.drug_name,
        "mg": made.amount_mg,
        "mL": made.volume_ml,
        "mg per mL": concentration_mg_ml(made.amount_mg, made.volume_ml),
        "diluent": made.diluent,
        "made": made.made_at,
        "beyond use": made.beyond_use_at,
        "made by": made.recorded_by_id,
        "checked by": made.checked_by_id,
    }


def hung(
    account: DrugAccount | None,
    drug_name: str,
    happened_at: datetime,
    *,
    code: str | None = None,
    used: Collection[uuid.UUID] = (),
) -> Preparation | None:
    """Return the bag or syringe that goes onto the pump now: the one whose label was scanned, else the only one.

    `used` are those that have hung before; they are meant only where nothing new was made. Raises RuleBroken at
    `label` where several may be meant, for a label of something else, for one struck out and for one past its time.
    """
    register = queries.register_of(account, drug_name)
    if register is not None:
        hold(register)
    every = preparation_queries.preparations_of(account.id) if account else []
    if code and read_code(code):
        return _scanned(every, read_code(code), drug_name, happened_at)
    standing = [one for one in every if one.drug_name == drug_name and one.made_at <= happened_at and not one.is_struck]
    meant = [one for one in standing if one.id not in used] or standing[-1:]
    in_time = [one for one in meant if happened_at <= one.use_before_at]
    if len(in_time) > 1:
        raise RuleBroken(
            f"{len(in_time)} were made for this session: scan the label of the one you hang.", field="label"
        )
    if meant and not in_time:
        _refuse_old(meant[-1], happened_at)
    return in_time[0] if in_time else None


def _scanned(every: list[Preparation], code: str, drug_name: str, happened_at: datetime) -> Preparation:
    made = next((one for one in every if one.code == code), None)
    if made is None:
        raise RuleBroken(f"The label {code} is not of this session. Compare the bag with the patient.", field="label")
    if made.is_struck:
        raise RuleBroken(f"The {made.kind.value} {code} was struck out. Hang another one.", field="label")
    if made.drug_name != drug_name:
        raise RuleBroken(f"The label {code} says {made.drug_name}; the order says {drug_name}.", field="label")
    if happened_at < made.made_at:
        raise RuleBroken(f"The {made.kind.value} {code} was made later than this.", field="happened_at")
    _refuse_old(made, happened_at)
    return made


def _refuse_old(made: Preparation, happened_at: datetime) -> None:
    if happened_at > made.use_before_at:
        raise RuleBroken(
            f"The {made.kind.value} {made.code} is past its beyond-use time. Make a new one.", field="label"
        )
