"""A course on one page: its sessions are columns, their measures rows; pain before and after above them."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from clinic.accounts.models import Staff
from clinic.core.times import clock_label, date_label, local
from clinic.core.units import Unit, format_number, format_quantity, round_half_up
from clinic.courses.chart import BookedSession, DiaryPoint, PainChart, PainInput, SessionPain, draw
from clinic.courses.models import Course
from clinic.notes import queries
from clinic.notes.decisions import missed_of, still_booked, under_way
from clinic.notes.models import Note
from clinic.notes.rules import NoteKind, NoteStatus
from clinic.notes.session_facts import session_facts
from clinic.notes.summary_rules import Extreme, SessionFacts
from clinic.orders.models import OrderVersion
from clinic.orders.rules import rate_from
from clinic.outcomes import queries as outcomes
from clinic.outcomes.models import OutcomeResult
from clinic.outcomes.pages import benefits
from clinic.outcomes.rules import Instrument, Occasion, pgic_words
from clinic.protocols.session_doses import amount_for
from clinic.scheduling.models import Appointment
from clinic.sessions.chart_spark import Spark, small_multiples
from clinic.sessions.models import InfusionSession
from clinic.sessions.pages_chart import chart_input, maximum_mg_h
from clinic.sessions.progress import Progress, progress
from clinic.sessions.rules import SessionStatus

Cell = dict[str, Any] | str | None

_NOTE_CELLS: Final = {
    NoteStatus.DRAFT: {"text": "draft", "kind": "mute"},
    NoteStatus.SIGNED: {"text": "signed", "kind": "mute", "icon": "check"},
    NoteStatus.COSIGNED: {"text": "signed", "kind": "mute", "icon": "check"},
}


@dataclass(frozen=True)
class SessionColumn:
    """A session that took place or is under way, with its facts, its drawing and how far its note is.

    `relief` is how long the benefit lasted by the clinic's definition (`is_relief_timed`), else what the patient said.
    """

    infusion: InfusionSession
    going: Progress
    facts: SessionFacts
    note: Note | None
    is_current: bool
    spark: Spark | None
    relief: str
    is_relief_timed: bool


@dataclass(frozen=True)
class CourseReview:
    """Everything that the review of a course shows. `to_sign` are the notes that wait for this reader.

    `pain_input` is what the chart is drawn from: the table shows the same numbers. `missed` are the sessions that the
    patient did not attend; each one's number went to the session that was booked after it.
    """

    course: Course
    columns: list[SessionColumn]
    booked: list[Appointment]
    pain: PainChart
    pain_input: PainInput
    to_sign: list[Note]
    done: int
    planned: int | None
    missed: list[Appointment]
    results: list[OutcomeResult]

    @property
    def version(self) -> OrderVersion | None:
        """The version of the order in force or on hold."""
        return self.course.order.current

    @property
    def draft(self) -> OrderVersion | None:
        """The version that is being written."""
        return self.course.order.draft

    @property
    def waiting(self) -> OrderVersion | None:
        """The version that is signed and waits for its co-signature."""
        return self.course.order.waiting

    @property
    def given_at(self) -> list[datetime]:
        """When the sessions that were started began."""
        return [at for column in self.columns if (at := column.going.started_at) is not None]

    @property
    def under_way(self) -> int | None:
        """The number of the session that is under way."""
        return under_way([column.infusion for column in self.columns])

    @property
    def is_dose_given(self) -> bool:
        """Whether any session of the course was started."""
        return any(column.going.started_at for column in self.columns)


def course_review(course: Course, reader: Staff, *, zone: ZoneInfo, now: datetime) -> CourseReview:
    """Bring a course together, in a number of reads that does not grow with its sessions."""
    sessions = queries.sessions_of_course(course.id)
    going = {row.id: progress(row, now) for row in sessions}
    notes = queries.notes_by_session([row.id for row in sessions])
    results = outcomes.results_of_course(course.id)
    seated = {row.appointment_id for row in sessions}
    booked = still_booked(course.id, seated)
    sparks = _sparks(sessions, going, zone, now)
    last = _current_id(sessions, now)
    lasted = _benefits(sessions, going, results)
    columns = [
        SessionColumn(
            row,
            going[row.id],
            session_facts(row, going[row.id], zone),
            _session_note(notes.get(row.id, ())),
            row.id == last,
            sparks.get(row.id),
            lasted.get(row.id) or relief_words([result for result in results if result.infusion_id == row.id]),
            bool(lasted.get(row.id)),
        )
        for row in sessions
    ]
    version = course.order.current or (course.order.versions[-1] if course.order.versions else None)
    pain = _pain(columns, booked, results, zone)
    return CourseReview(
        course,
        columns,
        booked,
        draw(pain),
        pain,
        _to_sign(columns, reader),
        sum(column.infusion.status.is_closed and column.going.started_at is not None for column in columns),
        version.terms.sessions_planned if version else None,
        missed_of(course.id),
        results,
    )


def _to_sign(columns: Sequence[SessionColumn], reader: Staff) -> list[Note]:
    """The notes of others that wait for a co-signature."""
    notes = [column.note for column in columns if column.note is not None]
    return [note for note in notes if note.status is NoteStatus.COSIGN_PENDING and note.author_id != reader.id]


def _benefits(
    sessions: Sequence[InfusionSession], going: Mapping[uuid.UUID, Progress], results: Sequence[OutcomeResult]
) -> dict[uuid.UUID, str]:
    """How long the benefit of each session that was started lasted, by the clinic's definition."""
    started = [(row.id, at) for row in sessions if (at := going[row.id].started_at) is not None]
    words = benefits(results, [at for _, at in started])
    return {key: said for (key, _), said in zip(started, words, strict=True)}


