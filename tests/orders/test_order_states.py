"""The states of an order version are those of the table in the domain reference (7.2), through every act."""

from datetime import timedelta

import pytest

from clinic.core.errors import RuleBroken
from clinic.orders import operations
from clinic.orders.rules import OrderStatus, may_become
from tests.factories.courses import SIGNED

LATER = SIGNED + timedelta(days=2)

FINAL = {OrderStatus.COMPLETED, OrderStatus.SUPERSEDED, OrderStatus.STOPPED, OrderStatus.CANCELLED}


# The table as it is written there; added: what nobody has signed can be taken back or dropped, and an order on hold can
# end. Any version may turn out to have been entered in error.
TABLE = """
draft -> pending-signature cancelled
pending-signature -> active draft cancelled
active -> on-hold completed superseded stopped cancelled
on-hold -> active superseded stopped cancelled
"""
ARROWS = {
    (current, wanted)
    for line in TABLE.strip().splitlines()
    for current in [line.split(" -> ")[0]]
    for wanted in line.split(" -> ")[1].split()
}


@pytest.mark.parametrize("wanted", OrderStatus)
@pytest.mark.parametrize("current", OrderStatus)
def test_a_version_goes_where_the_table_has_an_arrow_and_nowhere_else(current, wanted):
    is_error = wanted is OrderStatus.ENTERED_IN_ERROR and current is not wanted
    assert may_become(current, wanted) is ((current.value, wanted.value) in ARROWS or is_error)


PATHS = {
    "draft": [],
    "active": ["sign"],
    "on-hold": ["sign", "hold"],
    "stopped": ["sign", "stop"],
    "cancelled": ["sign", "cancel"],
    "completed": ["sign", "complete"],
}
ACTS = {"hold": "on-hold", "resume": "active", "stop": "stopped", "cancel": "cancelled", "complete": "completed"}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("current", PATHS)
def test_every_act_follows_the_table_from_every_state(make_order_version, signing_physician, current, act):
    version = make_order_version(sign="sign" in PATHS[current])
    for earlier in PATHS[current][1:]:
        getattr(operations, earlier)(version, reason="As decided.", by=signing_physician, at=LATER)
    # A draft comes into force by a signature alone, and only what is on hold is resumed.
    fits = (current, ACTS[act]) in ARROWS and not (act == "resume" and current != "on-hold")
    if fits:
        getattr(operations, act)(version, reason="As decided.", by=signing_physician, at=LATER)
        assert version.status == ACTS[act]
    else:
        with pytest.raises(RuleBroken):
            getattr(operations, act)(version, reason="As decided.", by=signing_physician, at=LATER)
        assert version.status == current


@pytest.mark.parametrize("current", FINAL)
def test_an_ended_order_can_only_turn_out_to_be_an_error(current):
    assert [wanted for wanted in OrderStatus if may_become(current, wanted)] == [OrderStatus.ENTERED_IN_ERROR]


def test_an_error_stays_an_error():
    assert not any(may_become(OrderStatus.ENTERED_IN_ERROR, wanted) for wanted in OrderStatus)


@pytest.mark.parametrize("status", OrderStatus)
def test_no_state_becomes_itself(status):
    assert not may_become(status, status)
