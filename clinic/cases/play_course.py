"""From the door to the signed order: patient, weight, allergies, consent, course, orders; and what was decided."""

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from clinic.cases.facts import EventKind
from clinic.cases.parts import CourseTurn, FollowUpPart, OrderPart
from clinic.cases.play_terms import terms_of
from clinic.cases.playing import NotThere, Turn
from clinic.cases.stage import MINUTE, Stage, Visit
from clinic.core.errors import RuleBroken
from clinic.core.times import from_local, local
from clinic.courses import operations as courses
from clinic.courses.rules import CourseDecision, CourseStatus, status_after
from clinic.orders import operations as orders
from clinic.outcomes import operations as outcomes
from clinic.outcomes.rules import Instrument, Occasion
from clinic.patients import operations as patients
from clinic.patients import queries as patient_queries
from clinic.patients.models import Weight
from clinic.patients.rules import Sex, WeightMethod
from clinic.protocols.rules import CourseIntent
from clinic.protocols.terms import TermsDraft
from clinic.sessions import operations as sessions

_WHY = "As the case has it."
_UNKNOWN_BIRTH = date(1970, 1, 1)
_NO_ALLERGY = re.compile(r"(none|nil|no|nka|nkda|no known.*)", re.IGNORECASE)


def play_opening(stage: Stage) -> None:
    """Put everything on the list that comes before the first visit, and what was decided about the course."""
    opening, script, case = stage.opening, stage.script, stage.case
    script.add(opening - 60 * MINUTE, Turn.DESK, "patient", _patient, stage, place=case.patient.place)
    script.add(opening - 50 * MINUTE, Turn.DESK, "consent", _consent, stage, place=case.patient.place)
    first = case.orders[0]
    script.add(opening - 20 * MINUTE, Turn.DESK, "course", _course, stage, place=first.place)
    if case.course is not None:
        script.add(opening - 10 * MINUTE, Turn.OUTCOME, "baseline", _baseline, stage)
        for turn in case.course.holds:
            _decide(stage, turn, CourseDecision.HOLD, "On hold.")
        for turn in case.course.resumptions:
            _decide(stage, turn, CourseDecision.RESUME, "Resumed.")
        if case.course.ending is not None:
            is_done = (case.course.status or "").lower().startswith("complete")
            decision = CourseDecision.COMPLETE if is_done else CourseDecision.DISCONTINUE
            _decide(stage, case.course.ending, decision, "The course ends.")
    script.add(opening, Turn.DESK, "sign the order", _sign_first, stage, place=first.place)
    for order in case.orders[1:]:
        _later_version(stage, order)
    for visit in stage.visits:
        own = visit.part.order
        if own is not None:
            at = own.signed_at or visit.arrival - 2 * MINUTE
            _version_at(stage, own, at)


def _patient(stage: Stage, at: datetime) -> None:
    part, by = stage.case.patient, stage.physician(None, at=at)
    given, _, family = part.name.rpartition(" ")
    sex = (part.sex or "").lower()
    if part.born is None:
        stage.script.supply("The birth date.")
    patient = patients.create_patient(
        mrn=part.mrn,
        family_name=family,
        given_name=given or family,
        born_on=part.born or _UNKNOWN_BIRTH,
        sex=Sex(sex) if sex in set(Sex) else Sex.UNKNOWN,
        problem=part.problem,
        by=by,
        at=at,
    )
    stage.patient_id = patient.id
    known = [text for text in part.allergies or () if not _NO_ALLERGY.fullmatch(text.strip())]
    if part.allergies is not None and not known:
        patients.record_no_known_allergies(patient, by=by, at=at)
    for text in known:
        substance, _, reaction = text.partition(":")
        patients.record_allergy(patient, substance=substance, reaction=reaction.strip() or None, by=by, at=at)


def _consent(stage: Stage, at: datetime) -> None:
    """A consent for each drug that is ordered; the case played is about other things."""
    for name in dict.fromkeys(order.drug for order in _orders(stage)):
        patients.record_consent(
            stage.patient,
            drug_name=name,
            form_version="1",
            signed_on=local(at, stage.world.zone).date(),
            valid_from=local(at, stage.world.zone).date(),
            valid_until=None,
            by=stage.physician(None, at=at),
            at=at,
        )


def _orders(stage: Stage) -> list[OrderPart]:
    return [*stage.case.orders, *(visit.part.order for visit in stage.visits if visit.part.order)]


