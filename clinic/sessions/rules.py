"""A session's states, and what must be settled before it may start."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from clinic.core.times import elapsed_minutes
from clinic.core.units import Unit, format_number, format_quantity
from clinic.orders.rules import Breach, Finding, FindingLevel
from clinic.protocols.limit_rules import limit_text
from clinic.protocols.rules import GateEffect


class SessionStatus(StrEnum):
    """Where one visit stands. Not-done is final, and so are the three closed states once a discharge stands."""

    PLANNED = "planned"
    PRECHECKING = "prechecking"
    READY = "ready"
    INFUSING = "infusing"
    PAUSED = "paused"
    RECOVERING = "recovering"
    CLOSED_HOME = "closed-home"
    CLOSED_TRANSFER = "closed-transfer"
    CLOSED_AGAINST_ADVICE = "closed-against-advice"
    NOT_DONE = "not-done"

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is charted in this session except late entries and addenda."""
        return self in _CLOSED

    @property
    def is_open(self) -> bool:
        """Whether the patient is being looked after: from the first check to the end of recovery."""
        return self in _OPEN


# REFERENCE 7.2. Ready falls back when a check is opened again or the time-out has grown old. An emergency transfer
# passes through the stop, so that the record never shows a drug running into a patient who has left. Recovering to
# infusing needs a new order. A discharge entered by mistake can be undone for some minutes; whether it can is asked
# where that is done and by the database, and nothing else leads out of a closed state.
_NEXT: Final = {
    SessionStatus.PLANNED: {SessionStatus.PRECHECKING, SessionStatus.NOT_DONE},
    SessionStatus.PRECHECKING: {SessionStatus.READY, SessionStatus.NOT_DONE},
    SessionStatus.READY: {SessionStatus.INFUSING, SessionStatus.PRECHECKING, SessionStatus.NOT_DONE},
    SessionStatus.INFUSING: {SessionStatus.PAUSED, SessionStatus.RECOVERING},
    SessionStatus.PAUSED: {SessionStatus.INFUSING, SessionStatus.RECOVERING},
    SessionStatus.RECOVERING: {
        SessionStatus.INFUSING,
        SessionStatus.CLOSED_HOME,
        SessionStatus.CLOSED_TRANSFER,
        SessionStatus.CLOSED_AGAINST_ADVICE,
    },
    SessionStatus.CLOSED_HOME: {SessionStatus.RECOVERING},
    SessionStatus.CLOSED_TRANSFER: {SessionStatus.RECOVERING},
    SessionStatus.CLOSED_AGAINST_ADVICE: {SessionStatus.RECOVERING},
}
_CLOSED: Final = frozenset(
    {
        SessionStatus.CLOSED_HOME,
        SessionStatus.CLOSED_TRANSFER,
        SessionStatus.CLOSED_AGAINST_ADVICE,
        SessionStatus.NOT_DONE,
    }
)
_OPEN: Final = frozenset(SessionStatus) - _CLOSED - {SessionStatus.PLANNED}
# So long after it was entered a discharge can be undone (DESIGN 10).
UNDO_DISCHARGE: Final = timedelta(minutes=10)


def may_become(current: SessionStatus, wanted: SessionStatus) -> bool:
    """Return whether a session may go from one state to another."""
    return wanted in _NEXT.get(current, set())


class AdministrationKind(StrEnum):
    """What the pump was made to do."""

    START = "start"
    RATE_CHANGE = "rate_change"
    PAUSE = "pause"
    RESUME = "resume"
    BOLUS = "bolus"
    BAG_CHANGE = "bag_change"
    STOP = "stop"


