"""What happens at the cabinet: deliveries, counts, transfers, destruction, lines struck out, lots recalled."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.druglog import operations, queries, stock_queries
from clinic.druglog.models import Container, RegisterEntry
from clinic.druglog.operations_lines import line_content
from clinic.signatures.operations import verify
from clinic.signatures.queries import signatures_of
from clinic.signatures.rules import Meaning, Verdict
from tests.factories.accounts import PASSWORD
from tests.factories.druglog import VIAL
from tests.factories.sessions import START

SECOND = timedelta(seconds=1)


def chain(register_id):
    """A page row by row: line, what it held before and after."""
    lines = reversed(stock_queries.lines_of(register_id))
    return [(one.line, one.register_before_mg, one.register_after_mg) for one in lines]


def test_a_delivery_is_one_line_for_each_vial_under_one_receipt(make_vials):
    vials = make_vials(3)
    assert chain(vials[0].register_id) == [(1, 0, 200), (2, 200, 400), (3, 400, 600)]
    assert {vial.receipt.invoice for vial in vials} == {"INV-77"}
    assert vials[0].register.name == "ketamine 200 mg per 20 mL vial"


def test_every_line_says_what_the_cabinet_held_before_and_after(make_vials, make_drawn, second_nurse, nurse):
    vials = make_vials(2)
    account, _ = make_drawn(vials[0], given="48.7")
    operations.waste(account, "ketamine", Decimal("151.3"), second_nurse, happened_at=START, by=nurse, at=START)
    assert chain(vials[0].register_id)[2:] == [(3, 400, 200), (4, 200, 200), (5, 200, 200)]


def test_a_line_says_its_volume(make_vials, make_account, nurse):
    entry = operations.withdraw(make_account(), make_vials()[0], Decimal(55), happened_at=START, by=nurse, at=START)
    assert entry.quantity_ml == Decimal("5.5")


def forged(register_id, nurse, **values):
    return RegisterEntry(
        **{
            "drug_name": "ketamine",
            "kind": "count",
            "quantity_mg": Decimal(0),
            "register_id": register_id,
            "line": 3,
            "register_before_mg": Decimal(400),
            "register_after_mg": Decimal(400),
            "happened_at": START,
            "recorded_at": START,
            "recorded_by_id": nurse.id,
        }
        | values
    )


@pytest.mark.parametrize(
    "values",
    [
        {"line": 2},
        {"line": 4},
        {"register_before_mg": Decimal(500), "register_after_mg": Decimal(500)},
        {"register_after_mg": Decimal(300)},
        {"line": None},
    ],
    ids=["a number again", "a number left out", "another beginning", "another end", "no number"],
)
def test_the_database_refuses_a_line_that_does_not_follow(make_vials, nurse, second_nurse, values):
    register_id = make_vials(2)[0].register_id
    db.session.add(forged(register_id, nurse, witness_id=second_nurse.id, **values))
    with pytest.raises(IntegrityError):
        db.session.flush()


def test_the_database_takes_the_line_that_follows(make_vials, nurse, second_nurse):
    register_id = make_vials(2)[0].register_id
    db.session.add(forged(register_id, nurse, witness_id=second_nurse.id))
    db.session.flush()
    assert chain(register_id)[-1] == (3, 400, 400)


def test_a_witnessed_line_carries_both_signatures(make_drawn, nurse, second_nurse):
    account, _ = make_drawn(given=50)
    entry = operations.waste(account, "ketamine", Decimal(150), second_nurse, happened_at=START, by=nurse, at=START)
    signatures = signatures_of(entry.id)
    assert {(one.signer_id, one.meaning) for one in signatures} == {
        (nurse.id, Meaning.AUTHOR),
        (second_nurse.id, Meaning.WITNESS),
    }
    db.session.refresh(entry)
    assert all(verify(one, line_content(entry)) is Verdict.VALID for one in signatures)


def test_a_vial_is_opened_once_a_part_is_taken(make_vials, make_account, nurse):
    whole, part = make_vials(2)
    account = make_account()
    operations.withdraw(account, whole, Decimal(200), happened_at=START, by=nurse, at=START)
    operations.withdraw(account, part, Decimal(50), happened_at=START, by=nurse, at=START)
    assert (whole.opened_at, part.opened_at) == (None, START)


def test_a_count_of_the_page_opens_a_discrepancy_when_it_differs(make_vials, nurse, second_nurse):
    register = make_vials(3)[0].register
    _, agrees = operations.count_page(register, Decimal(600), second_nurse, happened_at=START, by=nurse, at=START)
    _, opened = operations.count_page(register, Decimal(400), second_nurse, happened_at=START, by=nurse, at=START)
    assert agrees is None
    assert opened.amount_mg == 200
    assert queries.end_of(register) == (5, 600)


def test_a_wrong_line_is_struck_out_and_counts_for_nothing(make_drawn, nurse, second_nurse):
    account, vial = make_drawn()
    wrong = stock_queries.lines_of(vial.register_id)[0]
    struck = operations.strike(wrong, "wrong patient chosen", second_nurse, by=nurse, at=START + SECOND)
    assert (struck.register_before_mg, struck.register_after_mg, struck.balance_after_mg) == (0, 200, 200)
    assert not queries.account_lines(account)
    with pytest.raises(RuleBroken, match="already"):
        operations.strike(wrong, "again", second_nurse, by=nurse, at=START + SECOND)


def test_a_vial_never_holds_more_than_it_came_with(make_vials, make_account, nurse, second_nurse):
    (one, other), account = make_vials(2), make_account()
    act = {"happened_at": START, "by": nurse, "at": START}
    taken = operations.withdraw(account, one, Decimal(200), **act)
    operations.withdraw(account, other, Decimal(200), **act)
    operations.return_to_stock(account, one, Decimal(200), **act)
    with pytest.raises(RuleBroken, match="never held more than 200"):
        operations.return_to_stock(account, one, Decimal(200), **act)
    with pytest.raises(RuleBroken, match="never held more than 200"):
        operations.strike(taken, "wrong", second_nurse, by=nurse, at=START)
    assert queries.balance_mg(one) == 200


def test_what_an_adjustment_found_in_a_vial_can_be_put_back(make_vials, make_account, nurse, second_nurse):
    vial, account = make_vials()[0], make_account()
    act = {"happened_at": START, "by": nurse, "at": START}
    operations.adjust(Decimal(5), "overfill", second_nurse, container=vial, **act)
    operations.withdraw(account, vial, Decimal(205), **act)
    assert operations.return_to_stock(account, vial, Decimal(205), **act).balance_after_mg == 205


def test_what_was_given_is_corrected_in_the_flowsheet_alone(make_drawn, nurse, second_nurse):
    _, vial = make_drawn(given=10)
    given = stock_queries.lines_of(vial.register_id)[0]
    with pytest.raises(RuleBroken, match="flowsheet"):
        operations.strike(given, "wrong", second_nurse, by=nurse, at=START)


def test_a_transfer_needs_both_ends(make_vials, make_cabinet, nurse, second_nurse):
    vial, other = make_vials()[0], make_cabinet("cupboard B")
    first = vial.register
    sent = operations.send(vial, to=other, happened_at=START, by=nurse, at=START)
    assert queries.end_of(first)[1] == 0
    assert stock_queries.underway() == [sent]
    with pytest.raises(RuleBroken, match="Another person"):
        operations.accept_transfer(sent, other, happened_at=START, by=nurse, at=START)
    operations.accept_transfer(sent, other, happened_at=START, by=second_nurse, at=START)
    assert (vial.register.cabinet_id, queries.end_of(vial.register)[1]) == (other.id, 200)
    assert queries.balance_mg(vial) == 200
    assert not stock_queries.underway()
    with pytest.raises(RuleBroken, match="already"):
        operations.accept_transfer(sent, other, happened_at=START, by=second_nurse, at=START)


def test_nothing_happens_to_a_vial_on_its_way(make_drawn, make_cabinet, make_vials, nurse):
    account, _ = make_drawn()
    vial, other = make_vials()[0], make_cabinet("cupboard B")
    operations.send(vial, to=other, happened_at=START, by=nurse, at=START)
    with pytest.raises(RuleBroken, match="on its way"):
        operations.return_to_stock(account, vial, Decimal(10), happened_at=START, by=nurse, at=START)


def test_expired_stock_is_destroyed_before_a_witness(make_vials, nurse, second_nurse):
    vial = make_vials()[0]
    with pytest.raises(RuleBroken, match="another person"):
        operations.destroy(vial, "expired, denaturing kit", nurse, happened_at=START, by=nurse, at=START)
    entry = operations.destroy(vial, "expired, kit", second_nurse, happened_at=START, by=nurse, at=START)
    assert (entry.quantity_mg, entry.register_after_mg) == (200, 0)


def test_nothing_is_drawn_from_an_expired_vial(make_vials, make_account, nurse):
    vial = make_vials(product=replace(VIAL, expires_on=date(2025, 11, 17)))[0]
    with pytest.raises(RuleBroken, match="expired on 17-Nov-2025"):
        operations.withdraw(make_account(), vial, Decimal(10), happened_at=START, by=nurse, at=START)


def test_nothing_is_drawn_past_the_beyond_use_time(make_vials, make_account, nurse):
    vial = make_vials()[0]
    vial.beyond_use_at = START - SECOND
    with pytest.raises(RuleBroken, match="beyond-use"):
        operations.withdraw(make_account(), vial, Decimal(10), happened_at=START, by=nurse, at=START)


def test_a_recalled_lot_is_not_used_until_the_recall_is_lifted(make_vials, make_account, nurse):
    vial, account = make_vials()[0], make_account()
    recall = operations.recall_lot("ketamine", "F1001", "letter of 17-Nov", by=nurse, at=START)
    with pytest.raises(RuleBroken, match="F1001 was recalled"):
        operations.withdraw(account, vial, Decimal(10), happened_at=START, by=nurse, at=START)
    operations.lift_recall(recall, "letter withdrawn", by=nurse, at=START)
    assert operations.withdraw(account, vial, Decimal(10), happened_at=START, by=nurse, at=START)


@pytest.mark.parametrize("written", ["f1001", " F 1001 ", "F1001\u00a0"])
def test_a_recalled_lot_is_known_however_it_is_written(make_vials, make_account, nurse, written):
    operations.recall_lot("ketamine", written, "letter", by=nurse, at=START)
    with pytest.raises(RuleBroken, match="was recalled"):
        operations.withdraw(make_account(), make_vials()[0], Decimal(10), happened_at=START, by=nurse, at=START)


def test_a_container_keeps_its_label_and_its_opening(make_vials, make_account, nurse):
    vial = make_vials()[0]
    operations.withdraw(make_account(), vial, Decimal(10), happened_at=START, by=nurse, at=START)
    db.session.flush()
    operations.open_container(vial, START + timedelta(hours=6), by=nurse, at=START)
    for change in ({"opened_at": START + SECOND}, {"product_code": "other"}, {"beyond_use_at": START + 9 * SECOND}):
        with pytest.raises(IntegrityError), db.session.begin_nested():
            db.session.execute(sa.update(Container).where(Container.id == vial.id).values(**change))


def test_a_delivery_takes_as_many_statements_for_one_vial_as_for_a_hundred(make_vials, count_queries):
    make_vials(1)
    asked = []
    for pieces in (2, 100):
        with count_queries() as sent:
            make_vials(pieces)
        asked.append(len(sent))
    assert asked[0] == asked[1]


def test_a_vial_that_was_opened_is_used_until_the_time_that_the_clinic_says(make_vials, make_account, nurse):
    vial, act = make_vials()[0], {"by": nurse, "at": START}
    with pytest.raises(RuleBroken, match="to come"):
        operations.open_container(vial, START, **act)
    with pytest.raises(RuleBroken, match="expires before that"):
        operations.open_container(vial, START + timedelta(days=400), **act)
    operations.open_container(vial, START + timedelta(hours=6), **act)
    assert vial.opened_at == START
    with pytest.raises(RuleBroken, match="entered already"):
        operations.open_container(vial, START + timedelta(days=2), **act)
    late = START + timedelta(hours=7)
    with pytest.raises(RuleBroken, match="past its beyond-use time"):
        operations.withdraw(make_account(), vial, Decimal(10), happened_at=late, by=nurse, at=late)


def test_a_page_opens_a_vial(nurses_browser, make_vials):
    vial = make_vials()[0]
    address = f"/drugs/containers/{vial.id}"
    assert "Open it for several patients" in nurses_browser.get(address).text
    assert nurses_browser.post(f"{address}/open", data={"day": "19-Nov-2025", "clock": ""}).status_code == 422
    sent = {"day": "19-Nov-2025", "clock": "08:00"}
    page = nurses_browser.post(f"{address}/open", data=sent, follow_redirects=True).text
    assert "Use before" in page
    assert "Open it for several patients" not in page


def test_only_what_was_seen_is_destroyed(nurses_browser, make_vials, make_account, nurse, checker):
    vial = make_vials()[0]
    sent = {"act": "destroy", "reason": "expired", "seen_mg": "200", "own_password": PASSWORD}
    sent |= {"witness_id": str(checker.id), "password": PASSWORD}
    operations.withdraw(make_account(), vial, Decimal(50), happened_at=START, by=nurse, at=START)
    refused = nurses_browser.post(f"/drugs/containers/{vial.id}", data=sent)
    assert (refused.status_code, queries.balance_mg(vial)) == (422, 150)
    assert 'name="seen_mg" value="150"' in refused.text
    assert nurses_browser.post(f"/drugs/containers/{vial.id}", data=sent | {"seen_mg": "150"}).status_code == 303


def test_who_read_a_line_stands_in_the_trail(nurses_browser, make_drawn, nurse):
    account, vial = make_drawn()
    line = stock_queries.lines_of(vial.register_id)[0]
    nurses_browser.get(f"/drugs/lines/{line.id}")
    read = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.subject_id == line.id))
    assert [one.patient_id for one in read if one.action is AuditAction.DRUG_LOG_READ] == [account.patient_id]