def weigh(stage: Stage, kg: Decimal, *, at: datetime, measured_at: datetime | None = None) -> Weight:
    """The patient's weight as measured, or the one that stands already when it is the same."""
    last = patient_queries.last_weight(stage.patient.id)
    if last is not None and last.kg == kg and measured_at is None:
        return last
    stated = (stage.case.patient.weight_method or "").lower() == "stated"
    return patients.record_weight(
        stage.patient,
        kg,
        method=WeightMethod.STATED if stated else WeightMethod.MEASURED,
        measured_at=measured_at or at,
        by=stage.world.nurse(None, at=at)[1],
        at=at,
        confirmed=True,
        reason="Weighed again: the same.",
    )


def _order_weight(stage: Stage, order: OrderPart, at: datetime) -> Weight | None:
    kg = order.weight_used_kg or stage.case.patient.weight_kg
    if kg is None:
        return None
    measured_at = None
    if order.weight_taken is not None:
        measured_at = min(from_local(order.weight_taken, time(9), stage.world.zone), at)
    return weigh(stage, kg, at=at, measured_at=measured_at)


def _terms(stage: Stage, order: OrderPart, at: datetime) -> TermsDraft:
    logged = {account.drug.lower() for visit in stage.visits for account in visit.part.drug_accounts if account.drug}
    drug = stage.world.drug(
        order.drug,
        is_controlled=order.drug.lower() in logged,
        rxcui=order.rxcui_product,
        by=stage.physician(None, at=at),
        at=at,
    )
    found = terms_of(stage.case, order, drug_id=drug.id, controlled=logged)
    for text in found.supplied:
        stage.script.supply(text)
    return found.draft


def _course(stage: Stage, at: datetime) -> None:
    first, part = stage.case.orders[0], stage.case.course
    physician = stage.physician(first.signed_by, at=at)
    draft = _terms(stage, first, at)
    name = (part.protocol if part else None) or f"{first.drug} v1"
    protocol = stage.world.protocol(name, draft, by=physician, at=at)
    intent = (part.intent or "").lower() if part else ""
    course = courses.create_course(
        stage.patient,
        protocol,
        draft,
        indication=stage.case.patient.problem or "not stated",
        goal=None,
        intent=CourseIntent(intent) if intent in set(CourseIntent) else CourseIntent.SERIES,
        weight=_order_weight(stage, first, at),
        valid_from=first.valid_from,
        valid_until=first.valid_to,
        physician=physician,
        by=physician,
        at=at,
    )
    stage.course_id = course.id


def _sign_first(stage: Stage, at: datetime) -> None:
    order = stage.case.orders[0]
    draft = stage.course.order.draft
    if draft is None:
        raise NotThere
    signer = stage.physician(order.signed_by, at=at)
    courses.sign_order(stage.course, draft, by=signer, password=stage.world.password, at=at, reason=_WHY)


def _later_version(stage: Stage, order: OrderPart) -> None:
    """Sign a later version when the file says, else before the first session that names it, else at the end."""
    named = [visit for visit in stage.visits if visit.part.session.order_version == order.version]
    at = order.signed_at or (
        named[0].arrival - 2 * MINUTE if named else stage.visits[-1].last if stage.visits else None
    )
    _version_at(stage, order, at or stage.opening + MINUTE)


def _version_at(stage: Stage, order: OrderPart, at: datetime) -> None:
    stage.script.add(
        at,
        Turn.DESK,
        f"sign order version {order.version}",
        _sign_later,
        stage,
        order,
        place=order.place,
    )


def _sign_later(stage: Stage, order: OrderPart, at: datetime) -> None:
    new_version(stage, order, _order_weight(stage, order, at), "Changed.", at)


def new_version(stage: Stage, order: OrderPart, weight: Weight | None, reason: str, at: datetime) -> None:
    """Write the next version, sign it, and let a session that is open go on under it."""
    version = courses.adjust(
        stage.course,
        _terms(stage, order, at),
        reason=reason,
        weight=weight,
        valid_from=order.valid_from,
        valid_until=order.valid_to,
        by=stage.physician(order.signed_by, at=at),
        at=at,
    )
    signer = stage.physician(order.signed_by, at=at)
    courses.sign_order(stage.course, version, by=signer, password=stage.world.password, at=at, reason=_WHY)
    for visit in stage.visits:
        if visit.infusion_id is not None and not visit.infusion.status.is_closed:
            sessions.adopt_order(visit.infusion, by=stage.nurse_of(visit, at)[1], at=at)


# --- what was decided ------------------------------------------------------------------------------------------------