# For each act, the state it leads to from each state in which it can happen. Starting again in recovery needs a new
# order.
_LEADS_TO: Final = {
    AdministrationKind.START: {
        SessionStatus.READY: SessionStatus.INFUSING,
        SessionStatus.RECOVERING: SessionStatus.INFUSING,
    },
    AdministrationKind.RATE_CHANGE: {SessionStatus.INFUSING: SessionStatus.INFUSING},
    AdministrationKind.PAUSE: {SessionStatus.INFUSING: SessionStatus.PAUSED},
    AdministrationKind.RESUME: {SessionStatus.PAUSED: SessionStatus.INFUSING},
    AdministrationKind.BOLUS: {
        SessionStatus.INFUSING: SessionStatus.INFUSING,
        SessionStatus.PAUSED: SessionStatus.PAUSED,
    },
    AdministrationKind.BAG_CHANGE: {
        SessionStatus.INFUSING: SessionStatus.INFUSING,
        SessionStatus.PAUSED: SessionStatus.PAUSED,
    },
    AdministrationKind.STOP: {
        SessionStatus.INFUSING: SessionStatus.RECOVERING,
        SessionStatus.PAUSED: SessionStatus.RECOVERING,
    },
}


def status_after(current: SessionStatus, kind: AdministrationKind) -> SessionStatus | None:
    """Return the session's state after an act at the pump, or None when the act cannot happen in this state."""
    return _LEADS_TO[kind].get(current)


class GateResult(StrEnum):
    """How one check of the page "Before infusion" was settled. An override names who and why."""

    PASS = "pass"  # noqa: S105 -- the answer to a check
    FAIL = "fail"
    NOT_APPLICABLE = "not-applicable"
    OVERRIDDEN = "overridden"


@dataclass(frozen=True)
class GateItem:
    """One check: its key in the answers, its text, and what a failure does."""

    key: str
    text: str
    effect: GateEffect


def open_gates(items: Iterable[GateItem], answers: Mapping[str, GateResult]) -> list[GateItem]:
    """Return the checks that still stand in the way: not answered, or failed and not overridden.

    A failed check whose effect is to notify stands in nobody's way; the notice itself is recorded elsewhere. Who may
    override a hard and who a soft one is a permission, not a rule of this module.
    """
    return [item for item in items if not _is_settled(item, answers.get(item.key))]


def _is_settled(item: GateItem, result: GateResult | None) -> bool:
    if result is None:
        return False
    return result is not GateResult.FAIL or item.effect is GateEffect.NOTIFY


def may_start(
    *,
    status: SessionStatus,
    items: Iterable[GateItem],
    answers: Mapping[str, GateResult],
    order_findings: Sequence[Finding],
    start_breaches: Sequence[Breach],
    double_check_passed_at: datetime | None,
    at: datetime,
    double_check_valid_min: int,
    is_supervision_settled: bool,
) -> list[str]:
    """Return every reason why the infusion may not start at `at`; none means it may.

    `order_findings` come from the checks of the order (validity, weight, rate); only the hard ones stop.
    `start_breaches` are vitals outside the order's start limits. A double check counts for `double_check_valid_min`
    minutes (the clinic's setting). `is_supervision_settled` is true when the supervising clinician is on site or the
    clinic asks for none.
    """
    reasons = [f"{item.text}: {_open_words(answers.get(item.key))}" for item in open_gates(items, answers)]
    reasons += [finding.message for finding in order_findings if finding.level is FindingLevel.HARD]
    reasons += [_breach_words(breach) for breach in start_breaches]
    if not is_supervision_settled:
        reasons.append("The supervising clinician is not on site.")
    reasons += _double_check_reasons(double_check_passed_at, at, double_check_valid_min)
    # The state comes last: "not ready" says little beside the reasons for it.
    if status not in {SessionStatus.PRECHECKING, SessionStatus.READY}:
        reasons.append(f"The session is {status.value.replace('-', ' ')}.")
    return reasons


def _open_words(result: GateResult | None) -> str:
    return "not answered." if result is None else "failed."


def _breach_words(breach: Breach) -> str:
    vital = breach.limit.vital.value.upper().replace("_", " ")
    return f"{vital} is {format_number(breach.value)}; the order's start limit is {limit_text([breach.limit])}."


def _double_check_reasons(passed_at: datetime | None, at: datetime, valid_min: int) -> list[str]:
    if passed_at is None:
        return ["The independent double check is not done."]
    age = elapsed_minutes(passed_at, at)
    if age <= valid_min:
        return []
    shown, allowed = format_quantity(Decimal(int(age)), Unit.MIN), format_quantity(valid_min, Unit.MIN)
    return [f"The double check is {shown} old; it counts for {allowed}."]
