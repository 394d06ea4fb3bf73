from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.sessions.rules import AdministrationKind, SessionStatus, may_become, status_after

CLOSED = {
    SessionStatus.CLOSED_HOME,
    SessionStatus.CLOSED_TRANSFER,
    SessionStatus.CLOSED_AGAINST_ADVICE,
    SessionStatus.NOT_DONE,
}


def test_a_usual_session_runs_through():
    way = ["planned", "prechecking", "ready", "infusing", "paused", "infusing", "recovering", "closed-home"]
    steps = pairwise(way)
    assert all(may_become(SessionStatus(current), SessionStatus(wanted)) for current, wanted in steps)


@pytest.mark.parametrize("running", [SessionStatus.INFUSING, SessionStatus.PAUSED])
def test_an_emergency_transfer_passes_through_the_stop(running):
    stopped = status_after(running, AdministrationKind.STOP)
    assert stopped is SessionStatus.RECOVERING
    assert may_become(stopped, SessionStatus.CLOSED_TRANSFER)


@pytest.mark.parametrize("closed", CLOSED)
@pytest.mark.parametrize("running", [SessionStatus.INFUSING, SessionStatus.PAUSED])
def test_no_session_closes_while_the_drug_may_run(running, closed):
    assert not may_become(running, closed)


@pytest.mark.parametrize("closed", CLOSED)
def test_a_closed_session_goes_nowhere_but_back_to_recovery_after_a_discharge(closed):
    back = {SessionStatus.RECOVERING} if closed is not SessionStatus.NOT_DONE else set()
    assert closed.is_closed
    assert {wanted for wanted in SessionStatus if may_become(closed, wanted)} == back


@pytest.mark.parametrize("status", set(SessionStatus) - CLOSED)
def test_every_other_session_can_go_on(status):
    assert not status.is_closed
    assert any(may_become(status, wanted) for wanted in SessionStatus)
    assert status.is_open is (status is not SessionStatus.PLANNED)


@given(st.sampled_from(SessionStatus), st.sampled_from(AdministrationKind))
def test_an_act_at_the_pump_leads_only_where_a_session_may_go(status, kind):
    after = status_after(status, kind)
    assert after is None or after is status or may_become(status, after)


@pytest.mark.parametrize("status", set(SessionStatus) - {SessionStatus.READY, SessionStatus.RECOVERING})
def test_only_a_ready_or_recovering_session_can_be_started(status):
    assert status_after(status, AdministrationKind.START) is None


@pytest.mark.parametrize("kind", AdministrationKind)
def test_nothing_is_given_before_the_start_or_after_the_close(kind):
    for status in CLOSED | {SessionStatus.PLANNED, SessionStatus.PRECHECKING}:
        assert status_after(status, kind) is None
