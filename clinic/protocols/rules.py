"""The words in which a clinic writes its protocols. No value in here comes from us."""

from enum import StrEnum
from typing import Final

from clinic.protocols.dose_rules import DoseBasis
from clinic.protocols.limit_rules import Comparator, LimitLevel, Vital

__all__ = ["Comparator", "DoseBasis", "LimitLevel", "Vital"]


class ProtocolStatus(StrEnum):
    """A version of a protocol: being written, read by colleagues, in use, or no longer offered."""

    DRAFT = "draft"
    REVIEW = "review"
    ACTIVE = "active"
    RETIRED = "retired"


BEING_WRITTEN: Final = frozenset({ProtocolStatus.DRAFT, ProtocolStatus.REVIEW})
"""The states in which a version may still become another text; a protocol has at most one such version."""

_NEXT: Final = {
    ProtocolStatus.DRAFT: frozenset({ProtocolStatus.REVIEW, ProtocolStatus.RETIRED}),
    ProtocolStatus.REVIEW: frozenset({ProtocolStatus.DRAFT, ProtocolStatus.ACTIVE, ProtocolStatus.RETIRED}),
    ProtocolStatus.ACTIVE: frozenset({ProtocolStatus.RETIRED}),
    ProtocolStatus.RETIRED: frozenset[ProtocolStatus](),
}


def may_become(now: ProtocolStatus, then: ProtocolStatus) -> bool:
    """Whether a version can go from one state to the other. What was never in use is dropped as it is retired."""
    return then in _NEXT[now]


class WeightRule(StrEnum):
    """Which weight a dose is worked out from."""

    ACTUAL = "actual"
    IDEAL = "ideal"
    ADJUSTED = "adjusted"


class Anchor(StrEnum):
    """The event that a phase of the observation schedule counts from."""

    PRECHECK = "precheck"
    START = "start"
    RATE_CHANGE = "rate_change"
    BOLUS = "bolus"
    PRN = "prn"
    PAUSE = "pause"
    STOP = "stop"


class CheckKind(StrEnum):
    """What the page "Before infusion" asks for and what the software can compare by itself."""

    IDENTITY = "identity"
    ALLERGIES = "allergies"
    CONSENT = "consent"
    ORDER = "order"
    WEIGHT = "weight"
    FASTING = "fasting"
    ESCORT = "escort"
    CHANGES = "changes"
    SUBSTANCES = "substances"
    PREGNANCY = "pregnancy"
    IV_ACCESS = "iv-access"
    READINESS = "readiness"
    VITALS = "vitals"
    SUPERVISING = "supervising"
    DOUBLE_CHECK = "double-check"
    OTHER = "other"


class GateEffect(StrEnum):
    """What a failed check does: it blocks, it asks for a reason, or somebody is told."""

    HARD = "hard"
    SOFT = "soft"
    NOTIFY = "notify"


class DischargeScale(StrEnum):
    """The score that a protocol's discharge rule uses."""

    MPADSS = "mpadss"
    PADSS = "padss"
    ALDRETE = "aldrete"


class SedationScale(StrEnum):
    """The clinic's sedation scale. Their directions differ: never two on one axis."""

    RASS = "RASS"
    MOAA_S = "MOAA/S"
    RAMSAY = "Ramsay"
    POSS = "POSS"
    AVPU = "AVPU"


class CourseIntent(StrEnum):
    """The kind of a course."""

    TRIAL = "trial"
    SERIES = "series"
    BOOSTER = "booster"
    MAINTENANCE = "maintenance"
