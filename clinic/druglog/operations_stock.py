"""Verbs of what stands in a cabinet: count, transfer, destroy, strike out."""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError

from clinic.accounts.models import Clinic, Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken, broken_constraint
from clinic.core.times import date_label, local
from clinic.core.units import Unit, format_quantity
from clinic.druglog import queries
from clinic.druglog.models import Cabinet, Container, Discrepancy, Register, RegisterEntry
from clinic.druglog.operations_lines import add_line, hold, needed, refuse_witness
from clinic.druglog.operations_receive import page_of
from clinic.druglog.rules import RegisterKind

_STAY = frozenset(
    {
        RegisterKind.STRIKE,
        RegisterKind.TRANSFER,
        RegisterKind.TRANSFER_IN,
        RegisterKind.COUNT,
        RegisterKind.ADJUST,
        RegisterKind.TIME_CORRECTED,
    }
)


# --- counting --------------------------------------------------------------------------------------------------------


def count(
    container: Container, quantity_mg: Decimal, witness: Staff, *, happened_at: datetime, by: Staff, at: datetime
) -> tuple[RegisterEntry, Discrepancy | None]:
    """Count one container (mg) before a witness; a count other than the balance opens a discrepancy."""
    hold(container.register)
    expected = queries.balance_mg(container)
    entry = add_line(
        RegisterKind.COUNT,
        container.drug_name,
        quantity_mg,
        container=container,
        witness=witness,
        happened_at=happened_at,
        by=by,
        at=at,
    )
    return entry, _differs(container.drug_name, expected, quantity_mg, container_id=container.id, by=by, at=at)


def count_page(
    register: Register,
    quantity_mg: Decimal,
    witness: Staff,
    *,
    sheet_id: uuid.UUID | None = None,
    happened_at: datetime,
    by: Staff,
    at: datetime,
) -> tuple[RegisterEntry, Discrepancy | None]:
    """Count everything on a page (mg) before a witness; a count other than the balance opens a discrepancy."""
    hold(register)
    _, expected = queries.end_of(register)
    entry = add_line(
        RegisterKind.COUNT,
        register.drug_name,
        quantity_mg,
        register=register,
        witness=witness,
        sheet_id=sheet_id,
        happened_at=happened_at,
        by=by,
        at=at,
    )
    return entry, _differs(register.drug_name, expected, quantity_mg, register_id=register.id, by=by, at=at)


def _differs(
    drug_name: str, expected: Decimal, counted: Decimal, *, by: Staff, at: datetime, **about: Any
) -> Discrepancy | None:
    if counted == expected:
        return None
    found, held = format_quantity(counted, Unit.MG), format_quantity(expected, Unit.MG)
    return open_about(
        drug_name, expected - counted, f"Counted {found}; the register says {held}.", by=by, at=at, **about
    )


def open_about(drug_name: str, amount_mg: Decimal, text: str, *, by: Staff, at: datetime, **about: Any) -> Discrepancy:
    """Open a discrepancy about an account, a container or a page: above zero drug is missing (mg)."""
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


def report_difference(register: Register, amount_mg: Decimal, text: str, *, by: Staff, at: datetime) -> Discrepancy:
    """Open a discrepancy about what stands on a page, found outside a count: above zero drug is missing (mg)."""
    said = needed(text, "Say what you found.", field="text")
    return open_about(register.drug_name, amount_mg, said, register_id=register.id, by=by, at=at)


# --- out of the cabinet ----------------------------------------------------------------------------------------------


def open_container(container: Container, beyond_use_at: datetime, *, by: Staff, at: datetime) -> Container:
    """Open a vial that several patients are drawn from, with the time until which it may be used: the clinic says it.

    The time is kept: nobody makes an old vial younger. Raises RuleBroken for an empty one, and for a time that is past
    or later than the label's expiry.
    """
    hold(container.register)
    db.session.refresh(container, ["opened_at", "beyond_use_at"])
    end = queries.container_end(container)
    if end.is_underway or not end.balance_mg:
        raise RuleBroken("There is nothing in it to open." if not end.balance_mg else "It is on its way to a cabinet.")
    if container.beyond_use_at is not None:
        raise RuleBroken("Its beyond-use time was entered already.")
    if beyond_use_at <= at:
        raise RuleBroken("It may be used until a time that is to come.", field="clock")
    zone = ZoneInfo(db.session.get_one(Clinic, container.clinic_id).zone)
    if container.expires_on is not None and local(beyond_use_at, zone).date() > container.expires_on:
        raise RuleBroken(f"Its label expires before that, on {date_label(container.expires_on)}.", field="day")
    container.opened_at = container.opened_at or at
    container.beyond_use_at = beyond_use_at
    db.session.flush()  # the database judges what is kept
    audit.record(
        AuditAction.DRUG_ENTRY_RECORDED,
        container,
        actor_id=by.id,
        at=at,
        kind="opened",
        opened_at=container.opened_at,
        beyond_use_at=beyond_use_at,
    )
    return container


def _refuse_unseen(balance_mg: Decimal, seen_mg: Decimal | None) -> None:
    """Raise RuleBroken when somebody has taken from a container, or put back, since its page was drawn."""
    if seen_mg is not None and seen_mg != balance_mg:
        now, then = format_quantity(balance_mg, Unit.MG), format_quantity(seen_mg, Unit.MG)
        raise RuleBroken(f"It holds {now} by now; this page showed {then}. Look at it again.")


