"""What a check found: the one shape in which every area says what does not fit, and never what to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class FindingLevel(StrEnum):
    """What a finding does to the act it was found at."""

    HARD = "hard"
    SOFT = "soft"


@dataclass(frozen=True)
class Finding:
    """A check that did not pass: a stable code, a sentence to show, and every number that went into it, as text."""

    code: str
    level: FindingLevel
    message: str
    facts: Mapping[str, str] = field(default_factory=dict)
