"""Named reads of the register of controlled drugs."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from clinic.core import db
from clinic.druglog.models import Container, Discrepancy, DrugAccount, RegisterEntry
from clinic.druglog.rules import RegisterKind, total_mg, unaccounted_mg


@dataclass(frozen=True)
class AccountLine:
    """How one drug of a session's account stands, in mg; at the end nothing may be unaccounted for.

    `adjusted_mg` are witnessed corrections of what was used: they count as given, with their own sign.
    """

    drug_name: str
    withdrawn_mg: Decimal
    prepared_mg: Decimal
    given_mg: Decimal
    wasted_mg: Decimal
    returned_mg: Decimal
    adjusted_mg: Decimal
    unaccounted_mg: Decimal


def account_lines(account: DrugAccount) -> list[AccountLine]:
    """Return the account drug by drug, in the order in which the drugs first appear."""
    entries = entries_of(account)
    names = list(dict.fromkeys(entry.drug_name for entry in entries))
    return [_line(name, [entry for entry in entries if entry.drug_name == name]) for name in names]


def _line(name: str, entries: list[RegisterEntry]) -> AccountLine:
    def of(*kinds: RegisterKind) -> Decimal:
        return total_mg(entry.quantity_mg for entry in entries if entry.kind in kinds)

    withdrawn, given, wasted = of(RegisterKind.WITHDRAW), of(RegisterKind.GIVE), of(RegisterKind.WASTE)
    returned, adjusted = of(RegisterKind.RETURN), of(RegisterKind.ADJUST)
    return AccountLine(
        drug_name=name,
        withdrawn_mg=withdrawn,
        prepared_mg=of(RegisterKind.PREPARE),
        given_mg=given,
        wasted_mg=wasted,
        returned_mg=returned,
        adjusted_mg=adjusted,
        unaccounted_mg=unaccounted_mg(withdrawn, given + adjusted, wasted, returned),
    )


def entries_of(account: DrugAccount) -> list[RegisterEntry]:
    """Return the lines of an account in the order of time, with the people and the containers."""
    return list(
        db.session.scalars(
            sa.select(RegisterEntry)
            .where(RegisterEntry.account_id == account.id)
            .options(
                joinedload(RegisterEntry.container),
                joinedload(RegisterEntry.recorded_by),
                joinedload(RegisterEntry.witness),
            )
            .order_by(RegisterEntry.happened_at, RegisterEntry.id)
        )
    )


def given_mg(account: DrugAccount, drug_name: str) -> Decimal:
    """Return what the register says was given of a drug, witnessed adjustments included."""
    kinds = (RegisterKind.GIVE, RegisterKind.ADJUST)
    return total_mg(
        db.session.scalars(
            sa.select(RegisterEntry.quantity_mg).where(
                RegisterEntry.account_id == account.id,
                RegisterEntry.drug_name == drug_name,
                RegisterEntry.kind.in_(kinds),
            )
        )
    )


def balance_mg(container: Container) -> Decimal:
    """Return what a container holds by the register."""
    last = db.session.scalar(
        sa.select(RegisterEntry.balance_after_mg)
        .where(RegisterEntry.container_id == container.id, RegisterEntry.balance_after_mg.is_not(None))
        # Keys grow with time: of two lines of one instant the later written one holds the balance.
        .order_by(RegisterEntry.recorded_at.desc(), RegisterEntry.id.desc())
        .limit(1)
    )
    return Decimal(0) if last is None else last


def containers_at_hand(drug_names: Collection[str], account: DrugAccount | None) -> list[tuple[Container, Decimal]]:
    """Return the containers that hold something, or that the account took from, each with its balance, newest first."""
    lines = sa.select(RegisterEntry.balance_after_mg).where(RegisterEntry.container_id == Container.id)
    held = (
        lines.where(RegisterEntry.balance_after_mg.is_not(None))
        .order_by(RegisterEntry.recorded_at.desc(), RegisterEntry.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    is_ours = lines.where(RegisterEntry.account_id == account.id).exists() if account else sa.false()
    found = db.session.execute(
        sa.select(Container, held)
        .where(Container.drug_name.in_(drug_names), (held > Decimal(0)) | is_ours)
        .order_by(Container.received_at.desc())
    )
    return [(container, balance or Decimal(0)) for container, balance in found]


def containers_of(drug_name: str) -> list[Container]:
    """Return the containers of a drug, newest first."""
    return list(
        db.session.scalars(
            sa.select(Container).where(Container.drug_name == drug_name).order_by(Container.received_at.desc())
        )
    )


def discrepancies_of(account: DrugAccount) -> list[Discrepancy]:
    """Return what was opened about an account, earliest first."""
    return list(
        db.session.scalars(
            sa.select(Discrepancy).where(Discrepancy.account_id == account.id).order_by(Discrepancy.opened_at)
        )
    )
