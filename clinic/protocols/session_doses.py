"""Doses that differ from session to session: which one is whose, how they are read and written.

Every amount was typed by a clinician. Nothing carries on: a session without an amount of its own has none.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby
from typing import Final, NamedTuple, Protocol

from clinic.core.units import BadNumber, Unit, format_number, format_quantity, parse_decimal

_MOST_SESSIONS: Final = 200
_MOST: Final = 999_999
_PLACES: Final = 4
_SHOWN: Final = 20
_HOW: Final = "Write 0.2, 0.4, 2 x 0.6: the dose of session 1, of session 2, of the two after it"
_PART: Final = re.compile(r"(?:(\d{1,3}) ?[x×] ?)?(\S+)", re.ASCII)


class Dosed(Protocol):
    """Terms with one dose for all sessions or with one for each: a `TermsDraft` or a row of the same names."""

    @property
    def start_amount(self) -> Decimal | None: ...
    @property
    def session_amounts(self) -> tuple[Decimal, ...] | None: ...


class BadAmounts(ValueError):
    """A text that cannot be read. The message says what to write instead."""


class DoseRun(NamedTuple):
    """Sessions one after the other that have the same dose."""

    first: int
    last: int
    amount: Decimal

    @property
    def words(self) -> str:
        """Which ones they are: "session 2", "sessions 3 to 5"."""
        return f"session {self.first}" if self.first == self.last else f"sessions {self.first} to {self.last}"


def amount_for(terms: Dosed, number: int) -> Decimal | None:
    """Return the dose of a session by its number in the course; None where nobody entered one for it."""
    if not terms.session_amounts:
        return terms.start_amount
    return terms.session_amounts[number - 1] if 1 <= number <= len(terms.session_amounts) else None


def most_amount(terms: Dosed) -> Decimal | None:
    """Return the highest dose of any session."""
    return max(terms.session_amounts) if terms.session_amounts else terms.start_amount


def dose_runs(amounts: Sequence[Decimal]) -> list[DoseRun]:
    """Return the doses of sessions 1, 2, 3 …, with neighbours that are the same taken together."""
    runs, before = [], 0
    for amount, same in groupby(amounts):
        count = len(list(same))
        runs.append(DoseRun(before + 1, before + count, amount))
        before += count
    return runs


def read_amounts(text: str) -> tuple[Decimal, ...] | None:
    """Return the doses of "0.2, 0.4, 2 x 0.6" one by one, None for an empty text. Raises BadAmounts otherwise.

    A comma stands between two doses and has a space after it, so that "0,2" is never read as two of them.
    """
    if not text.strip():
        return None
    if re.search(r",(?!\s)", text.strip()):
        raise BadAmounts("Write 0.2 with a point, and a comma with a space between two doses")
    amounts: list[Decimal] = []
    for part in text.lower().split(","):
        amounts += _read_part(" ".join(part.split()))
        if len(amounts) > _MOST_SESSIONS:
            raise BadAmounts(f"At most {_MOST_SESSIONS} sessions")
    return tuple(amounts)


def _read_part(part: str) -> list[Decimal]:
    found = _PART.fullmatch(part)
    if found is None or found[1] == "0":
        raise BadAmounts(_HOW)
    try:
        amount = parse_decimal(found[2], places=_PLACES, minimum=0, maximum=_MOST)
    except BadNumber as problem:
        raise BadAmounts(f"{part[:_SHOWN]}: {problem}") from problem
    if amount <= 0:
        raise BadAmounts(f"{part[:_SHOWN]}: every dose is more than 0")
    return [amount] * int(found[1] or 1)


def amounts_typed(amounts: Sequence[Decimal] | None) -> str:
    """Return the doses as they are typed: "0.2, 0.4, 2 x 0.6"."""
    plain = [(run, format_number(run.amount).replace(",", "")) for run in dose_runs(amounts or ())]
    return ", ".join(f"{run.last - run.first + 1} x {text}" if run.last > run.first else text for run, text in plain)


def amounts_text(amounts: Sequence[Decimal], unit: Unit) -> str:
    """Return "session 1: 0.2 mg per kg per hour, sessions 2 to 3: 0.4 mg per kg per hour"."""
    return ", ".join(f"{run.words}: {format_quantity(run.amount, unit, spoken=True)}" for run in dose_runs(amounts))
