"""The register as its page lays it out: one row for each line, amounts in full containers or in mg."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from clinic.accounts.models import Staff
from clinic.core import formats, times
from clinic.core.units import Unit, format_number, format_quantity
from clinic.druglog.models import Container, DrugAccount, Register, RegisterEntry
from clinic.druglog.queries import AccountLine, lines_from
from clinic.druglog.rules import RegisterKind, container_state, in_pieces, plural

_WORDS = {
    RegisterKind.RECEIVE: "received",
    RegisterKind.WITHDRAW: "drawn",
    RegisterKind.PREPARE: "prepared",
    RegisterKind.GIVE: "given",
    RegisterKind.WASTE: "waste",
    RegisterKind.RETURN: "returned",
    RegisterKind.TRANSFER: "sent",
    RegisterKind.TRANSFER_IN: "accepted",
    RegisterKind.DESTROY: "destroyed",
    RegisterKind.COUNT: "count",
    RegisterKind.ADJUST: "adjusted",
    RegisterKind.PRIME: "left in the line",
    RegisterKind.STRIKE: "struck out",
    RegisterKind.TIME_CORRECTED: "beyond-use time corrected",
}
# Lines whose words belong to what they say.
_SAID = frozenset(
    {
        RegisterKind.TRANSFER,
        RegisterKind.TRANSFER_IN,
        RegisterKind.ADJUST,
        RegisterKind.DESTROY,
        RegisterKind.TIME_CORRECTED,
    }
)
NOT_OF_THE_CABINET = (RegisterKind.PREPARE, RegisterKind.GIVE)
"""Lines that tell of the bedside: they stand on the page when all lines are asked for."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the register's table."""

    when: str
    what: str
    more: str
    patient: str
    amount: str
    balance: str
    by: str
    witness: str
    entry_id: uuid.UUID | None = None
    is_struck: bool = False
    is_strong: bool = False
    is_waiting: bool = False


@dataclass(frozen=True, slots=True)
class Units:
    """How a page counts: in full containers or single tablets where every line is about whole ones, else in mg."""

    full_mg: Decimal | None
    form: str

    def amount(self, quantity_mg: Decimal) -> str:
        """Return an amount with its unit."""
        if not self.full_mg:
            return format_quantity(quantity_mg, Unit.MG)
        pieces = quantity_mg / self.full_mg
        return f"{format_number(pieces)} {self.form if abs(pieces) == 1 else plural(self.form)}"

    def balance(self, quantity_mg: Decimal) -> str:
        """Return a balance; mg are named, containers are counted."""
        if not self.full_mg:
            return format_quantity(quantity_mg, Unit.MG)
        return format_number(quantity_mg / self.full_mg)


def units_of(register: Register, entries: Sequence[RegisterEntry], balance_mg: Decimal) -> Units:
    """Return how a page counts, judged by all its lines that are shown: one column never mixes two units."""
    full = register.content_mg
    amounts = [balance_mg, *(one.register_after_mg or Decimal(0) for one in entries)]
    amounts += [one.quantity_mg for one in entries if one.container_id or one.kind is RegisterKind.COUNT]
    is_whole = full is not None and all(amount % full == 0 for amount in amounts)
    return Units(full if is_whole else None, register.form)


def rows_of(entries: Sequence[RegisterEntry], units: Units, *, today: date, rest: int = 0) -> list[Row]:
    """Return the rows of a page, the newest first; containers of one delivery stand in one row.

    `rest` are the containers of the last one's delivery that stand further below.
    """
    rows: list[Row] = []
    before: RegisterEntry | None = None
    pieces = 1
    for number, entry in enumerate(entries):
        if before is not None and _is_same_delivery(before, entry):
            pieces += 1
            rows[-1] = replace(rows[-1], amount=units.amount(pieces * entry.quantity_mg))
            continue
        pieces = 1
        below = entries[number + 1] if number + 1 < len(entries) else None
        rows.append(_row(entry, units, below, today))
        before = entry
    if rest and before is not None:
        rows[-1] = replace(rows[-1], amount=units.amount((pieces + rest) * before.quantity_mg))
    return rows


def _is_same_delivery(one: RegisterEntry, other: RegisterEntry) -> bool:
    if one.kind is not RegisterKind.RECEIVE or other.kind is not RegisterKind.RECEIVE:
        return False
    if one.container is None or other.container is None or one.is_struck or other.is_struck:
        return False
    receipt = one.container.receipt_id
    return receipt is not None and receipt == other.container.receipt_id


def _row(entry: RegisterEntry, units: Units, below: RegisterEntry | None, today: date) -> Row:
    is_today = times.local(entry.happened_at, formats.zone.get()).date() == today
    clock = "" if is_today else formats.clock(entry.happened_at)
    is_of_cabinet = entry.container_id is not None or entry.kind in {RegisterKind.COUNT, RegisterKind.STRIKE}
    patient = entry.account.patient if entry.account else None
    in_units = entry.container_id is not None or entry.kind is RegisterKind.COUNT
    amount = units.amount(entry.quantity_mg) if in_units else format_quantity(entry.quantity_mg, Unit.MG)
    is_strike = entry.kind is RegisterKind.STRIKE
    return Row(
        when=formats.clock(entry.happened_at) if is_today else formats.short_day(entry.happened_at),
        what=_struck_words(entry, below) if is_strike else _WORDS[entry.kind],
        more=", ".join(part for part in (_more(entry, units), clock) if part),
        patient=f"{patient.family_name.upper()}, {patient.given_name}" if patient and not is_strike else "",
        amount="" if is_strike or entry.kind is RegisterKind.TIME_CORRECTED else amount,
        balance=units.balance(entry.register_after_mg or Decimal(0)) if is_of_cabinet else "\N{EN DASH}",
        by=short_name(entry.recorded_by),
        witness=short_name(entry.witness) if entry.witness else "",
        entry_id=entry.id,
        is_struck=entry.is_struck,
        is_strong=entry.kind is RegisterKind.COUNT,
    )


