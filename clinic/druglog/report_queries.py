"""Named reads for the reports of the register."""

import uuid
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from clinic.accounts.models import Site
from clinic.core import db
from clinic.druglog.models import Cabinet, Container, DrugAccount, Register, RegisterEntry
from clinic.druglog.models_settling import StockCount
from clinic.druglog.queries import held
from clinic.druglog.rules import RegisterKind
from clinic.protocols.models import Drug


def schedules() -> dict[str, str]:
    """Return the schedule of each drug of the formulary that has one, by the drug's name."""
    found = db.session.execute(sa.select(Drug.name, Drug.schedule).where(Drug.schedule.is_not(None)))
    return {name: schedule or "" for name, schedule in found}


def first_site() -> Site:
    """Return the site that stands for the clinic where something of all of it leaves the clinic."""
    return db.session.scalars(sa.select(Site).order_by(Site.id).limit(1)).one()


def lines_between(
    start: datetime,
    end: datetime,
    drug_names: Collection[str] | None,
    site_id: uuid.UUID | None = None,
    kind: RegisterKind | None = None,
) -> list[RegisterEntry]:
    """Return the lines entered in a period, page by page in their order; those without a page come last."""
    found = (
        sa.select(RegisterEntry)
        .outerjoin(RegisterEntry.register)
        .outerjoin(Register.cabinet)
        .where(RegisterEntry.recorded_at >= start, RegisterEntry.recorded_at < end)
        .options(
            joinedload(RegisterEntry.register).joinedload(Register.cabinet).joinedload(Cabinet.site),
            joinedload(RegisterEntry.container).joinedload(Container.receipt),
            joinedload(RegisterEntry.account).joinedload(DrugAccount.patient),
            joinedload(RegisterEntry.recorded_by),
            joinedload(RegisterEntry.witness),
            joinedload(RegisterEntry.answer),
        )
        .order_by(
            RegisterEntry.register_id.is_(None),
            RegisterEntry.drug_name,
            Register.name,
            Cabinet.name,
            RegisterEntry.register_id,
            RegisterEntry.line,
            RegisterEntry.recorded_at,
            RegisterEntry.id,
        )
    )
    if drug_names is not None:
        found = found.where(RegisterEntry.drug_name.in_(drug_names))
    if site_id is not None:
        found = found.where(Cabinet.site_id == site_id)
    if kind is not None:
        found = found.where(RegisterEntry.kind == kind)
    return list(db.session.scalars(found))


def sheets_between(start: datetime, end: datetime) -> dict[uuid.UUID, StockCount]:
    """Return the count sheets entered in a period by their keys."""
    found = sa.select(StockCount).where(StockCount.recorded_at >= start, StockCount.recorded_at < end)
    return {sheet.id: sheet for sheet in db.session.scalars(found)}


def accounts(account_ids: Collection[uuid.UUID]) -> list[DrugAccount]:
    """Return accounts with all their lines."""
    found = sa.select(DrugAccount).where(DrugAccount.id.in_(account_ids))
    return list(db.session.scalars(found.options(selectinload(DrugAccount.entries).joinedload(RegisterEntry.answer))))


def stock(drug_names: Collection[str] | None, site_id: uuid.UUID | None = None) -> list[tuple[Container, Decimal]]:
    """Return the containers that hold something, those that expire first on top."""
    found = (
        sa.select(Container, held())
        .join(Container.register)
        .join(Register.cabinet)
        .where(held() > Decimal(0))
        .options(joinedload(Container.register).joinedload(Register.cabinet).joinedload(Cabinet.site))
        .order_by(Container.expires_on.asc().nulls_last(), Container.drug_name, Container.lot, Container.id)
    )
    if drug_names is not None:
        found = found.where(Container.drug_name.in_(drug_names))
    if site_id is not None:
        found = found.where(Cabinet.site_id == site_id)
    return [(container, balance or Decimal(0)) for container, balance in db.session.execute(found)]