def _current_id(sessions: Sequence[InfusionSession], now: datetime) -> uuid.UUID | None:
    """The session that the page is about: the latest one that has begun."""
    begun = [row for row in sessions if row.arrived_at <= now]
    return max(begun, key=lambda row: row.arrived_at).id if begun else None


def _sparks(
    sessions: Sequence[InfusionSession], going: Mapping[uuid.UUID, Progress], zone: ZoneInfo, now: datetime
) -> dict[uuid.UUID, Spark]:
    """The small multiples of the sessions that were started, on shared scales."""
    started = [row for row in sessions if going[row.id].started_at is not None]
    drawn = small_multiples(
        [(f"Session {row.number}", chart_input(row, going[row.id], zone=zone, now=now)) for row in started]
    )
    return {row.id: spark for row, spark in zip(started, drawn, strict=True)}


def _session_note(notes: Sequence[Note]) -> Note | None:
    """The note of a session, the signed one before any draft."""
    own = [note for note in notes if note.kind is NoteKind.SESSION]
    return min(own, key=lambda note: note.status is NoteStatus.DRAFT, default=None)


def _pain(
    columns: Sequence[SessionColumn], booked: Sequence[Appointment], results: Sequence[OutcomeResult], zone: ZoneInfo
) -> PainInput:
    return PainInput(
        zone,
        sessions=[
            SessionPain(
                column.facts.number,
                column.going.started_at or column.infusion.arrived_at,
                column.facts.pain_before,
                column.facts.pain_after,
            )
            for column in columns
        ],
        booked=[BookedSession(appointment.session_number, appointment.starts_at) for appointment in booked],
        diary=[
            DiaryPoint(local(result.answered_at, zone).date(), result.items[0])
            for result in results
            if result.instrument is Instrument.NRS
            and result.occasion in {Occasion.DIARY, Occasion.FOLLOW_UP}
            and result.items[0] is not None
        ],
    )


def relief_words(results: Sequence[OutcomeResult]) -> str:
    """Return what the patient said about a session afterwards: "much improved", "pain 4"; else empty."""
    said = [result for result in results if result.occasion is Occasion.FOLLOW_UP and result.items[0] is not None]
    for result in reversed(said):
        if result.instrument is Instrument.PGIC:
            return pgic_words(result.items[0]) or ""
    for result in reversed(said):
        if result.instrument is Instrument.NRS:
            return f"pain {result.items[0]}"
    return ""


# --- the table -------------------------------------------------------------------------------------------------------


def table_columns(
    review: CourseReview, *, zone: ZoneInfo, now: datetime, address: Callable[[uuid.UUID], str | None]
) -> list[dict[str, Any]]:
    """Return the heads of the columns for `matrix`; `address` gives the page of a session."""
    today = local(now, zone).date()
    heads: list[dict[str, Any]] = []
    for column in review.columns:
        day = local(column.going.started_at or column.infusion.arrived_at, zone).date()
        words = f"{date_label(day)[:6]}{', today' if day == today else ''}"
        heads.append(
            {
                "label": str(column.facts.number),
                "sub": words,
                "current": column.is_current,
                "href": address(column.infusion.id),
            }
        )
    for appointment in review.booked:
        day = local(appointment.starts_at, zone).date()
        words = f"{date_label(day)[:6]} {clock_label(appointment.starts_at, zone)}"
        heads.append({"label": str(appointment.session_number), "sub": words})
    return heads


def table_rows(review: CourseReview, *, address: Callable[[Note], str | None]) -> list[dict[str, Any]]:
    """Return the measures as rows for `matrix`; `address` gives the place where a note is signed."""
    version = review.version
    terms = version.terms if version else None
    ahead = len(review.booked)
    maximum = format_quantity(terms.maximum_total_mg, Unit.MG) if terms and terms.maximum_total_mg else ""
    limits = {name: _limit(review, name) for name in ("systolic", "spo2", "sedation")}
    return [
        _row("Pain, before to after", "", [_pain_cell(each) for each in review.pain_input.sessions], None, ahead),
        _row("Diary until the next", "", _diary_cells(review.pain_input), None, ahead),
        _row("Given", "of maximum", [_given(column) for column in review.columns], _mute(maximum), ahead),
        _row("Highest rate", "mg/h", [*map(_highest, review.columns), *_coming_rates(review, version)], None, 0),
        _row(
            "Systolic, highest", limits["systolic"], [_extreme(c.facts.systolic) for c in review.columns], None, ahead
        ),
        _row("SpO2, lowest", limits["spo2"], [_extreme(c.facts.spo2) for c in review.columns], None, ahead),
        _row(
            "Sedation, deepest", limits["sedation"], [_extreme(c.facts.sedation) for c in review.columns], None, ahead
        ),
        _row("Events", "", [_events(column) for column in review.columns], None, ahead),
        _row("Relief, patient report", "", [_relief(column) for column in review.columns], None, ahead),
        _row("Note", "", [_note(column, address) for column in review.columns], None, ahead),
    ]