def _struck_words(entry: RegisterEntry, below: RegisterEntry | None) -> str:
    which = (
        "the line below" if below and below.id == entry.about_id else f"line {entry.about.line if entry.about else ''}"
    )
    return f"struck out {which}: {entry.reason}"


def _more(entry: RegisterEntry, units: Units) -> str:
    match entry.kind:
        case RegisterKind.COUNT if entry.container is None:
            held = entry.register_after_mg or Decimal(0)
            return "agrees" if entry.quantity_mg == held else f"differs: the register says {units.amount(held)}"
        case RegisterKind.COUNT:
            held = entry.balance_after_mg or Decimal(0)
            return "of one agrees" if entry.quantity_mg == held else "of one differs"
        case kind if kind in _SAID:
            return entry.reason or ""
        case RegisterKind.RECEIVE if entry.container and entry.container.receipt:
            receipt = entry.container.receipt
            return f"{receipt.supplier}, invoice {receipt.invoice}, lot {entry.container.lot}"
        case _:
            return ""


def short_name(person: Staff) -> str:
    """Return a person for a narrow column: M. Reyes."""
    return f"{person.given_name[:1]}. {person.family_name}"


# --- beside the register ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Left:
    """An account that is not settled: what is left of a drug in it; below zero, more was used than taken out."""

    account: DrugAccount
    line: AccountLine
    is_given: bool

    @property
    def over_mg(self) -> Decimal | None:
        """What was used beyond what was taken out, if anything."""
        return abs(self.line.unaccounted_mg) if self.line.unaccounted_mg < 0 else None


def left_in(accounts: Sequence[DrugAccount], drug_name: str) -> list[Left]:
    """Return the accounts in which a drug does not come to nothing."""
    found = [(account, one) for account in accounts for one in lines_from(account.entries)]
    return [
        Left(account, one, is_given=one.given_mg > 0)
        for account, one in found
        if one.drug_name == drug_name and one.unaccounted_mg != 0
    ]


@dataclass(frozen=True, slots=True)
class Piece:
    """A container as the list of a cabinet shows it, or several full ones of one lot."""

    container: Container
    pieces: int
    held: str
    state: str
    is_expired: bool


def pieces_of(found: Sequence[tuple[Container, Decimal]], *, today: date, now: datetime) -> list[Piece]:
    """Return what stands in a cabinet: opened containers one by one, sealed ones of a lot together."""
    pieces: list[Piece] = []
    for container, balance in found:
        state = container_state(balance, is_opened=container.opened_at is not None)
        is_old = container.expires_on is not None and container.expires_on < today
        is_old = is_old or (container.use_before_at is not None and container.use_before_at < now)
        held = in_pieces(balance, container.piece_mg, container.register.form)
        one = Piece(container, 1, held, state.value, is_old)
        last = pieces[-1] if pieces else None
        if last and state == "sealed" and _is_alike(last, one):
            pieces[-1] = replace(last, pieces=last.pieces + 1)
        else:
            pieces.append(one)
    return pieces


def _is_alike(one: Piece, other: Piece) -> bool:
    first, second = one.container, other.container
    return (
        one.state == other.state
        and one.held == other.held
        and (first.lot, first.expires_on)
        == (
            second.lot,
            second.expires_on,
        )
    )


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What of a session's drug should be left, and how the measured amount compares."""

    rows: tuple[tuple[str, str], ...]
    left_mg: Decimal
    words: str
    is_within: bool
    is_more: bool = False


def reckoning(line: AccountLine, measured_mg: Decimal | None, tolerance_mg: Decimal | None) -> Reckoning:
    """Return the sum above a waste. Drawn, given, returned and wasted are different numbers and stay apart."""

    def mg(value: Decimal) -> str:
        return format_quantity(value, Unit.MG)

    rows = [("Drawn for this session", mg(line.withdrawn_mg)), ("Given, from the flowsheet", mg(line.given_mg))]
    rows += [
        (words, mg(value))
        for words, value in (
            ("Adjusted", line.adjusted_mg),
            ("Left in the line", line.primed_mg),
            ("Returned", line.returned_mg),
            ("Wasted before", line.wasted_mg),
        )
        if value
    ]
    if measured_mg is None:
        return Reckoning(tuple(rows), line.unaccounted_mg, "", is_within=True)
    difference = abs(line.unaccounted_mg - measured_mg)
    allowed = tolerance_mg or Decimal(0)
    is_within = difference <= allowed
    of_clinic = (
        f"the tolerance of {mg(allowed)} your clinic set" if tolerance_mg is not None else "what your clinic set"
    )
    words = f"Difference {mg(difference)}. {'Within' if is_within else 'Beyond'} {of_clinic}."
    is_more = measured_mg > max(line.unaccounted_mg, Decimal(0)) + allowed
    return Reckoning(tuple(rows), line.unaccounted_mg, words, is_within, is_more)
