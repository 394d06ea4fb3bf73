"""The controlled-drug register's arithmetic: what is left, and what nobody can account for."""

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Final

from clinic.core.units import EXACT, NO_BREAK_SPACE, Unit, format_number, format_quantity, round_half_up


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
    # The far end of a transfer; what stays in a line's dead space; the line that says that another one was wrong.
    TRANSFER_IN = "transfer-in"
    PRIME = "prime"
    STRIKE = "strike"
    # The time until which an opened vial or a preparation may be used was entered wrongly.
    TIME_CORRECTED = "time-corrected"

    @property
    def needs_witness(self) -> bool:
        """Whether a second signed-in person must stand behind the line."""
        return self in _WITNESSED


_WITNESSED: Final = frozenset(
    {
        RegisterKind.WASTE,
        RegisterKind.DESTROY,
        RegisterKind.COUNT,
        RegisterKind.ADJUST,
        RegisterKind.PRIME,
        RegisterKind.STRIKE,
        RegisterKind.TIME_CORRECTED,
    }
)

# What a line does to the container it came from. Preparing, giving and wasting happen to drug that was already
# withdrawn; a count states what is there, and only an adjustment (with its own sign) changes the balance after a
# wrong count. A strike does the opposite of the line it is about.
_EFFECT: Final = {
    RegisterKind.RECEIVE: 1,
    RegisterKind.RETURN: 1,
    RegisterKind.ADJUST: 1,
    RegisterKind.TRANSFER_IN: 1,
    RegisterKind.WITHDRAW: -1,
    RegisterKind.TRANSFER: -1,
    RegisterKind.DESTROY: -1,
    RegisterKind.PREPARE: 0,
    RegisterKind.GIVE: 0,
    RegisterKind.WASTE: 0,
    RegisterKind.COUNT: 0,
    RegisterKind.PRIME: 0,
    RegisterKind.TIME_CORRECTED: 0,
}


class BalanceBelowZero(ValueError):
    """More would leave a container than it holds."""


def effect_mg(kind: RegisterKind, quantity_mg: Decimal, *, undone: RegisterKind | None = None) -> Decimal:
    """Return what a line about a container does to its balance; a strike undoes the kind it is about."""
    if kind is RegisterKind.STRIKE:
        return EXACT.minus(effect_mg(undone, quantity_mg)) if undone else Decimal(0)
    return EXACT.multiply(quantity_mg, Decimal(_EFFECT[kind]))


def balance_after(
    balance_mg: Decimal, kind: RegisterKind, quantity_mg: Decimal, *, undone: RegisterKind | None = None
) -> Decimal:
    """Return a container's balance after one more line, in mg.

    Only an adjustment (and the strike of one) may carry a negative quantity. Raises `BalanceBelowZero` when more is
    taken than is there, `ValueError` for a negative quantity elsewhere.
    """
    if quantity_mg < 0 and kind is not RegisterKind.ADJUST:
        raise ValueError("A quantity is never below zero.")
    after = EXACT.add(balance_mg, effect_mg(kind, quantity_mg, undone=undone))
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


def lot_key(lot: str | None) -> str:
    """Return a lot as it is compared: letters and labels differ in blanks and capitals."""
    return "".join((lot or "").split()).upper()


# --- containers ------------------------------------------------------------------------------------------------------

SOLID_FORMS: Final = ("tablet", "capsule", "patch", "lozenge", "suppository", "powder vial")
"""Forms that are counted in pieces: each holds so many mg, and there is no volume."""
FORMS: Final = ("vial", "ampoule", "bag", "syringe", "bottle", *SOLID_FORMS)
"""How controlled drugs come."""
_PLACES: Final = 4


def form_of(description: str) -> str:
    """Return the form that a description names, else "container"."""
    return next((form for form in FORMS if form in description.lower()), "container")


def plural(form: str) -> str:
    """Return the word for several of a form."""
    if form.endswith("ch"):
        return f"{form}es"
    return f"{form[:-1]}ies" if form.endswith("y") else f"{form}s"


def in_pieces(quantity_mg: Decimal, piece_mg: Decimal | None, form: str) -> str:
    """Return an amount as it is counted: "30 tablets, 225 mg"; in mg alone where it is no number of whole pieces."""
    said = format_quantity(quantity_mg, Unit.MG)
    if not piece_mg or quantity_mg % piece_mg:
        return said
    pieces = EXACT.divide(quantity_mg, piece_mg)
    return f"{format_number(pieces)} {form if abs(pieces) == 1 else plural(form)}, {said}"


def content_mg(strength_mg_ml: Decimal | None, size_ml: Decimal | None) -> Decimal | None:
    """Return what a full container holds, or None where its label does not say."""
    return None if strength_mg_ml is None or size_ml is None else EXACT.multiply(strength_mg_ml, size_ml)


def register_name(
    drug_name: str,
    form: str,
    strength_mg_ml: Decimal | None,
    size_ml: Decimal | None,
    piece_mg: Decimal | None = None,
) -> str:
    """Return the head of a page: "ketamine 200 mg per 20 mL vial", "lorazepam 1 mg tablet"."""
    if piece_mg is not None:
        return f"{drug_name} {_said(piece_mg, Unit.MG)} {form}"
    if strength_mg_ml is None:
        return f"{drug_name}, {form}"
    full = content_mg(strength_mg_ml, size_ml)
    if size_ml is None or full is None:
        return f"{drug_name} {_said(strength_mg_ml, Unit.MG_PER_ML)}, {form}"
    return f"{drug_name} {_said(full, Unit.MG)} per {_said(size_ml, Unit.ML)} {form}"


def volume_ml(quantity_mg: Decimal, strength_mg_ml: Decimal | None) -> Decimal | None:
    """Return the volume of an amount at a strength to four decimals, or None without a strength.

    The register counts in mg; the volume says the same for who measures in mL.
    """
    if not strength_mg_ml:
        return None
    return round_half_up(EXACT.divide(abs(quantity_mg), strength_mg_ml), _PLACES)


class ContainerState(StrEnum):
    """What can be seen of a container."""

    SEALED = "sealed"
    OPENED = "opened"
    EMPTY = "empty"


def container_state(balance_mg: Decimal, *, is_opened: bool) -> ContainerState:
    """Return the state of a container by what it holds and whether a part was ever taken."""
    if balance_mg == 0:
        return ContainerState.EMPTY
    return ContainerState.OPENED if is_opened else ContainerState.SEALED


def _said(value: Decimal, unit: Unit) -> str:
    """An amount as the head of a page keeps it: with plain spaces, so that it can be typed and found."""
    return format_quantity(value, unit, spoken=True).replace(NO_BREAK_SPACE, " ").replace(",", "")
