"""A visit from arrival to the stop: checks, the double check, and everything that the pump was made to do."""

import re
from datetime import datetime, timedelta
from decimal import Decimal

from clinic.accounts import operations as accounts
from clinic.accounts.models import Staff
from clinic.cases.facts import EventFacts, EventKind
from clinic.cases.instants import Moment
from clinic.cases.parts import BolusRow, NearMissPart
from clinic.cases.play_pump import PumpAct
from clinic.cases.play_terms import escort_of
from clinic.cases.play_visits import play_weight
from clinic.cases.playing import NotThere, Turn
from clinic.cases.stage import MINUTE, SECOND, Stage, Visit, is_flow
from clinic.core import db
from clinic.orders import operations as orders
from clinic.orders.models import VerbalOrder
from clinic.orders.rules import SpokenMode
from clinic.protocols.models import CheckItem
from clinic.protocols.rules import CheckKind
from clinic.sessions import operations as sessions
from clinic.sessions.event_rules import CheckPurpose, PumpReading
from clinic.sessions.models import DoubleCheck, InfusionSession
from clinic.sessions.readiness import findings
from clinic.sessions.rules import AdministrationKind, GateResult

_DOUBLE_CHECK_LASTS = timedelta(minutes=15)
_SPOKEN_LASTS = timedelta(minutes=15)
_BY_TELEPHONE = re.compile(r"\b(?:tele)?phone", re.IGNORECASE)
_PURPOSE = {
    AdministrationKind.START: CheckPurpose.START,
    AdministrationKind.RATE_CHANGE: CheckPurpose.RATE_CHANGE,
    AdministrationKind.RESUME: CheckPurpose.RESUME,
}


def play_before(stage: Stage, visit: Visit) -> None:
    """Arrival, weight, the people on site, and the checks that the order asks."""
    script, part = stage.script, visit.part.session

    def arrive(at: datetime) -> None:
        _, by = stage.nurse_of(visit, at)
        visit.infusion_id = sessions.arrive(visit.appointment, arrived_at=at, by=by, at=at).id

    def supervise(at: datetime) -> None:
        physician = stage.world.physician(part.supervising or visit.order.signed_by, at=at)
        sessions.set_supervising(visit.infusion, physician, by=stage.nurse_of(visit, at)[1], at=at)

    script.add(visit.arrival, Turn.ARRIVAL, "arrive", arrive, place=part.place)
    play_weight(stage, visit)
    script.add(visit.before_start(20), Turn.CHECKS, "supervising", supervise, place=part.place)
    # The vitals of the check come before the answer to it.
    seen = [row.when.at + SECOND for row in visit.part.obs if row.when.at < visit.start - SECOND]
    at = max([visit.before_start(50), *seen])
    script.add(at, Turn.CHECKS, "checks", _answer_checks, stage, visit, place=part.place)


def _answer_checks(stage: Stage, visit: Visit, at: datetime) -> None:
    infusion, (_, by) = visit.infusion, stage.nurse_of(visit, at)
    for item in infusion.order_version.terms.checks:
        if item.kind is CheckKind.IDENTITY:
            sessions.answer_identity(infusion, item, infusion.patient.born_on.year, by=by, at=at)
        elif item.kind is CheckKind.WEIGHT and infusion.weight is None:
            reason = "The dose does not depend on the weight."
            sessions.answer_gate(infusion, item, result=GateResult.NOT_APPLICABLE, detail=reason, by=by, at=at)
        elif item.kind not in {CheckKind.WEIGHT, CheckKind.SUPERVISING, CheckKind.DOUBLE_CHECK}:
            result, detail = _answer(visit, infusion, item, at)
            name = escort_of(visit.part) if item.kind is CheckKind.ESCORT else None
            sessions.answer_gate(infusion, item, result=result, detail=detail, contact_name=name, by=by, at=at)


def _answer(visit: Visit, infusion: InfusionSession, item: CheckItem, at: datetime) -> tuple[GateResult, str | None]:
    """How the case settles one check; what the software compares by itself fails where it finds something."""
    found = " ".join(finding.message for finding in findings(infusion, item.kind, at))
    if found:
        return GateResult.FAIL, found
    part = visit.part.session
    match item.kind:
        case CheckKind.FASTING:
            hours = [(part.fasting_h_solid, "solids"), (part.fasting_h_clear, "clear fluids")]
            said = ", ".join(f"{words} {value.normalize():f} h ago" for value, words in hours if value is not None)
        case CheckKind.ESCORT:
            said = escort_of(visit.part) or ""
        case CheckKind.IV_ACCESS:
            said = part.iv or ""
        case CheckKind.PREGNANCY:
            return _pregnancy(part.pregnancy_test)
        case _:
            return GateResult.PASS, None
    return (GateResult.PASS, said) if said else (GateResult.NOT_APPLICABLE, "Not stated.")


def _pregnancy(text: str | None) -> tuple[GateResult, str | None]:
    word = (text or "").lower()
    if word.startswith("pos"):
        return GateResult.FAIL, text
    return (GateResult.PASS, text) if word.startswith("neg") else (GateResult.NOT_APPLICABLE, text or "Not stated.")


