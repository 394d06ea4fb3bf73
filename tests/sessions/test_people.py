"""Who runs a session, who supervises it, under which version of the order, with which weight."""

from datetime import timedelta

import pytest

from clinic.core.errors import RuleBroken
from clinic.core.permissions import Role
from clinic.patients.rules import WeightMethod
from clinic.protocols.rules import CheckKind
from clinic.sessions import operations
from clinic.sessions.event_rules import SessionEventKind
from clinic.sessions.readiness import answer_to
from clinic.sessions.rules import GateResult
from tests.factories.sessions import START, check_of, minute


def test_a_session_is_handed_over_with_words(make_running, nurse, second_nurse):
    infusion = make_running()
    row = operations.hand_over(
        infusion, second_nurse, text="Calm, rate 13.6", happened_at=minute(30), by=nurse, at=minute(30)
    )
    assert infusion.nurse is second_nurse
    assert infusion.appointment.nurse_id == second_nurse.id
    assert (row.kind, row.person_id, row.text) == (SessionEventKind.HAND_OVER, second_nurse.id, "Calm, rate 13.6")


def test_a_patient_is_handed_over_at_a_change_of_shift(make_running, make_shift, nurse, second_nurse):
    """The shifts meet in the middle of the visit: neither nurse is on duty for all of it."""
    infusion = make_running()
    begins, ends = infusion.appointment.starts_at, infusion.appointment.ends_at
    make_shift(nurse, begins - timedelta(hours=4), minute(30))
    make_shift(second_nurse, minute(30), ends + timedelta(hours=4))
    operations.hand_over(infusion, second_nurse, text="Calm", happened_at=minute(30), by=nurse, at=minute(30))
    assert infusion.appointment.nurse_id == second_nurse.id


def test_only_the_nurse_it_was_offered_to_takes_it_over_and_only_the_newest_offer(
    make_running, make_staff, nurse, second_nurse
):
    infusion = make_running()
    first = operations.offer_hand_over(infusion, second_nurse, text=None, by=nurse, at=minute(5))
    with pytest.raises(RuleBroken, match="was offered to"):
        operations.accept_hand_over(first, by=make_staff(Role.NURSE), at=minute(6))
    other = make_staff(Role.NURSE)
    newer = operations.offer_hand_over(infusion, other, text=None, by=nurse, at=minute(7))
    with pytest.raises(RuleBroken, match="holds no longer"):
        operations.accept_hand_over(first, by=second_nurse, at=minute(8))
    assert operations.accept_hand_over(newer, by=other, at=minute(9)).person_id == other.id
    assert infusion.nurse is other


def test_nobody_hands_over_to_the_one_who_has_it(make_running, nurse):
    with pytest.raises(RuleBroken, match="already"):
        operations.hand_over(make_running(), nurse, text=None, happened_at=minute(5), by=nurse, at=minute(5))


def test_a_session_is_handed_over_to_a_clinician(make_running, nurse, scheduler):
    with pytest.raises(RuleBroken, match="Choose a nurse"):
        operations.hand_over(make_running(), scheduler, text=None, happened_at=minute(5), by=nurse, at=minute(5))


def test_a_running_session_is_handed_over_not_assigned(make_running, nurse, second_nurse):
    with pytest.raises(RuleBroken, match="Hand it over"):
        operations.assign_nurse(make_running(), second_nurse, by=nurse, at=minute(5))


def test_the_supervising_clinician_is_named_with_the_time(make_infusion, nurse, physician):
    infusion = make_infusion()
    operations.set_supervising(infusion, physician, by=nurse, at=START)
    assert infusion.supervising is physician
    assert infusion.events[-1].kind is SessionEventKind.SUPERVISING


def test_a_stated_weight_is_never_dosed_on(make_infusion, make_weight, nurse):
    infusion = make_infusion()
    stated = make_weight(infusion.patient, "68.0", method=WeightMethod.STATED)
    with pytest.raises(RuleBroken, match="Weigh the patient"):
        operations.use_weight(infusion, stated, by=nurse, at=START)


def test_another_patients_weight_is_refused(make_infusion, make_weight, nurse):
    with pytest.raises(RuleBroken, match="another patient"):
        operations.use_weight(make_infusion(), make_weight(), by=nurse, at=START)


def test_a_new_version_keeps_the_answers_to_the_same_checks(make_ready, make_order_version, nurse):
    infusion = make_ready()
    checks = [(item.kind, item.text) for item in infusion.order_version.terms.checks]
    version = infusion.order_version
    drafts = make_order_version(infusion.patient, order=version.order, weight=version.weight, at=START)
    operations.adopt_order(infusion, by=nurse, at=START + timedelta(minutes=1))
    assert infusion.order_version is drafts
    items = drafts.terms.checks
    assert [(item.kind, item.text) for item in items] == checks
    assert all(answer_to(infusion, item) for item in items)


def test_a_version_with_todays_weight_settles_the_weight_check(make_ready, make_weight, make_order_version, clinic):
    clinic.weight_change_percent = 5
    infusion = make_ready()
    heavier = make_weight(infusion.patient, "74.0", confirmed=True, reason="Oedema")
    operations.use_weight(infusion, heavier, by=infusion.nurse, at=START)
    assert answer_to(infusion, check_of(infusion, CheckKind.WEIGHT)).result is GateResult.FAIL
    make_order_version(infusion.patient, order=infusion.order_version.order, weight=heavier, at=START)
    operations.adopt_order(infusion, by=infusion.nurse, at=START)
    assert answer_to(infusion, check_of(infusion, CheckKind.WEIGHT)).result is GateResult.PASS


def test_a_superseded_order_holds_the_start_back(make_ready, make_double_check, make_order_version, nurse):
    infusion = make_ready()
    version = infusion.order_version
    make_order_version(infusion.patient, order=version.order, weight=version.weight, at=START)
    check = make_double_check(infusion, at=START)
    with pytest.raises(RuleBroken, match="Version 2 of the order is in force"):
        operations.start(infusion, happened_at=START, double_check=check, by=nurse, at=START)
    operations.adopt_order(infusion, by=nurse, at=START)
    assert operations.start(infusion, happened_at=START, double_check=check, by=nurse, at=START)


def test_there_is_nothing_to_adopt_while_the_version_is_in_force(make_ready, nurse):
    with pytest.raises(RuleBroken, match="already"):
        operations.adopt_order(make_ready(), by=nurse, at=START)
