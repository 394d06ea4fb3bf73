"""What the pump was made to do in a session, read from the rows and events of a case. Plain values, no database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from clinic.cases.facts import EventFacts, EventKind, facts
from clinic.cases.instants import Moment
from clinic.cases.parts import EventRow, InfusionRow, SessionCase
from clinic.sessions.rules import AdministrationKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PumpAct:
    """One act at the pump. `said` is what the event line beside it tells, if there is one."""

    kind: AdministrationKind
    when: Moment
    rate_ml_h: Decimal | None = None
    from_ml_h: Decimal | None = None
    text: str = ""
    said: EventFacts | None = None
    place: str = ""

    @property
    def is_raise(self) -> bool:
        """Whether the rate goes up with it."""
        return self.rate_ml_h is not None and self.from_ml_h is not None and self.rate_ml_h > self.from_ml_h


_OWN_KIND = {
    AdministrationKind.START: EventKind.START,
    AdministrationKind.RATE_CHANGE: EventKind.RATE_CHANGE,
    AdministrationKind.PAUSE: EventKind.PAUSE,
    AdministrationKind.RESUME: EventKind.RESUME,
    AdministrationKind.STOP: EventKind.STOP,
}


def pump_acts(session: SessionCase) -> list[PumpAct]:
    """The acts in the order of time: start, what lies between two rows, stop.

    A gap between two rows is a pause, unless a stop stands at its beginning and no resumption at its end: then the
    infusion is started again. The last stop stands where an event, the discharge of an emergency or the session's own
    end says so, else at the end of the last row; what lies between that end and the stop is a pause.
    """
    if not session.infusion:
        return []
    said = _Said(session.events)
    first, last = session.infusion[0], session.infusion[-1]
    acts = [said.act(AdministrationKind.START, first.start, rate=first.rate_ml_h, place=first.place)]
    for before, after in pairwise(session.infusion):
        acts += _between(before, after, said)
    stop = _last_stop(session, last.end, said)
    if stop.at > last.end.at:
        acts.append(said.act(AdministrationKind.PAUSE, last.end, place=last.place))
    acts.append(said.act(AdministrationKind.STOP, stop, place=last.place))
    return acts


def _between(before: InfusionRow, after: InfusionRow, said: "_Said") -> list[PumpAct]:
    rates = {"rate": after.rate_ml_h, "before": before.rate_ml_h}
    if after.start.at == before.end.at:
        if after.rate_ml_h == before.rate_ml_h:
            return []
        return [said.act(AdministrationKind.RATE_CHANGE, after.start, place=after.place, **rates)]
    stopped = said.line(EventKind.STOP, before.end)
    if stopped is not None and said.line(EventKind.RESUME, after.start) is None:
        again = said.act(AdministrationKind.START, after.start, place=after.place, **rates)
        return [said.act(AdministrationKind.STOP, before.end, place=before.place), again]
    return [
        said.act(AdministrationKind.PAUSE, before.end, place=before.place),
        said.act(AdministrationKind.RESUME, after.start, place=after.place, **rates),
    ]


def _last_stop(session: SessionCase, end: Moment, said: "_Said") -> Moment:
    stops = [event.when for event, fact in said.lines if fact.kind is EventKind.STOP and event.when.at >= end.at]
    if stops:
        return min(stops)
    if session.session.end is not None and session.session.end > end.at:
        return Moment.of(session.session.end, session.session.start)
    return end


class _Said:
    """The event lines of a session with what each says."""

    def __init__(self, events: Iterable[EventRow]) -> None:
        self.lines: Sequence[tuple[EventRow, EventFacts]] = [(event, facts(event)) for event in events]

    def line(self, kind: EventKind, when: Moment) -> tuple[EventRow, EventFacts] | None:
        return next(((e, f) for e, f in self.lines if f.kind is kind and e.when.at == when.at), None)

    def act(
        self,
        kind: AdministrationKind,
        when: Moment,
        *,
        rate: Decimal | None = None,
        before: Decimal | None = None,
        place: str = "",
    ) -> PumpAct:
        """An act with the event line of its kind and instant; a rate change may also be told as a resumption."""
        found = self.line(_OWN_KIND[kind], when)
        if found is None and kind in {AdministrationKind.RESUME, AdministrationKind.RATE_CHANGE}:
            found = self.line(EventKind.RATE_CHANGE, when) or self.line(EventKind.RESUME, when)
        if found is None and kind is AdministrationKind.PAUSE:
            found = self.line(EventKind.STOP, when)
        if found is None:
            return PumpAct(kind=kind, when=when, rate_ml_h=rate, from_ml_h=before, place=place)
        event, said = found
        return PumpAct(
            kind=kind, when=when, rate_ml_h=rate, from_ml_h=before, text=event.text, said=said, place=event.place
        )
