"""When a reminder goes out, and which of the clinic's texts stands in it. On plain values."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

MOST_DAYS: Final = 60


class TextKind(StrEnum):
    """What a text prepares the patient for."""

    FASTING = "fasting"
    ESCORT = "escort"
    PREPARATION = "preparation"


@dataclass(frozen=True, slots=True)
class Rule:
    """So many days before, at this time of the clinic's clock; `since` it holds."""

    days_before: int
    at_clock: time
    since: datetime


def moment(starts_at: datetime, days_before: int, at_clock: time, zone: ZoneInfo) -> datetime:
    """Return the instant of a reminder: the wall clock so many days of the calendar before.

    A time that the clocks skip comes as much later, one that comes twice is the first.
    """
    day = starts_at.astimezone(zone).date() - timedelta(days=days_before)
    return datetime.combine(day, at_clock.replace(fold=0), zone).astimezone(UTC)


def due(starts_at: datetime, rules: Iterable[Rule], zone: ZoneInfo, *, since: datetime, now: datetime) -> Rule | None:
    """Return the reminder that is due now: the latest whose moment has come, when several have.

    Nothing is sent for a moment before `since`: when the patient was booked or agreed to be written to later than that,
    the news was fresh; and nothing once the time has come.
    """
    if starts_at <= now:
        return None
    moments = [(moment(starts_at, rule.days_before, rule.at_clock, zone), rule) for rule in rules]
    come = [(at, rule) for at, rule in moments if max(since, rule.since) <= at <= now and at < starts_at]
    return max(come, key=lambda pair: pair[0])[1] if come else None


@dataclass(frozen=True, slots=True)
class Text:
    """A text of the clinic, for a protocol, for a drug, or for every appointment."""

    kind: TextKind
    words: str
    drug_name: str | None
    protocol: str | None


def texts_for(texts: Sequence[Text], *, drug_name: str, protocol: str) -> list[Text]:
    """Return one text of each kind: the protocol's own, else the drug's, else the clinic's."""
    found = []
    for kind in TextKind:
        mine = [text for text in texts if text.kind is kind]
        wanted = (
            lambda text: text.protocol == protocol,
            lambda text: text.protocol is None and text.drug_name == drug_name,
            lambda text: text.protocol is None and text.drug_name is None,
        )
        chosen = next((text for is_wanted in wanted for text in mine if is_wanted(text)), None)
        if chosen is not None:
            found.append(chosen)
    return found


def names_a_drug(words: str, drugs: Iterable[str]) -> str | None:
    """Return the drug that a text names, if any."""
    lower = words.casefold()
    return next((drug for drug in drugs if drug.casefold() in lower), None)