def _decide(stage: Stage, turn: CourseTurn, decision: CourseDecision, text: str) -> None:
    def act(at: datetime) -> None:
        is_given = any(visit.infusion_id for visit in stage.visits)
        by = stage.physician(turn.by, at=at)
        said = turn.reason or text
        if stage.course.status is status_after(
            decision, CourseStatus.ON_HOLD if decision is CourseDecision.RESUME else CourseStatus.ACTIVE
        ):
            stage.script.supply(f"“{said}” finds a course that is {stage.course.status} already.")
            return
        courses.review(stage.course, decision, said, by=by, at=at, is_dose_given=is_given)

    stage.script.add(turn.at, Turn.DESK, f"course: {decision}", act)


_DECISIONS = {
    "continue": CourseDecision.CONTINUE,
    "adjust": CourseDecision.ADJUST,
    "hold": CourseDecision.HOLD,
    "pause": CourseDecision.HOLD,
    "resume": CourseDecision.RESUME,
    "stop": CourseDecision.DISCONTINUE,
    "discontinue": CourseDecision.DISCONTINUE,
    "revoke": CourseDecision.DISCONTINUE,
    "end": CourseDecision.DISCONTINUE,
    "complete": CourseDecision.COMPLETE,
}


def decision_of(text: str) -> CourseDecision:
    """The decision that a sentence begins with; one that says nothing of the kind goes on with the course."""
    words = re.findall(r"[a-z]+", text.lower())
    found = (
        decision for word in words for stem, decision in _DECISIONS.items() if word.startswith(stem.removesuffix("e"))
    )
    return next(found, CourseDecision.CONTINUE)


def play_follow_up(stage: Stage, visit: Visit, part: FollowUpPart) -> None:
    """The call, the answers, and what the physician decided on them."""
    ended = visit.left or visit.last
    at = max(part.call.at, ended + MINUTE) if part.call else ended + timedelta(hours=24)
    script = stage.script
    script.add(at, Turn.OUTCOME, "follow-up", _call, stage, visit, part, place=visit.part.session.place)
    if part.decision:
        text = part.decision
        script.add(at + 5 * MINUTE, Turn.DESK, "review of the course", _review, stage, text)


def _call(stage: Stage, visit: Visit, part: FollowUpPart, at: datetime) -> None:
    infusion, (_, by) = visit.infusion, stage.nurse_of(visit, at)
    text = part.text or part.decision or "Called."
    outcomes.record_follow_up_call(infusion, called_at=at, is_reached=part.is_reached, text=text, by=by, at=at)
    answers: dict[Instrument, Sequence[Decimal]] = {
        Instrument.PEG: part.peg,
        Instrument.NRS: (part.nrs,) if part.nrs is not None else (),
        Instrument.PGIC: (part.pgic,) if part.pgic is not None else (),
    }
    for instrument, items in answers.items():
        if items:
            outcomes.record_outcome(
                stage.course,
                instrument,
                _whole(items),
                occasion=Occasion.FOLLOW_UP,
                answered_at=at,
                infusion=infusion,
                by=by,
                at=at,
            )


def _baseline(stage: Stage, at: datetime) -> None:
    part = stage.case.course
    if part is None:
        return
    nrs = (part.nrs_baseline,) if part.nrs_baseline is not None else ()
    for instrument, items in ((Instrument.PEG, part.peg_baseline), (Instrument.NRS, nrs)):
        if items:
            outcomes.record_outcome(
                stage.course,
                instrument,
                _whole(items),
                occasion=Occasion.BASELINE,
                answered_at=at,
                by=stage.physician(None, at=at),
                at=at,
            )


def _whole(items: Sequence[Decimal]) -> list[int | None]:
    if any(item != int(item) for item in items):
        raise RuleBroken("An answer is a whole number.", field="items")
    return [int(item) for item in items]


def _review(stage: Stage, text: str, at: datetime) -> None:
    decision, course = decision_of(text), stage.course
    if status_after(decision, course.status) is None:
        stage.script.supply(f"“{text}” is not a decision about a course that is {course.status}.")
        return
    courses.review(course, decision, text, by=stage.physician(None, at=at), at=at)


def sign_spoken(stage: Stage, at: datetime) -> None:
    """The physicians sign what they have spoken and not signed yet."""
    for spoken in stage.verbal:
        signer = stage.world.person(_code_of(stage, spoken.spoken_by_id), at=at)
        orders.sign_verbal_order(spoken, by=signer, password=stage.world.password, at=at)
    stage.verbal.clear()


def _code_of(stage: Stage, staff_id: object) -> str:
    return next(code for code, known in stage.world.staff.items() if known == staff_id)


def play_order_signatures(stage: Stage, visit: Visit) -> None:
    """The lines that say a spoken order was signed."""
    for event, _ in visit.told(EventKind.ORDER_SIGNED):
        stage.script.add(event.when.at, Turn.NOTE, "sign the spoken orders", sign_spoken, stage, place=event.place)
