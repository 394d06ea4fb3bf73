"""At the chair: vitals with their corrections, medicines, the cannula, who was told, adverse events."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from clinic.accounts.models import Staff
from clinic.cases.facts import EventFacts, EventKind
from clinic.cases.parts import AdverseEventPart, CorrectionPart, EventRow, Exit, ObservationRow
from clinic.cases.play_session import speak
from clinic.cases.play_terms import SEDATION_COLUMNS
from clinic.cases.playing import NotThere, Turn
from clinic.cases.stage import SECOND, Stage, Visit
from clinic.core.permissions import Role
from clinic.protocols.limit_rules import Vital
from clinic.protocols.models import PrnItem
from clinic.sessions import operations as sessions
from clinic.sessions.event_rules import Actuality, AdverseOutcome, IvAction, SessionEventKind
from clinic.sessions.models import AdverseEvent, ObservationSet

_VITALS = {vital.value: vital for vital in Vital} | {
    "nrs": Vital.PAIN,
    "o2": Vital.O2_L_MIN,
    "o2_flow": Vital.O2_L_MIN,
    **dict.fromkeys(SEDATION_COLUMNS, Vital.SEDATION),
}


def play_bedside(stage: Stage, visit: Visit) -> None:
    """Put what was seen and done at the chair on the list."""
    for row in visit.part.obs:
        _play_vitals(stage, visit, row)
    known = {row.when.at for row in visit.part.obs}
    for part in visit.part.corrections:
        if _observed(part) not in known:
            at = _observed(part) or visit.start
            stage.script.refuse(at, "correction", "No vitals of this session have this time.", part.place)
    _play_cannula(stage, visit)
    for event, said in visit.lines:
        act = _ACTS.get(said.kind)
        if act is not None:
            stage.script.add(
                event.when.at,
                Turn.MEDICINE if said.kind is EventKind.PRN_GIVEN else Turn.WORDS,
                event.kind,
                act,
                stage,
                visit,
                event,
                said,
                place=event.place,
            )
    for adverse in visit.part.adverse_events:
        _play_adverse_event(stage, visit, adverse)


# --- vitals ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Entry:
    """What was typed first for one row of vitals, and by whom if not by the session's nurse."""

    row: ObservationRow
    values: Mapping[str, Decimal | None]
    by: str | None


def _observed(part: CorrectionPart) -> datetime | None:
    moment = part.obs or part.observed
    return moment.at if moment else None


def _play_vitals(stage: Stage, visit: Visit, row: ObservationRow) -> None:
    """One row: recorded when it was seen, unless the case says later; then corrected as often as it says."""
    about = [part for part in visit.part.corrections if _observed(part) == row.when.at]
    changed = [part for part in about if part.column is not None]
    late = [part.recorded or part.entered for part in about]
    at = max([row.when.at, visit.arrival + SECOND, *(moment.at for moment in late if moment)])
    values = dict(row.values)
    # The row of the file holds the values as they stand now; the first entry has what was typed then.
    for part in reversed(changed):
        values[part.column or ""] = _number(part.was, values.get(part.column or ""))
    by = next((part.by for part in about if part.by), None)
    stage.script.add(
        at,
        Turn.VITALS,
        "vitals",
        _record,
        stage,
        visit,
        _Entry(row, values, by),
        place=row.place,
    )
    for part in changed:
        corrected = part.corrected.at if part.corrected else at
        stage.script.add(
            max(corrected, at + SECOND),
            Turn.VITALS,
            "correction",
            _correct,
            stage,
            visit,
            row,
            part,
            place=part.place,
        )


def _number(value: Decimal | str | None, otherwise: Decimal | None) -> Decimal | None:
    return value if isinstance(value, Decimal) else otherwise


def _reading(values: Mapping[str, Decimal | None]) -> dict[str, Decimal | None]:
    return {_VITALS[name].value: value for name, value in values.items() if name in _VITALS}


def _note(row: ObservationRow) -> str | None:
    said = [
        f"{name} {value.normalize():f}"
        for name, value in row.values.items()
        if value is not None and name not in _VITALS
    ]
    said += [f"{name} {text}" for name, text in row.remarks.items()]
    return "; ".join(said) or None


def _nurse(stage: Stage, visit: Visit, code: str | None, at: datetime) -> Staff:
    return stage.world.nurse(code, at=at)[1] if code else stage.nurse_of(visit, at)[1]


def _record(stage: Stage, visit: Visit, entry: _Entry, at: datetime) -> None:
    row, by = entry.row, entry.by
    reading, note = _reading(entry.values), _note(row)
    if note is None and not any(value is not None for value in reading.values()):
        stage.script.supply(f"The vitals of minute {row.when.minute.normalize():f} hold no value and were left out.")
        return
    visit.seen[row.when.at] = sessions.record_observation(
        visit.infusion, reading, observed_at=row.when.at, note=note, by=_nurse(stage, visit, by, at), at=at
    )


