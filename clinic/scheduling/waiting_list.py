"""What the waiting list shows, and who of it fits a time that has become free."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from clinic.core import formats, times
from clinic.scheduling import queries_availability, queries_waiting
from clinic.scheduling.availability import fits
from clinic.scheduling.availability_rules import PatientTime
from clinic.scheduling.models import Appointment, WaitingEntry
from clinic.scheduling.rules import Stretch, slot_minutes, spacing, spacing_note
from clinic.scheduling.waiting_rules import Candidate, can_come, fitting, wish_words

_FIRST_FEW = 6


@dataclass(frozen=True, slots=True)
class Waiting:
    """A line of the list: the entry, when the patient can come, and what the session holds now."""

    entry: WaitingEntry
    wishes: str
    held: Appointment | None


@dataclass(frozen=True, slots=True)
class Offer:
    """A waiting patient who fits a free time: until when, and why this one stands where it stands."""

    entry: WaitingEntry
    ends_at: datetime
    why: str


def lines() -> list[Waiting]:
    """Everybody who waits."""
    entries = queries_waiting.waiting()
    held = queries_waiting.held_by(each.course_id for each in entries)
    return [Waiting(each, wish_words(each), _held(each, held.get(each.course_id, []))) for each in entries]


def offers(free: Appointment, *, at: datetime) -> list[Offer]:
    """Who fits the time of an appointment that was given up, the best first; nobody once it has begun."""
    if free.starts_at <= at:
        return []
    zone = formats.zone.get()
    entries = [each for each in queries_waiting.waiting() if can_come(each, free.starts_at, at=at, zone=zone)]
    held = queries_waiting.held_by(each.course_id for each in entries)
    entries = [each for each in entries if _home(each, held.get(each.course_id, []), free) == free.chair.site_id]
    candidates = [_candidate(each, held.get(each.course_id, []), free) for each in entries]
    # Two patients of one session, or one who stands there already, are no choice.
    candidates = [each for each in candidates if each.now_at != free.starts_at]
    said = queries_availability.hours_of({each.patient_id for each in entries})
    candidates = [each for each in candidates if _has_time(each, said, free)]
    best = fitting(candidates, Stretch(free.starts_at, free.ends_at))[:_FIRST_FEW]
    return [_offer(each, free) for each in best]


def _home(entry: WaitingEntry, appointments: Sequence[Appointment], free: Appointment) -> uuid.UUID:
    """The one site of a course: where the session stands, else where the course was last, else it may begin here."""
    held = _held(entry, appointments) or next(reversed(appointments), free)
    return held.chair.site_id


def _has_time(each: Candidate, said: Mapping[uuid.UUID, Sequence[PatientTime]], free: Appointment) -> bool:
    """Whether the patient's own days and hours leave room for the whole visit."""
    entry: WaitingEntry = each.key  # type: ignore[assignment] # we put it there
    until = free.starts_at + timedelta(minutes=each.minutes or 0)
    return fits(said.get(entry.patient_id, ()), free.starts_at, until)


def minutes_of(entry: WaitingEntry, held: Appointment | None) -> int | None:
    """How long the session takes: as it is booked, else as the order has it; None when neither says so."""
    if held is not None:
        return (held.ends_at - held.starts_at) // timedelta(minutes=1)
    version = entry.course.order.current
    terms = version.terms if version else None
    if terms is None:
        return None
    return slot_minutes(terms.precheck_slot_min, terms.duration_min, terms.recovery_slot_min, terms.turnaround_min)


def _held(entry: WaitingEntry, appointments: Sequence[Appointment]) -> Appointment | None:
    return next((each for each in appointments if each.session_number == entry.session_number), None)


def _candidate(entry: WaitingEntry, appointments: Sequence[Appointment], free: Appointment) -> Candidate:
    held = _held(entry, appointments)
    return Candidate(
        key=entry,
        minutes=minutes_of(entry, held),
        since=entry.recorded_at,
        now_at=held.starts_at if held else None,
        note=_note(entry, [each for each in appointments if each is not held], free),
    )


def _note(entry: WaitingEntry, others: Sequence[Appointment], free: Appointment) -> str | None:
    """What the order says against the day: the order of the sessions, their spacing, its last day."""
    zone, version = formats.zone.get(), entry.course.order.current
    day = times.local(free.starts_at, zone).date()
    if version is not None and version.valid_until is not None and day > version.valid_until:
        return f"after the order ends, {formats.day(version.valid_until)}"
    is_earlier = [(each.session_number < entry.session_number) is (each.starts_at < free.starts_at) for each in others]
    if not all(is_earlier):
        return "out of the order of the sessions"
    if version is None:
        return None
    found = spacing(day, [times.local(each.starts_at, zone).date() for each in others])
    return spacing_note(found, version.terms.apart_min_days, version.terms.apart_max_days)


def _offer(found: Candidate, free: Appointment) -> Offer:
    entry: WaitingEntry = found.key  # type: ignore[assignment] # we put it there
    parts = [
        found.note or "suits the order",
        f"has {formats.weekday_day(found.now_at)} {formats.clock(found.now_at)} now" if found.now_at else "has no time",
        f"waits since {formats.short_day(found.since)}",
    ]
    return Offer(entry, free.starts_at + timedelta(minutes=found.minutes or 0), "; ".join(parts))
