"""Named reads of cabinets, their pages and what stands in them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload, selectinload

from clinic.accounts.models import Site
from clinic.core import db
from clinic.druglog.models import (
    Cabinet,
    Container,
    Discrepancy,
    DrugAccount,
    LotRecall,
    Register,
    RegisterEntry,
)
from clinic.druglog.models_settling import DiscrepancyStep, StockCount
from clinic.druglog.queries import held
from clinic.druglog.rules import RegisterKind, lot_key
from clinic.protocols.models import Drug

LINES_A_PAGE = 60


@dataclass(frozen=True, slots=True)
class Held:
    """A page with what its cabinet holds of it."""

    register: Register
    balance_mg: Decimal


def sites() -> list[Site]:
    """Return the clinic's sites by name."""
    return list(db.session.scalars(sa.select(Site).order_by(Site.name)))


def cabinets() -> list[Cabinet]:
    """Return the cabinets in use by name."""
    found = sa.select(Cabinet).where(Cabinet.is_retired.is_(False)).options(joinedload(Cabinet.site))
    return list(db.session.scalars(found.order_by(Cabinet.name)))


def cabinet_named(name: str) -> Cabinet | None:
    """Return the cabinet of a name."""
    return db.session.scalar(sa.select(Cabinet).where(Cabinet.name == name))


def first_cabinet() -> Cabinet | None:
    """Return the cabinet that the clinic has had longest."""
    return db.session.scalars(sa.select(Cabinet).where(Cabinet.is_retired.is_(False)).order_by(Cabinet.id)).first()


def page_named(cabinet: Cabinet, name: str) -> Register | None:
    """Return a cabinet's page by its head."""
    return db.session.scalar(sa.select(Register).where(Register.cabinet_id == cabinet.id, Register.name == name))


def register(register_id: uuid.UUID) -> Register | None:
    """Return a page with its cabinet."""
    return db.session.scalar(
        sa.select(Register).where(Register.id == register_id).options(joinedload(Register.cabinet))
    )


def registers() -> list[Held]:
    """Return every page with its balance, by drug, head and cabinet."""
    after = (
        sa.select(RegisterEntry.register_after_mg)
        .where(RegisterEntry.register_id == Register.id)
        .order_by(RegisterEntry.line.desc())
        .limit(1)
        .scalar_subquery()
    )
    found = db.session.execute(
        sa.select(Register, after)
        .join(Register.cabinet)
        .options(joinedload(Register.cabinet))
        .order_by(Register.drug_name, Register.name, Cabinet.name)
    )
    return [Held(page, balance or Decimal(0)) for page, balance in found]


def lines_of(
    register_id: uuid.UUID, *, before: int | None = None, limit: int = LINES_A_PAGE, kinds: Sequence[RegisterKind] = ()
) -> list[RegisterEntry]:
    """Return lines of a page, the newest first, with their people, patients and what strikes them out."""
    found = (
        sa.select(RegisterEntry)
        .where(RegisterEntry.register_id == register_id)
        .options(
            joinedload(RegisterEntry.recorded_by),
            joinedload(RegisterEntry.witness),
            joinedload(RegisterEntry.container).joinedload(Container.receipt),
            joinedload(RegisterEntry.account).joinedload(DrugAccount.patient),
            joinedload(RegisterEntry.answer),
            joinedload(RegisterEntry.about),
        )
        .order_by(RegisterEntry.line.desc())
        .limit(limit)
    )
    if before is not None:
        found = found.where(RegisterEntry.line < before)
    if kinds:
        found = found.where(RegisterEntry.kind.in_(kinds))
    return list(db.session.scalars(found))


def rest_of_delivery(newest: RegisterEntry) -> int:
    """Return how many lines of the same delivery stand right below one on its page, without any other in between."""
    if newest.kind is not RegisterKind.RECEIVE or newest.container is None or newest.container.receipt_id is None:
        return 0
    strike = aliased(RegisterEntry)
    is_of_it = sa.and_(
        RegisterEntry.kind == RegisterKind.RECEIVE,
        sa.func.coalesce(Container.receipt_id == newest.container.receipt_id, sa.false()),
        strike.id.is_(None),
    )
    other = (
        sa.select(sa.func.max(RegisterEntry.line))
        .outerjoin(RegisterEntry.container)
        .outerjoin(strike, strike.about_id == RegisterEntry.id)
        .where(RegisterEntry.register_id == newest.register_id, RegisterEntry.line < newest.line, sa.not_(is_of_it))
    )
    return (newest.line or 1) - 1 - (db.session.scalar(other) or 0)


