"""What the pages show of outcomes over time: charts, the response by the clinic's definition, how long it lasted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from clinic.courses.models import Course
from clinic.outcomes import queries
from clinic.outcomes.chart import WIDTH, ScoreChart, ScorePoint, draw_scores
from clinic.outcomes.models import OutcomeResult, ResponderRule
from clinic.outcomes.response_rules import Answered, Benefit, Definition, Response, Tally, benefit, response
from clinic.outcomes.rules import Occasion
from clinic.outcomes.wording import (
    QUESTIONNAIRES,
    Questionnaire,
    asked_in,
    by_measure,
    own,
    response_words,
    result_score,
)

RESPONSE_WORDS: Final = {
    Response.RESPONDED: "responded",
    Response.NOT: "did not respond",
    Response.NO_BASELINE: "not known: no score before the course",
    Response.NO_ANSWER: "not known: no score after a session",
}


def charts(
    results: Sequence[OutcomeResult], sessions: Sequence[datetime], *, zone: ZoneInfo, width: int = WIDTH
) -> list[ScoreChart]:
    """Draw each measure that was answered more than once, on its own scale and on the days of the course."""
    drawn = []
    for asked, rows in by_measure(results):
        points = [
            ScorePoint(row.answered_at, Decimal(score), row.occasion is Occasion.BASELINE)
            for row in rows
            if (score := result_score(row)) is not None
        ]
        if len(points) > 1:
            drawn.append(
                draw_scores(asked.name, points, bounds=asked.bounds, sessions=sessions, zone=zone, width=width)
            )
    return drawn


def measures() -> list[Questionnaire]:
    """What the clinic can ask: the instruments that are shipped, then its own forms in their newest version."""
    return [*QUESTIONNAIRES.values(), *(own(form) for form in queries.newest_forms())]


def rule_in_force() -> ResponderRule | None:
    """What the clinic calls a response now; None where it calls nothing so."""
    rules = queries.responder_rules()
    return rules[0] if rules and rules[0].measure is not None else None


def definition(rule: ResponderRule, measures: Iterable[Questionnaire]) -> Definition | None:
    """Return the definition of a rule; None where its measure has no direction any more."""
    asked = next((found for found in measures if found.key == rule.measure), None)
    if asked is None or asked.better is None:
        return None
    within = timedelta(days=rule.within_days) if rule.within_days else None
    return Definition(asked.better, rule.least_percent, rule.reaches, within)


@dataclass(frozen=True)
class Outcome:
    """How one course stands to the definition, and how long the benefit after its last session lasted."""

    response: Response
    benefit: Benefit | None

    @property
    def benefit_words(self) -> str:
        """How long it lasted, in words."""
        return benefit_words(self.benefit)


def benefit_words(lasted: Benefit | None) -> str:
    """Return "at least 12 days" or "7 days, no more on day 9"; empty where there was none."""
    if lasted is None or lasted == Benefit(0, None):
        return ""  # answered on the day of the session alone, which says nothing about how long
    days = "1 day" if lasted.held == 1 else f"{lasted.held} days"
    return f"at least {days}" if lasted.gone is None else f"{days}, no more on day {lasted.gone}"


def outcome(
    rule: ResponderRule, defined: Definition, results: Iterable[OutcomeResult], sessions: Sequence[datetime]
) -> Outcome:
    """Hold the answers of a course, in the order of time, against the clinic's definition."""
    own = [row for row in results if asked_in(row).key == rule.measure]
    first = next((row for row in own if row.occasion is Occasion.BASELINE), None)
    before = Answered(first.answered_at, result_score(first)) if first is not None else None
    later = [
        Answered(row.answered_at, result_score(row))
        for row in own
        if row.occasion is not Occasion.BASELINE and sessions and row.answered_at >= sessions[0]
    ]
    last = sessions[-1] if sessions else None
    lasted = benefit(defined, before.score if before else None, later, last) if last is not None else None
    return Outcome(response(defined, before, later, last), lasted)


def course_outcome(results: Sequence[OutcomeResult], sessions: Sequence[datetime]) -> tuple[str, Outcome] | None:
    """Return the clinic's definition in words and how a course stands to it; None without a definition."""
    rule = rule_in_force()
    asked = measures() if rule is not None else []
    defined = definition(rule, asked) if rule is not None else None
    if rule is None or defined is None:
        return None
    return response_words(rule, asked), outcome(rule, defined, results, sessions)


def benefits(results: Iterable[OutcomeResult], sessions: Sequence[datetime]) -> list[str]:
    """Return how long the benefit of each session lasted until the next, in words; all empty without a definition."""
    rule = rule_in_force()
    defined = definition(rule, measures()) if rule is not None else None
    if rule is None or defined is None:
        return [""] * len(sessions)
    own = [row for row in results if asked_in(row).key == rule.measure]
    first = next((result_score(row) for row in own if row.occasion is Occasion.BASELINE), None)
    answered = [Answered(row.answered_at, result_score(row)) for row in own if row.occasion is not Occasion.BASELINE]
    ends = [*sessions[1:], None]
    return [
        benefit_words(benefit(defined, first, (a for a in answered if end is None or a.at < end), begun))
        for begun, end in zip(sessions, ends, strict=True)
    ]


# --- the clinic's report ---------------------------------------------------------------------------------------------


@dataclass
class ReportRow:
    """The courses under one drug and protocol."""

    drug: str
    protocol: str
    tally: Tally = field(default_factory=Tally)


def report(rule: ResponderRule, defined: Definition, courses: Sequence[Course]) -> tuple[list[ReportRow], Tally]:
    """Count the responders of each drug and protocol, and of all; a course of which it is not known is counted so."""
    ids = [course.id for course in courses]
    results, sessions = queries.results_of_courses(ids), queries.given_sessions(ids)
    rows: dict[tuple[str, str], ReportRow] = {}
    whole = Tally()
    for course in courses:
        version = course.protocol_version
        key = (version.terms.drug.name, version.protocol.name)
        row = rows.setdefault(key, ReportRow(*key))
        found = outcome(rule, defined, results.get(course.id, ()), sessions.get(course.id, ())).response
        row.tally.add(found)
        whole.add(found)
    return [rows[key] for key in sorted(rows)], whole
