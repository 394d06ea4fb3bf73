"""How a line comes into the register: checked, in its place on its page, signed by everyone whom it names."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa

from clinic.accounts.models import Clinic, Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, Role
from clinic.core.units import Unit, format_quantity
from clinic.druglog import queries
from clinic.druglog.models import Container, DrugAccount, Register, RegisterEntry
from clinic.druglog.rules import BalanceBelowZero, RegisterKind, balance_after, effect_mg, volume_ml
from clinic.signatures import operations as signatures
from clinic.signatures.rules import Meaning

# What its column can hold before the point.
MOST_DIGITS = 9
# What brings drug back that was in the container before.
_PUT_BACK = frozenset({RegisterKind.RETURN, RegisterKind.STRIKE})
_MAY_BE_ZERO = frozenset({RegisterKind.COUNT, RegisterKind.GIVE, RegisterKind.TIME_CORRECTED})


def add_line(
    kind: RegisterKind,
    drug_name: str,
    quantity_mg: Decimal,
    *,
    happened_at: datetime,
    by: Staff,
    at: datetime,
    account: DrugAccount | None = None,
    container: Container | None = None,
    register: Register | None = None,
    witness: Staff | None = None,
    reason: str | None = None,
    about: RegisterEntry | None = None,
    sheet_id: uuid.UUID | None = None,
    preparation_id: uuid.UUID | None = None,
    quantity_ml: Decimal | None = None,
    beyond_use_at: datetime | None = None,
) -> RegisterEntry:
    """Add a line at the end of its page: the container's, the one named, or the one that the account took from.

    Raises RuleBroken for a time in the future, an impossible quantity, a witness who is none, and more than is there.
    """
    refuse_future(happened_at, at)
    _refuse_quantity(kind, quantity_mg)
    if kind.needs_witness:
        refuse_witness(witness, by)
    register = container.register if container else register or queries.register_of(account, drug_name)
    entry = RegisterEntry(
        account_id=account.id if account else None,
        container_id=container.id if container else None,
        drug_name=drug_name,
        kind=kind,
        quantity_mg=quantity_mg,
        quantity_ml=quantity_ml or volume_ml(quantity_mg, register.strength_mg_ml if register and container else None),
        happened_at=happened_at,
        reason=reason,
        witness_id=witness.id if witness else None,
        about_id=about.id if about else None,
        stock_count_id=sheet_id,
        preparation_id=preparation_id,
        beyond_use_at=beyond_use_at,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    if register is not None:
        _place(entry, register, container, undone=about.kind if about else None)
    return _write(entry, account, by=by, witness=witness, at=at)


def _write(
    entry: RegisterEntry, account: DrugAccount | None, *, by: Staff, witness: Staff | None, at: datetime
) -> RegisterEntry:
    """Write a line that has its place, into the trail too, and let both people sign it."""
    db.session.add(entry)
    db.session.flush()  # the next line of the page counts on this one
    _tell(entry, account, by=by, at=at)
    if witness is not None:
        _sign(entry, account, by=by, witness=witness, at=at)
    return entry


def add_first_lines(
    register: Register,
    containers: Sequence[Container],
    quantity_mg: Decimal,
    *,
    happened_at: datetime,
    by: Staff,
    at: datetime,
) -> list[RegisterEntry]:
    """Add the line of each new container, with what it came with (mg): as many statements for one as for hundreds."""
    refuse_future(happened_at, at)
    _refuse_quantity(RegisterKind.RECEIVE, quantity_mg)
    hold(register)
    last, held = queries.end_of(register)
    entries = [
        RegisterEntry(
            container=container,
            drug_name=register.drug_name,
            kind=RegisterKind.RECEIVE,
            quantity_mg=quantity_mg,
            quantity_ml=volume_ml(quantity_mg, register.strength_mg_ml),
            balance_after_mg=quantity_mg,
            register_id=register.id,
            line=last + number + 1,
            register_before_mg=held + number * quantity_mg,
            register_after_mg=held + (number + 1) * quantity_mg,
            happened_at=happened_at,
            recorded_at=at,
            recorded_by_id=by.id,
        )
        for number, container in enumerate(containers)
    ]
    db.session.add_all(entries)
    db.session.flush()  # the next line of the page counts on the last one
    for entry in entries:
        _tell(entry, None, by=by, at=at)
    return entries


def _place(entry: RegisterEntry, register: Register, container: Container | None, undone: RegisterKind | None) -> None:
    """Number the line and count on; the page is held until the transaction ends, so nobody counts on the same drug."""
    hold(register)
    line, before = queries.end_of(register)
    change = effect_mg(entry.kind, entry.quantity_mg, undone=undone) if container else Decimal(0)
    entry.register_id, entry.line = register.id, line + 1
    entry.register_before_mg = before
    if container is not None:
        entry.balance_after_mg = _container_after(entry, container, undone)
    entry.register_after_mg = before + change
    if container is not None and container.opened_at is None and _is_part(entry, register):
        container.opened_at = entry.happened_at


def _container_after(entry: RegisterEntry, container: Container, undone: RegisterKind | None) -> Decimal:
    """Return what the container holds after the line: never less than nothing, nor more than was ever in it."""
    end = queries.container_end(container)
    if end.is_underway and entry.kind is not RegisterKind.TRANSFER_IN:
        raise RuleBroken("It is on its way to another cabinet, where somebody accepts it.", field="container_id")
    try:
        after = balance_after(end.balance_mg, entry.kind, entry.quantity_mg, undone=undone)
    except BalanceBelowZero as why:
        raise RuleBroken(str(why), field="quantity_mg") from why
    if entry.kind in _PUT_BACK and after > end.balance_mg and after > (most := queries.most_held_mg(container)):
        there, full = format_quantity(end.balance_mg, Unit.MG), format_quantity(most, Unit.MG)
        raise RuleBroken(
            f"The container holds {there} and never held more than {full}: this would be more.", field="quantity_mg"
        )
    return after


def _is_part(entry: RegisterEntry, register: Register) -> bool:
    # A container of tablets holds many pieces: whatever is left in it makes it an opened one.
    full, left = None if register.piece_mg else register.content_mg, entry.balance_after_mg
    is_out = entry.kind is RegisterKind.WITHDRAW
    return is_out and left is not None and left != 0 and (full is None or left < full)


def hold(register: Register) -> None:
    """Keep everybody else from adding lines to a page until this transaction ends."""
    db.session.execute(sa.select(Register.id).where(Register.id == register.id).with_for_update(key_share=True))


def line_content(entry: RegisterEntry) -> Mapping[str, object]:
    """Return exactly what is signed: the line with its place, its people and its times."""
    corrected = {} if entry.beyond_use_at is None else {"beyond use": entry.beyond_use_at}
    return corrected | {
        "kind": entry.kind,
        "drug": entry.drug_name,
        "mg": entry.quantity_mg,
        "mL": entry.quantity_ml,
        "account": entry.account_id,
        "container": entry.container_id,
        "register": entry.register_id,
        "line": entry.line,
        "before mg": entry.register_before_mg,
        "after mg": entry.register_after_mg,
        "about": entry.about_id,
        "sheet": entry.stock_count_id,
        "preparation": entry.preparation_id,
        "reason": entry.reason,
        "happened": entry.happened_at,
        "recorded": entry.recorded_at,
        "recorded by": entry.recorded_by_id,
        "witness": entry.witness_id,
    }


def _sign(entry: RegisterEntry, account: DrugAccount | None, *, by: Staff, witness: Staff, at: datetime) -> None:
    content, patient_id = line_content(entry), account.patient_id if account else None
    for person, meaning in ((by, Meaning.AUTHOR), (witness, Meaning.WITNESS)):
        signatures.sign_proved(entry, content, meaning=meaning, by=person, at=at, patient_id=patient_id)


def _tell(entry: RegisterEntry, account: DrugAccount | None, *, by: Staff, at: datetime) -> None:
    audit.record(
        AuditAction.DRUG_ENTRY_RECORDED,
        entry,
        actor_id=by.id,
        at=at,
        patient_id=account.patient_id if account else None,
        kind=entry.kind,
        drug=entry.drug_name,
        quantity_mg=entry.quantity_mg,
        register_id=entry.register_id,
        line=entry.line,
        register_after_mg=entry.register_after_mg,
        balance_after_mg=entry.balance_after_mg,
        witness_id=entry.witness_id,
        about_id=entry.about_id,
        reason=entry.reason,
    )


def refuse_future(happened_at: datetime, at: datetime) -> None:
    """Raise RuleBroken for a time that has not come."""
    if happened_at > at:
        raise RuleBroken("This time is in the future.", field="happened_at")


def _refuse_quantity(kind: RegisterKind, quantity_mg: Decimal) -> None:
    if not quantity_mg.is_finite() or quantity_mg != round(quantity_mg, 4) or quantity_mg.adjusted() > MOST_DIGITS:
        raise RuleBroken("Enter a number with at most 4 decimals.", field="quantity_mg")
    if quantity_mg == 0 and kind not in _MAY_BE_ZERO:
        raise RuleBroken("Enter a number other than zero.", field="quantity_mg")
    if quantity_mg < 0 and kind is not RegisterKind.ADJUST:
        raise RuleBroken("Enter a number above zero.", field="quantity_mg")


def refuse_witness(witness: Staff | None, by: Staff) -> None:
    """Raise RuleBroken unless the witness is another person, who may."""
    if witness is None:
        raise RuleBroken("A second person witnesses this.", field="witness")
    if witness.id == by.id:
        raise RuleBroken("The witness is another person.", field="witness")
    if not witness.may(Permission.WITNESS):
        raise RuleBroken("A nurse or a physician witnesses this.", field="witness")
    wanted = db.session.get_one(Clinic, db.current_clinic_id()).witness_role
    if wanted is Role.PHYSICIAN and not witness.has_any([wanted]):
        raise RuleBroken("In this clinic a physician witnesses this.", field="witness")


def needed(text: str | None, message: str, *, field: str) -> str:
    """Return a text without blanks around it. Raises RuleBroken when there is none."""
    said = (text or "").strip()
    if not said:
        raise RuleBroken(message, field=field)
    return said