# --- the double check ------------------------------------------------------------------------------------------------


def play_near_misses(stage: Stage, visit: Visit) -> None:
    """A wrong rate on the pump that the second person caught: kept as proposed, blocked or not, and as checked."""
    parts = list(visit.part.near_misses)
    if not parts:
        parts = [_near_miss_of(said, event.when.at, visit) for event, said in visit.told(EventKind.DOUBLE_CHECK_FAILED)]
    failed = visit.told(EventKind.DOUBLE_CHECK_FAILED)
    for part in parts:
        at = part.when.at if part.when else failed[0][0].when.at if failed else visit.before_start(80)
        if part.entered_ml_h is None or part.expected_ml_h is None:
            continue
        stage.script.add(
            at,
            Turn.DOUBLE_CHECK,
            "near miss",
            _play_near_miss,
            stage,
            visit,
            part,
            place=part.place,
        )


def _near_miss_of(said: EventFacts, at: datetime, visit: Visit) -> NearMissPart:
    return NearMissPart(
        when=Moment.of(at, visit.part.session.start),
        entered_ml_h=said.from_rate_ml_h,
        expected_ml_h=said.rate_ml_h,
        implied_mg_kg_h=None,
        ordered_mg_kg_h=None,
        hard_limit_mg_kg_h=None,
        caught_by=said.checker or said.given_by,
        record=None,
        system=said.text,
    )


def _play_near_miss(stage: Stage, visit: Visit, part: NearMissPart, at: datetime) -> None:
    if part.entered_ml_h is None or part.expected_ml_h is None:
        return
    code, by = stage.nurse_of(visit, at)
    caught = next((word for word in (part.caught_by or "").split() if "-" in word), None)
    checker = stage.second(visit, at, said=caught, other_than=(code,))
    is_running = bool(visit.infusion.administrations)
    purpose = CheckPurpose.RATE_CHANGE if is_running else CheckPurpose.START
    _checked(
        stage, visit.infusion, part.entered_ml_h, purpose, computed=part.expected_ml_h, by=by, checker=checker, at=at
    )


def _checked(
    stage: Stage,
    infusion: InfusionSession,
    rate_ml_h: Decimal,
    purpose: CheckPurpose,
    *,
    by: Staff,
    checker: Staff,
    at: datetime,
    computed: Decimal | None = None,
    spoken: VerbalOrder | None = None,
) -> DoubleCheck:
    """One person reads the rate from the pump, the other computes it alone and proves who it was."""
    proposal = sessions.propose_rate(
        infusion, rate_ml_h=rate_ml_h, purpose=purpose, proposed_at=at, verbal_order=spoken, by=by, at=at
    )
    accounts.check_password(checker, stage.world.password, at=at)
    return sessions.double_check(
        infusion,
        proposal,
        computed_rate_ml_h=rate_ml_h if computed is None else computed,
        checker=checker,
        checked_at=at,
        at=at,
    )


# --- the pump --------------------------------------------------------------------------------------------------------


def play_pump(stage: Stage, visit: Visit) -> None:
    """Start, changes, pauses, resumptions, stop; each with the check and the spoken order that go with it."""
    for act in visit.acts:
        if act.kind is AdministrationKind.START:
            at = _check_time(visit, act)
            stage.script.add(
                at,
                Turn.DOUBLE_CHECK,
                "double check",
                _check_start,
                stage,
                visit,
                act,
                place=act.place,
            )
        stage.script.add(
            act.when.at,
            Turn.PUMP,
            act.kind.value.replace("_", " "),
            _act,
            stage,
            visit,
            act,
            place=act.place,
        )
    for event, said in visit.told(EventKind.VERBAL_ORDER):
        stage.script.add(event.when.at, Turn.DOUBLE_CHECK, "verbal order", _hear, stage, visit, said, place=event.place)
    for row in visit.part.boluses:
        stage.script.add(row.when.at, Turn.BOLUS, "bolus", _bolus, stage, visit, row, place=row.place)
    for event, said in visit.told(EventKind.BAG_CHANGE):
        stage.script.add(
            event.when.at,
            Turn.PUMP,
            "bag change",
            _change_bag,
            stage,
            visit,
            said,
            place=event.place,
        )


def _check_time(visit: Visit, act: PumpAct) -> datetime:
    """When the start was checked: as the file says while such a check still counts, else two minutes before."""
    told = [event.when.at for event, _ in visit.told(EventKind.DOUBLE_CHECK_PASSED, EventKind.TIME_OUT)]
    counting = [at for at in told if act.when.at - _DOUBLE_CHECK_LASTS <= at <= act.when.at]
    floor = max([visit.arrival + SECOND, *(at + SECOND for at in _failed(visit) if at < act.when.at)])
    return max(counting[-1] if counting else act.when.at - 2 * MINUTE, min(floor, act.when.at))


def _failed(visit: Visit) -> list[datetime]:
    failed = [event.when.at for event, _ in visit.told(EventKind.DOUBLE_CHECK_FAILED)]
    return failed + [part.when.at for part in visit.part.near_misses if part.when]


