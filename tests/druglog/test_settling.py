"""Discrepancies close by two people with a cause; a cabinet is counted blind; the clinic says who witnesses."""

import csv
import io
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy.exc import IntegrityError

from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Role
from clinic.druglog import operations, stock_queries
from clinic.druglog.models_settling import DiscrepancyStep
from clinic.druglog.settling_rules import Cause, CountPurpose, DiscrepancyStatus, StepKind
from tests.factories.accounts import PASSWORD
from tests.factories.sessions import START


@pytest.fixture
def discrepancy(make_vials, nurse):
    return operations.report_difference(make_vials()[0].register, Decimal(20), "a vial broke", by=nurse, at=START)


@pytest.fixture
def step(discrepancy, nurse):
    def take(kind, note="looked into", **values):
        return operations.take_step(discrepancy, kind, note, **({"by": nurse, "at": START} | values))

    return take


def test_a_discrepancy_is_closed_by_two_people_with_a_cause(discrepancy, step, nurse, second_nurse):
    step(StepKind.INVESTIGATING)
    assert discrepancy.status is DiscrepancyStatus.INVESTIGATING
    for wrong in ({"cause": None}, {"second": None}, {"second": nurse}):
        with pytest.raises(RuleBroken):
            step(StepKind.RESOLVED, **({"cause": Cause.SPILL, "second": second_nurse} | wrong))
    step(StepKind.RESOLVED, cause=Cause.SPILL, second=second_nurse)
    assert discrepancy.status is DiscrepancyStatus.RESOLVED


def test_what_is_closed_goes_on_only_when_it_is_reopened(discrepancy, step, second_nurse):
    step(StepKind.RESOLVED, cause=Cause.SPILL, second=second_nurse)
    with pytest.raises(RuleBroken, match="Reopen"):
        step(StepKind.INVESTIGATING)
    step(StepKind.REOPENED, "the pieces were found")
    assert discrepancy.status is DiscrepancyStatus.OPEN


def test_a_suspected_diversion_is_reported(step, second_nurse):
    with pytest.raises(RuleBroken, match="reported, not resolved"):
        step(StepKind.RESOLVED, cause=Cause.SUSPECTED_DIVERSION, second=second_nurse)
    assert step(StepKind.REPORTED, cause=Cause.SUSPECTED_DIVERSION, second=second_nurse)


def test_the_database_refuses_to_close_it_alone(discrepancy, nurse):
    step = {"kind": StepKind.RESOLVED, "cause": Cause.SPILL, "note": "alone", "number": 1}
    row = DiscrepancyStep(discrepancy_id=discrepancy.id, recorded_at=START, recorded_by_id=nurse.id, **step)
    db.session.add(row)
    with pytest.raises(IntegrityError):
        db.session.flush()


def test_a_page_closes_a_discrepancy_with_the_second_persons_password(nurses_browser, discrepancy, checker):
    address = f"/drugs/discrepancies/{discrepancy.id}"
    sent = {"kind": "resolved", "cause": "spill", "note": "pieces kept", "witness_id": str(checker.id)}
    assert nurses_browser.post(address, data=sent | {"password": "not hers"}).status_code == 422
    page = nurses_browser.post(
        address, data=sent | {"password": PASSWORD, "own_password": PASSWORD}, follow_redirects=True
    )
    assert "Reopen it" in page.text
    assert "witness" in page.text
    paper = nurses_browser.get(f"{address}/print")
    assert "pieces kept" in paper.text
    code = re.search(r"record ((?:[0-9a-f]{4} ?){3})", paper.text).group(1)
    assert "Unchanged since that print." in nurses_browser.get("/prints", query_string={"code": code}).text


def test_a_cabinet_is_counted_page_by_page_and_blind(nurses_browser, make_vials, checker):
    register = make_vials(2)[0].register
    address = f"/drugs/cabinets/{register.cabinet_id}/count"
    assert "400\u00a0mg" not in nurses_browser.get(address).text
    sent = {"purpose": "shift", "own_password": PASSWORD, "witness_id": str(checker.id), "password": PASSWORD}
    forgotten = nurses_browser.post(address, data=sent)
    assert forgotten.status_code == 422
    assert "enter what you counted" in forgotten.text
    page = nurses_browser.post(address, data=sent | {f"pieces-{register.id}": "1"}, follow_redirects=True)
    assert "1 of 1 differ." in page.text
    (opened,) = stock_queries.discrepancies()
    assert (opened.amount_mg, opened.register_id) == (200, register.id)
    (sheet,) = stock_queries.sheets(register.cabinet_id)
    paper = nurses_browser.get(f"/drugs/counts/{sheet.id}/print").text
    assert "Counted by" in paper
    code = re.search(r"record ((?:[0-9a-f]{4} ?){3})", paper).group(1)
    assert "Unchanged since that print." in nurses_browser.get("/prints", query_string={"code": code}).text
    (row,) = csv.DictReader(io.StringIO(nurses_browser.get(f"/drugs/counts/{sheet.id}/export.csv").text))
    assert (row["Containers or pieces"], row["Counted, mg"], row["Difference, mg"]) == ("1", "200", "-200")


