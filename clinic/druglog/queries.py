"""Named reads of the drug account of a session, and of where a line goes on its page."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from clinic.core import db
from clinic.druglog.models import Container, Discrepancy, DrugAccount, Register, RegisterEntry
from clinic.druglog.rules import RegisterKind, total_mg, unaccounted_mg


@dataclass(frozen=True)
class AccountLine:
    """How one drug of a session's account stands, in mg; at the end nothing may be unaccounted for.

    `adjusted_mg` are witnessed corrections of what was used: they count as given, with their own sign. `primed_mg`
    stayed in the line and counts as used up. Lines that were struck out count for nothing.
    """

    drug_name: str
    withdrawn_mg: Decimal
    prepared_mg: Decimal
    given_mg: Decimal
    primed_mg: Decimal
    wasted_mg: Decimal
    returned_mg: Decimal
    adjusted_mg: Decimal
    unaccounted_mg: Decimal


def account_lines(account: DrugAccount) -> list[AccountLine]:
    """Return the account drug by drug, in the order in which the drugs first appear."""
    return lines_from(entries_of(account))


def lines_from(all_entries: Iterable[RegisterEntry]) -> list[AccountLine]:
    """Return what the lines of one account come to, drug by drug."""
    entries = [entry for entry in all_entries if entry.counts]
    names = list(dict.fromkeys(entry.drug_name for entry in entries))
    return [_line(name, [entry for entry in entries if entry.drug_name == name]) for name in names]


def _line(name: str, entries: list[RegisterEntry]) -> AccountLine:
    def of(*kinds: RegisterKind) -> Decimal:
        return total_mg(entry.quantity_mg for entry in entries if entry.kind in kinds)

    withdrawn, given, wasted = of(RegisterKind.WITHDRAW), of(RegisterKind.GIVE), of(RegisterKind.WASTE)
    returned, adjusted, primed = of(RegisterKind.RETURN), of(RegisterKind.ADJUST), of(RegisterKind.PRIME)
    return AccountLine(
        drug_name=name,
        withdrawn_mg=withdrawn,
        prepared_mg=of(RegisterKind.PREPARE),
        given_mg=given,
        primed_mg=primed,
        wasted_mg=wasted,
        returned_mg=returned,
        adjusted_mg=adjusted,
        unaccounted_mg=unaccounted_mg(withdrawn, total_mg((given, adjusted, primed)), wasted, returned),
    )


def entries_of(account: DrugAccount) -> list[RegisterEntry]:
    """Return the lines of an account in the order of time, with the people and the containers.

    They are read anew: who has waited for the page must see what others struck out meanwhile.
    """
    return list(
        db.session.scalars(
            sa.select(RegisterEntry)
            .where(RegisterEntry.account_id == account.id)
            .options(
                joinedload(RegisterEntry.container),
                joinedload(RegisterEntry.answer),
                joinedload(RegisterEntry.recorded_by),
                joinedload(RegisterEntry.witness),
            )
            .order_by(RegisterEntry.happened_at, RegisterEntry.id)
            .execution_options(populate_existing=True)
        )
    )


def given_mg(account: DrugAccount, drug_name: str) -> Decimal:
    """Return what the register says was given of a drug, witnessed adjustments included."""
    kinds = {RegisterKind.GIVE, RegisterKind.ADJUST}
    entries = entries_of(account)
    return total_mg(
        one.quantity_mg for one in entries if one.counts and one.drug_name == drug_name and one.kind in kinds
    )


def register_of(account: DrugAccount | None, drug_name: str) -> Register | None:
    """Return the page that an account last took a drug from; its waste stands there too."""
    if account is None:
        return None
    return db.session.scalar(
        sa.select(Register)
        .join(RegisterEntry, RegisterEntry.register_id == Register.id)
        .where(
            RegisterEntry.account_id == account.id,
            RegisterEntry.drug_name == drug_name,
            RegisterEntry.kind == RegisterKind.WITHDRAW,
        )
        .order_by(RegisterEntry.recorded_at.desc(), RegisterEntry.id.desc())
        .limit(1)
    )


def end_of(register: Register) -> tuple[int, Decimal]:
    """Return the number of a page's last line and the balance after it; of an empty page, zero and nothing."""
    last = db.session.execute(
        sa.select(RegisterEntry.line, RegisterEntry.register_after_mg)
        .where(RegisterEntry.register_id == register.id)
        .order_by(RegisterEntry.line.desc())
        .limit(1)
    ).first()
    return (last[0] or 0, last[1] or Decimal(0)) if last else (0, Decimal(0))


@dataclass(frozen=True, slots=True)
class ContainerEnd:
    """What a container holds by the page on which it stands, and whether it is on its way to another cabinet."""

    balance_mg: Decimal
    is_underway: bool


def container_end(container: Container) -> ContainerEnd:
    """Return how a container stands after its last line."""
    last = db.session.execute(
        sa.select(RegisterEntry.balance_after_mg, RegisterEntry.kind)
        .where(RegisterEntry.container_id == container.id, RegisterEntry.register_id == container.register_id)
        .order_by(RegisterEntry.line.desc())
        .limit(1)
    ).first()
    if last is None:
        return ContainerEnd(Decimal(0), is_underway=False)
    return ContainerEnd(last[0] or Decimal(0), is_underway=last[1] is RegisterKind.TRANSFER)


def balance_mg(container: Container) -> Decimal:
    """Return what a container holds by the page on which it stands."""
    return container_end(container).balance_mg


def most_held_mg(container: Container) -> Decimal:
    """Return the most that a container ever held: what it came with, or what a witnessed adjustment found in it."""
    lines = sa.select(sa.func.max(RegisterEntry.balance_after_mg)).where(RegisterEntry.container_id == container.id)
    return db.session.scalar(lines) or Decimal(0)


def held() -> sa.ScalarSelect[Decimal | None]:
    """Return what each `Container` of the statement around it holds."""
    return (
        sa.select(RegisterEntry.balance_after_mg)
        .where(RegisterEntry.container_id == Container.id, RegisterEntry.register_id == Container.register_id)
        .order_by(RegisterEntry.line.desc())
        .limit(1)
        .scalar_subquery()
    )


def containers_at_hand(drug_names: Collection[str], account: DrugAccount | None) -> list[tuple[Container, Decimal]]:
    """Return the containers that hold something, or that the account took from, each with its balance, newest first."""
    ours = sa.select(RegisterEntry.id).where(RegisterEntry.container_id == Container.id)
    is_ours = ours.where(RegisterEntry.account_id == account.id).exists() if account else sa.false()
    found = db.session.execute(
        sa.select(Container, held())
        .where(Container.drug_name.in_(drug_names), (held() > Decimal(0)) | is_ours)
        .options(joinedload(Container.register).joinedload(Register.cabinet), selectinload(Container.time_corrections))
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
            sa.select(Discrepancy)
            .where(Discrepancy.account_id == account.id)
            .options(selectinload(Discrepancy.steps))
            .order_by(Discrepancy.opened_at)
        )
    )
