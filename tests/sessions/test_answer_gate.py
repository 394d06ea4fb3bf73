"""The checks before an infusion, one by one."""

from dataclasses import replace
from decimal import Decimal

import pytest

from clinic.core.errors import RuleBroken
from clinic.core.permissions import Role
from clinic.protocols.rules import CheckKind, Comparator, DoseBasis, GateEffect, LimitLevel, Vital
from clinic.protocols.terms import CheckDraft, LimitDraft
from clinic.sessions import operations
from clinic.sessions.readiness import answer_to
from clinic.sessions.rules import GateResult, SessionStatus
from tests.factories.sessions import ARRIVED, START, check_of

ESCORT = CheckDraft(section="Safety", kind=CheckKind.ESCORT, text="Escort named", effect=GateEffect.HARD)
CONSENT = CheckDraft(section="Patient", kind=CheckKind.CONSENT, text="Consent signed", effect=GateEffect.HARD)
IDENTITY = CheckDraft(section="Patient", kind=CheckKind.IDENTITY, text="Name and birth date", effect=GateEffect.HARD)
WEIGHT = CheckDraft(section="Body", kind=CheckKind.WEIGHT, text="Weighed today", effect=GateEffect.HARD)
VITALS = CheckDraft(section="Body", kind=CheckKind.VITALS, text="Vitals inside the limits", effect=GateEffect.HARD)


@pytest.fixture
def answer(nurse):
    def act(infusion, kind, result, *, by=nurse, at=START, **values):
        return operations.answer_gate(infusion, check_of(infusion, kind), result=result, by=by, at=at, **values)

    return act


def test_keeps_who_is_called_and_what_was_said(make_infusion, answer):
    infusion = make_infusion(checks=(ESCORT,))
    given = answer(infusion, CheckKind.ESCORT, GateResult.PASS, detail="spouse", contact_name="Jo", contact_phone="555")
    assert (given.detail, given.contact_name, given.contact_phone) == ("spouse", "Jo", "555")


def test_a_second_answer_supersedes_the_first(make_infusion, answer):
    infusion = make_infusion(checks=(ESCORT,))
    first = answer(infusion, CheckKind.ESCORT, GateResult.FAIL)
    second = answer(infusion, CheckKind.ESCORT, GateResult.PASS)
    assert second.supersedes_id == first.id
    assert answer_to(infusion, check_of(infusion, CheckKind.ESCORT)) is second


def test_identity_passes_by_the_year_of_birth(make_infusion, nurse):
    infusion = make_infusion(checks=(IDENTITY,))
    given = operations.answer_identity(infusion, check_of(infusion, CheckKind.IDENTITY), 1968, by=nurse, at=START)
    assert given.result is GateResult.PASS


def test_another_year_of_birth_is_kept_as_a_failure(make_infusion, nurse):
    infusion = make_infusion(checks=(IDENTITY,))
    given = operations.answer_identity(infusion, check_of(infusion, CheckKind.IDENTITY), 1986, by=nurse, at=START)
    assert given.result is GateResult.FAIL
    assert "1986" not in given.detail
    assert any("failed" in reason for reason in operations.start_reasons(infusion, None, START))


def test_identity_is_never_simply_ticked(make_infusion, answer):
    with pytest.raises(RuleBroken, match="year of birth"):
        answer(make_infusion(checks=(IDENTITY,)), CheckKind.IDENTITY, GateResult.PASS)


def test_only_a_physician_overrides(make_infusion, answer, second_nurse):
    infusion = make_infusion(checks=(ESCORT,))
    with pytest.raises(RuleBroken, match="physician"):
        answer(infusion, CheckKind.ESCORT, GateResult.OVERRIDDEN, detail="Taxi booked", by=second_nurse)


def test_a_check_of_one_role_is_answered_by_somebody_who_has_it(make_infusion, answer, physician):
    infusion = make_infusion(checks=(replace(ESCORT, role=Role.PHYSICIAN),))
    with pytest.raises(RuleBroken, match="a physician answers this check"):
        answer(infusion, CheckKind.ESCORT, GateResult.PASS)
    assert answer(infusion, CheckKind.ESCORT, GateResult.PASS, by=physician)


def test_an_override_is_the_physicians_whoever_answers_the_check(make_infusion, answer, physician):
    infusion = make_infusion(checks=(replace(ESCORT, role=Role.NURSE),))
    assert answer(infusion, CheckKind.ESCORT, GateResult.OVERRIDDEN, detail="Lives here", by=physician)


def test_an_override_says_why(make_infusion, answer, physician):
    infusion = make_infusion(checks=(ESCORT,))
    with pytest.raises(RuleBroken, match="why"):
        answer(infusion, CheckKind.ESCORT, GateResult.OVERRIDDEN, by=physician)
    assert answer(infusion, CheckKind.ESCORT, GateResult.OVERRIDDEN, detail="Lives here", by=physician)


def test_who_runs_the_session_never_overrides(make_infusion, answer, physician):
    infusion = make_infusion(checks=(ESCORT,))
    operations.assign_nurse(infusion, physician, by=physician, at=START)
    with pytest.raises(RuleBroken, match="runs the session"):
        answer(infusion, CheckKind.ESCORT, GateResult.OVERRIDDEN, detail="Lives here", by=physician)


@pytest.mark.parametrize("result", [GateResult.OVERRIDDEN, GateResult.NOT_APPLICABLE])
def test_nobody_passes_over_who_the_patient_is(make_infusion, answer, physician, result):
    with pytest.raises(RuleBroken, match="check"):
        answer(make_infusion(checks=(IDENTITY,)), CheckKind.IDENTITY, result, detail="Known here", by=physician)


