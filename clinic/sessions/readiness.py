"""What still stands between a session and its start: the clinic's checks, and what the software compares by itself."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from clinic.accounts.models import Clinic
from clinic.core import db
from clinic.core.times import date_label, local
from clinic.core.units import format_number, format_quantity
from clinic.courses.models import Course, CourseReview
from clinic.orders import usage
from clinic.orders.models import OrderVersion
from clinic.orders.rules import (
    Breach,
    Finding,
    FindingLevel,
    LimitLevel,
    OrderStatus,
    Vital,
    breaches,
    check_validity,
    check_weight,
)
from clinic.patients import queries as patients
from clinic.patients.rules import Answer
from clinic.protocols.limit_rules import limit_text
from clinic.protocols.models import CheckItem, Limit
from clinic.protocols.rules import CheckKind
from clinic.protocols.session_doses import amount_for
from clinic.sessions.event_rules import CheckPurpose
from clinic.sessions.models import DoubleCheck, GateAnswer, InfusionSession, ObservationSet
from clinic.sessions.progress import current, latest_sets, reading_of
from clinic.sessions.rules import GateItem, GateResult, SessionStatus, may_start

# Where the clinic sets no time, a double check of the same session does not grow old.
_NEVER_OLD_MIN: Final = 10**7

# In these states drug was given, or is being given: the session counts against the order.
USED: Final = frozenset(
    {
        SessionStatus.INFUSING,
        SessionStatus.PAUSED,
        SessionStatus.RECOVERING,
        SessionStatus.CLOSED_HOME,
        SessionStatus.CLOSED_TRANSFER,
        SessionStatus.CLOSED_AGAINST_ADVICE,
    }
)


def clinic_of(infusion: InfusionSession) -> Clinic:
    """Return the clinic with its settings."""
    return db.session.get_one(Clinic, infusion.clinic_id)


def day_of(clinic: Clinic, at: datetime) -> date:
    """Return the clinic's calendar day of an instant."""
    return local(at, ZoneInfo(clinic.zone)).date()


def gate_key(item: CheckItem) -> str:
    """Return what a check is called in every version of an order: a new version has rows of its own."""
    return f"{item.kind.value}: {item.text}"


def answers(infusion: InfusionSession) -> dict[str, GateAnswer]:
    """Return how each check stands, by `gate_key`."""
    return {gate_key(answer.check_item): answer for answer in current(infusion.gate_answers)}


def answer_to(infusion: InfusionSession, item: CheckItem) -> GateAnswer | None:
    """Return the answer that stands for one check, or None."""
    return answers(infusion).get(gate_key(item))


def asked(infusion: InfusionSession, kind: CheckKind) -> list[CheckItem]:
    """Return the order's checks of one kind."""
    return [item for item in infusion.order_version.terms.checks if item.kind is kind]


def findings(infusion: InfusionSession, kind: CheckKind, at: datetime) -> list[Finding]:
    """Return what the software itself finds against one kind of check at `at`; empty where it cannot compare.

    Consent: active for the drug on the clinic's day. Order: signed, in force, sessions left, contraindications settled.
    Weight: there, and within the clinic's per cent of the order's. Vitals: the latest against the start limits.
    """
    clinic = clinic_of(infusion)
    day = day_of(clinic, at)
    match kind:
        case CheckKind.CONSENT:
            return _consent_findings(infusion, day)
        case CheckKind.ORDER:
            return order_findings(infusion.order_version, day, infusion)
        case CheckKind.WEIGHT:
            return _weight_findings(infusion, clinic)
        case CheckKind.VITALS:
            return _vitals_findings(infusion, at)
        case _:
            return []


def _hard(code: str, message: str) -> Finding:
    return Finding(code, FindingLevel.HARD, message)


def _consent_findings(infusion: InfusionSession, day: date) -> list[Finding]:
    drug = infusion.order_version.terms.drug.name
    if patients.consent_covering(infusion.patient_id, drug, day) is not None:
        return []
    return [_hard("consent-missing", f"No active consent to {drug} covers {date_label(day)}.")]


def order_findings(version: OrderVersion, day: date, infusion: InfusionSession | None = None) -> list[Finding]:
    """Return why an order version may not be used on a day: state, validity, sessions left, unsettled questions."""
    newest = version.order.current
    if newest is not None and newest.id != version.id and version.status is OrderStatus.SUPERSEDED:
        return [_hard("order-superseded", f"Version {newest.number} of the order is in force. Take it over first.")]
    if version.status is not OrderStatus.ACTIVE:
        return [_hard("order-not-in-force", f"The order is {version.status.value.replace('-', ' ')}.")]
    count = sessions_used(version.order_id, besides=infusion)
    found = check_validity(day, version.valid_from, version.valid_until, count, version.sessions_allowed)
    return [*found, *_dose_findings(version, day, infusion), *_review_findings(version, infusion), *_unsettled(version)]


