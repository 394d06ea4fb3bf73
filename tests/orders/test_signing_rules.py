"""What stands against signing. Every bound compared was entered by a clinician."""

import uuid
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.orders.plan_rules import session_plans
from clinic.orders.rules import DosingWeight, FindingLevel
from clinic.orders.signing_rules import OrderFacts, StatedAnswer, findings_before_signing, refusals
from clinic.patients.rules import AllergyStatus, Answer, WeightMethod
from clinic.protocols.dose_rules import rate_from, rate_mg_h
from clinic.protocols.rules import DoseBasis, WeightRule
from clinic.protocols.terms import TermsDraft

KG = Decimal("68.0")
TODAY = date(2025, 11, 18)
DAY = timedelta(days=1)
STEPPED = TermsDraft(
    drug_id=uuid.UUID(int=1),
    basis=DoseBasis.MG_PER_KG_H,
    concentration_mg_ml=Decimal(1),
    start_amount=Decimal("0.2"),
    step_amount=Decimal("0.05"),
    step_every_min=60,
    highest_amount=Decimal("0.35"),
    maximum_rate=Decimal("0.5"),
    maximum_rate_unit=DoseBasis.MG_PER_KG_H,
    maximum_total_mg=Decimal(100),
    duration_min=240,
)
TOTAL = TermsDraft(
    drug_id=uuid.UUID(int=1),
    basis=DoseBasis.MG_PER_KG,
    concentration_mg_ml=Decimal(1),
    start_amount=Decimal("0.5"),
    maximum_rate=Decimal("0.8"),
    maximum_rate_unit=DoseBasis.MG_PER_KG_H,
    maximum_total_mg=Decimal(50),
    duration_min=40,
)
FACTS = OrderFacts(
    terms=STEPPED,
    drug_name="ketamine",
    measured_kg=KG,
    weight_method=WeightMethod.MEASURED,
    allergy_status=AllergyStatus.NONE_KNOWN,
)


def codes(facts=FACTS, **terms):
    return {
        finding.code
        for finding in refusals(findings_before_signing(replace(facts, terms=replace(facts.terms, **terms))))
    }


def test_a_complete_order_has_nothing_against_it():
    assert findings_before_signing(FACTS) == []
    assert findings_before_signing(replace(FACTS, terms=TOTAL)) == []


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        ("concentration_mg_ml", "missing-concentration"),
        ("start_amount", "missing-dose"),
        ("duration_min", "missing-length"),
        ("step_every_min", "missing-time-between-two-steps"),
        ("highest_amount", "missing-highest-rate"),
    ],
)
def test_a_stepped_rate_needs_its_values(missing, code):
    assert code in codes(**{missing: None})


def test_a_total_needs_its_length():
    assert "missing-length" in codes(replace(FACTS, terms=TOTAL), duration_min=None)


def test_a_rate_may_have_a_longest_time_instead_of_a_length():
    assert codes(duration_min=None, maximum_duration_min=240) == set()


@pytest.mark.parametrize("basis", [basis for basis in DoseBasis if basis.uses_weight])
def test_a_dose_by_weight_needs_a_measured_weight(basis):
    facts = replace(FACTS, terms=replace(TOTAL if basis.is_total else STEPPED, basis=basis))
    assert "weight-missing" in codes(replace(facts, measured_kg=None, weight_method=None))
    assert "weight-not-measured" in codes(replace(facts, weight_method=WeightMethod.STATED))


def test_a_dose_without_weight_asks_for_none():
    plain = replace(FACTS, measured_kg=None, weight_method=None)
    assert codes(plain, basis=DoseBasis.MG_PER_H, maximum_rate_unit=DoseBasis.MG_PER_H) == set()


@pytest.mark.parametrize(
    ("rule", "dosing", "said"),
    [
        (WeightRule.IDEAL, DosingWeight(Decimal(60), "Devine, 170 cm", TODAY), set()),
        (WeightRule.ACTUAL, DosingWeight(Decimal(60), "Devine, 170 cm", TODAY), {"dosing-weight-unnamed"}),
        (None, DosingWeight(Decimal(60), "Devine, 170 cm", TODAY), {"dosing-weight-unnamed"}),
        (WeightRule.ADJUSTED, DosingWeight(Decimal(60), "Of tomorrow", TODAY + DAY), {"dosing-weight-to-come"}),
        (WeightRule.IDEAL, DosingWeight(KG * Decimal("2.2"), "lb", TODAY), {"dosing-weight-looks-like-pounds"}),
    ],
)
def test_a_typed_weight_to_dose_on_says_what_it_is_and_of_when(rule, dosing, said):
    facts = replace(FACTS, dosing=dosing, on=TODAY)
    assert codes(facts, weight_rule=rule, maximum_total_mg=None) == said


def test_the_typed_weight_is_what_the_dose_is_worked_out_with():
    light, heavy = (DosingWeight(Decimal(kg), "Typed", TODAY) for kg in (60, 100))
    at_most = Decimal(60) * Decimal("0.35") * 4  # the highest rate for the whole time, at 60 kg
    for dosing, is_over in ((light, False), (heavy, True)):
        facts = replace(FACTS, dosing=dosing, on=TODAY, terms=replace(STEPPED, weight_rule=WeightRule.IDEAL))
        found = findings_before_signing(replace(facts, terms=replace(facts.terms, maximum_total_mg=at_most)))
        assert any("over-maximum" in each.code for each in found) is is_over


def test_a_measured_weight_is_needed_beside_the_typed_one():
    typed = replace(FACTS, measured_kg=None, dosing=DosingWeight(Decimal(60), "Devine, 170 cm", TODAY))
    assert "weight-missing" in codes(typed, weight_rule=WeightRule.IDEAL)


