"""How a session of a case ends: the discharge or transfer, the scores, the way out, the call afterwards."""

import re
from dataclasses import replace

from clinic.cases.course import scores
from clinic.cases.facts import EventKind, facts, kind_of
from clinic.cases.instants import Timeline
from clinic.cases.moments import moment, moment_after_hours
from clinic.cases.parts import DischargePart, EventRow, Exit, FollowUpPart
from clinic.cases.reading import Item

_SCORED = 5

_EXITS = {
    "transfer": Exit.TRANSFER,
    "hospital": Exit.TRANSFER,
    "ems": Exit.TRANSFER,
    "ambulance": Exit.TRANSFER,
    "admit": Exit.ADMITTED,
    "against": Exit.AGAINST_ADVICE,
    "ama": Exit.AGAINST_ADVICE,
    "home": Exit.HOME,
    "escort": Exit.HOME,
}


def _exit_of(text: str) -> Exit | None:
    """The way out that a text names: `closed-transfer`, `home with escort`, `left against medical advice`."""
    words = set(re.findall(r"[a-z]+", text.lower()))
    return next((way for stem, way in _EXITS.items() if any(word.startswith(stem) for word in words)), None)


def read_discharge(item: Item | None, transfer: Item | None, timeline: Timeline) -> DischargePart | None:
    """The end of the visit, from `discharge` and from `transfer` where the file has one of its own."""
    if item is not None and not item.is_mapping and not item.is_list:
        return _plain_discharge(_exit_of(item.text()), item.text(), item)
    part = _full_discharge(item, timeline) if item else None
    if transfer is None:
        return part
    moved = _transfer(transfer, timeline)
    if part is None:
        return moved
    return replace(
        part, exit=Exit.TRANSFER, to=part.to or moved.to, when=part.when or moved.when, by=part.by or moved.by
    )


def _plain_discharge(way: Exit | None, text: str | None, item: Item) -> DischargePart:
    return DischargePart(
        mpadss=(), aldrete=(), when=None, exit=way, to=None, by=None, escort=None, reason=text, place=item.place
    )


def _transfer(item: Item, timeline: Timeline) -> DischargePart:
    if not item.is_mapping:
        return replace(_plain_discharge(Exit.TRANSFER, None, item), to=item.text())
    fields = item.fields()
    return DischargePart(
        mpadss=(),
        aldrete=(),
        when=moment(fields, timeline, "at", "", "left", "departed", "departure", "handover"),
        exit=Exit.TRANSFER,
        to=fields.words("to", "destination", "hospital"),
        by=fields.words("by", "who"),
        escort=fields.words("with", "escort", "mode"),
        reason="; ".join(
            words for words in (fields.words("reason", "detail", "text", "note"), *fields.remarks()) if words
        ),
        place=item.place,
    )


def _full_discharge(item: Item, timeline: Timeline) -> DischargePart:
    fields = item.fields()
    way = fields.text("exit", "way", "disposition", "status", "kind")
    to = fields.words("to", "destination")
    part = DischargePart(
        mpadss=_five(fields.find("mpadss")),
        aldrete=_five(fields.find("aldrete")),
        when=moment(fields, timeline, "at", ""),
        exit=_exit_of(way) if way else None,
        to=to,
        by=fields.words("by", "override_by", "assessed_by"),
        escort=fields.words("escort", "with"),
        reason=fields.words("reason", "text", "detail", "note", "override_reason"),
        place=item.place,
    )
    fields.close()
    return part


def _five(item: Item | None) -> tuple[int | None, ...]:
    """The five items of MPADSS or Aldrete, each 0 to 2 (REFERENCE.md 2.3)."""
    if item is None:
        return ()
    entries = item.items()
    if len(entries) != _SCORED:
        item.refuse(f"has {len(entries)} items, expected {_SCORED}")
    found: list[int | None] = []
    for entry in entries:
        score = None if entry.is_null else entry.whole()
        if score is not None and score not in range(3):
            entry.refuse("an item is 0, 1 or 2")
        found.append(score)
    return tuple(found)


def read_exit(discharge: DischargePart | None, stated: Item | None, events: tuple[EventRow, ...]) -> Exit | None:
    """The way out that the discharge or the session states, else the one that the events tell of."""
    if discharge is not None and discharge.exit is not None:
        return discharge.exit
    if stated is not None:
        return _exit_of(stated.text())
    kinds = {facts(event).kind for event in events}
    if EventKind.TRANSFER in kinds:
        return Exit.TRANSFER
    if EventKind.AGAINST_ADVICE in kinds:
        return Exit.AGAINST_ADVICE
    left = [event for event in events if kind_of(event.kind) is EventKind.DISCHARGE]
    if left:
        return _exit_of(left[-1].text) or Exit.HOME
    return None


def read_follow_up(item: Item, timeline: Timeline) -> FollowUpPart:
    """The call after the session."""
    fields = item.fields()
    hours = fields.find("call_h")
    call = moment(fields, timeline, "call") if hours is None else moment_after_hours(hours, timeline)
    part = FollowUpPart(
        call_h=call.minute / 60 if call else None,
        call=call,
        is_reached=fields.flag("reached", "is_reached") is not False,
        peg=scores(fields.find("peg")),
        nrs=fields.number("nrs"),
        pgic=fields.number("pgic"),
        decision=fields.words("decision"),
        text=fields.words("text", "detail", "note", "reason") or "",
        place=item.place,
    )
    fields.close()
    return part
