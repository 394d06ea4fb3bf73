"""How a visit ends: the scores, the way out, the note with its addenda and its co-signature."""

import re
from collections.abc import Sequence
from datetime import datetime

from clinic.accounts.models import Staff
from clinic.cases.facts import EventKind
from clinic.cases.parts import DischargePart, Exit
from clinic.cases.play_terms import escort_of
from clinic.cases.playing import NotThere, Turn
from clinic.cases.stage import MINUTE, SECOND, Stage, Visit
from clinic.core.permissions import Role
from clinic.core.units import format_number, round_half_up
from clinic.notes import operations as notes
from clinic.protocols.rules import DischargeScale
from clinic.sessions import operations as sessions
from clinic.sessions.event_rules import DischargeExit, IvAction
from clinic.sessions.models import InfusionSession
from clinic.sessions.progress import progress

_TO = re.compile(r"\bto\s+(?:the\s+)?(.+?)(?:\s+(?:with|by|via|at)\b|[,;.]|$)", re.IGNORECASE)


def play_leaving(stage: Stage, visit: Visit) -> None:
    """Score, discharge and note; a session in which nothing was given is closed as not done."""
    script, place = stage.script, visit.part.session.place
    if visit.left is None and visit.stop is None:
        script.add(visit.last + MINUTE, Turn.DISCHARGE, "not done", _not_done, stage, visit, place=place)
        return
    part = visit.part.discharge
    if visit.left is not None:
        if part is not None:
            for scale, items in ((DischargeScale.MPADSS, part.mpadss), (DischargeScale.ALDRETE, part.aldrete)):
                _play_score(stage, visit, scale, items)
        script.add(visit.left, Turn.DISCHARGE, "discharge", _leave, stage, visit, place=place)
        _play_note(stage, visit, visit.left)


def _play_score(stage: Stage, visit: Visit, scale: DischargeScale, items: Sequence[int | None]) -> None:
    part = visit.part.discharge
    if not items or visit.left is None or part is None:
        return

    def score(at: datetime) -> None:
        by = stage.nurse_of(visit, at)[1]
        sessions.assess_discharge(visit.started, scale, items, assessed_at=at, by=by, at=at)

    at = max(visit.left - SECOND, visit.stop or visit.start)
    stage.script.add(at, Turn.DRUG_LOG, f"{scale} score", score, place=part.place)


def _not_done(stage: Stage, visit: Visit, at: datetime) -> None:
    told = [event.text for event, _ in visit.lines if event.text]
    reason = (visit.part.discharge.reason if visit.part.discharge else None) or "; ".join(told[-1:]) or "not stated"
    sessions.not_done(visit.infusion, reason, by=stage.nurse_of(visit, at)[1], at=at)


def _leave(stage: Stage, visit: Visit, at: datetime) -> None:
    """Close the session the way the patient left; the physician stands in where the order's criteria are not met."""
    infusion = visit.infusion
    _, by = stage.nurse_of(visit, at)
    if not infusion.administrations:
        reason = "The infusion could not be started."
        sessions.not_done(infusion, reason, by=by, at=at)
        return
    way = _way(visit)
    is_home = way in {DischargeExit.HOME_WITH_ESCORT, DischargeExit.HOME_ALONE}
    if is_home and visit.part.session.iv:
        sessions.record_iv(infusion, IvAction.REMOVED, happened_at=at, by=by, at=at)
    part, text = visit.part.discharge, _text(visit)
    override_by, override_reason = _override(stage, visit, infusion, way, at) if is_home else (None, None)
    sessions.discharge(
        infusion,
        discharged_at=at,
        exit=way,
        is_cannula_removed=is_home,
        is_escort_present=way is DischargeExit.HOME_WITH_ESCORT,
        escort_name=_escort(visit) if way is DischargeExit.HOME_WITH_ESCORT else None,
        instructions="Written instructions." if is_home else None,
        destination=_destination(part, text) if way in {DischargeExit.TRANSFER, DischargeExit.ADMITTED} else None,
        reason=(part.reason if part else None) or text or "not stated",
        override_by=override_by,
        override_reason=override_reason,
        by=by,
        at=at,
    )


