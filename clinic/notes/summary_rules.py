"""A session in plain facts, and the text that a note about it begins with.

The text is put together from the record alone: what nobody charted is not in it, and no word of it judges. The nurse
completes it and signs it as their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from clinic.core.times import clock_label
from clinic.core.units import Unit, format_number, format_quantity, round_half_up


@dataclass(frozen=True)
class Extreme:
    """The highest or lowest value of a vital in a session, as text, and how many values were outside its limit.

    `side` is "high" or "low" when the value itself is outside. `limit` is the bound as the order has it, as text.
    """

    text: str
    side: str = ""
    limit: str = ""
    outside_count: int = 0


@dataclass(frozen=True)
class OutsideValue:
    """A value outside a limit: "systolic 164", "above limit 160", and the next value of that vital."""

    at: datetime
    text: str
    limit: str
    then: str = ""
    then_at: datetime | None = None


@dataclass(frozen=True)
class Happening:
    """Something that happened at an instant, in a few words."""

    at: datetime
    text: str


@dataclass(frozen=True)
class ScoreFact:
    """A discharge score; `total` is None while an item is missing."""

    at: datetime
    name: str
    total: int | None


@dataclass(frozen=True)
class SessionFacts:
    """What a note, the inbox and the course review say about one session. Doses in mg, rates in mg per hour.

    `pain_after` is None until a score was taken after the stop. `left` is how the patient left, in words.
    """

    number: int
    planned: int | None
    drug: str
    started_at: datetime | None
    stopped_at: datetime | None
    given_mg: Decimal
    maximum_mg: Decimal | None
    highest_rate_mg_h: Decimal
    rates: tuple[tuple[datetime, Decimal], ...] = ()
    pauses: tuple[tuple[datetime, datetime], ...] = ()
    pain_before: int | None = None
    pain_after: int | None = None
    systolic: Extreme | None = None
    spo2: Extreme | None = None
    sedation: Extreme | None = None
    outside: tuple[OutsideValue, ...] = ()
    is_observed: bool = False
    events: tuple[Happening, ...] = ()
    prn: tuple[Happening, ...] = ()
    told: tuple[Happening, ...] = ()
    score: ScoreFact | None = None
    left: str = ""
    not_done_reason: str = ""

    @property
    def title(self) -> str:
        """Return "session 4 of 6"."""
        return f"session {self.number} of {self.planned}" if self.planned else f"session {self.number}"

    @property
    def event_words(self) -> str:
        """Return what happened, one after another: only the first letter of each is lowered, units stay as they are."""
        return "; ".join(event.text[:1].lower() + event.text[1:] for event in self.events)


def shown_mg(amount: Decimal) -> str:
    """Return a dose rounded as a note writes it: two decimals, `48.7 mg`."""
    return format_quantity(round_half_up(amount, 2), Unit.MG)


def shown_rate(rate_mg_h: Decimal) -> str:
    """Return a rate as a sentence has it: `20 mg per hour`."""
    return format_quantity(round_half_up(rate_mg_h, 2), Unit.MG_PER_H, spoken=True)


def draft_text(facts: SessionFacts, zone: ZoneInfo) -> str:
    """Return the text a note about a session begins with: one line for each thing that the record holds."""
    lines = [_headline(facts, zone)]
    if facts.rates:
        lines.append(_rates(facts, zone))
    if facts.pauses:
        spans = [f"{clock_label(start, zone)} to {clock_label(end, zone)}" for start, end in facts.pauses]
        lines.append(f"Paused {_listed(spans)}.")
    lines += [_outside(value, zone) for value in facts.outside]
    if facts.is_observed and not facts.outside:
        lines.append("No value outside the limits of the order.")
    lines += _happenings("Event", facts.events, zone, none="No adverse event." if facts.is_observed else "")
    lines += _happenings("As needed", facts.prn, zone)
    lines += _happenings("Told", facts.told, zone)
    if facts.pain_before is not None and facts.pain_after is not None:
        lines.append(f"Pain {facts.pain_before} before, {facts.pain_after} after.")
    lines += _ending(facts, zone)
    return "\n".join(lines)


def _headline(facts: SessionFacts, zone: ZoneInfo) -> str:
    name = f"{facts.drug[:1].upper()}{facts.drug[1:]}, {facts.title}."
    if facts.not_done_reason:
        return f"{name} Not done: {facts.not_done_reason}"
    if facts.started_at is None:
        return f"{name} Not started."
    start = clock_label(facts.started_at, zone)
    if facts.stopped_at is None:
        return f"{name} Infusion from {start}."
    return f"{name} Infusion {start} to {clock_label(facts.stopped_at, zone)}."


def _rates(facts: SessionFacts, zone: ZoneInfo) -> str:
    steps = [f"{shown_rate(rate)} from {clock_label(at, zone)}" for at, rate in facts.rates]
    given = f"Given {shown_mg(facts.given_mg)}"
    if facts.maximum_mg is not None:
        given += f" of {format_quantity(facts.maximum_mg, Unit.MG)} maximum"
    return f"Rate {_listed(steps)}. {given}."


def _outside(value: OutsideValue, zone: ZoneInfo) -> str:
    text = f"{value.text[:1].upper()}{value.text[1:]} at {clock_label(value.at, zone)}, {value.limit}"
    if value.then_at is not None:
        text += f"; {value.then} at {clock_label(value.then_at, zone)}"
    return f"{text}."


def _happenings(name: str, found: Sequence[Happening], zone: ZoneInfo, *, none: str = "") -> list[str]:
    if not found:
        return [none] if none else []
    told = [f"{each.text} {clock_label(each.at, zone)}" for each in found]
    return [f"{name}: {'; '.join(told)}."]


def _ending(facts: SessionFacts, zone: ZoneInfo) -> list[str]:
    parts = []
    if facts.score is not None:
        total = "not complete" if facts.score.total is None else format_number(facts.score.total)
        parts.append(f"Discharge score ({facts.score.name}) {total} at {clock_label(facts.score.at, zone)}.")
    if facts.left:
        parts.append(f"{facts.left}.")
    return [" ".join(parts)] if parts else []


def _listed(parts: Sequence[str]) -> str:
    return ", ".join(parts)
