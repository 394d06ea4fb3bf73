"""Verbs of the cabinet: receive, count, transfer, destroy, strike out, recall."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from clinic.accounts.models import Site, Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.rows import add_row
from clinic.core.units import Unit, format_quantity
from clinic.druglog import queries, stock_queries
from clinic.druglog.models import Cabinet, Container, Discrepancy, Receipt, Register, RegisterEntry
from clinic.druglog.operations_lines import add_line, hold, needed, refuse_future, refuse_witness
from clinic.druglog.rules import RegisterKind, content_mg, form_of, register_name

MOST_CONTAINERS = 500
_STAY = frozenset(
    {RegisterKind.STRIKE, RegisterKind.TRANSFER, RegisterKind.TRANSFER_IN, RegisterKind.COUNT, RegisterKind.ADJUST}
)


@dataclass(frozen=True, slots=True)
class Product:
    """What stands on the label of a container. Strength and size are those of the label, never of ours."""

    drug_name: str
    form: str
    strength_mg_ml: Decimal | None = None
    size_ml: Decimal | None = None
    lot: str | None = None
    expires_on: date | None = None
    product_code: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """From whom a delivery came, as the law asks for it."""

    supplier: str
    invoice: str
    address: str | None = None
    number: str | None = None


def add_cabinet(site: Site, name: str, *, by: Staff, at: datetime) -> Cabinet:
    """Add a locked place for controlled drugs at a site."""
    said = needed(name, "Name the cabinet.", field="name")
    cabinet = Cabinet(site_id=site.id, name=said, is_retired=False)
    if stock_queries.cabinet_named(said) is not None:
        raise RuleBroken("There is a cabinet of this name.", field="name")
    add_row(cabinet, clash="Somebody else has added a cabinet of this name meanwhile.")
    audit.record(AuditAction.CABINET_CHANGED, cabinet, actor_id=by.id, at=at, name=said, site_id=site.id)
    return cabinet


def receive(
    cabinet: Cabinet,
    product: Product,
    pieces: int,
    delivery: Delivery,
    *,
    received_at: datetime,
    by: Staff,
    at: datetime,
) -> list[Container]:
    """Take full containers of one lot into a cabinet, each with a line of its own, under one receipt."""
    if not 1 <= pieces <= MOST_CONTAINERS:
        raise RuleBroken(f"Enter a number from 1 to {MOST_CONTAINERS}.", field="pieces")
    full = content_mg(product.strength_mg_ml, product.size_ml)
    if full is None:
        raise RuleBroken("Enter strength and size as the label says.", field="strength_mg_ml")
    refuse_future(received_at, at)
    receipt = Receipt(
        supplier=needed(delivery.supplier, "Name the supplier.", field="supplier"),
        supplier_address=delivery.address,
        supplier_number=delivery.number,
        invoice=needed(delivery.invoice, "Enter the number of the invoice.", field="invoice"),
        received_at=received_at,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    db.session.add(receipt)
    db.session.flush()  # its containers name it
    return [
        _take_in(cabinet, product, full, receipt=receipt, received_at=received_at, by=by, at=at) for _ in range(pieces)
    ]


def add_container(
    drug_name: str,
    *,
    quantity_mg: Decimal,
    description: str,
    strength_mg_ml: Decimal | None = None,
    size_ml: Decimal | None = None,
    lot: str | None = None,
    expires_on: date | None = None,
    cabinet: Cabinet | None = None,
    received_at: datetime,
    by: Staff,
    at: datetime,
) -> Container:
    """Take one vial or bag into stock with what it holds (mg), also where its label is not known.

    Without a cabinet it goes into the clinic's first one, which is made when there is none yet.
    """
    refuse_future(received_at, at)
    product = Product(drug_name, form_of(description), strength_mg_ml, size_ml, lot, expires_on)
    place = cabinet or stock_queries.first_cabinet() or _first_cabinet(by=by, at=at)
    return _take_in(place, product, quantity_mg, description=description, received_at=received_at, by=by, at=at)


def _first_cabinet(*, by: Staff, at: datetime) -> Cabinet:
    site = db.session.scalars(sa.select(Site).order_by(Site.name)).first()
    if site is None:
        raise RuleBroken("The clinic has no site yet.")
    return add_cabinet(site, "Drug cabinet", by=by, at=at)


def _take_in(
    cabinet: Cabinet,
    product: Product,
    quantity_mg: Decimal,
    *,
    description: str | None = None,
    receipt: Receipt | None = None,
    received_at: datetime,
    by: Staff,
    at: datetime,
) -> Container:
    register = page_of(cabinet, product.drug_name, product.form, product.strength_mg_ml, product.size_ml)
    container = Container(
        drug_name=product.drug_name,
        strength_mg_ml=product.strength_mg_ml,
        size_ml=product.size_ml,
        description=description or register.name.removeprefix(f"{product.drug_name} "),
        lot=product.lot,
        expires_on=product.expires_on,
        received_at=received_at,
        register=register,
        receipt_id=receipt.id if receipt else None,
        product_code=product.product_code,
    )
    db.session.add(container)
    db.session.flush()  # its first line names it
    add_line(
        RegisterKind.RECEIVE, product.drug_name, quantity_mg, container=container, happened_at=received_at, by=by, at=at
    )
    return container


def page_of(
    cabinet: Cabinet, drug_name: str, form: str, strength_mg_ml: Decimal | None, size_ml: Decimal | None
) -> Register:
    """Return the page of a drug, strength, size and form in a cabinet, begun when there is none."""
    name = register_name(drug_name, form, strength_mg_ml, size_ml)
    # One person at a time begins a page.
    db.session.execute(sa.select(Cabinet.id).where(Cabinet.id == cabinet.id).with_for_update(key_share=True))
    found = stock_queries.page_named(cabinet, name)
    if found is not None:
        return found
    page = Register(
        cabinet=cabinet, drug_name=drug_name, form=form, strength_mg_ml=strength_mg_ml, size_ml=size_ml, name=name
    )
    db.session.add(page)
    db.session.flush()  # its lines name it
    return page


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


def send(
    container: Container, *, to: Cabinet, reason: str | None = None, happened_at: datetime, by: Staff, at: datetime
) -> RegisterEntry:
    """Send a container with all that it holds to another cabinet, where somebody accepts it."""
    if to.id == container.register.cabinet_id:
        raise RuleBroken("Choose another cabinet.", field="cabinet_id")
    hold(container.register)
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
    container.register = page_of(cabinet, old.drug_name, old.form, old.strength_mg_ml, old.size_ml)
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
    container: Container, reason: str, witness: Staff, *, happened_at: datetime, by: Staff, at: datetime
) -> RegisterEntry:
    """Destroy all that a container holds, expired or recalled stock, before a witness."""
    said = needed(reason, "Say how and why it was destroyed.", field="reason")
    refuse_witness(witness, by)
    hold(container.register)
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
        raise RuleBroken("This line stays: set it right with an adjustment, a count or a transfer back.")
    if entry.kind is RegisterKind.GIVE:
        raise RuleBroken("What was given comes from the flowsheet. Correct it there.")
    if entry.register is not None:
        hold(entry.register)
        db.session.expire(entry, ["answer"])
    if entry.answer is not None:
        raise RuleBroken("This line was struck out already.")
    if entry.container is not None and entry.container.register_id != entry.register_id:
        raise RuleBroken("The container stands in another cabinet by now.")
    made = add_line(
        RegisterKind.STRIKE,
        entry.drug_name,
        entry.quantity_mg,
        account=entry.account,
        container=entry.container,
        register=entry.register,
        witness=witness,
        reason=said,
        about=entry,
        quantity_ml=entry.quantity_ml,
        happened_at=at,
        by=by,
        at=at,
    )
    db.session.expire(entry, ["answer"])
    return made
