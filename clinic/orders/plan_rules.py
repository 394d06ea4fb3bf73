"""What an order comes to in a session and in its course, session by session where each has a dose of its own."""

from dataclasses import dataclass, replace
from decimal import Decimal

from clinic.core.units import exact
from clinic.protocols.dose_rules import planned_total_mg, rate_from, rate_mg_h, total_mg
from clinic.protocols.session_doses import amount_for, dose_runs
from clinic.protocols.terms import TermsDraft


@dataclass(frozen=True)
class SessionPlan:
    """The plan of sessions that have the same dose: `words` says which ("a session" for all), rates in mg/h.

    `stepped_mg` is the amount of one session when every step is taken as soon as it may be, `flat_mg` without any.
    """

    words: str
    sessions: int
    start_mg_h: Decimal
    highest_mg_h: Decimal
    flat_mg: Decimal | None
    stepped_mg: Decimal | None


def in_session(terms: TermsDraft, number: int) -> TermsDraft:
    """Return the terms as they stand in one session, with one dose."""
    return replace(terms, start_amount=amount_for(terms, number), session_amounts=None)


@exact
def session_plans(terms: TermsDraft, weight_kg: Decimal | None) -> list[SessionPlan]:
    """Return the plan of every session, those with the same dose together; none where it cannot be worked out."""
    if not terms.session_amounts:
        plan = _plan(terms, "a session", terms.sessions_planned or 0, weight_kg)
        return [plan] if plan else []
    runs = dose_runs(terms.session_amounts)
    plans = [_plan(in_session(terms, run.first), run.words, run.last - run.first + 1, weight_kg) for run in runs]
    return [plan for plan in plans if plan is not None] if all(plans) else []


def _plan(terms: TermsDraft, words: str, sessions: int, weight_kg: Decimal | None) -> SessionPlan | None:
    if (terms.basis.uses_weight and not weight_kg) or not terms.start_amount:
        return None
    if terms.basis.is_total and not terms.duration_min:
        return None
    start = rate_mg_h(terms.basis, terms.start_amount, weight_kg=weight_kg, duration_min=terms.duration_min)
    highest = start
    if terms.highest_amount is not None and not terms.basis.is_total:
        highest = rate_from(terms.basis.rate_unit, terms.highest_amount, weight_kg=weight_kg)
    return SessionPlan(
        words,
        sessions,
        start,
        highest,
        flat_mg=planned_mg(replace(terms, step_amount=None), weight_kg, start, start),
        stepped_mg=planned_mg(terms, weight_kg, start, max(start, highest)),
    )


@exact
def planned_mg(
    terms: TermsDraft, weight_kg: Decimal | None, start_mg_h: Decimal, highest_mg_h: Decimal
) -> Decimal | None:
    """Return the mg that one session comes to when every step is taken as soon as it may be, bolus included.

    None for a rate whose length nobody entered.
    """
    bolus = terms.bolus_mg or Decimal(0)
    if terms.start_amount is None:
        return None
    if terms.basis.is_total:
        return total_mg(terms.basis, terms.start_amount, weight_kg=weight_kg) + bolus
    if not terms.duration_min:
        return None
    steps = bool(terms.step_amount and terms.step_every_min and terms.step_every_min > 0)
    step = terms.step_amount if steps else None
    return bolus + planned_total_mg(
        start_mg_h=start_mg_h,
        duration_min=terms.duration_min,
        step_mg_h=None if step is None else rate_from(terms.basis.rate_unit, step, weight_kg=weight_kg),
        step_every_min=terms.step_every_min,
        highest_mg_h=highest_mg_h,
    )
