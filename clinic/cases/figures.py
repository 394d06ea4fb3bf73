"""An expected figure beside the one that the system computed: rounding, agreement, and how each is shown.

Which name stands for what is in figure_names.py.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

from clinic.cases.instants import read_instant
from clinic.cases.parts import Expected, ExpectedScalar
from clinic.cases.playing import Refusal
from clinic.cases.stage import Stage
from clinic.core.units import round_half_up

Value: TypeAlias = Decimal | int | str | bool | datetime | Sequence["Value"] | None

NOT_COMPUTED = "not computed"


@dataclass(frozen=True, slots=True)
class Figure:
    """One expected figure beside the computed one, both as text; None stands for "null"."""

    name: str
    expected: str | None
    computed: str | None
    agrees: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What the figures are computed from. `read` keeps what was read of each session, by its number."""

    stage: Stage
    refusals: Sequence[Refusal]
    read: dict[int, object] = field(default_factory=dict)

    @property
    def expects_refusal(self) -> bool:
        """Whether the case itself tells of something that the system must refuse."""
        every = [*self.stage.case.expect, *(one for visit in self.stage.visits for one in visit.part.expect)]
        return any(_tells_of_refusal(expected) for expected in every)


_REFUSED = re.compile(r"refus|block|not[-_ ]?done|not[-_ ]?started|held")


def _tells_of_refusal(expected: Expected) -> bool:
    if expected.value in (None, False, 0):
        return expected.name in {"started", "infusion_started"} and expected.value is False
    return bool(_REFUSED.search(expected.name.lower()) or _REFUSED.search(expected.text.lower()))


def set_beside(
    wanted: ExpectedScalar | tuple[ExpectedScalar, ...], text: str, value: Value, *, is_size: bool = False
) -> tuple[bool, str | None]:
    """Whether two values agree, and the computed one as text in the precision of the expected one."""
    if isinstance(wanted, tuple):
        return _lists_beside(wanted, text, value)
    if wanted is None or value is None:
        return wanted is None and value is None, None if value is None else _shown(value)
    if isinstance(wanted, bool):
        return bool(value) is wanted, _shown(bool(value))
    if isinstance(wanted, Decimal):
        return _numbers_beside(wanted, text, value, is_size=is_size)
    return _words_beside(wanted, value)


def _lists_beside(wanted: tuple[ExpectedScalar, ...], text: str, value: Value) -> tuple[bool, str | None]:
    if not isinstance(value, list | tuple):
        return False, None if value is None else _shown(value)
    texts = text.split(", ") if len(text.split(", ")) == len(wanted) else [""] * len(wanted)
    pairs = [set_beside(one, part, other) for one, part, other in zip(wanted, texts, value, strict=False)]
    same_length = len(wanted) == len(value)
    return same_length and all(agrees for agrees, _ in pairs), ", ".join(_shown(each) for each in value)


def _numbers_beside(wanted: Decimal, text: str, value: Value, *, is_size: bool) -> tuple[bool, str | None]:
    if isinstance(value, bool):
        value = int(value)
    if not isinstance(value, Decimal | int):
        return False, _shown(value)
    rounded = round_half_up(Decimal(value), _decimals(wanted, text))
    # "-0.0" is a zero that was rounded, and prints as one.
    rounded = rounded or abs(rounded)
    agrees = abs(rounded) == abs(wanted) if is_size else rounded == wanted
    return agrees, f"{rounded:f}"


def _decimals(wanted: Decimal, text: str) -> int:
    """How many decimals the file gives; the text keeps a trailing zero that a number may lose."""
    try:
        exponent = Decimal(text.strip()).as_tuple().exponent
    except InvalidOperation:
        exponent = wanted.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _words_beside(wanted: str, value: Value) -> tuple[bool, str | None]:
    if isinstance(value, datetime):
        try:
            return read_instant(wanted, zone=UTC) == value, value.astimezone(UTC).isoformat()
        except ValueError:
            return False, value.astimezone(UTC).isoformat()
    shown = _shown(value)
    return _plain(wanted) == _plain(shown), shown


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]+", " ", text.strip().lower())


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        plain = value.normalize()
        return f"{plain:f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, list | tuple):
        return ", ".join(_shown(each) for each in value)
    return "null" if value is None else str(value)
