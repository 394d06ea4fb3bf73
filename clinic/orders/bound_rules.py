"""An order beside the protocol that it was begun from: where it goes beyond a limit that the clinic wrote there."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from clinic.core.findings import Finding, FindingLevel
from clinic.core.units import Unit, exact, format_number, format_quantity, rounded_apart
from clinic.protocols.dose_rules import DoseBasis, rate_from, rate_in, rate_mg_h
from clinic.protocols.limit_rules import Comparator, Limit, limit_text
from clinic.protocols.limit_words import LEVEL_WORDS, VITAL_WORDS
from clinic.protocols.session_doses import most_amount
from clinic.protocols.terms import TermsDraft

_AMOUNTS: Final = (
    ("maximum_total_mg", "session maximum", Unit.MG),
    ("course_maximum_mg", "course maximum", Unit.MG),
    ("maximum_duration_min", "longest time", Unit.MIN),
)
_LOW: Final = {Comparator.LT, Comparator.LE}
_HIGH: Final = {Comparator.GT, Comparator.GE}


def beyond_protocol(
    order: TermsDraft, protocol: TermsDraft, *, weight_kg: Decimal | None, level: FindingLevel
) -> list[Finding]:
    """Return every limit of the protocol that the order leaves out or widens. The clinic chose their `level`.

    Nothing is compared that the protocol does not limit.
    """
    return [
        *_amounts(order, protocol, level),
        *_rates(order, protocol, weight_kg, level),
        *_limits(order.limits, protocol.limits, level),
    ]


def _amounts(order: TermsDraft, protocol: TermsDraft, level: FindingLevel) -> Iterator[Finding]:
    for name, words, unit in _AMOUNTS:
        bound, value = getattr(protocol, name), getattr(order, name)
        if bound is None:
            continue
        bound_text = format_quantity(bound, unit)
        code = f"beyond-protocol-{words.replace(' ', '-')}"
        if value is None:
            message = f"The order has no {words}; the protocol's is {bound_text}."
            yield Finding(code, level, message, {"protocol": format_number(bound)})
        elif value > bound:
            message = f"The {words} is {format_quantity(value, unit)}; the protocol's is {bound_text}."
            yield Finding(code, level, message, {"order": format_number(value), "protocol": format_number(bound)})


@exact
def _rates(order: TermsDraft, protocol: TermsDraft, weight_kg: Decimal | None, level: FindingLevel) -> list[Finding]:
    bound = _maximum(protocol) or _highest(protocol)
    if bound is None:
        return []
    unit, most = bound
    found = []
    for words, given in (("highest rate", _highest(order)), ("maximum rate", _maximum(order))):
        value = None if given is None else _converted(given, unit, weight_kg)
        if value is not None and value > most:
            message = (
                f"The {words} is {format_quantity(rounded_apart(value, most)[0], unit)}; "
                f"the protocol allows {format_quantity(most, unit)}."
            )
            facts = {"order": format_number(value), "protocol": format_number(most), "unit": unit.short}
            found.append(Finding(f"beyond-protocol-{words.replace(' ', '-')}", level, message, facts))
    if _maximum(protocol) and not _maximum(order):
        message = f"The order has no maximum rate; the protocol's is {format_quantity(most, unit)}."
        found.append(Finding("beyond-protocol-maximum-rate", level, message, {"protocol": format_number(most)}))
    return found


def _maximum(terms: TermsDraft) -> tuple[Unit, Decimal] | None:
    unit = terms.maximum_rate_unit
    return None if terms.maximum_rate is None or unit is None else (unit.rate_unit, terms.maximum_rate)


def _highest(terms: TermsDraft) -> tuple[Unit, Decimal] | None:
    """The highest rate that the terms come to by themselves, in the unit they are written in."""
    most = most_amount(terms)
    if most is None:
        return None
    if not terms.basis.is_total:
        return terms.basis.rate_unit, max(most, terms.highest_amount or most)
    if not terms.duration_min:
        return None
    per_hour = DoseBasis.MG_PER_KG_H if terms.basis.uses_weight else DoseBasis.MG_PER_H
    rate = rate_mg_h(DoseBasis.MG, most, weight_kg=None, duration_min=terms.duration_min)
    return per_hour.rate_unit, rate


def _converted(rate: tuple[Unit, Decimal], unit: Unit, weight_kg: Decimal | None) -> Decimal | None:
    """The rate in another unit; None where that takes a weight and there is none."""
    if rate[0] is unit:
        return rate[1]
    if weight_kg is None:
        return None
    return rate_in(unit, rate_from(rate[0], rate[1], weight_kg=weight_kg), weight_kg=weight_kg)


def _limits(order: Iterable[Limit], protocol: Iterable[Limit], level: FindingLevel) -> Iterator[Finding]:
    theirs, ours = list(order), list(protocol)
    for key in dict.fromkeys((limit.level, limit.vital) for limit in ours):
        stated, asked = ([row for row in rows if (row.level, row.vital) == key] for rows in (theirs, ours))
        if not all(any(_covers(mine, limit) for mine in stated) for limit in asked):
            name = f"{VITAL_WORDS[key[1]][0]}, {LEVEL_WORDS[key[0]].lower()}"
            said = limit_text(stated) or "not set"
            message = f"{name}: {said} in the order, {limit_text(asked)} in the protocol."
            yield Finding(f"beyond-protocol-{key[0]}-{key[1]}", level, message)


def _covers(mine: Limit, theirs: Limit) -> bool:
    """Whether every value that breaches `theirs` breaches `mine` too."""
    if mine.comparator is theirs.comparator and mine.bound == theirs.bound:
        return True
    if mine.comparator in _LOW and theirs.comparator in _LOW:
        return mine.bound > theirs.bound or (mine.bound == theirs.bound and mine.comparator is Comparator.LE)
    if mine.comparator in _HIGH and theirs.comparator in _HIGH:
        return mine.bound < theirs.bound or (mine.bound == theirs.bound and mine.comparator is Comparator.GE)
    return False
