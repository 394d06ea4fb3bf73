"""What is missing or outside before an order can be signed. Each bound compared here was entered by a clinician."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from clinic.core.findings import Finding, FindingLevel
from clinic.core.times import date_label
from clinic.core.units import Unit, exact, format_number, format_quantity, round_half_up, rounded_apart
from clinic.orders.bound_rules import beyond_protocol
from clinic.orders.dosing_rules import DosingWeight
from clinic.orders.plan_rules import SessionPlan, session_plans
from clinic.patients.rules import AllergyStatus, Answer, WeightMethod
from clinic.patients.weight_rules import LOOKS_LIKE_POUNDS
from clinic.protocols.dose_rules import rate_from
from clinic.protocols.rules import WeightRule
from clinic.protocols.terms import TermsDraft
from clinic.protocols.terms_rules import contradictions


@dataclass(frozen=True)
class StatedAnswer:
    """A screening answer as it stands; `answer` None says that the question was not asked."""

    question: str
    answer: Answer | None
    is_settled: bool = False
    valid_until: date | None = None


@dataclass(frozen=True, kw_only=True)
class OrderFacts:
    """Everything that an order is held against before it is signed."""

    terms: TermsDraft
    drug_name: str
    is_drug_retired: bool = False
    measured_kg: Decimal | None = None
    dosing: DosingWeight | None = None
    weight_method: WeightMethod | None = None
    allergy_status: AllergyStatus = AllergyStatus.NOT_RECORDED
    substances: tuple[str, ...] = ()
    answers: tuple[StatedAnswer, ...] = ()
    valid_until: date | None = None
    on: date | None = None
    protocol: TermsDraft | None = None
    beyond_protocol_level: FindingLevel = FindingLevel.SOFT

    @property
    def weight_kg(self) -> Decimal | None:
        """What the dose is worked out with: the weight that the clinician chose, else the measured one."""
        return self.dosing.kg if self.dosing else self.measured_kg


def findings_before_signing(facts: OrderFacts) -> list[Finding]:
    """Return what stands against signing: hard findings refuse the signature, soft ones need a written reason."""
    return [
        *_missing(facts.terms),
        *(
            Finding(f"contradiction-{found.field}", FindingLevel.HARD, found.message)
            for found in contradictions(facts.terms)
        ),
        *_weight_findings(facts),
        *_rate_findings(facts),
        *_beyond_protocol(facts),
        *_patient_findings(facts),
        *_validity_findings(facts),
    ]


def _missing(terms: TermsDraft) -> list[Finding]:
    missing = [] if terms.concentration_mg_ml is not None else ["the concentration"]
    missing += [] if terms.start_amount is not None or terms.session_amounts else ["the dose"]
    if terms.duration_min is None and (terms.basis.is_total or terms.maximum_duration_min is None):
        missing.append("the length")
    if terms.step_amount:
        missing += [] if terms.step_every_min else ["the time between two steps"]
        missing += [] if terms.highest_amount is not None else ["the highest rate"]
    return [
        Finding(f"missing-{words.removeprefix('the ').replace(' ', '-')}", FindingLevel.HARD, f"Enter {words}.")
        for words in missing
    ]


def _weight_findings(facts: OrderFacts) -> list[Finding]:
    if not facts.terms.basis.uses_weight and facts.dosing is None:
        return []
    if facts.measured_kg is None:
        return [
            Finding("weight-missing", FindingLevel.HARD, "The dose needs the patient's weight: weigh and record it.")
        ]
    if facts.weight_method is not WeightMethod.MEASURED:
        message = f"{format_quantity(facts.measured_kg, Unit.KG)} was stated, not measured: weigh the patient."
        return [Finding("weight-not-measured", FindingLevel.HARD, message)]
    rule = facts.terms.weight_rule
    if facts.dosing is not None:
        return _dosing_findings(facts.dosing, facts.measured_kg, rule, facts.on)
    if rule in {WeightRule.IDEAL, WeightRule.ADJUSTED}:
        measured = format_quantity(facts.measured_kg, Unit.KG)
        message = f"The order says {rule} weight; it is worked out with the measured {measured}."
        return [
            Finding("weight-not-by-rule", FindingLevel.SOFT, message, {"weight_kg": format_number(facts.measured_kg)})
        ]
    return []


@exact
def _dosing_findings(
    dosing: DosingWeight, measured_kg: Decimal, rule: WeightRule | None, on: date | None
) -> list[Finding]:
    """Whether the weight that was typed for dosing says what it is; what it should be nobody works out here."""
    typed, measured = format_quantity(dosing.kg, Unit.KG), format_quantity(measured_kg, Unit.KG)
    found = []
    if rule not in {WeightRule.IDEAL, WeightRule.ADJUSTED}:
        message = f"{typed} is typed as the weight to dose on: say under “Weight used” whether it is ideal or adjusted."
        found.append(Finding("dosing-weight-unnamed", FindingLevel.HARD, message))
    if on is not None and dosing.on > on:
        message = f"The weight to dose on is of {date_label(dosing.on)}, which is to come."
        found.append(Finding("dosing-weight-to-come", FindingLevel.HARD, message))
    if LOOKS_LIKE_POUNDS[0] <= dosing.kg / measured_kg <= LOOKS_LIKE_POUNDS[1]:
        message = f"{typed} is typed to dose on, {measured} was measured: the typed weight looks like pounds."
        found.append(Finding("dosing-weight-looks-like-pounds", FindingLevel.HARD, message))
    return found


def _rate_findings(facts: OrderFacts) -> list[Finding]:
    plans = session_plans(facts.terms, facts.weight_kg)
    return [*_over_maximum_rate(facts, plans), *_over_maximum_total(facts.terms, plans)]


@exact
def _over_maximum_rate(facts: OrderFacts, plans: Sequence[SessionPlan]) -> list[Finding]:
    terms = facts.terms
    unit = terms.maximum_rate_unit
    if not plans or terms.maximum_rate is None or unit is None or unit.is_total:
        return []
    if unit.uses_weight and facts.weight_kg is None:
        return [Finding("weight-missing", FindingLevel.HARD, "The maximum rate needs the patient's weight.")]
    maximum = rate_from(unit.rate_unit, terms.maximum_rate, weight_kg=facts.weight_kg)
    of = " of {}" if terms.session_amounts else ""
    rates = [("start", f"The start{of.format(plan.words)}", plan.start_mg_h) for plan in plans]
    # The highest rate is the same in every session.
    if plans[0].highest_mg_h not in {plan.start_mg_h for plan in plans}:
        rates.append(("highest", "The highest rate", plans[0].highest_mg_h))
    found = []
    for code, words, rate in rates:
        if rate <= maximum:
            continue
        rate_text, maximum_text = (format_quantity(shown, Unit.MG_PER_H) for shown in rounded_apart(rate, maximum))
        entered = format_quantity(terms.maximum_rate, unit.rate_unit)
        message = f"{words} comes to {rate_text}; the maximum rate is {entered} ({maximum_text})."
        numbers = {
            "rate_mg_h": format_number(round_half_up(rate, 6)),
            "maximum_mg_h": format_number(round_half_up(maximum, 6)),
        }
        found.append(Finding(f"{code}-over-maximum-rate", FindingLevel.HARD, message, numbers))
    return found


@exact
def _over_maximum_total(terms: TermsDraft, plans: Sequence[SessionPlan]) -> list[Finding]:
    """Refuse a plan whose first rate alone is over a maximum; ask for a reason where only its steps lift it over.

    A step is taken if it is tolerated, and while the drug runs no rate is accepted that would pass the maximum.
    """
    found: list[Finding] = []
    course, unstepped = Decimal(0), Decimal(0)
    for plan in plans:
        if plan.stepped_mg is None or plan.flat_mg is None:
            return []
        words = f"in {plan.words}; the session maximum"
        found += _over_total("maximum", words, plan.stepped_mg, plan.flat_mg, terms.maximum_total_mg)
        course += plan.stepped_mg * plan.sessions
        unstepped += plan.flat_mg * plan.sessions
    sessions = terms.sessions_planned or 0
    words = f"in {sessions} session{'' if sessions == 1 else 's'}; the course maximum"
    return [*found, *_over_total("course-maximum", words, course, unstepped, terms.course_maximum_mg)]


def _over_total(code: str, words: str, planned: Decimal, unstepped: Decimal, maximum: Decimal | None) -> list[Finding]:
    if maximum is None or planned <= maximum:
        return []
    is_by_steps = unstepped <= maximum
    kind, level = ("steps-over", FindingLevel.SOFT) if is_by_steps else ("planned-over", FindingLevel.HARD)
    planned_text = format_quantity(rounded_apart(planned, maximum)[0], Unit.MG)
    message = (
        f"{'With every step the' if is_by_steps else 'The'} plan comes to {planned_text} {words} is "
        f"{format_quantity(maximum, Unit.MG)}."
    )
    numbers = {"planned_mg": format_number(round_half_up(planned, 6)), "maximum_mg": format_number(maximum)}
    return [Finding(f"{kind}-{code}", level, message, numbers)]


def _beyond_protocol(facts: OrderFacts) -> list[Finding]:
    if facts.protocol is None:
        return []
    return beyond_protocol(facts.terms, facts.protocol, weight_kg=facts.weight_kg, level=facts.beyond_protocol_level)


def _patient_findings(facts: OrderFacts) -> list[Finding]:
    found = [_answer_finding(answer, facts.on) for answer in facts.answers]
    drug = facts.drug_name.lower()
    for substance in facts.substances:
        if drug in substance.lower() or (substance and substance.lower() in drug):
            message = f"An allergy to {substance} is recorded; the order is for {facts.drug_name}."
            found.append(Finding("allergy", FindingLevel.HARD, message))
    if facts.allergy_status is AllergyStatus.NOT_RECORDED:
        found.append(Finding("allergies-not-recorded", FindingLevel.SOFT, "Nobody has asked for allergies yet."))
    if facts.is_drug_retired:
        found.append(Finding("drug-retired", FindingLevel.HARD, f"{facts.drug_name} is no longer in the formulary."))
    return [finding for finding in found if finding is not None]


def _answer_finding(answer: StatedAnswer, on: date | None) -> Finding | None:
    if answer.answer is None:
        return Finding("screening-not-asked", FindingLevel.SOFT, f"Not asked yet: {answer.question}")
    if answer.answer is Answer.NO or answer.is_settled:
        if on is None or answer.valid_until is None or on <= answer.valid_until:
            return None
        message = f"Ask again, the answer was valid until {date_label(answer.valid_until)}: {answer.question}"
        return Finding("screening-expired", FindingLevel.SOFT, message)
    message = f"Settle the screening answer “{answer.answer}” first: {answer.question}"
    return Finding("screening-unsettled", FindingLevel.HARD, message)


def _validity_findings(facts: OrderFacts) -> list[Finding]:
    if facts.valid_until is None or facts.on is None or facts.on <= facts.valid_until:
        return []
    message = f"Today is {date_label(facts.on)}; the order is valid until {date_label(facts.valid_until)}."
    return [Finding("order-expired", FindingLevel.HARD, message)]


def remarks(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that are signed with a written reason."""
    return [finding for finding in findings if finding.level is FindingLevel.SOFT]


def refusals(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that refuse the signature."""
    return [finding for finding in findings if finding.level is FindingLevel.HARD]
