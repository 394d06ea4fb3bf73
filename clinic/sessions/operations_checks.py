"""Before the infusion: the clinic's checks one by one, and the team's time-out."""

from datetime import datetime

from clinic.accounts.models import Staff
from clinic.audit.rules import AuditAction
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission
from clinic.protocols.models import CheckItem
from clinic.protocols.rules import CheckKind, GateEffect, LimitLevel
from clinic.protocols.wording import ROLE_WORDS
from clinic.sessions import ordered_rates
from clinic.sessions.event_rules import SessionEventKind
from clinic.sessions.models import GateAnswer, InfusionSession, SessionEvent
from clinic.sessions.operations_shared import (
    add,
    become,
    locked,
    needed,
    optional,
    refuse_future,
    refuse_unless_may,
)
from clinic.sessions.readiness import answer_to, asked, findings, gate_key, passed_check, start_reasons
from clinic.sessions.rules import GateResult, SessionStatus

__all__ = [
    "answer_gate",
    "answer_identity",
    "passed_check",
    "settle_by_software",
    "time_out",
    "update_readiness",
]

# Nobody can say for the patient who he is, and no order is made by overriding its absence.
_NEVER_OVERRIDDEN = frozenset({CheckKind.IDENTITY, CheckKind.ORDER, CheckKind.DOUBLE_CHECK})
_ALWAYS_APPLY = _NEVER_OVERRIDDEN | {CheckKind.CONSENT, CheckKind.SUPERVISING}
_PRECHECK = frozenset({SessionStatus.PRECHECKING, SessionStatus.READY})


def answer_gate(
    infusion: InfusionSession,
    check_item: CheckItem,
    *,
    result: GateResult,
    detail: str | None = None,
    contact_name: str | None = None,
    contact_phone: str | None = None,
    by: Staff,
    at: datetime,
) -> GateAnswer:
    """Settle one check; an earlier answer stays readable and is superseded.

    Pass is refused where the software compares otherwise (consent, order, weight, start limits). Not applicable says
    why where a failure would block. An override needs a reason and a person with `OVERRIDE_GATE` who does not run
    this session. A check of one role is answered by somebody who has it. Identity is answered by `answer_identity`,
    the double check by `double_check`.
    """
    locked(infusion)
    _refuse_wrong_check(infusion, check_item)
    if check_item.kind is CheckKind.IDENTITY and result is GateResult.PASS:
        raise RuleBroken("Type the patient's year of birth.", field="year_of_birth")
    if check_item.kind is CheckKind.DOUBLE_CHECK:
        raise RuleBroken("The second person signs in and types the rate.", field="result")
    if check_item.kind is CheckKind.SUPERVISING and result is GateResult.PASS and infusion.supervising_id is None:
        raise RuleBroken("Choose the clinician who is on site.", field="supervising")
    said = optional(detail)
    if result is GateResult.PASS:
        found = findings(infusion, check_item.kind, at)
        if found:
            raise RuleBroken(" ".join(finding.message for finding in found), field="result")
    if result is GateResult.NOT_APPLICABLE:
        _refuse_not_applicable(infusion, check_item, said)
    if result is GateResult.OVERRIDDEN:
        _refuse_override(infusion, check_item, said, by)
    else:
        _refuse_other_role(check_item, by)
    answer = _answer(
        infusion, check_item, result, said, contact_name=contact_name, contact_phone=contact_phone, by=by, at=at
    )
    update_readiness(infusion, by=by, at=at)
    return answer


def answer_identity(
    infusion: InfusionSession, check_item: CheckItem, year_of_birth: int, *, by: Staff, at: datetime
) -> GateAnswer:
    """Check who the patient is by the year of birth, typed as the patient says it.

    Another year than the record's is kept as a failed answer, which is returned: the session cannot start on it.
    """
    locked(infusion)
    _refuse_wrong_check(infusion, check_item)
    if check_item.kind is not CheckKind.IDENTITY:
        raise RuleBroken("This check does not ask who the patient is.")
    _refuse_other_role(check_item, by)
    is_same = infusion.patient.born_on.year == year_of_birth
    result = GateResult.PASS if is_same else GateResult.FAIL
    # The wrong year is not written down: it may be another patient's.
    detail = "Year of birth matches the record." if is_same else "The year of birth does not match the record."
    answer = _answer(infusion, check_item, result, detail, by=by, at=at)
    update_readiness(infusion, by=by, at=at)
    return answer