def test_a_page_whose_label_has_no_size_is_counted_in_mg(nurses_browser, make_cabinet, nurse, checker):
    cabinet = make_cabinet()
    loose = {"quantity_mg": Decimal(50), "description": "bag", "received_at": START, "by": nurse, "at": START}
    register = operations.add_container("ketamine", cabinet=cabinet, **loose).register
    sent = {"purpose": "shift", "own_password": PASSWORD, "witness_id": str(checker.id), "password": PASSWORD}
    refused = nurses_browser.post(f"/drugs/cabinets/{cabinet.id}/count", data=sent | {f"pieces-{register.id}": "3"})
    assert (refused.status_code, "enter mg" in refused.text) == (422, True)


def test_an_inventory_says_when_in_the_business_day(make_vials, nurse, second_nurse):
    register = make_vials()[0].register
    found = [operations.Counted(register, Decimal(200))]
    with pytest.raises(RuleBroken, match="opening or the close"):
        operations.count_cabinet(
            register.cabinet,
            found,
            second_nurse,
            purpose=CountPurpose.BIENNIAL,
            counted_at=START,
            by=nurse,
            at=START,
        )


def test_the_clinic_says_who_witnesses(clinic, make_drawn, nurse, second_nurse, physician):
    account, _ = make_drawn(given=50)
    clinic.witness_role = Role.PHYSICIAN
    waste = {"happened_at": START, "by": nurse, "at": START}
    with pytest.raises(RuleBroken, match="physician witnesses"):
        operations.waste(account, "ketamine", Decimal(150), second_nurse, **waste)
    assert operations.waste(account, "ketamine", Decimal(150), physician, **waste)


def test_the_clinic_may_ask_for_a_witness_of_a_withdrawal(clinic, make_vials, make_account, nurse, second_nurse):
    vial, account = make_vials()[0], make_account()
    clinic.is_withdrawal_witnessed = True
    taken = {"happened_at": START, "by": nurse, "at": START}
    with pytest.raises(RuleBroken, match="second person"):
        operations.withdraw(account, vial, Decimal(50), **taken)
    assert operations.withdraw(account, vial, Decimal(50), witness=second_nurse, **taken).witness_id


def test_what_the_line_keeps_is_a_line_of_its_own(make_drawn, nurse, second_nurse):
    account, _ = make_drawn(given=180)
    operations.prime(account, "ketamine", Decimal(20), second_nurse, happened_at=START, by=nurse, at=START)
    (line,) = operations.account_lines(account)
    assert (line.primed_mg, line.wasted_mg, line.unaccounted_mg) == (20, 0, 0)


def test_strangers_find_nothing_to_settle(refuses_strangers, discrepancy, make_cabinet):
    for address in (
        f"/drugs/discrepancies/{discrepancy.id}",
        f"/drugs/discrepancies/{discrepancy.id}/print",
        f"/drugs/cabinets/{discrepancy.register.cabinet_id}/count",
    ):
        refuses_strangers(address)


def test_the_open_ones_come_first_and_old_closed_ones_on_demand(nurses_browser, discrepancy, step, nurse, second_nurse):
    step(StepKind.RESOLVED, cause=Cause.SPILL, second=second_nurse)
    for number in range(60):
        later = operations.report_difference(
            discrepancy.register, Decimal(1), f"n{number}", by=nurse, at=START + timedelta(minutes=1)
        )
        operations.take_step(
            later, StepKind.RESOLVED, "found", cause=Cause.SPILL, second=second_nurse, by=nurse, at=later.opened_at
        )
    operations.report_difference(discrepancy.register, Decimal(1), "still open", by=nurse, at=START)
    page = nurses_browser.get("/drugs/discrepancies").text
    assert page.index("still open") < page.index("n59")
    assert "a vial broke" not in page
    assert "a vial broke" in nurses_browser.get("/drugs/discrepancies?all=1").text
