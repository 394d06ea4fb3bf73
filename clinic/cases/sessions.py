"""The sessions of a case: `session:` with its rows and parts beside it, or `sessions:` with them inside each."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from clinic.cases.account import DrugAccountPart, read_accounts, read_count, read_discrepancy
from clinic.cases.course import positive, read_orders
from clinic.cases.facts import EventKind, kind_of
from clinic.cases.instants import Moment, Timeline
from clinic.cases.leaving import read_discharge, read_exit, read_follow_up
from clinic.cases.moments import instant_of, moment
from clinic.cases.parts import (
    AdverseEventPart,
    EventRow,
    Expected,
    NearMissPart,
    OrderPart,
    SessionCase,
    SessionPart,
)
from clinic.cases.reading import Fields, Item
from clinic.cases.rows import read_boluses, read_columns, read_correction, read_events, read_infusion, read_observations

_ENDING = r"(?:_(?:abs|absolute|local|clock|utc|at|iso|times|instants|rows))?"
_INFUSION = re.compile(rf"(?:infusion|infusions|segments|rates|rate_segments){_ENDING}")
_OBS = re.compile(rf"(?:obs|observations|vitals){_ENDING}")
_EVENTS = re.compile(rf"events?{_ENDING}")
_BOLUSES = re.compile(rf"(?:bolus|boluses){_ENDING}")
_CODE = re.compile(r"\b[A-Z]{2,5}-\d+\b")
_UTC = ZoneInfo("UTC")
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d")
_AFTER_SIGNING = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a session inherits from its case: the order, the zone, the columns; and how expected figures are read."""

    order: OrderPart
    zone: ZoneInfo | None
    columns: tuple[str, ...] | None
    expected: Callable[[Item | None], tuple[Expected, ...]]


def read_sessions(case: Fields, scope: Scope) -> tuple[SessionCase, ...]:
    """All sessions in file order; none when the case has neither `session` nor `sessions`.

    What stands beside a single session belongs to it. Of several, the rows stand inside each, because their minutes
    would otherwise have no start to count from; other parts beside them (a drug log, a discharge) belong to the last.
    """
    entry = case.find("session", "sessions")
    items = entry.several() if entry else []
    if len(items) != 1:
        for pattern in (_INFUSION, _OBS, _EVENTS, _BOLUSES):
            for _, rows in case.find_matching(pattern):
                rows.refuse("rows stand inside the session they belong to" if items else "session is missing")
    return tuple(_session(one, case if one is items[-1] else None, scope) for one in items)


class _Parts:
    """Finds a session's parts, in its own mapping first, then in its case's."""

    def __init__(self, own: Fields, case: Fields | None) -> None:
        self._places = [own, case] if case is not None else [own]

    def find(self, *names: str) -> Item | None:
        found = next((found for place in self._places if (found := place.find(*names))), None)
        return None if found is None or found.is_nothing else found

    def rows(self, pattern: re.Pattern[str]) -> tuple[Item | None, bool]:
        """The rows under a key of this pattern, and whether its ending says that bare times in them are UTC."""
        matches = [match for place in self._places for match in place.find_matching(pattern)]
        # Where local times stand beside UTC for the reader's sake, UTC is the one without doubt.
        matches.sort(key=lambda match: not match[0].endswith("_utc"))
        for _, other in matches[1:]:
            other.warn(f"{matches[0][1].path} says the same, and this was left aside")
        return (matches[0][1], matches[0][0].endswith("_utc")) if matches else (None, False)

    def several(self, *names: str) -> list[Item]:
        return [one for name in names if (found := self.find(name)) for one in found.several()]