def _way(visit: Visit) -> DischargeExit:
    match visit.part.exit:
        case Exit.TRANSFER:
            return DischargeExit.TRANSFER
        case Exit.ADMITTED:
            return DischargeExit.ADMITTED
        case Exit.AGAINST_ADVICE:
            return DischargeExit.AGAINST_ADVICE
        case _:
            return DischargeExit.HOME_WITH_ESCORT if _escort(visit) else DischargeExit.HOME_ALONE


def _text(visit: Visit) -> str | None:
    told = visit.told(EventKind.DISCHARGE, EventKind.TRANSFER, EventKind.AGAINST_ADVICE)
    return told[-1][0].text or None if told else None


def _escort(visit: Visit) -> str | None:
    said = escort_of(visit.part)
    if said is not None:
        return said
    return "escort" if re.search(r"\bwith (?:an |the )?escort", _text(visit) or "", re.IGNORECASE) else None


def _destination(part: DischargePart | None, text: str | None) -> str:
    found = _TO.search(text or "")
    return (part.to if part else None) or (found[1] if found else None) or "hospital"


def _override(
    stage: Stage, visit: Visit, infusion: InfusionSession, way: DischargeExit, at: datetime
) -> tuple[Staff | None, str | None]:
    reasons = sessions.home_reasons(
        infusion,
        discharged_at=at,
        exit=way,
        is_escort_present=way is DischargeExit.HOME_WITH_ESCORT,
        are_instructions_given=True,
        is_cannula_removed=True,
    )
    if not reasons:
        return None, None
    part = visit.part.discharge
    stage.script.supply(f"A physician lets the patient go home: {' '.join(reasons)}")
    code = part.by if part and part.by and part.by.startswith(("PHY", "MD", "DR")) else None
    physician = stage.physician(code or visit.part.session.supervising, at=at)
    return physician, (part.reason if part else None) or " ".join(reasons)


# --- the note --------------------------------------------------------------------------------------------------------


def _play_note(stage: Stage, visit: Visit, ended: datetime) -> None:
    """The note is signed once the patient has left, and before anything is added to it."""
    script, place = stage.script, visit.part.session.place
    signed = [event.when.at for event, _ in visit.told(EventKind.SIGN)]
    after = [event.when.at for event, _ in visit.told(EventKind.ADDENDUM, EventKind.COSIGN)]
    at = max(min([*signed, ended + 5 * MINUTE, *(at - SECOND for at in after)]), ended)
    script.add(at, Turn.NOTE, "note", _sign_note, stage, visit, place=place)
    for event, said in visit.told(EventKind.ADDENDUM):
        author = said.given_by or said.physician
        script.add(event.when.at, Turn.NOTE, "addendum", _add, stage, visit, author, event.text, place=event.place)
    for event, said in visit.told(EventKind.COSIGN):
        script.add(event.when.at, Turn.NOTE, "co-sign", _cosign, stage, visit, said.physician, place=event.place)


def _sign_note(stage: Stage, visit: Visit, at: datetime) -> None:
    infusion = visit.started
    _, author = stage.nurse_of(visit, at)
    found = progress(infusion, at)
    given = format_number(round_half_up(found.delivered_mg, 2))
    minutes = format_number(round_half_up(found.run_minutes, 0))
    text = f"Session {infusion.number}: {given} mg of {infusion.order_version.terms.drug.name} in {minutes} min."
    told = visit.told(EventKind.COSIGN)
    code = told[0][1].physician if told else None
    cosigner = stage.physician(code or visit.part.session.supervising, at=at)
    note = notes.draft_note(infusion, text, by=author, at=at)
    visit.note = notes.sign_note(note, by=author, password=stage.world.password, at=at, cosigner=cosigner)


def _add(stage: Stage, visit: Visit, code: str | None, text: str, at: datetime) -> None:
    if visit.note is None:
        raise NotThere
    by = stage.world.person(code, at=at, also={Role.NURSE, Role.PHYSICIAN}) if code else stage.nurse_of(visit, at)[1]
    said = re.sub(rf"^{re.escape(code or '')}\s*:\s*", "", text)
    notes.add_addendum(visit.note, said or "not stated", by=by, password=stage.world.password, at=at)


def _cosign(stage: Stage, visit: Visit, code: str | None, at: datetime) -> None:
    if visit.note is None:
        raise NotThere
    by = stage.physician(code or visit.part.session.supervising, at=at)
    notes.cosign_note(visit.note, by=by, password=stage.world.password, at=at)
