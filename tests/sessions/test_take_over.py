"""The limits of a nurse judge who takes over a patient who is there, and block no hand-over that has happened."""

from datetime import timedelta

import pytest

from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import clock, db
from clinic.core.errors import RuleBroken
from clinic.scheduling import operations as scheduling
from clinic.scheduling import operations_policy
from clinic.scheduling.operations import Override
from clinic.scheduling.operations_standing import NurseRefused
from clinic.scheduling.rules import BookingRule, rules_in
from clinic.sessions import operations
from tests.factories.sessions import ARRIVED, START, minute

LIMITS = [({"at_once": 1}, "nurse_has_room"), ({"infusion": 1}, "nurse_has_room_in_phase")]
IN_PHASE = BookingRule.NURSE_HAS_ROOM_IN_PHASE


@pytest.fixture
def busy(make_appointment, second_nurse):
    """The other nurse has a patient from a quarter of an hour later on."""
    return make_appointment(with_nurse=second_nurse, starts_at=ARRIVED + timedelta(minutes=15))


@pytest.mark.parametrize(("limits", "rule"), LIMITS)
def test_a_patient_who_waits_is_given_to_no_nurse_beyond_her_limits(  # noqa: PLR0917 fixtures
    make_infusion, busy, limit_nurses, nurse, second_nurse, limits, rule
):
    infusion = make_infusion()
    limit_nurses(**limits)
    with pytest.raises(NurseRefused) as refusal:
        operations.assign_nurse(infusion, second_nurse, by=nurse, at=START)
    assert refusal.value.rule == rule


@pytest.mark.parametrize(("limits", "rule"), LIMITS)
def test_a_hand_over_that_goes_beyond_is_kept_and_named(  # noqa: PLR0917 fixtures
    make_running, busy, limit_nurses, nurse, second_nurse, limits, rule
):
    infusion = make_running()
    limit_nurses(**limits)
    operations.hand_over(infusion, second_nurse, text=None, happened_at=minute(5), by=second_nurse, at=minute(5))
    assert infusion.appointment.nurse_id == second_nurse.id
    assert rules_in(infusion.appointment.override_rules) == {rule}
    entry = db.session.query(AuditEntry).filter_by(action=AuditAction.APPOINTMENT_OVERRIDDEN).one()
    assert entry.actor_id == second_nurse.id
    assert "Handed over at the bedside" in entry.body


@pytest.mark.parametrize(("limits", "rule"), LIMITS)
def test_whom_she_had_before_does_not_count(  # noqa: PLR0917 fixtures
    make_running, make_appointment, limit_nurses, nurse, second_nurse, limits, rule
):
    infusion = make_running()
    make_appointment(with_nurse=second_nurse, starts_at=ARRIVED - timedelta(hours=1), hours=2)
    limit_nurses(**limits)
    operations.hand_over(infusion, second_nurse, text=None, happened_at=minute(60), by=nurse, at=minute(60))
    assert not scheduling.is_beyond(infusion.appointment), rule


def test_a_physician_gives_a_patient_who_waits_all_the_same(  # noqa: PLR0917 fixtures
    make_infusion, busy, limit_nurses, second_nurse, physician, admin
):
    appointment = make_infusion().appointment
    limit_nurses(infusion=1)
    beside = Override(frozenset({IN_PHASE}), "Beside her teacher")
    with pytest.raises(RuleBroken, match="does not let this be overridden"):
        scheduling.assign_nurse(appointment, second_nurse, by=physician, at=START, override=beside)
    operations_policy.set_policy(IN_PHASE, is_allowed=True, reason="Teaching", by=admin, at=START)
    scheduling.assign_nurse(appointment, second_nurse, by=physician, at=START, override=beside)
    assert appointment.overridden_by_id == physician.id


def test_the_page_says_that_a_hand_over_went_beyond(client, make_running, busy, limit_nurses, second_nurse):
    infusion = make_running()
    limit_nurses(1)
    operations.offer_hand_over(infusion, second_nurse, text=None, by=infusion.nurse, at=minute(5))
    client.sign_in(second_nurse)
    with clock.standing_at(minute(6)):
        answer = client.post(f"/sessions/{infusion.id}/hand-over/accept")
        page = client.get(answer.location).get_data(as_text=True)
        panel = client.get(f"/calendar/appointments/{infusion.appointment_id}").get_data(as_text=True)
    assert "has more patients now than the clinic&#39;s limits allow" in page
    assert "Goes beyond the limits: more patients at once for a nurse." in panel