def _session(item: Item, case: Fields | None, scope: Scope) -> SessionCase:
    own = item.fields()
    parts = _Parts(own, case)
    part = _who_and_when(own, _start(own, parts, scope), scope.zone)
    timeline = Timeline(part.start, scope.zone)
    changed = own.find("order")
    order = read_orders([changed], scope.zone)[0] if changed else None
    concentration = (order or scope.order).conc_mg_ml
    rows, utc = parts.rows(_EVENTS)
    events = read_events(rows, timeline, utc=utc)
    end = Moment.of(part.end, part.start) if part.end else _stop(events)
    rows, utc = parts.rows(_INFUSION)
    if rows is not None and concentration is None:
        rows.refuse("the order has no conc_mg_ml to make a dose of these rates")
    infusion = read_infusion(rows, timeline, end=end, utc=utc)
    rows, utc = parts.rows(_BOLUSES)
    boluses = read_boluses(rows, timeline, events, concentration, utc=utc)
    rows, utc = parts.rows(_OBS)
    named = own.find("obs_columns")
    columns = read_columns(named) if named else scope.columns
    discharge = read_discharge(parts.find("discharge"), parts.find("transfer"), timeline)
    session = SessionCase(
        session=part,
        order=order,
        infusion=infusion,
        boluses=boluses,
        obs=read_observations(rows, timeline, columns, utc=utc),
        events=events,
        corrections=tuple(read_correction(one, timeline) for one in parts.several("corrections", "correction")),
        near_misses=tuple(_near_miss(one, timeline) for one in parts.several("near_miss", "near_misses")),
        adverse_events=tuple(_adverse_event(one, timeline) for one in parts.several("adverse_event", "adverse_events")),
        drug_accounts=_accounts(parts, order or scope.order, timeline),
        discharge=discharge,
        follow_ups=tuple(read_follow_up(one, timeline) for one in parts.several("follow_up", "follow_ups")),
        expect=scope.expected(own.find("expect", "expected")),
        exit=read_exit(discharge, parts.find("exit", "disposition"), events),
    )
    own.close()
    return session


def _who_and_when(fields: Fields, start: datetime, zone: ZoneInfo | None) -> SessionPart:
    end = moment(fields, Timeline(start, zone), "end", "ends", "stop", "stopped", "to", "until")
    if end is not None and end.at <= start:
        raise fields.item.fault("end is not after start")
    nurses = _codes(fields, "nurse", "nurses")
    return SessionPart(
        no=fields.whole("no", "number"),
        start=start,
        end=end.at if end else None,
        chair=fields.text("chair", "bed", "room"),
        nurse=nurses[0] if nurses else None,
        nurses=nurses,
        second_check=fields.text("second_check", "second_checker", "checker"),
        supervising=fields.text("supervising", "supervisor"),
        fasting_h_solid=fields.number("fasting_h_solid"),
        fasting_h_clear=fields.number("fasting_h_clear"),
        escort=fields.words("escort"),
        pregnancy_test=fields.text("pregnancy_test", "pregnancy"),
        iv=fields.words("iv", "iv_access"),
        weight_kg=positive(fields, "weight_kg"),
        weight_used_kg=positive(fields, "weight_used_kg"),
        order_version=fields.whole("order_version"),
        place=fields.item.place,
    )


_PLANNED = ("scheduled", "scheduled_at", "scheduled_start", "planned", "planned_start", "slot", "booked", "appointment")


def _start(fields: Fields, parts: _Parts, scope: Scope) -> datetime:
    """Minute 0. Of a session that never started it is the time that was planned, or the first that its rows tell."""
    item = fields.find("start_utc")
    if item is not None:
        return instant_of(item, _UTC)
    day = fields.day("date", "on", "day")
    names = ("start", "start_at", "starts_at", "start_local", "started_at", "from", "begin", "at", *_PLANNED)
    item = fields.find(*names)
    if item is not None:
        return instant_of(item, scope.zone, on=day)
    told = next((one for pattern in (_INFUSION, _OBS, _EVENTS) if (one := _first_time(parts.rows(pattern)[0]))), None)
    if told is not None:
        return instant_of(told, scope.zone)
    if any(name in fields for name in names) and scope.order.signed_at is not None:
        fields.item.warn("nothing says when it was to start: minutes count from two hours after the order was signed")
        return scope.order.signed_at + _AFTER_SIGNING
    raise fields.item.fault("start is missing")


def _first_time(rows: Item | None) -> Item | None:
    """The date and time with which the first row begins, if it begins with one."""
    first = rows.items()[0] if rows is not None and rows.is_list and rows.items() else None
    if first is None:
        return None
    cells = [cell for _, cell in first.fields().leftovers()] if first.is_mapping else first.items()
    found = next((cell for cell in cells if not cell.is_list and not cell.is_mapping), None)
    return found if found is not None and _DATED.match(found.scalar()) else None