def _dose_findings(version: OrderVersion, day: date, infusion: InfusionSession | None) -> list[Finding]:
    """Return why the dose of this session is not settled, where the order has one for each.

    A session out of its turn would skip a dose or go back to one: a physician signs on that day what it gets.
    """
    terms = version.terms
    if infusion is None or not terms.session_amounts:
        return []
    amount, number = amount_for(terms, infusion.number), infusion.number
    if amount is None:
        return [_hard("no-dose-for-session", f"The order has no dose for session {number}. A physician signs one.")]
    turn = max(_numbers_given(infusion), default=0) + 1
    signed_on = day_of(clinic_of(infusion), version.signature.signed_at) if version.signature else None
    if number == turn or signed_on == day:
        return []
    dose = format_quantity(amount, terms.basis.unit, spoken=True)
    words = f"Session {turn} is next to be given, this is session {number} with {dose}. A physician signs today"
    return [_hard("session-out-of-turn", f"{words} what it gets.")]


def _review_findings(version: OrderVersion, infusion: InfusionSession | None) -> list[Finding]:
    """Return that the plan asks for a physician's review after the sessions given so far, and nobody wrote it."""
    if infusion is None or not version.terms.review_after:
        return []
    arrived = db.session.scalars(
        sa.select(InfusionSession.arrived_at).where(
            InfusionSession.course_id == infusion.course_id,
            InfusionSession.status.in_(USED),
            InfusionSession.id != infusion.id,
        )
    ).all()
    if len(arrived) not in version.terms.review_after:
        return []
    written = CourseReview.course_id == infusion.course_id, CourseReview.decided_at >= max(arrived)
    if db.session.scalar(sa.select(sa.exists().where(*written))):
        return []
    given = f"{len(arrived)} session{'' if len(arrived) == 1 else 's'}"
    return [_hard("review-due", f"The plan asks for a physician's review after {given}; nobody has written it.")]


def _numbers_given(infusion: InfusionSession) -> Sequence[int]:
    """The numbers of the other sessions of the course in which drug was given."""
    return db.session.scalars(
        sa.select(InfusionSession.number).where(
            InfusionSession.course_id == infusion.course_id,
            InfusionSession.status.in_(USED),
            InfusionSession.id != infusion.id,
        )
    ).all()


def sessions_used(order_id: uuid.UUID, *, besides: InfusionSession | None = None) -> int:
    """Return in how many sessions of its course drug was given under an order."""
    used = sa.select(sa.func.count(InfusionSession.id)).join(Course, Course.id == InfusionSession.course_id)
    used = used.where(Course.order_id == order_id, InfusionSession.status.in_(USED))
    if besides is not None:
        used = used.where(InfusionSession.id != besides.id)
    return db.session.scalar(used) or 0


usage.counted_by(sessions_used)


def _unsettled(version: OrderVersion) -> list[Finding]:
    drug = version.terms.drug.name.lower()
    return [
        _hard("screening-unsettled", f"A physician has not settled: {row.question.text} Yes.")
        for row in patients.current_answers(version.order.patient_id)
        if row.answer is Answer.YES and not row.settled_text and row.question.drug_name.lower() == drug
    ]


def _weight_findings(infusion: InfusionSession, clinic: Clinic) -> list[Finding]:
    if infusion.weight is None:
        return [_hard("weight-missing", "No weight is recorded for this session.")]
    percent = None if clinic.weight_change_percent is None else Decimal(clinic.weight_change_percent)
    # Measured against measured: what the order doses on may be an ideal weight, which no scale shows.
    ordered = infusion.order_version.weight
    return check_weight(infusion.weight.kg, ordered.kg if ordered else None, percent)


def latest_vitals(infusion: InfusionSession, at: datetime) -> ObservationSet | None:
    """Return the last set of vitals taken up to `at`; a note alone is none."""
    return max(_sets_until(infusion, at).values(), key=lambda row: row.observed_at, default=None)


def _sets_until(infusion: InfusionSession, at: datetime) -> dict[Vital, ObservationSet]:
    return latest_sets(row for row in current(infusion.observation_sets) if row.observed_at <= at)