def _seen(visit: Visit, at: datetime | None) -> ObservationSet:
    found = visit.seen.get(at) if at else None
    if found is None:
        raise NotThere
    return found


def _correct(stage: Stage, visit: Visit, row: ObservationRow, part: CorrectionPart, at: datetime) -> None:
    column = part.column or ""
    now = _number(part.now, row.values.get(column))
    vital = _VITALS.get(column)
    if vital is None:
        stage.script.refuse(at, "correction", f"{column} is not one of the vitals.", part.place)
        return
    by = _nurse(stage, visit, part.by, at)
    changes = {vital.value: now}
    corrected = sessions.correct_observation(
        _seen(visit, row.when.at), changes, part.reason or "Entered wrongly.", by=by, at=at
    )
    visit.seen[row.when.at] = corrected


# --- the cannula -----------------------------------------------------------------------------------------------------

_GAUGE = re.compile(r"\b(\d{2})\s?G\b\s*", re.IGNORECASE)


def _play_cannula(stage: Stage, visit: Visit) -> None:
    text = visit.part.session.iv
    if not text:
        return
    first = re.split(r",?\s+then\s+", text)[0]

    def place(at: datetime) -> None:
        _place(stage, visit, first, at)

    stage.script.add(visit.before_start(25), Turn.CHECKS, "cannula", place, place=visit.part.session.place)


def _place(stage: Stage, visit: Visit, text: str, at: datetime, detail: str | None = None) -> None:
    gauge = _GAUGE.search(text)
    site = _GAUGE.sub("", text).split(",")[0].strip()
    sessions.record_iv(
        visit.infusion,
        IvAction.PLACED,
        happened_at=at,
        site=site or text,
        gauge=f"{gauge[1]}G" if gauge else None,
        detail=detail,
        by=stage.nurse_of(visit, at)[1],
        at=at,
    )


def _iv_start(stage: Stage, visit: Visit, event: EventRow, _said: EventFacts, at: datetime) -> None:
    _place(stage, visit, event.text or "not stated", at, detail=event.text or None)


def _iv_site(stage: Stage, visit: Visit, event: EventRow, said: EventFacts, at: datetime) -> None:
    sessions.record_iv(
        visit.infusion,
        IvAction.CHECKED,
        happened_at=at,
        vip_score=said.vip,
        detail=event.text or None,
        by=_actor(stage, visit, said, at),
        at=at,
    )


# --- medicines and words ---------------------------------------------------------------------------------------------


def _actor(stage: Stage, visit: Visit, said: EventFacts, at: datetime) -> Staff:
    return _nurse(stage, visit, said.given_by, at)


def _prn_item(visit: Visit, drug: str | None) -> PrnItem | None:
    wanted = (drug or "").lower().strip()
    items = visit.infusion.order_version.terms.prn_items
    same = [item for item in items if item.drug_name.lower() == wanted]
    # "given midazolam" and "IV ondansetron" name the same medicine with a word more.
    same += [item for item in items if item.drug_name.lower() in wanted.split()]
    return same[0] if same else None


def _give(stage: Stage, visit: Visit, event: EventRow, said: EventFacts, at: datetime) -> None:
    """A medicine of the order; one that the order does not list is given on a spoken order and kept in words."""
    item = _prn_item(visit, said.drug)
    by = _actor(stage, visit, said, at)
    if item is not None:
        is_same_unit = said.dose is not None and said.unit == item.unit
        dose = said.dose if is_same_unit else None
        sessions.give_prn(visit.infusion, item, given_at=at, dose=dose, reason=event.text, by=by, at=at)
        return
    speak(stage, visit, event.text or event.kind, said.physician, at)
    stage.script.supply(f"“{event.text}” is not on the order's list: written down as spoken and given.")
    sessions.record_event(visit.infusion, SessionEventKind.INTERVENTION, event.text, happened_at=at, by=by, at=at)


def _notify(stage: Stage, visit: Visit, event: EventRow, said: EventFacts, at: datetime) -> None:
    code = said.physician or visit.part.session.supervising
    seen = max((row for row in visit.seen if row <= at), default=None)
    sessions.notify(
        visit.infusion,
        event.text or "Told.",
        happened_at=at,
        person=stage.world.physician(code, at=at) if code else None,
        observation=visit.seen[seen] if seen else None,
        by=_actor(stage, visit, said, at),
        at=at,
    )


_KEPT_AS = {
    EventKind.INTERVENTION: SessionEventKind.INTERVENTION,
    EventKind.EMERGENCY: SessionEventKind.INTERVENTION,
    EventKind.HANDOVER: SessionEventKind.HAND_OVER,
}