def _refuse_wrong_check(infusion: InfusionSession, check_item: CheckItem) -> None:
    if infusion.status not in _PRECHECK:
        raise RuleBroken("Checks are settled before the infusion starts.")
    if check_item.terms_id != infusion.order_version.terms_id:
        raise RuleBroken("This check is not part of the order in force. Open the page again.")


def _refuse_other_role(check_item: CheckItem, by: Staff) -> None:
    if check_item.role is not None and check_item.role not in by.roles:
        raise RuleBroken(f"The order says that {ROLE_WORDS[check_item.role]} answers this check.", field="result")


def _refuse_not_applicable(infusion: InfusionSession, check_item: CheckItem, said: str | None) -> None:
    terms = infusion.order_version.terms
    always = _ALWAYS_APPLY
    if ordered_rates.uses_weight(terms):
        always |= {CheckKind.WEIGHT}
    if any(limit.level is LimitLevel.START for limit in terms.limits):
        always |= {CheckKind.VITALS}
    if check_item.kind in always:
        raise RuleBroken("This check applies to every session.", field="result")
    if check_item.effect is GateEffect.HARD:
        needed(said, "Say why this does not apply.", field="detail")


def _refuse_override(infusion: InfusionSession, check_item: CheckItem, said: str | None, by: Staff) -> None:
    if check_item.kind in _NEVER_OVERRIDDEN:
        raise RuleBroken("Nobody can override this check.", field="result")
    refuse_unless_may(by, Permission.OVERRIDE_GATE, "Only a physician overrides a check.", field="result")
    if infusion.nurse_id == by.id:
        raise RuleBroken("Who runs the session cannot override its checks.", field="result")
    needed(said, "Say why.", field="detail")


def _answer(
    infusion: InfusionSession,
    check_item: CheckItem,
    result: GateResult,
    detail: str | None,
    *,
    contact_name: str | None = None,
    contact_phone: str | None = None,
    by: Staff,
    at: datetime,
) -> GateAnswer:
    earlier = answer_to(infusion, check_item)
    answer = GateAnswer(
        infusion=infusion,
        check_item=check_item,
        result=result,
        detail=detail,
        contact_name=optional(contact_name),
        contact_phone=optional(contact_phone),
        supersedes_id=earlier.id if earlier else None,
        correction_reason="Answered again." if earlier else None,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    add(
        answer,
        AuditAction.GATE_ANSWERED,
        infusion,
        by=by,
        at=at,
        check=gate_key(check_item),
        was=earlier.result if earlier else None,
        result=result,
        detail=detail,
    )
    return answer


def settle_by_software(
    infusion: InfusionSession, kind: CheckKind, *, is_passed: bool, detail: str, by: Staff, at: datetime
) -> None:
    """Answer the checks of a kind from what was just recorded, where the order asks them."""
    if infusion.status not in _PRECHECK:
        return
    for item in asked(infusion, kind):
        result = GateResult.PASS if is_passed else GateResult.FAIL
        _answer(infusion, item, result, detail, by=by, at=at)


def update_readiness(infusion: InfusionSession, *, by: Staff, at: datetime) -> None:
    """Take a session to ready when nothing stands in the way any more, and back when something does again."""
    if infusion.status not in _PRECHECK:
        return
    check = passed_check(infusion)
    # Without a second person's computation nothing is ready, whatever else holds: the rest is not asked for.
    is_held = check is None or bool(start_reasons(infusion, check, at))
    wanted = SessionStatus.PRECHECKING if is_held else SessionStatus.READY
    if wanted is not infusion.status:
        become(infusion, wanted, happened_at=at, by=by, at=at)


def time_out(infusion: InfusionSession, text: str, *, happened_at: datetime, by: Staff, at: datetime) -> SessionEvent:
    """Record the team's pause before the start: who was there and what was said over."""
    locked(infusion)
    refuse_future(happened_at, at, field="happened_at")
    if infusion.status not in _PRECHECK:
        raise RuleBroken("The time-out comes before the start.")
    event = SessionEvent(
        infusion=infusion,
        kind=SessionEventKind.TIME_OUT,
        happened_at=happened_at,
        text=needed(text, "Say who was there and what was checked.", field="text"),
        recorded_at=at,
        recorded_by_id=by.id,
    )
    add(event, AuditAction.EVENT_RECORDED, infusion, by=by, at=at, kind=event.kind, text=event.text)
    update_readiness(infusion, by=by, at=at)
    return event