def start_breaches(infusion: InfusionSession, at: datetime) -> list[Breach]:
    """Return which start limits the latest value of each vital is outside of."""
    latest = {vital: reading_of(row)[vital] for vital, row in _sets_until(infusion, at).items()}
    return breaches(_start_limits(infusion), latest)


def _start_limits(infusion: InfusionSession) -> list[Limit]:
    return [limit for limit in infusion.order_version.terms.limits if limit.level is LimitLevel.START]


def _vitals_findings(infusion: InfusionSession, at: datetime) -> list[Finding]:
    if {limit.vital for limit in _start_limits(infusion)} - set(_sets_until(infusion, at)):
        return [_hard("vitals-missing", "No vitals are recorded to compare with the order's start limits.")]
    return [
        _hard(
            "vitals-outside-start-limit",
            f"{breach.limit.vital.value.upper()} is {format_number(breach.value)}; "
            f"the order's start limit is {limit_text([breach.limit])}.",
        )
        for breach in start_breaches(infusion, at)
    ]


def passed_check(infusion: InfusionSession) -> DoubleCheck | None:
    """Return the latest double check for the start that a start can still rest on."""
    checks = [
        check
        for proposal in infusion.rate_proposals
        for check in proposal.double_checks
        if proposal.purpose is CheckPurpose.START and check.is_match and not proposal.is_blocked
    ]
    latest = max(infusion.rate_proposals, key=lambda row: (row.recorded_at, row.id), default=None)
    return next((check for check in checks if check.proposal_id == (latest.id if latest else None)), None)


def start_reasons(
    infusion: InfusionSession, double_check: DoubleCheck | None, at: datetime, extra: Iterable[Finding] = ()
) -> list[str]:
    """Return every reason why the infusion may not start at `at` on this double check; none means it may.

    What a physician overrode is not compared again, except the order itself, which nobody overrides.
    """
    terms, clinic, given = infusion.order_version.terms, clinic_of(infusion), answers(infusion)
    items = [
        GateItem(gate_key(item), item.text, item.effect)
        for item in terms.checks
        if item.kind is not CheckKind.DOUBLE_CHECK
    ]
    compared = [finding for kind in _compared(infusion, given) for finding in findings(infusion, kind, at)]
    is_vitals_overridden = _is_answered(infusion, CheckKind.VITALS, given, GateResult.OVERRIDDEN)
    missing = (
        []
        if is_vitals_overridden
        else [f for f in findings(infusion, CheckKind.VITALS, at) if f.code == "vitals-missing"]
    )
    minutes = clinic.double_check_minutes
    return may_start(
        # Starting again in recovery is a new start under a new order; the morning's checks hold.
        status=SessionStatus.READY if infusion.status is SessionStatus.RECOVERING else infusion.status,
        items=items,
        answers={key: answer.result for key, answer in given.items()},
        order_findings=[*compared, *missing, *extra],
        start_breaches=[] if is_vitals_overridden else start_breaches(infusion, at),
        double_check_passed_at=double_check.checked_at if double_check else None,
        at=at,
        double_check_valid_min=_NEVER_OLD_MIN if minutes is None else minutes,
        is_supervision_settled=_is_supervision_settled(infusion, given),
    )


def _compared(infusion: InfusionSession, given: dict[str, GateAnswer]) -> list[CheckKind]:
    def is_compared(kind: CheckKind) -> bool:
        if _is_answered(infusion, kind, given, GateResult.OVERRIDDEN):
            return False
        # A weight that is used is compared whether or not the clinic asks for it as a check.
        if kind is CheckKind.WEIGHT and infusion.weight is not None:
            return True
        return bool(asked(infusion, kind)) and not _is_answered(infusion, kind, given, GateResult.NOT_APPLICABLE)

    return [CheckKind.ORDER, *filter(is_compared, (CheckKind.CONSENT, CheckKind.WEIGHT))]


def _is_answered(infusion: InfusionSession, kind: CheckKind, given: dict[str, GateAnswer], result: GateResult) -> bool:
    """Whether one of the order's checks of a kind was settled this way."""
    return any(
        answer.result is result for item in asked(infusion, kind) if (answer := given.get(gate_key(item))) is not None
    )


def _is_supervision_settled(infusion: InfusionSession, given: dict[str, GateAnswer]) -> bool:
    if not asked(infusion, CheckKind.SUPERVISING) or infusion.supervising_id is not None:
        return True
    return _is_answered(infusion, CheckKind.SUPERVISING, given, GateResult.OVERRIDDEN)