def entry(entry_id: uuid.UUID) -> RegisterEntry | None:
    """Return a line with what it is about."""
    return db.session.scalar(
        sa.select(RegisterEntry)
        .where(RegisterEntry.id == entry_id)
        .options(
            joinedload(RegisterEntry.register).joinedload(Register.cabinet),
            joinedload(RegisterEntry.container),
            joinedload(RegisterEntry.account).joinedload(DrugAccount.patient),
            joinedload(RegisterEntry.answer),
            joinedload(RegisterEntry.recorded_by),
            joinedload(RegisterEntry.witness),
        )
    )


def containers_on(register_id: uuid.UUID) -> list[tuple[Container, Decimal]]:
    """Return the containers of a page that hold something, those that expire first on top."""
    found = db.session.execute(
        sa.select(Container, held())
        .where(Container.register_id == register_id, held() > Decimal(0))
        .options(joinedload(Container.register), selectinload(Container.time_corrections))
        .order_by(Container.expires_on.asc().nulls_last(), Container.received_at, Container.id)
    )
    return [(container, balance or Decimal(0)) for container, balance in found]


def container(container_id: uuid.UUID) -> Container | None:
    """Return a container with its page, cabinet and delivery."""
    return db.session.scalar(
        sa.select(Container)
        .where(Container.id == container_id)
        .options(
            joinedload(Container.register).joinedload(Register.cabinet),
            joinedload(Container.receipt),
            selectinload(Container.time_corrections).options(
                joinedload(RegisterEntry.recorded_by), joinedload(RegisterEntry.witness)
            ),
        )
    )


def lines_of_container(container_id: uuid.UUID) -> list[RegisterEntry]:
    """Return the lines of one container, the newest first."""
    return list(
        db.session.scalars(
            sa.select(RegisterEntry)
            .where(RegisterEntry.container_id == container_id)
            .options(
                joinedload(RegisterEntry.recorded_by),
                joinedload(RegisterEntry.witness),
                joinedload(RegisterEntry.register).joinedload(Register.cabinet),
                joinedload(RegisterEntry.answer),
            )
            .order_by(RegisterEntry.recorded_at.desc(), RegisterEntry.id.desc())
        )
    )


def underway() -> list[RegisterEntry]:
    """Return what was sent to another cabinet and not accepted there yet, the oldest first."""
    arrival = aliased(RegisterEntry)
    found = (
        sa.select(RegisterEntry)
        .outerjoin(arrival, arrival.about_id == RegisterEntry.id)
        .where(RegisterEntry.kind == RegisterKind.TRANSFER, RegisterEntry.container_id.is_not(None))
        .where(arrival.id.is_(None))
        .options(
            joinedload(RegisterEntry.recorded_by),
            joinedload(RegisterEntry.container),
            joinedload(RegisterEntry.register).joinedload(Register.cabinet),
        )
        .order_by(RegisterEntry.recorded_at)
    )
    return list(db.session.scalars(found))


def account(account_id: uuid.UUID) -> DrugAccount | None:
    """Return a session's account with its patient."""
    return db.session.scalar(
        sa.select(DrugAccount).where(DrugAccount.id == account_id).options(joinedload(DrugAccount.patient))
    )


_USED = (RegisterKind.GIVE, RegisterKind.ADJUST, RegisterKind.PRIME, RegisterKind.WASTE, RegisterKind.RETURN)