def _pain_cell(session: SessionPain) -> Cell:
    if session.before is not None and session.after is not None:
        return f"{format_number(session.before)} to {format_number(session.after)}"
    if session.before is not None:
        return {"text": format_number(session.before), "small": "before"}
    return {"text": format_number(session.after), "small": "after"} if session.after is not None else None


def _diary_cells(pain: PainInput) -> list[Cell]:
    """What the patient wrote down on the days from each session to the next; before the first it stands there too."""
    days = [local(each.at, pain.zone).date() for each in pain.sessions]
    found: list[list[str]] = [[] for _ in days]
    for point in sorted(pain.diary, key=lambda each: each.on):
        if days:
            place = max(sum(day <= point.on for day in days) - 1, 0)
            found[place].append(f"{date_label(point.on)[:6]}: {format_number(point.score)}")
    return [", ".join(each) or None for each in found]


def _row(label: str, small: str, cells: list[Cell], coming: Cell, ahead: int) -> dict[str, Any]:
    return {"label": label, "small": small, "cells": [*cells, *([coming] * ahead)]}


def _mute(text: str) -> Cell:
    return {"text": f"max {text}", "kind": "mute"} if text else None


def _ordered_highest(version: OrderVersion | None, number: int) -> str:
    """The highest rate that the order reaches in a session, else the order's maximum, in mg per hour as text."""
    if version is None:
        return ""
    terms, weight = version.terms, version.weight_used_kg
    rate = maximum_mg_h(terms, weight)
    unit = terms.basis.rate_unit
    highest = terms.highest_amount
    if highest is None and terms.session_amounts:
        highest = amount_for(terms, number)
    if highest is not None and not terms.basis.is_total and (unit is Unit.MG_PER_H or weight):
        rate = rate_from(unit, highest, weight_kg=weight)
    return "" if rate is None else format_number(round_half_up(rate, 2))


def _coming_rates(review: CourseReview, version: OrderVersion | None) -> list[Cell]:
    """The highest rate of the booked sessions; a draft shows in the next one what it would make of it."""
    cells: list[Cell] = [_mute(_ordered_highest(version, booked.session_number)) for booked in review.booked]
    drafted = _ordered_highest(review.draft, review.booked[0].session_number) if cells else ""
    if drafted:
        cells[0] = {"tag": (f"draft {drafted}", "warn")}
    return cells


def _given(column: SessionColumn) -> Cell:
    if column.going.started_at is None:
        reason = "not done" if column.infusion.status is SessionStatus.NOT_DONE else "not started"
        return {"text": reason, "kind": "mute"}
    amount = format_number(round_half_up(column.facts.given_mg, 2))
    if column.facts.maximum_mg is None:
        return {"text": amount, "small": "mg"}
    given: dict[str, Any] = {"text": amount, "small": f"of {format_quantity(column.facts.maximum_mg, Unit.MG)}"}
    return given | ({"bad": "high"} if column.facts.given_mg > column.facts.maximum_mg else {})


def _highest(column: SessionColumn) -> Cell:
    if column.going.started_at is None:
        return None
    return {"text": format_number(round_half_up(column.facts.highest_rate_mg_h, 2)), "small": "mg/h"}


def _extreme(found: Extreme | None) -> Cell:
    if found is None:
        return None
    return {"text": found.text, "bad": found.side} if found.side else found.text


def _limit(review: CourseReview, name: str) -> str:
    """The limit as the latest session had it: what the figures beside it are held against."""
    found = [getattr(column.facts, name) for column in review.columns]
    bounds = [extreme.limit for extreme in found if extreme is not None and extreme.limit]
    return bounds[-1] if bounds else ""


def _events(column: SessionColumn) -> Cell:
    if column.facts.events:
        return column.facts.event_words
    return {"text": "none", "kind": "mute"} if column.going.started_at else None


def _relief(column: SessionColumn) -> Cell:
    if column.relief:
        return column.relief if column.is_relief_timed else {"text": column.relief, "small": "at call"}
    return {"text": "not yet", "kind": "mute"} if column.going.started_at else None


def _note(column: SessionColumn, address: Callable[[Note], str | None]) -> Cell:
    if column.note is None:
        return {"text": "none", "kind": "mute"} if column.infusion.status.is_closed else None
    if column.note.status is NoteStatus.COSIGN_PENDING:
        href = address(column.note)
        return {"text": "to sign", "href": href} if href else {"text": "to co-sign", "kind": "mute"}
    return dict(_NOTE_CELLS[column.note.status])
