"""What comes into a cabinet: the cabinet itself, its pages, deliveries."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa

from clinic.accounts.models import Site, Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.rows import add_row
from clinic.core.units import EXACT
from clinic.druglog import stock_queries
from clinic.druglog.models import Cabinet, Container, Receipt, Register
from clinic.druglog.operations_lines import add_first_lines, needed, refuse_future
from clinic.druglog.rules import SOLID_FORMS, content_mg, form_of, register_name

MOST_CONTAINERS = 500


@dataclass(frozen=True, slots=True)
class Product:
    """What stands on the label of a container. Strength and size are those of the label, never of ours.

    Of a solid form the label says how much each piece holds, and how many pieces there are in the container.
    """

    drug_name: str
    form: str
    strength_mg_ml: Decimal | None = None
    size_ml: Decimal | None = None
    lot: str | None = None
    expires_on: date | None = None
    product_code: str | None = None
    piece_mg: Decimal | None = None
    piece_count: int | None = None

    @property
    def content_mg(self) -> Decimal | None:
        """What a full container holds: its volume at its strength, or its pieces."""
        if self.form in SOLID_FORMS:
            if self.piece_mg is None or self.piece_count is None:
                return None
            return EXACT.multiply(self.piece_mg, Decimal(self.piece_count))
        return content_mg(self.strength_mg_ml, self.size_ml)


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
    full = product.content_mg
    if full is None and product.form in SOLID_FORMS:
        raise RuleBroken("Enter what each piece holds and how many there are, as the label says.", field="piece_mg")
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
    return _take_in(cabinet, product, full, pieces=pieces, receipt=receipt, received_at=received_at, by=by, at=at)


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
    (taken,) = _take_in(place, product, quantity_mg, description=description, received_at=received_at, by=by, at=at)
    return taken


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
    pieces: int = 1,
    description: str | None = None,
    receipt: Receipt | None = None,
    received_at: datetime,
    by: Staff,
    at: datetime,
) -> list[Container]:
    register = page_of(cabinet, product)
    containers = [
        Container(
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
            piece_mg=product.piece_mg,
            piece_count=product.piece_count,
        )
        for _ in range(pieces)
    ]
    db.session.add_all(containers)
    db.session.flush()  # their first lines name them
    add_first_lines(register, containers, quantity_mg, happened_at=received_at, by=by, at=at)
    return containers


def page_of(cabinet: Cabinet, label: Product | Register) -> Register:
    """Return the page of a drug, strength, size and form in a cabinet, begun when there is none."""
    name = register_name(label.drug_name, label.form, label.strength_mg_ml, label.size_ml, label.piece_mg)
    # One person at a time begins a page.
    db.session.execute(sa.select(Cabinet.id).where(Cabinet.id == cabinet.id).with_for_update(key_share=True))
    found = stock_queries.page_named(cabinet, name)
    if found is not None:
        return found
    page = Register(
        cabinet=cabinet,
        drug_name=label.drug_name,
        form=label.form,
        strength_mg_ml=label.strength_mg_ml,
        size_ml=label.size_ml,
        name=name,
        piece_mg=label.piece_mg,
    )
    db.session.add(page)
    db.session.flush()  # its lines name it
    return page