def accounts_to_settle(register: Register) -> list[DrugAccount]:
    """Return the accounts that took from a page and do not come to nothing, the newest first, with all their lines."""
    took, strike = aliased(RegisterEntry), aliased(RegisterEntry)
    took_from_it = sa.select(took.account_id).where(
        took.register_id == register.id, took.kind == RegisterKind.WITHDRAW, took.account_id.is_not(None)
    )
    drawn = sa.func.sum(RegisterEntry.quantity_mg).filter(RegisterEntry.kind == RegisterKind.WITHDRAW)
    used = sa.func.sum(RegisterEntry.quantity_mg).filter(RegisterEntry.kind.in_(_USED))
    is_struck = sa.and_(strike.about_id == RegisterEntry.id, strike.kind == RegisterKind.STRIKE)
    unsettled = (
        sa.select(RegisterEntry.account_id)
        .outerjoin(strike, is_struck)
        .where(RegisterEntry.account_id.in_(took_from_it), RegisterEntry.drug_name == register.drug_name)
        .where(strike.id.is_(None))
        .group_by(RegisterEntry.account_id)
        .having(sa.func.coalesce(drawn, Decimal(0)) != sa.func.coalesce(used, Decimal(0)))
    )
    found = (
        sa.select(DrugAccount)
        .where(DrugAccount.id.in_(unsettled))
        .options(
            joinedload(DrugAccount.patient),
            selectinload(DrugAccount.entries).joinedload(RegisterEntry.answer),
        )
        .order_by(DrugAccount.opened_at.desc())
    )
    return list(db.session.scalars(found))


def recalls() -> list[LotRecall]:
    """Return the lots that may not be used."""
    lifted = aliased(LotRecall)
    found = (
        sa.select(LotRecall)
        .outerjoin(lifted, lifted.supersedes_id == LotRecall.id)
        .where(lifted.id.is_(None), LotRecall.is_void.is_(False))
        .options(joinedload(LotRecall.recorded_by))
    )
    return list(db.session.scalars(found.order_by(LotRecall.drug_name, LotRecall.lot)))


def is_recalled(drug_name: str, lot: str) -> bool:
    """Whether a lot may not be used."""
    return any(one.drug_name == drug_name and lot_key(one.lot) == lot_key(lot) for one in recalls())


def has_come(drug_name: str, lot: str) -> bool:
    """Whether any container of a lot ever came into a cabinet."""
    lots = sa.select(Container.lot).where(Container.drug_name == drug_name).distinct()
    return any(lot_key(one) == lot_key(lot) for one in db.session.scalars(lots))


def _discrepancies() -> sa.Select[Discrepancy]:
    return sa.select(Discrepancy).options(
        joinedload(Discrepancy.recorded_by),
        joinedload(Discrepancy.register).joinedload(Register.cabinet).joinedload(Cabinet.site),
        joinedload(Discrepancy.account).joinedload(DrugAccount.patient),
        selectinload(Discrepancy.steps).options(
            joinedload(DiscrepancyStep.recorded_by), joinedload(DiscrepancyStep.second)
        ),
    )


def discrepancies() -> list[Discrepancy]:
    """Return every discrepancy with its steps, the newest first."""
    return list(db.session.scalars(_discrepancies().order_by(Discrepancy.opened_at.desc())))


def discrepancy(discrepancy_id: uuid.UUID) -> Discrepancy | None:
    """Return a discrepancy with its steps and what it is about."""
    return db.session.scalar(_discrepancies().where(Discrepancy.id == discrepancy_id))


def cabinet(cabinet_id: uuid.UUID) -> Cabinet | None:
    """Return a cabinet with its site."""
    return db.session.scalar(sa.select(Cabinet).where(Cabinet.id == cabinet_id).options(joinedload(Cabinet.site)))


def sheet(sheet_id: uuid.UUID) -> StockCount | None:
    """Return a count sheet with its lines, pages and people."""
    return db.session.scalar(
        sa.select(StockCount)
        .where(StockCount.id == sheet_id)
        .options(
            joinedload(StockCount.cabinet).joinedload(Cabinet.site),
            joinedload(StockCount.recorded_by),
            joinedload(StockCount.witness),
            selectinload(StockCount.entries).joinedload(RegisterEntry.register),
        )
    )


def sheets(cabinet_id: uuid.UUID, *, limit: int = 40) -> list[StockCount]:
    """Return the newest count sheets of a cabinet."""
    return list(
        db.session.scalars(
            sa.select(StockCount)
            .where(StockCount.cabinet_id == cabinet_id)
            .options(joinedload(StockCount.recorded_by), joinedload(StockCount.witness))
            .order_by(StockCount.counted_at.desc())
            .limit(limit)
        )
    )


def controlled_drugs() -> list[Drug]:
    """Return the controlled drugs of the clinic's formulary that are in use."""
    found = sa.select(Drug).where(Drug.is_controlled.is_(True), Drug.is_retired.is_(False))
    return list(db.session.scalars(found.order_by(Drug.name, Drug.product)))
