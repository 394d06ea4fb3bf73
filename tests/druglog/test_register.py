"""The register of controlled drugs: what each line asks for and what it does to the balance."""

from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import set_committed_value

from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.druglog import operations, queries
from clinic.druglog.models import RegisterEntry
from clinic.druglog.rules import RegisterKind
from tests.factories.sessions import ARRIVED, START

SECOND = timedelta(seconds=1)


@pytest.fixture
def make_vial(nurse):
    def make():
        return operations.add_container(
            "ketamine",
            quantity_mg=Decimal(200),
            description="vial 10 mg/mL 20 mL, lot F1001",
            received_at=ARRIVED,
            by=nurse,
            at=ARRIVED,
        )

    return make


@pytest.fixture
def vial(make_vial):
    return make_vial()


@pytest.fixture
def account(make_patient, nurse):
    return operations.open_account(make_patient(), by=nurse, at=ARRIVED)


@pytest.fixture
def act(nurse):
    def do(verb, *values, **more):
        return verb(*values, **({"happened_at": START, "by": nurse, "at": START} | more))

    return do


def test_a_container_begins_with_what_it_holds(vial):
    assert queries.balance_mg(vial) == 200


def test_a_withdrawal_lowers_the_balance(vial, account, act):
    entry = act(operations.withdraw, account, vial, Decimal(50))
    assert entry.balance_after_mg == 150
    assert queries.balance_mg(vial) == 150


def test_an_empty_vial_is_at_hand_only_for_who_took_from_it(vial, account, act):
    assert queries.containers_at_hand(["ketamine"], None) == [(vial, 200)]
    act(operations.withdraw, account, vial, Decimal(200))
    assert queries.containers_at_hand(["ketamine"], account) == [(vial, 0)]
    assert not queries.containers_at_hand(["ketamine"], None)


def test_many_vials_cost_no_more_reads_than_one(make_vial, account, act, count_queries):
    act(operations.withdraw, account, make_vial(), Decimal(50))
    sent = []
    for _ in range(2):
        db.session.expire_all()
        with count_queries() as asked:
            queries.containers_at_hand(["ketamine", "midazolam"], account)
        sent.append(len(asked))
        for _ in range(5):
            make_vial()
    assert sent[0] == sent[1]


def test_nobody_takes_more_than_there_is(vial, account, act):
    act(operations.withdraw, account, vial, Decimal(150))
    with pytest.raises(RuleBroken, match="holds 50\u00a0mg; 51\u00a0mg cannot be taken"):
        act(operations.withdraw, account, vial, Decimal(51))


def test_what_was_taken_is_given_wasted_or_returned(vial, account, act, second_nurse):
    act(operations.withdraw, account, vial, Decimal(100))
    act(operations.prepare, account, "ketamine", Decimal(80))
    act(operations.record_given, account, "ketamine", Decimal("74.8"))
    act(operations.waste, account, "ketamine", Decimal("5.2"), second_nurse, reason="Bag remainder")
    act(operations.return_to_stock, account, vial, Decimal(20))
    (line,) = queries.account_lines(account)
    assert (line.withdrawn_mg, line.prepared_mg, line.given_mg) == (100, 80, Decimal("74.8"))
    assert (line.wasted_mg, line.returned_mg, line.unaccounted_mg) == (Decimal("5.2"), 20, 0)
    assert queries.balance_mg(vial) == 120


def test_two_drugs_of_a_session_are_two_accounts(vial, account, act):
    act(operations.withdraw, account, vial, Decimal(50))
    act(operations.record_given, account, "midazolam", Decimal(1))
    assert {line.drug_name: line.unaccounted_mg for line in queries.account_lines(account)} == {
        "ketamine": 50,
        "midazolam": -1,
    }


def test_nothing_is_wasted_alone(vial, account, act, nurse):
    act(operations.withdraw, account, vial, Decimal(50))
    with pytest.raises(RuleBroken, match="another person"):
        act(operations.waste, account, "ketamine", Decimal(5), nurse)


