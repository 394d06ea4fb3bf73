import pytest

from clinic.orders.rules import OrderStatus, may_become

FINAL = {OrderStatus.COMPLETED, OrderStatus.SUPERSEDED, OrderStatus.STOPPED, OrderStatus.CANCELLED}


@pytest.mark.parametrize(
    ("current", "wanted"),
    [
        ("draft", "pending-signature"),
        ("pending-signature", "active"),
        ("active", "on-hold"),
        ("on-hold", "active"),
        ("active", "completed"),
        ("active", "superseded"),
        ("active", "stopped"),
        ("active", "cancelled"),
        ("on-hold", "superseded"),
    ],
)
def test_an_order_goes_its_way(current, wanted):
    assert may_become(OrderStatus(current), OrderStatus(wanted))


@pytest.mark.parametrize(
    "wanted", set(OrderStatus) - {OrderStatus.PENDING_SIGNATURE, OrderStatus.CANCELLED, OrderStatus.ENTERED_IN_ERROR}
)
def test_a_draft_is_never_in_force_without_being_offered_for_signature(wanted):
    assert not may_become(OrderStatus.DRAFT, wanted)


@pytest.mark.parametrize("current", FINAL)
def test_an_ended_order_can_only_turn_out_to_be_an_error(current):
    assert [wanted for wanted in OrderStatus if may_become(current, wanted)] == [OrderStatus.ENTERED_IN_ERROR]


def test_an_error_stays_an_error():
    assert not any(may_become(OrderStatus.ENTERED_IN_ERROR, wanted) for wanted in OrderStatus)


@pytest.mark.parametrize("status", OrderStatus)
def test_no_state_becomes_itself(status):
    assert not may_become(status, status)
