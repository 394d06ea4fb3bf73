"""What a person can choose from, as the form library wants it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than the published types
from wtforms.validators import Optional

_E = TypeVar("_E", bound=str | StrEnum)


def options(words: Mapping[_E, str], *, blank: bool = False) -> list[SelectChoice]:
    """Choices by value with their words; with `blank` an empty one leads, so that nothing is chosen beforehand."""
    offered = [SelectChoice(str(value), text) for value, text in words.items()]
    return [SelectChoice("", ""), *offered] if blank else offered


def left_open() -> Optional:
    """Lets a choice stay unanswered. Blanks are an answer that nobody offered: they are refused, not passed over."""
    return Optional(strip_whitespace=False)
