"""The pages of the register: as the cabinet's book reads, and what is entered there before a witness."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from clinic.core import db
from clinic.core.permissions import Role
from clinic.druglog import operations, queries, stock_queries
from tests.factories.accounts import PASSWORD
from tests.factories.sessions import START


@pytest.fixture
def vials(make_vials):
    return make_vials(3)


@pytest.fixture
def witnessed(checker):
    return {"own_password": PASSWORD, "witness_id": str(checker.id), "password": PASSWORD}


def cells(response):
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", response.text)
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)] for row in rows]


def test_a_page_reads_as_the_book_does(nurses_browser, vials, make_drawn, nurse):
    account, _ = make_drawn(vials[0])
    page = nurses_browser.get(f"/drugs/{vials[0].register_id}")
    patient = account.patient
    assert "balance <b>2</b> vials" in page.text
    name = f"{patient.family_name.upper()}, {patient.given_name}"
    rows = [row[1:] for row in cells(page) if len(row) == 7]
    assert rows[0] == ["drawn", name, "1 vial", "2", "N. Quill", ""]


def test_a_delivery_reads_as_one_line(nurses_browser, vials):
    page = nurses_browser.get(f"/drugs/{vials[0].register_id}")
    (row,) = [row for row in cells(page) if len(row) == 7]
    assert (row[3], row[4]) == ("3 vials", "3")
    assert "Northgate Pharma, invoice INV-77, lot F1001" in row[1]


def test_a_long_delivery_is_one_line_and_the_older_ones_come_next(nurses_browser, vials, make_vials):
    make_vials(100)
    address = f"/drugs/{vials[0].register_id}"
    page = nurses_browser.get(address)
    (row,) = [row for row in cells(page) if len(row) == 7]
    assert (row[3], row[4]) == ("100 vials", "103")
    assert f"{address}?before=4" in page.text
    (row,) = [row for row in cells(nurses_browser.get(f"{address}?before=4")) if len(row) == 7]
    assert (row[3], row[4]) == ("3 vials", "3")


def test_a_page_with_a_broken_vial_counts_in_mg(nurses_browser, vials, make_account, nurse):
    operations.withdraw(make_account(), vials[0], Decimal(50), happened_at=START, by=nurse, at=START)
    page = nurses_browser.get(f"/drugs/{vials[0].register_id}")
    assert "balance <b>550\u00a0mg</b>" in page.text


def test_a_page_is_read_with_a_constant_number_of_queries(nurses_browser, vials, make_drawn, count_queries):
    register_id = vials[0].register_id
    make_drawn(vials[0])
    with count_queries() as few:
        nurses_browser.get(f"/drugs/{register_id}")
    make_drawn(vials[1])
    make_drawn(vials[2])
    with count_queries() as many:
        nurses_browser.get(f"/drugs/{register_id}")
    assert len(many) <= len(few)


def test_a_waste_is_measured_then_witnessed(nurses_browser, vials, make_drawn, witnessed):
    account, vial = make_drawn(vials[0], given="48.7")
    address = f"/drugs/{vial.register_id}/waste/{account.id}"
    asked = nurses_browser.get(f"{address}?measured=151.3&how=denaturing+kit")
    assert "waiting" in asked.text
    assert "Difference 0\u00a0mg." in asked.text
    sent = {"measured": "151.3", "how": "denaturing kit", "patient_id": str(account.patient_id)}
    for wrong in ({"password": "not hers"}, {"own_password": "not mine"}, {"own_password": ""}):
        assert nurses_browser.post(address, data=sent | witnessed | wrong).status_code == 422
    assert nurses_browser.post(address, data=sent | witnessed).status_code == 303
    (line,) = queries.account_lines(account)
    assert (line.wasted_mg, line.unaccounted_mg) == (line.withdrawn_mg - line.given_mg, 0)


def test_a_second_tab_wastes_only_what_is_measured_again(nurses_browser, vials, make_drawn, witnessed):
    account, vial = make_drawn(vials[0], given=50)
    address = f"/drugs/{vial.register_id}/waste/{account.id}"
    sent = {"measured": "150", "how": "other"} | witnessed
    assert nurses_browser.post(address, data=sent).status_code == 303
    again = nurses_browser.post(address, data=sent)
    assert again.status_code == 422
    assert "Was it wasted already?" in again.text
    assert nurses_browser.post(address, data=sent | {"is_more": "y"}).status_code == 303


def test_nobody_witnesses_the_own_waste(client, make_staff, vials, make_drawn, at_minute):
    at_minute(10)
    me = make_staff(Role.NURSE, password=PASSWORD)
    client.sign_in(me)
    account, vial = make_drawn(vials[0], given=50)
    sent = {"measured": "150", "how": "other", "own_password": PASSWORD, "witness_id": str(me.id), "password": PASSWORD}
    refused = client.post(f"/drugs/{vial.register_id}/waste/{account.id}", data=sent)
    assert refused.status_code == 422
    assert "another person" in refused.text or "Choose one of these." in refused.text
    assert not queries.account_lines(account)[0].wasted_mg


def test_a_count_is_blind(nurses_browser, vials, witnessed):
    address = f"/drugs/{vials[0].register_id}/count"
    page = nurses_browser.get(address)
    assert "600\u00a0mg" not in page.text
    assert "balance" not in page.text
    assert nurses_browser.post(address, data={"pieces": "", "rest_mg": ""} | witnessed).status_code == 422
    sent = nurses_browser.post(address, data={"pieces": "2", "rest_mg": "150"} | witnessed, follow_redirects=True)
    assert "The count differs" in sent.text
    (opened,) = stock_queries.discrepancies()
    assert opened.amount_mg == 50


def test_a_wrong_line_is_struck_out_on_its_own_page(nurses_browser, vials, make_drawn, witnessed):
    _, vial = make_drawn(vials[0])
    wrong = stock_queries.lines_of(vial.register_id)[0]
    sent = {"reason": "wrong patient chosen"} | witnessed
    page = nurses_browser.post(f"/drugs/lines/{wrong.id}/strike", data=sent, follow_redirects=True)
    assert "struck out the line below: wrong patient chosen" in page.text
    assert '<tr class="strike">' in page.text


def test_a_session_that_used_more_than_was_drawn_is_to_be_settled(nurses_browser, make_drawn, nurse, second_nurse):
    _, vial = make_drawn(given=50)
    drawn = stock_queries.lines_of(vial.register_id)[1]
    operations.strike(drawn, "wrong vial", second_nurse, by=nurse, at=START)
    assert "50\u00a0mg more than was taken out" in nurses_browser.get(f"/drugs/{vial.register_id}").text


def test_an_old_session_with_drug_left_stays_to_be_settled(database, vials, make_account, nurse, second_nurse):
    account, vial = make_account(at=START - timedelta(days=1)), vials[0]
    act = {"happened_at": START, "by": nurse, "at": START}
    operations.withdraw(account, vial, Decimal(5), **act)
    for _ in range(31):
        newer = make_account(account.patient)
        operations.withdraw(newer, vial, Decimal(1), **act)
        operations.return_to_stock(newer, vial, Decimal(1), **act)
    assert [one.id for one in stock_queries.accounts_to_settle(vial.register)] == [account.id]


def test_a_delivery_is_entered_as_the_invoice_says(nurses_browser, make_cabinet, make_drug):
    make_drug("ketamine")
    sent = {
        "cabinet_id": str(make_cabinet().id),
        "drug_name": "ketamine",
        "form": "vial",
        "strength_mg_ml": "10",
        "size_ml": "20",
        "pieces": "10",
        "lot": "F1001",
        "expires_on": "30-Nov-2026",
        "supplier": "Northgate Pharma",
        "invoice": "INV-77",
    }
    assert nurses_browser.post("/drugs/receive", data=sent | {"invoice": ""}).status_code == 422
    page = nurses_browser.post("/drugs/receive", data=sent, follow_redirects=True)
    assert "balance <b>10</b> vials" in page.text


def test_a_vial_is_sent_and_accepted_by_another_person(nurses_browser, client, vials, make_cabinet, second_nurse):
    other = make_cabinet("cupboard B")
    sent = {"act": "send", "cabinet_id": str(other.id)}
    assert nurses_browser.post(f"/drugs/containers/{vials[0].id}", data=sent).status_code == 303
    (entry,) = stock_queries.underway()
    client.sign_in(second_nurse)
    page = client.post(f"/drugs/transfers/{entry.id}/accept", data={"cabinet_id": str(other.id)}, follow_redirects=True)
    assert "cupboard B" in page.text
    db.session.expire_all()
    assert vials[0].register.cabinet_id == other.id


def test_a_recall_says_when_no_vial_has_the_lot(nurses_browser, vials, make_drug):
    make_drug("ketamine")
    sent = {"recall-drug_name": "ketamine", "recall-reason": "letter"}
    page = nurses_browser.post("/drugs/recalls", data=sent | {"recall-lot": "F1002"}, follow_redirects=True)
    assert "No container of ketamine came with this lot" in page.text
    page = nurses_browser.post("/drugs/recalls", data=sent | {"recall-lot": "f 1001"}, follow_redirects=True)
    assert "Recalled: nothing of this lot" in page.text


def test_a_recall_is_not_lifted_without_a_reason(nurses_browser, nurse):
    recall = operations.recall_lot("ketamine", "F1001", "letter", by=nurse, at=START)
    page = nurses_browser.post(f"/drugs/recalls/{recall.id}/lift", data={"reason": ""})
    assert page.status_code == 422
    assert "Say why" in page.text


def test_strangers_find_no_page(refuses_strangers, vials, make_drawn):
    account, vial = make_drawn(vials[0])
    line = stock_queries.lines_of(vial.register_id)[0]
    for address in (
        f"/drugs/{vial.register_id}",
        f"/drugs/{vial.register_id}/count",
        f"/drugs/{vial.register_id}/waste/{account.id}",
        f"/drugs/containers/{vial.id}",
        f"/drugs/lines/{line.id}",
    ):
        refuses_strangers(address)