def _codes(fields: Fields, *names: str) -> tuple[str, ...]:
    """The people under a key: a list, or `RN-1, then RN-2` in one text; a text without a code is a name."""
    found: list[str] = []
    for name in names:
        for text in fields.texts(name):
            found += _CODE.findall(text) or [text]
    return tuple(dict.fromkeys(found))


def _stop(events: tuple[EventRow, ...]) -> Moment | None:
    stops = [event.when for event in events if kind_of(event.kind) is EventKind.STOP]
    return stops[-1] if stops else None


_LOGS = ("cs_log", "drug_log", "drug_account", "drug_accounts", "cs_logs", "preparation", "preparations", "bag", "bags")


def _accounts(parts: _Parts, order: OrderPart, timeline: Timeline) -> tuple[DrugAccountPart, ...]:
    """The drug log of a session; a count or a discrepancy beside it belongs to its first account."""
    log = parts.find(*_LOGS)
    accounts = read_accounts(log, drug=order.drug, timeline=timeline) if log else ()
    counts = parts.several("count", "counts", "cs_count")
    discrepancies = parts.several("discrepancy", "discrepancies", "cs_discrepancy")
    if not counts and not discrepancies:
        return accounts
    if not accounts:
        (counts + discrepancies)[0].refuse("stands without a cs_log")
    first = accounts[0]
    read = tuple(read_count(one, timeline, first.vial_balance_after_mg) for one in counts)
    opened = tuple(read_discrepancy(one, timeline) for one in discrepancies)
    return (replace(first, counts=first.counts + read, discrepancies=first.discrepancies + opened), *accounts[1:])


def _near_miss(item: Item, timeline: Timeline) -> NearMissPart:
    fields = item.fields()
    part = NearMissPart(
        when=moment(fields, timeline, "at", ""),
        entered_ml_h=fields.number("entered_ml_h"),
        expected_ml_h=fields.number("expected_ml_h"),
        implied_mg_kg_h=fields.number("implied_mg_kg_h"),
        ordered_mg_kg_h=fields.number("ordered_mg_kg_h"),
        hard_limit_mg_kg_h=fields.number("hard_limit_mg_kg_h"),
        caught_by=fields.text("caught_by", "by"),
        record=fields.text("record"),
        system=fields.text("system", "text", "detail"),
        place=item.place,
    )
    fields.close()
    return part


def _adverse_event(item: Item, timeline: Timeline) -> AdverseEventPart:
    if not item.is_mapping:
        return _named_adverse_event(item)
    fields = item.fields()
    criteria = fields.words("criterion", "criteria", "serious_criterion", "seriousness", "serious_because")
    resolved = fields.find("resolved")
    ongoing = resolved is not None and resolved.scalar().lower() in {"no", "false", "ongoing", "unknown"}
    part = AdverseEventPart(
        term=fields.need("term", "event", "what").text(),
        grade=_grade(fields),
        serious=fields.flag("serious"),
        criterion=criteria,
        onset=moment(fields, timeline, "onset", "start", "at"),
        resolved=None if ongoing else moment(fields, timeline, "resolved", "end"),
        action=fields.words("action", "actions", "intervention"),
        causality=fields.text("causality"),
        outcome=fields.words("outcome"),
        told=fields.words("told", "notified", "who_told"),
        report=fields.words("report", "reported", "report_sent"),
        place=item.place,
    )
    if part.onset and part.resolved and part.resolved.at < part.onset.at:
        item.refuse("resolved is before onset")
    fields.close()
    return part


def _named_adverse_event(item: Item) -> AdverseEventPart:
    """An adverse event of which the file gives the term alone."""
    return AdverseEventPart(
        term=item.text(),
        grade=None,
        serious=None,
        criterion=None,
        onset=None,
        resolved=None,
        action=None,
        causality=None,
        outcome=None,
        told=None,
        report=None,
        place=item.place,
    )


def _grade(fields: Fields) -> int | None:
    """CTCAE 1 to 5 (REFERENCE.md 2.3)."""
    item = fields.find("grade", "ctcae")
    if item is None:
        return None
    grade = item.whole()
    if grade not in range(1, 6):
        item.refuse("a grade is 1 to 5")
    return grade