def send(
    container: Container,
    *,
    to: Cabinet,
    reason: str | None = None,
    seen_mg: Decimal | None = None,
    happened_at: datetime,
    by: Staff,
    at: datetime,
) -> RegisterEntry:
    """Send a container with all that it holds, as it was seen, to another cabinet, where somebody accepts it."""
    if to.id == container.register.cabinet_id:
        raise RuleBroken("Choose another cabinet.", field="cabinet_id")
    hold(container.register)
    _refuse_unseen(queries.balance_mg(container), seen_mg)
    said = f"to {to.name}" + (f": {reason.strip()}" if reason and reason.strip() else "")
    return add_line(
        RegisterKind.TRANSFER,
        container.drug_name,
        queries.balance_mg(container),
        container=container,
        reason=said,
        happened_at=happened_at,
        by=by,
        at=at,
    )


def accept_transfer(
    sent: RegisterEntry, cabinet: Cabinet, *, happened_at: datetime, by: Staff, at: datetime
) -> RegisterEntry:
    """Take a container that was sent from another cabinet into this one: by another person than who sent it."""
    if sent.kind is not RegisterKind.TRANSFER or sent.container is None:
        raise RuleBroken("This line is no transfer.")
    if sent.recorded_by_id == by.id:
        raise RuleBroken("Another person than who sent it accepts it.")
    old = sent.container.register
    # Another person may be accepting it at this moment: its page is held before anybody looks.
    hold(old)
    db.session.expire(sent, ["answer"])
    if sent.answer is not None:
        raise RuleBroken("This was accepted already.")
    if happened_at < sent.happened_at:
        raise RuleBroken("It was sent later than this.", field="happened_at")
    container = sent.container
    container.register = page_of(cabinet, old)
    db.session.flush()  # the line goes onto the new page
    entry = add_line(
        RegisterKind.TRANSFER_IN,
        container.drug_name,
        sent.quantity_mg,
        container=container,
        about=sent,
        reason=f"from {old.cabinet.name}",
        happened_at=happened_at,
        by=by,
        at=at,
    )
    db.session.expire(sent, ["answer"])
    return entry


def destroy(
    container: Container,
    reason: str,
    witness: Staff,
    *,
    seen_mg: Decimal | None = None,
    happened_at: datetime,
    by: Staff,
    at: datetime,
) -> RegisterEntry:
    """Destroy all that a container holds, as both have seen it, expired or recalled stock, before a witness."""
    said = needed(reason, "Say how and why it was destroyed.", field="reason")
    refuse_witness(witness, by)
    hold(container.register)
    _refuse_unseen(queries.balance_mg(container), seen_mg)
    return add_line(
        RegisterKind.DESTROY,
        container.drug_name,
        queries.balance_mg(container),
        container=container,
        witness=witness,
        reason=said,
        happened_at=happened_at,
        by=by,
        at=at,
    )


def may_strike(entry: RegisterEntry) -> bool:
    """Whether a line can be struck out: it stands, and no other kind of line sets it right."""
    return entry.answer is None and entry.kind not in _STAY and entry.kind is not RegisterKind.GIVE


def strike(entry: RegisterEntry, reason: str, witness: Staff, *, by: Staff, at: datetime) -> RegisterEntry:
    """Strike out a wrong line by another one that undoes what it did, with a reason, before a witness."""
    said = needed(reason, "Say why.", field="reason")
    if entry.kind in _STAY:
        raise RuleBroken(
            "This line stays: set it right by another one, an adjustment, a count, a transfer back or a correction."
        )
    if entry.kind is RegisterKind.GIVE:
        raise RuleBroken("What was given comes from the flowsheet. Correct it there.")
    if entry.register is not None:
        hold(entry.register)
        db.session.expire(entry, ["answer"])
    if entry.answer is not None:
        raise RuleBroken("This line was struck out already.")
    if entry.container is not None and entry.container.register_id != entry.register_id:
        raise RuleBroken("The container stands in another cabinet by now.")
    made = _undo(entry, said, witness, by=by, at=at)
    db.session.expire(entry, ["answer"])
    return made


def _undo(entry: RegisterEntry, reason: str, witness: Staff, *, by: Staff, at: datetime) -> RegisterEntry:
    """Add the line that undoes another one. The database knows which bags hang: the register stands below sessions."""
    try:
        with db.session.begin_nested():
            return add_line(
                RegisterKind.STRIKE,
                entry.drug_name,
                entry.quantity_mg,
                account=entry.account,
                container=entry.container,
                register=entry.register,
                witness=witness,
                reason=reason,
                about=entry,
                quantity_ml=entry.quantity_ml,
                happened_at=at,
                by=by,
                at=at,
            )
    except IntegrityError as refused:
        if broken_constraint(refused) != "hung_bag_stays":
            raise
        raise RuleBroken(
            "The pump ran from it, as its session says: it was made. Was it never hung? Withdraw the change of bag in "
            "the session first. Is only the amount wrong? Report a difference."
        ) from refused
