"""Acts at the pump as one line in time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.sessions.delivery_rules import PumpEvent
from clinic.sessions.pump_rules import DoesNotFit, in_order, status_of
from clinic.sessions.rules import AdministrationKind, SessionStatus

NINE = datetime(2025, 11, 18, 14, 0, tzinfo=UTC)
START, CHANGE, PAUSE, RESUME, BOLUS, BAG, STOP = AdministrationKind


def line(*acts):
    return [PumpEvent(kind, NINE + timedelta(minutes=minutes)) for kind, minutes in acts]


@pytest.mark.parametrize(
    ("acts", "status"),
    [
        ([], SessionStatus.READY),
        ([(START, 0)], SessionStatus.INFUSING),
        ([(START, 0), (PAUSE, 10)], SessionStatus.PAUSED),
        ([(START, 0), (PAUSE, 10), (BOLUS, 12), (BAG, 13), (RESUME, 20)], SessionStatus.INFUSING),
        ([(START, 0), (PAUSE, 10), (STOP, 20)], SessionStatus.RECOVERING),
        ([(START, 0), (STOP, 20), (START, 40)], SessionStatus.INFUSING),
        ([(START, 0), (BOLUS, 0)], SessionStatus.INFUSING),
        ([(STOP, 20), (START, 0)], SessionStatus.RECOVERING),
    ],
)
def test_the_session_stands_where_the_last_act_left_it(acts, status):
    assert status_of(line(*acts)) is status


@pytest.mark.parametrize(
    "acts",
    [
        [(PAUSE, 0)],
        [(START, 0), (START, 5)],
        [(START, 0), (RESUME, 5)],
        [(START, 0), (PAUSE, 5), (PAUSE, 6)],
        [(START, 0), (PAUSE, 5), (CHANGE, 6)],
        [(START, 0), (STOP, 5), (BOLUS, 6)],
        [(START, 0), (PAUSE, 5), (RESUME, 5)],
        [(START, 0), (STOP, 0)],
        [(START, 0), (BOLUS, 5), (BOLUS, 5)],
    ],
)
def test_acts_that_make_no_sense_are_refused(acts):
    with pytest.raises(DoesNotFit):
        status_of(line(*acts))


def test_a_late_act_is_told_apart_from_what_it_disturbs():
    events = line((START, 0), (PAUSE, 50))
    with pytest.raises(DoesNotFit, match="with the pause that is recorded after it"):
        status_of(events, line((PAUSE, 20))[0])
    with pytest.raises(DoesNotFit, match="not paused"):
        status_of(events, line((RESUME, 20))[0])


@given(st.permutations(line((START, 0), (CHANGE, 10), (PAUSE, 20), (BAG, 20), (RESUME, 30), (STOP, 40))))
def test_the_order_of_the_rows_does_not_matter(events):
    assert status_of(events) is SessionStatus.RECOVERING
    assert [event.kind for event in in_order(events)] == [START, CHANGE, PAUSE, BAG, RESUME, STOP]
