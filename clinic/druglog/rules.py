"""The controlled-drug register's arithmetic: what is left, and what nobody can account for."""

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Final

from clinic.core.units import EXACT, Unit, format_quantity


class RegisterKind(StrEnum):
    """One line of the register. Lines are only ever added."""

    RECEIVE = "receive"
    WITHDRAW = "withdraw"
    PREPARE = "prepare"
    GIVE = "give"
    WASTE = "waste"
    RETURN = "return"
    TRANSFER = "transfer"
    DESTROY = "destroy"
    COUNT = "count"
    ADJUST = "adjust"

    @property
    def needs_witness(self) -> bool:
        """Whether a second signed-in person must stand behind the line."""
        return self in _WITNESSED


_WITNESSED: Final = frozenset({RegisterKind.WASTE, RegisterKind.DESTROY, RegisterKind.COUNT, RegisterKind.ADJUST})

# What a line does to the container it came from. Preparing, giving and wasting happen to drug that was already
# withdrawn; a count states what is there, and only an adjustment (with its own sign) changes the balance after a
# wrong count.
_EFFECT: Final = {
    RegisterKind.RECEIVE: 1,
    RegisterKind.RETURN: 1,
    RegisterKind.ADJUST: 1,
    RegisterKind.WITHDRAW: -1,
    RegisterKind.TRANSFER: -1,
    RegisterKind.DESTROY: -1,
    RegisterKind.PREPARE: 0,
    RegisterKind.GIVE: 0,
    RegisterKind.WASTE: 0,
    RegisterKind.COUNT: 0,
}


class BalanceBelowZero(ValueError):
    """More would leave a container than it holds."""


def balance_after(balance_mg: Decimal, kind: RegisterKind, quantity_mg: Decimal) -> Decimal:
    """Return a container's balance after one more line, in mg.

    Only an adjustment may carry a negative quantity. Raises `BalanceBelowZero` when more is taken than is there,
    `ValueError` for a negative quantity elsewhere.
    """
    if quantity_mg < 0 and kind is not RegisterKind.ADJUST:
        raise ValueError("A quantity is never below zero.")
    after = EXACT.add(balance_mg, EXACT.multiply(quantity_mg, Decimal(_EFFECT[kind])))
    if after < 0:
        held, wanted = format_quantity(balance_mg, Unit.MG), format_quantity(abs(quantity_mg), Unit.MG)
        raise BalanceBelowZero(f"The container holds {held}; {wanted} cannot be taken from it.")
    return after


def unaccounted_mg(withdrawn_mg: Decimal, given_mg: Decimal, wasted_mg: Decimal, returned_mg: Decimal) -> Decimal:
    """Return withdrawn less given, wasted and returned, in mg: zero when the account balances.

    Above zero, drug is missing; below zero, more was used than withdrawn. Both open a discrepancy.
    """
    return EXACT.subtract(withdrawn_mg, total_mg((given_mg, wasted_mg, returned_mg)))


def is_balanced(unaccounted: Decimal, *, tolerance_mg: Decimal) -> bool:
    """Return whether what is unaccounted for, either way, is within the clinic's tolerance (mg, itself allowed)."""
    return abs(unaccounted) <= tolerance_mg


def total_mg(quantities_mg: Iterable[Decimal]) -> Decimal:
    """Return the exact sum of quantities in mg."""
    total = Decimal(0)
    for quantity in quantities_mg:
        total = EXACT.add(total, quantity)
    return total