def test_the_witness_is_a_clinician(vial, account, act, scheduler):
    act(operations.withdraw, account, vial, Decimal(50))
    with pytest.raises(RuleBroken, match="nurse or a physician"):
        act(operations.waste, account, "ketamine", Decimal(5), scheduler)


def test_the_database_refuses_a_waste_without_a_witness(account, nurse):
    db.session.add(
        RegisterEntry(
            account_id=account.id,
            drug_name="ketamine",
            kind=RegisterKind.WASTE,
            quantity_mg=Decimal(5),
            happened_at=START,
            recorded_at=START,
            recorded_by_id=nurse.id,
        )
    )
    with pytest.raises(IntegrityError):
        db.session.flush()


def test_no_more_is_returned_than_is_left(vial, account, act):
    act(operations.withdraw, account, vial, Decimal(50))
    act(operations.record_given, account, "ketamine", Decimal(30))
    with pytest.raises(RuleBroken, match="Only 20\u00a0mg"):
        act(operations.return_to_stock, account, vial, Decimal(21))


def test_no_more_is_wasted_than_is_left(vial, account, act, second_nurse, clinic):
    clinic.drug_tolerance_mg = Decimal("0.5")
    act(operations.withdraw, account, vial, Decimal(50))
    act(operations.record_given, account, "ketamine", Decimal(30))
    with pytest.raises(RuleBroken, match="Only 20\u00a0mg"):
        act(operations.waste, account, "ketamine", Decimal("20.6"), second_nurse)
    assert act(operations.waste, account, "ketamine", Decimal("20.5"), second_nurse)
    assert act(operations.waste, account, "ketamine", Decimal(2), second_nurse, is_more=True)


def test_an_account_is_read_as_the_database_has_it(vial, account, act, nurse, second_nurse):
    drawn = act(operations.withdraw, account, vial, Decimal(50))
    assert queries.account_lines(account)
    operations.strike(drawn, "wrong", second_nurse, by=nurse, at=START)
    set_committed_value(drawn, "answer", None)  # as who read it before somebody else struck it out
    assert not queries.account_lines(account)


def test_a_count_that_agrees_opens_nothing(vial, act, second_nurse):
    entry, opened = act(operations.count, vial, Decimal(200), second_nurse)
    assert (entry.balance_after_mg, opened) == (200, None)


def test_a_count_that_differs_opens_a_discrepancy_and_leaves_the_balance(vial, act, second_nurse):
    _, opened = act(operations.count, vial, Decimal(190), second_nurse)
    assert opened.amount_mg == 10
    assert opened.container_id == vial.id
    assert queries.balance_mg(vial) == 200


def test_an_adjustment_sets_the_balance_right_with_a_reason(vial, act, second_nurse):
    with pytest.raises(RuleBroken, match="why"):
        act(operations.adjust, Decimal(-10), " ", second_nurse, container=vial)
    act(operations.adjust, Decimal(-10), "Broken ampoule", second_nurse, container=vial)
    assert queries.balance_mg(vial) == 190


def test_an_adjustment_is_about_a_container_or_an_account(vial, account, act, second_nurse):
    with pytest.raises(RuleBroken, match="one at a time"):
        act(operations.adjust, Decimal(-10), "Both", second_nurse, container=vial, account=account)


@pytest.mark.parametrize("quantity", ["0", "-1", "0.00001", "10000000000", "NaN"])
def test_a_quantity_is_possible(vial, account, act, quantity):
    with pytest.raises(RuleBroken) as refusal:
        act(operations.withdraw, account, vial, Decimal(quantity))
    assert refusal.value.field == "quantity_mg"


def test_refuses_a_time_in_the_future(vial, account, act):
    with pytest.raises(RuleBroken, match="future"):
        act(operations.withdraw, account, vial, Decimal(1), happened_at=START + SECOND)


def test_a_line_is_never_changed(vial, account, act):
    entry = act(operations.withdraw, account, vial, Decimal(50))
    with pytest.raises(IntegrityError):
        db.session.execute(sa.update(RegisterEntry).where(RegisterEntry.id == entry.id).values(quantity_mg=Decimal(5)))
