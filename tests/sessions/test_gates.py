from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from clinic.orders.rules import Breach, Comparator, Finding, FindingLevel, Limit, LimitLevel, Vital
from clinic.protocols.rules import GateEffect
from clinic.sessions.rules import GateItem, GateResult, SessionStatus, may_start, open_gates

NOON = datetime(2026, 3, 4, 17, tzinfo=UTC)
ESCORT = GateItem("escort", "The escort is named", GateEffect.HARD)
FASTING = GateItem("fasting", "Fasting was kept", GateEffect.SOFT)
MOOD = GateItem("mood", "The mood question was asked", GateEffect.NOTIFY)
ITEMS = [ESCORT, FASTING, MOOD]
ALL_PASS = dict.fromkeys(("escort", "fasting", "mood"), GateResult.PASS)


def start(**changes):
    usual = {
        "status": SessionStatus.READY,
        "items": ITEMS,
        "answers": ALL_PASS,
        "order_findings": [],
        "start_breaches": [],
        "double_check_passed_at": NOON - timedelta(minutes=15),
        "at": NOON,
        "double_check_valid_min": 15,
        "is_supervision_settled": True,
    }
    return [reason.replace("\u00a0", " ") for reason in may_start(**usual | changes)]


def test_an_unanswered_check_stands_in_the_way_whatever_its_effect():
    assert open_gates(ITEMS, {}) == ITEMS


@pytest.mark.parametrize("result", [GateResult.PASS, GateResult.NOT_APPLICABLE, GateResult.OVERRIDDEN])
def test_a_settled_check_does_not(result):
    assert open_gates(ITEMS, dict.fromkeys(ALL_PASS, result)) == []


def test_a_failed_check_stands_in_the_way_unless_it_only_notifies():
    assert open_gates(ITEMS, dict.fromkeys(ALL_PASS, GateResult.FAIL)) == [ESCORT, FASTING]


def test_a_settled_session_may_start():
    assert start() == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"answers": ALL_PASS | {"escort": GateResult.FAIL}}, "The escort is named: failed."),
        ({"answers": {"escort": GateResult.PASS, "mood": GateResult.PASS}}, "Fasting was kept: not answered."),
        ({"order_findings": [Finding("order-expired", FindingLevel.HARD, "The order ended.")]}, "The order ended."),
        ({"is_supervision_settled": False}, "The supervising clinician is not on site."),
        ({"double_check_passed_at": None}, "The independent double check is not done."),
        (
            {"double_check_passed_at": NOON - timedelta(minutes=16)},
            "The double check is 16 min old; it counts for 15 min.",
        ),
        ({"status": SessionStatus.NOT_DONE}, "The session is not done."),
    ],
)
def test_each_reason_is_told(changes, reason):
    assert start(**changes) == [reason]


def test_vitals_outside_a_start_limit_show_both_numbers():
    limit = Limit(LimitLevel.START, Vital.SBP, Comparator.GT, Decimal(160))
    assert start(start_breaches=[Breach(limit, Decimal(186))]) == [
        "SBP is 186; the order's start limit is 160 or less."
    ]


def test_a_soft_finding_asks_for_a_reason_elsewhere_and_stops_nothing():
    assert start(order_findings=[Finding("rate-differs", FindingLevel.SOFT, "Differs.")]) == []