def _say(stage: Stage, visit: Visit, event: EventRow, said: EventFacts, at: datetime) -> None:
    """Keep a line in words."""
    kind = _KEPT_AS.get(said.kind, SessionEventKind.OTHER)
    text = event.text or event.kind.replace("_", " ")
    sessions.record_event(visit.infusion, kind, text, happened_at=at, by=_actor(stage, visit, said, at), at=at)


def _pump_line(stage: Stage, visit: Visit, event: EventRow, said: EventFacts, at: datetime) -> None:
    """A line about the pump that no row of the infusion bears out is kept in words."""
    if any(act.place == event.place for act in visit.acts):
        return
    if said.kind is EventKind.START and visit.stop is None:
        return
    stage.script.supply(f"“{event.kind}” at minute {event.when.minute.normalize():f} is kept in words.")
    _say(stage, visit, event, said, at)


def _time_out(stage: Stage, visit: Visit, event: EventRow, said: EventFacts, at: datetime) -> None:
    if at < visit.start:
        text = event.text or "Time-out."
        sessions.time_out(visit.infusion, text, happened_at=at, by=_actor(stage, visit, said, at), at=at)
    else:
        _say(stage, visit, event, said, at)


def _hand_over(stage: Stage, visit: Visit, event: EventRow, said: EventFacts, at: datetime) -> None:
    infusion = visit.infusion
    codes = [
        code for code in (*reversed(said.people), *visit.part.session.nurses) if not code.startswith(("PHY", "MD"))
    ]
    people = [stage.world.person(code, at=at, also={Role.NURSE}) for code in codes]
    to = next((person for person in people if person.id != infusion.nurse_id), None)
    if to is None:
        _say(stage, visit, event, said, at)
        return
    by = infusion.nurse or to
    sessions.hand_over(infusion, to, text=event.text or None, happened_at=at, by=by, at=at)


_ACTS = {
    EventKind.PRN_GIVEN: _give,
    EventKind.NOTIFY: _notify,
    EventKind.INTERVENTION: _say,
    EventKind.EMERGENCY: _say,
    EventKind.IV_SITE: _iv_site,
    EventKind.IV_START: _iv_start,
    EventKind.HANDOVER: _hand_over,
    EventKind.TIME_OUT: _time_out,
    EventKind.OTHER: _say,
    EventKind.START: _pump_line,
    EventKind.RATE_CHANGE: _pump_line,
    EventKind.PAUSE: _pump_line,
    EventKind.RESUME: _pump_line,
    EventKind.STOP: _pump_line,
}


# --- adverse events --------------------------------------------------------------------------------------------------

_OUTCOMES = {
    "recover": AdverseOutcome.RECOVERING,
    "ongoing": AdverseOutcome.ONGOING,
    "sequel": AdverseOutcome.SEQUELAE,
    "fatal": AdverseOutcome.FATAL,
    "death": AdverseOutcome.FATAL,
    "resolved": AdverseOutcome.RESOLVED,
    "unknown": AdverseOutcome.UNKNOWN,
}


def _play_adverse_event(stage: Stage, visit: Visit, part: AdverseEventPart) -> None:
    onset = part.onset.at if part.onset else visit.last
    kept: list[AdverseEvent] = []

    def record(at: datetime) -> None:
        kept.append(
            sessions.record_adverse_event(
                visit.infusion,
                part.term,
                onset_at=onset,
                actuality=Actuality.ACTUAL,
                grade=part.grade,
                is_serious=part.serious,
                serious_criterion=_criterion(stage, visit, part),
                causality=part.causality,
                action=part.action,
                outcome=None if part.resolved else _outcome(part.outcome),
                by=stage.nurse_of(visit, at)[1],
                at=at,
            )
        )

    def resolve(at: datetime) -> None:
        if not kept:
            raise NotThere
        changes = {"resolved_at": at, "outcome": _outcome(part.outcome) or AdverseOutcome.RESOLVED}
        sessions.resolve_adverse_event(kept[0], changes, "It resolved.", by=stage.nurse_of(visit, at)[1], at=at)

    script = stage.script
    script.add(max(onset, visit.arrival + SECOND), Turn.WORDS, "adverse event", record, place=part.place)
    if part.resolved is not None:
        script.add(max(part.resolved.at, onset), Turn.NOTE, "adverse event resolved", resolve, place=part.place)


def _criterion(stage: Stage, visit: Visit, part: AdverseEventPart) -> str | None:
    if not part.serious or part.criterion:
        return part.criterion
    said = "hospital" if visit.part.exit in {Exit.TRANSFER, Exit.ADMITTED} else "not stated"
    stage.script.supply(f"What makes “{part.term}” serious: {said}.")
    return said


def _outcome(text: str | None) -> AdverseOutcome | None:
    words = (text or "").lower()
    return next((outcome for stem, outcome in _OUTCOMES.items() if stem in words), None)