def test_not_applicable_says_why_where_a_failure_blocks(make_infusion, answer):
    infusion = make_infusion(checks=(ESCORT,))
    with pytest.raises(RuleBroken, match="why"):
        answer(infusion, CheckKind.ESCORT, GateResult.NOT_APPLICABLE)


def test_consent_that_does_not_cover_the_day_cannot_pass(make_infusion, answer, make_consent):
    infusion = make_infusion(checks=(CONSENT,))
    with pytest.raises(RuleBroken, match="No active consent"):
        answer(infusion, CheckKind.CONSENT, GateResult.PASS)
    make_consent(infusion.patient)
    assert answer(infusion, CheckKind.CONSENT, GateResult.PASS)


def test_a_weight_far_from_the_orders_fails_its_check(make_infusion, make_weight, clinic, nurse):
    clinic.weight_change_percent = 5
    infusion = make_infusion(checks=(WEIGHT,))
    operations.use_weight(
        infusion, make_weight(infusion.patient, "74.0", confirmed=True, reason="Oedema"), by=nurse, at=START
    )
    given = answer_to(infusion, check_of(infusion, CheckKind.WEIGHT))
    assert given.result is GateResult.FAIL
    assert "68" in given.detail
    assert "74" in given.detail


def test_a_weight_near_the_orders_passes_its_check(make_infusion, make_weight, clinic, nurse):
    clinic.weight_change_percent = 5
    infusion = make_infusion(checks=(WEIGHT,))
    operations.use_weight(infusion, make_weight(infusion.patient, "69.0"), by=nurse, at=START)
    assert answer_to(infusion, check_of(infusion, CheckKind.WEIGHT)).result is GateResult.PASS


def test_vitals_outside_a_start_limit_cannot_pass(make_infusion, answer, nurse):
    limit = LimitDraft(LimitLevel.START, Vital.SBP, Comparator.GT, Decimal(160))
    infusion = make_infusion(checks=(VITALS,), limits=(limit,))
    with pytest.raises(RuleBroken, match="No vitals"):
        answer(infusion, CheckKind.VITALS, GateResult.PASS)
    operations.record_observation(infusion, {"sbp": 186, "dbp": 104}, observed_at=ARRIVED, by=nurse, at=ARRIVED)
    with pytest.raises(RuleBroken, match="SBP is 186"):
        answer(infusion, CheckKind.VITALS, GateResult.PASS)
    operations.record_observation(infusion, {"sbp": 138, "dbp": 84}, observed_at=START, by=nurse, at=START)
    assert answer(infusion, CheckKind.VITALS, GateResult.PASS)


def test_vitals_without_the_one_that_has_a_start_limit_cannot_pass(make_infusion, answer, nurse):
    limit = LimitDraft(LimitLevel.START, Vital.SBP, Comparator.GT, Decimal(160))
    infusion = make_infusion(checks=(VITALS,), limits=(limit,))
    operations.record_observation(infusion, {"hr": 70}, observed_at=ARRIVED, by=nurse, at=ARRIVED)
    with pytest.raises(RuleBroken, match="No vitals"):
        answer(infusion, CheckKind.VITALS, GateResult.PASS)


@pytest.mark.parametrize("kind", [CheckKind.WEIGHT, CheckKind.CONSENT, CheckKind.VITALS])
def test_what_the_dose_rests_on_always_applies(make_infusion, answer, kind):
    limit = LimitDraft(LimitLevel.START, Vital.SBP, Comparator.GT, Decimal(160))
    infusion = make_infusion(checks=(WEIGHT, CONSENT, VITALS), limits=(limit,))
    with pytest.raises(RuleBroken, match="applies to every session"):
        answer(infusion, kind, GateResult.NOT_APPLICABLE, detail="Not today")


def test_a_dose_without_weight_starts_without_one(make_infusion, answer, make_double_check, nurse):
    infusion = make_infusion(
        checks=(WEIGHT,),
        basis=DoseBasis.MG_PER_H,
        start_amount=Decimal(20),
        maximum_rate=None,
        maximum_rate_unit=None,
        step_amount=None,
        step_every_min=None,
        highest_amount=None,
    )
    answer(infusion, CheckKind.WEIGHT, GateResult.NOT_APPLICABLE, detail="The dose is in mg per hour")
    check = make_double_check(infusion, "20", at=START)
    assert operations.start(infusion, happened_at=START, double_check=check, by=nurse, at=START)


def test_the_clinician_on_site_is_named_not_ticked(make_infusion, answer):
    item = CheckDraft(section="Team", kind=CheckKind.SUPERVISING, text="Clinician on site", effect=GateEffect.HARD)
    with pytest.raises(RuleBroken, match="Choose the clinician"):
        answer(make_infusion(checks=(item,)), CheckKind.SUPERVISING, GateResult.PASS)


def test_nothing_is_settled_after_the_start(make_running, nurse):
    infusion = make_running()
    item = infusion.order_version.terms.checks[1]
    with pytest.raises(RuleBroken, match="before the infusion starts"):
        operations.answer_gate(infusion, item, result=GateResult.FAIL, by=nurse, at=START)


def test_a_session_is_ready_once_everything_is_settled(make_ready, make_double_check):
    infusion = make_ready()
    assert infusion.status is SessionStatus.PRECHECKING
    make_double_check(infusion, at=START)
    assert infusion.status is SessionStatus.READY


def test_a_ready_session_falls_back_when_a_check_fails(make_ready, make_double_check, answer):
    infusion = make_ready(checks=(IDENTITY, ESCORT))
    make_double_check(infusion, at=START)
    answer(infusion, CheckKind.ESCORT, GateResult.FAIL, detail="Escort has left")
    assert infusion.status is SessionStatus.PRECHECKING