def _check_start(stage: Stage, visit: Visit, act: PumpAct, at: datetime) -> None:
    visit.checks[act.when.at], _ = _check(stage, visit, act, None, at)


def _check(
    stage: Stage, visit: Visit, act: PumpAct, spoken: VerbalOrder | None, at: datetime
) -> tuple[DoubleCheck, Staff]:
    if act.rate_ml_h is None:
        raise NotThere
    said = act.said
    passed = [fact for _, fact in visit.told(EventKind.DOUBLE_CHECK_PASSED, EventKind.TIME_OUT)]
    checker = said.checker if said else None
    if checker is None and act.kind is AdministrationKind.START:
        checker = next((fact.checker for fact in passed if fact.checker), None)
    code, by = stage.nurse_of(visit, at, other_than=(checker,))
    second = stage.second(visit, at, said=checker, other_than=(code,))
    infusion = visit.infusion
    check = _checked(stage, infusion, act.rate_ml_h, _PURPOSE[act.kind], by=by, checker=second, at=at, spoken=spoken)
    return check, by


def _act(stage: Stage, visit: Visit, act: PumpAct, at: datetime) -> None:
    if act.kind is AdministrationKind.START:
        check = visit.checks.get(at)
        if check is None:
            raise NotThere
        db.session.refresh(check)
        volume = act.said.vtbi_ml if act.said else None
        sessions.start(
            visit.infusion,
            happened_at=at,
            double_check=check,
            volume_to_infuse_ml=volume,
            reason=act.text or None,
            by=stage.nurse_of(visit, at)[1],
            at=at,
        )
        return
    infusion, reason = visit.started, act.text or "As the case tells."
    if is_flow(act) and act.rate_ml_h is not None:
        spoken = _spoken(stage, visit, act, at)
        double_check, by = _check(stage, visit, act, spoken, at)
        verb = sessions.resume if act.kind is AdministrationKind.RESUME else sessions.change_rate
        verb(
            infusion,
            rate_ml_h=act.rate_ml_h,
            happened_at=at,
            double_check=double_check,
            reason=reason,
            verbal_order=spoken,
            by=by,
            at=at,
        )
        return
    _, by = stage.nurse_of(visit, at)
    if act.kind is AdministrationKind.PAUSE:
        sessions.pause(infusion, happened_at=at, reason=act.text or None, by=by, at=at)
    else:
        volume = act.said.pump_volume_ml if act.said else None
        shown = None if volume is None else PumpReading(volume)
        sessions.stop(infusion, happened_at=at, reason=reason, shown=shown, by=by, at=at)


def _spoken(stage: Stage, visit: Visit, act: PumpAct, at: datetime) -> VerbalOrder | None:
    """The spoken order behind a change: told in its line, or in a line of its own shortly before."""
    said = act.said
    recent = [one for when, one in visit.spoken if at - _SPOKEN_LASTS <= when <= at]
    if recent:
        visit.spoken = [(when, one) for when, one in visit.spoken if one is not recent[-1]]
        return recent[-1]
    if said is None or not (said.verbal or said.physician):
        return None
    return speak(stage, visit, said.text, said.physician, at)


def _hear(stage: Stage, visit: Visit, said: EventFacts, at: datetime) -> None:
    """A spoken order that has a line of its own; the change that it asks for follows."""
    visit.spoken.append((at, speak(stage, visit, said.text, said.physician, at)))


def speak(stage: Stage, visit: Visit, text: str, physician: str | None, at: datetime) -> VerbalOrder:
    """Write down a spoken order, read back to the physician who gave it."""
    speaker = stage.world.physician(physician or visit.part.session.supervising or visit.order.signed_by, at=at)
    spoken = orders.write_verbal_order(
        visit.infusion.order_version,
        text,
        spoken_by=speaker,
        spoken_at=at,
        mode=SpokenMode.TELEPHONE if _BY_TELEPHONE.search(text) else SpokenMode.VERBAL,
        is_read_back=True,
        by=stage.nurse_of(visit, at)[1],
        at=at,
    )
    stage.verbal.append(spoken)
    return spoken


def _bolus(stage: Stage, visit: Visit, row: BolusRow, at: datetime) -> None:
    infusion = visit.infusion
    ordered = infusion.order_version.terms.bolus_mg
    text = row.text or f"Bolus of {row.dose_mg.normalize():f} mg"
    spoken = None if ordered == row.dose_mg else speak(stage, visit, text, None, at)
    _, by = stage.nurse_of(visit, at)
    sessions.bolus(
        infusion,
        bolus_mg=row.dose_mg,
        happened_at=at,
        over_min=row.over_min,
        reason=row.text or None,
        verbal_order=spoken,
        by=by,
        at=at,
    )


def _change_bag(stage: Stage, visit: Visit, said: EventFacts, at: datetime) -> None:
    sessions.change_bag(
        visit.started,
        happened_at=at,
        volume_to_infuse_ml=said.vtbi_ml,
        reason=said.text or None,
        by=stage.nurse_of(visit, at)[1],
        at=at,
    )
