"""PRN medicines, cannula, events and adverse events."""

from decimal import Decimal

import pytest

from clinic.core.errors import RuleBroken
from clinic.protocols.terms import PrnDraft
from clinic.sessions import operations
from clinic.sessions.event_rules import Actuality, AdverseOutcome, IvAction, SessionEventKind
from clinic.sessions.operations_drug_account import controlled_given_mg
from clinic.sessions.progress import current
from tests.factories.sessions import minute

MIDAZOLAM = PrnDraft(
    drug_name="midazolam",
    dose=Decimal(1),
    unit="mg",
    route="IV",
    maximum_count=2,
    minimum_gap_min=10,
    is_controlled=True,
)


@pytest.fixture
def give(nurse):
    def act(infusion, minutes, **values):
        item = infusion.order_version.terms.prn_items[0]
        when = minute(minutes)
        return operations.give_prn(infusion, item, given_at=when, by=nurse, at=when, **values)

    return act


def test_gives_the_ordered_dose(make_running, give):
    row = give(make_running(), 20, reason="Nausea")
    assert (row.dose, row.unit, row.reason) == (Decimal(4), "mg", "Nausea")


def test_another_dose_than_the_ordered_is_refused(make_running, give):
    with pytest.raises(RuleBroken, match="order says 4\u00a0mg"):
        give(make_running(), 20, dose=Decimal(8))


def test_counts_the_doses(make_running, give):
    infusion = make_running()
    give(infusion, 20)
    with pytest.raises(RuleBroken, match="allows 1"):
        give(infusion, 60)


def test_keeps_the_gap_between_doses(make_running, give):
    infusion = make_running(prn_items=(MIDAZOLAM,))
    give(infusion, 20)
    with pytest.raises(RuleBroken, match="at least 10"):
        give(infusion, 29)
    assert give(infusion, 30)


def test_a_controlled_dose_goes_into_the_drug_account(make_running, give):
    infusion = make_running(prn_items=(MIDAZOLAM,))
    give(infusion, 20)
    give(infusion, 40)
    assert controlled_given_mg(infusion, minute(60)) == {"midazolam": 2}
    entries = infusion.drug_account.entries
    assert sum(entry.quantity_mg for entry in entries) == 2


def test_a_medicine_of_another_order_is_refused(make_running, make_infusion, nurse):
    other = make_infusion().order_version.terms.prn_items[0]
    with pytest.raises(RuleBroken, match="not part of the order"):
        operations.give_prn(make_running(), other, given_at=minute(20), by=nurse, at=minute(20))


def test_a_placed_cannula_names_its_site(make_infusion, nurse):
    infusion = make_infusion()
    with pytest.raises(RuleBroken) as refusal:
        operations.record_iv(infusion, IvAction.PLACED, happened_at=minute(-20), by=nurse, at=minute(-20))
    assert refusal.value.field == "site"
    row = operations.record_iv(
        infusion, IvAction.PLACED, happened_at=minute(-20), site="left forearm", gauge="22G", by=nurse, at=minute(-20)
    )
    assert (row.site, row.gauge) == ("left forearm", "22G")


@pytest.mark.parametrize("score", [-1, 6])
def test_the_vip_score_is_0_to_5(make_infusion, nurse, score):
    with pytest.raises(RuleBroken, match="0 to 5"):
        operations.record_iv(
            make_infusion(), IvAction.CHECKED, happened_at=minute(0), vip_score=score, by=nurse, at=minute(0)
        )


def test_who_was_told_and_what_was_replied(make_running, nurse, physician):
    infusion = make_running()
    seen = operations.record_observation(
        infusion, {"sbp": 172, "dbp": 98}, observed_at=minute(15), by=nurse, at=minute(15)
    )
    row = operations.notify(
        infusion,
        "SBP 172",
        person=physician,
        reply="Lower the rate",
        observation=seen,
        happened_at=minute(16),
        by=nurse,
        at=minute(16),
    )
    assert (row.kind, row.person_id, row.reply) == (SessionEventKind.NOTIFY, physician.id, "Lower the rate")
    assert row.observation_set_id == seen.id


def test_an_event_says_something(make_running, nurse):
    with pytest.raises(RuleBroken, match="what happened"):
        operations.record_event(
            make_running(), SessionEventKind.INTERVENTION, " ", happened_at=minute(5), by=nurse, at=minute(5)
        )


@pytest.fixture
def adverse(nurse):
    def act(infusion, **values):
        chosen = {"onset_at": minute(15), "grade": 2, "is_serious": False} | values
        return operations.record_adverse_event(infusion, "hypertension", by=nurse, at=minute(20), **chosen)

    return act


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"grade": 6}, "grade"),
        ({"resolved_at": minute(10)}, "resolved_at"),
        ({"onset_at": minute(21)}, "onset_at"),
        ({"is_serious": True}, "serious_criterion"),
    ],
)
def test_an_adverse_event_that_cannot_be_is_refused(make_running, adverse, values, field):
    with pytest.raises(RuleBroken) as refusal:
        adverse(make_running(), **values)
    assert refusal.value.field == field


def test_an_adverse_event_is_resolved_by_a_later_row(make_running, adverse, physician):
    infusion = make_running()
    first = adverse(infusion)
    later = operations.resolve_adverse_event(
        first,
        {"resolved_at": minute(30), "outcome": AdverseOutcome.RESOLVED, "causality": "Probably-Likely"},
        "Resolved",
        by=physician,
        at=minute(30),
    )
    assert current(infusion.adverse_events) == [later]
    assert (later.term, later.grade, later.resolved_at) == ("hypertension", 2, minute(30))
    with pytest.raises(RuleBroken, match="already"):
        operations.resolve_adverse_event(first, {"grade": 3}, "Graver", by=physician, at=minute(31))


def test_a_near_miss_is_a_potential_event(make_running, adverse):
    assert adverse(make_running(), actuality=Actuality.POTENTIAL, grade=None).actuality is Actuality.POTENTIAL