def test_a_maximum_rate_by_weight_needs_the_weight_all_the_same():
    assert "weight-missing" in codes(replace(FACTS, measured_kg=None), basis=DoseBasis.MG_PER_H)


def test_the_start_and_the_highest_rate_stay_under_the_maximum():
    assert codes(maximum_rate=Decimal("0.3")) == {"highest-over-maximum-rate"}
    assert codes(maximum_rate=Decimal("0.1")) == {"start-over-maximum-rate", "highest-over-maximum-rate"}


def test_a_total_given_too_fast_is_over_the_maximum_rate():
    facts = replace(FACTS, terms=TOTAL)
    assert codes(facts, duration_min=37) == {"start-over-maximum-rate"}
    assert codes(facts, duration_min=38) == set()


def test_a_start_that_alone_passes_the_session_maximum_is_refused():
    assert codes(maximum_total_mg=Decimal("54.4"), step_amount=None) == set()
    assert codes(maximum_total_mg=Decimal("54.3")) == {"planned-over-maximum"}


def test_steps_that_may_pass_the_session_maximum_are_shown_and_refuse_nothing():
    (finding,) = findings_before_signing(replace(FACTS, terms=replace(STEPPED, maximum_total_mg=Decimal("74.7"))))
    assert (finding.code, finding.level) == ("steps-over-maximum", FindingLevel.SOFT)


def test_a_bolus_counts():
    assert codes(maximum_total_mg=Decimal("54.4"), bolus_mg=Decimal(1)) == {"planned-over-maximum"}


def test_the_message_names_both_numbers():
    (finding,) = findings_before_signing(replace(FACTS, terms=replace(STEPPED, maximum_total_mg=Decimal("74.7999"))))
    assert "74.8\u00a0mg in a session" in finding.message
    assert "74.7999\u00a0mg" in finding.message


@pytest.mark.parametrize("answer", [Answer.YES, Answer.UNKNOWN])
def test_a_yes_or_unknown_is_settled_first(answer):
    open_facts = replace(FACTS, answers=(StatedAnswer("Psychosis?", answer),))
    assert codes(open_facts) == {"screening-unsettled"}
    assert codes(replace(FACTS, answers=(StatedAnswer("Psychosis?", answer, is_settled=True),))) == set()


def test_a_question_not_asked_is_shown_and_refuses_nothing():
    (finding,) = findings_before_signing(replace(FACTS, answers=(StatedAnswer("Psychosis?", None),)))
    assert finding.level is FindingLevel.SOFT


def test_a_no_stands_against_nothing():
    assert findings_before_signing(replace(FACTS, answers=(StatedAnswer("Psychosis?", Answer.NO),))) == []


@pytest.mark.parametrize("substance", ["ketamine", "Ketamine", "ketamine hydrochloride"])
def test_an_allergy_to_the_drug_refuses(substance):
    assert codes(replace(FACTS, substances=(substance,))) == {"allergy"}


def test_another_allergy_refuses_nothing():
    assert codes(replace(FACTS, substances=("latex",))) == set()


def test_allergies_nobody_asked_for_are_shown():
    (finding,) = findings_before_signing(replace(FACTS, allergy_status=AllergyStatus.NOT_RECORDED))
    assert finding.level is FindingLevel.SOFT


def test_an_order_that_has_expired_is_not_signed():
    facts = replace(FACTS, valid_until=date(2025, 11, 18))
    assert codes(replace(facts, on=date(2025, 11, 18))) == set()
    assert codes(replace(facts, on=date(2025, 11, 19))) == {"order-expired"}


AMOUNT = st.decimals(min_value="0.01", max_value=5, places=2)
MINUTES = st.integers(min_value=1, max_value=600)
LADDERS = st.tuples(AMOUNT, AMOUNT, st.integers(0, 20)).map(
    lambda ladder: (*ladder[:2], ladder[0] + ladder[1] * ladder[2])
)
SLACK = Decimal("1e-20")


@given(ladder=LADDERS, every=MINUTES, duration=MINUTES, kg=st.decimals("0.5", 300, places=1))
def test_the_plan_lies_between_its_start_and_its_highest_rate(ladder, every, duration, kg):
    start, step, highest = ladder
    terms = replace(
        STEPPED,
        start_amount=start,
        step_amount=step,
        step_every_min=every,
        highest_amount=highest,
        duration_min=duration,
    )
    start_mg_h = rate_mg_h(terms.basis, start, weight_kg=kg, duration_min=duration)
    highest_mg_h = rate_from(terms.basis.rate_unit, highest, weight_kg=kg)
    (plan,) = session_plans(terms, kg)
    assert start_mg_h * duration / 60 - SLACK <= plan.stepped_mg <= highest_mg_h * duration / 60 + SLACK


@given(maximum=st.decimals(min_value="0.1", max_value=200, places=1))
def test_a_plan_is_told_of_exactly_when_it_is_over_its_maximum(maximum):
    found = findings_before_signing(replace(FACTS, terms=replace(STEPPED, maximum_total_mg=maximum)))
    assert bool(found) is (Decimal("74.8") > maximum)
    assert bool(refusals(found)) is (Decimal("54.4") > maximum)


@pytest.mark.parametrize("rule", [WeightRule.IDEAL, WeightRule.ADJUSTED])
def test_another_weight_than_the_measured_one_is_said_and_needs_a_reason(rule):
    (found,) = findings_before_signing(replace(FACTS, terms=replace(STEPPED, weight_rule=rule)))
    assert (found.code, found.level) == ("weight-not-by-rule", FindingLevel.SOFT)
