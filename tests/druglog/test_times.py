"""A beyond-use time that was typed wrongly is corrected before a witness; the first one stays readable."""

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.druglog import operations, stock_queries
from clinic.druglog.models import RegisterEntry
from clinic.druglog.operations_lines import line_content
from clinic.druglog.rules import RegisterKind
from clinic.druglog.settling_rules import PreparationKind
from clinic.signatures.operations import verify
from clinic.signatures.queries import signatures_of
from clinic.signatures.rules import Verdict
from tests.factories.accounts import PASSWORD
from tests.factories.sessions import START

HOUR = timedelta(hours=1)


@pytest.fixture
def opened(make_vials, nurse):
    vial = make_vials()[0]
    return operations.open_container(vial, START + 2 * HOUR, by=nurse, at=START)


@pytest.fixture
def bag(make_drawn, nurse, second_nurse):
    account, _ = make_drawn()
    told = {"kind": PreparationKind.BAG, "beyond_use_at": START + HOUR, "made_at": START, "by": nurse, "at": START}
    return operations.make_preparation(account, "ketamine", Decimal(100), Decimal(100), second_nurse, **told)


@pytest.fixture
def correct(nurse, second_nurse):
    def act(vial, until, *, reason="wrong day", witness=second_nurse, at=START):
        return operations.correct_container_time(vial, until, reason, witness, by=nurse, at=at)

    return act


def test_the_right_time_counts_and_both_stay_in_the_register(opened, correct, make_account, nurse):
    later = START + 3 * HOUR
    take = {"happened_at": later, "by": nurse, "at": later}
    with pytest.raises(RuleBroken, match="beyond-use"):
        operations.withdraw(make_account(), opened, Decimal(10), **take)
    entry = correct(opened, START + 26 * HOUR)
    assert operations.withdraw(make_account(), opened, Decimal(10), **take)
    assert (opened.beyond_use_at, opened.use_before_at) == (START + 2 * HOUR, START + 26 * HOUR)
    assert entry.register_before_mg == entry.register_after_mg == 200
    assert "not 18-Nov-2025" in entry.reason
    assert {verify(one, line_content(entry)) for one in signatures_of(entry.id)} == {Verdict.VALID}


def test_a_time_is_not_corrected_alone_without_a_reason_or_to_what_cannot_be(opened, correct, nurse, make_vials):
    with pytest.raises(RuleBroken, match="another person"):
        correct(opened, START + 3 * HOUR, witness=nurse)
    with pytest.raises(RuleBroken, match="Say why"):
        correct(opened, START + 3 * HOUR, reason=" ")
    with pytest.raises(RuleBroken, match="opened later"):
        correct(opened, START)
    with pytest.raises(RuleBroken, match="expires before"):
        correct(opened, START + timedelta(days=1000))
    with pytest.raises(RuleBroken, match="this time already"):
        correct(opened, START + 2 * HOUR)
    with pytest.raises(RuleBroken, match="entered yet"):
        correct(make_vials()[0], START + 3 * HOUR)


def test_a_bag_hangs_until_its_corrected_time(bag, nurse, second_nurse):
    late = START + 2 * HOUR
    with pytest.raises(RuleBroken, match="beyond-use"):
        operations.hung(bag.account, "ketamine", late)
    operations.correct_preparation_time(bag, START + 24 * HOUR, "wrong hour", second_nurse, by=nurse, at=START)
    assert operations.hung(bag.account, "ketamine", late) is bag
    operations.correct_preparation_time(bag, START + HOUR, "was right", second_nurse, by=nurse, at=START)
    with pytest.raises(RuleBroken, match="beyond-use"):
        operations.hung(bag.account, "ketamine", late)
    assert [line.prepared_mg for line in operations.account_lines(bag.account)] == [100]


def test_a_bag_is_struck_out_by_its_line_after_a_correction(bag, nurse, second_nurse):
    corrected = operations.correct_preparation_time(
        bag, START + 24 * HOUR, "wrong hour", second_nurse, by=nurse, at=START
    )
    with pytest.raises(RuleBroken, match="stays"):
        operations.strike(corrected, "wrong", second_nurse, by=nurse, at=START)
    operations.strike(bag.line, "never made", second_nurse, by=nurse, at=START)
    with pytest.raises(RuleBroken, match="struck out"):
        operations.correct_preparation_time(bag, START + 9 * HOUR, "x", second_nurse, by=nurse, at=START)


def test_the_page_shows_the_old_time_struck_through(nurses_browser, opened, checker):
    address = f"/drugs/containers/{opened.id}"
    assert f"{address}/use-before" in nurses_browser.get(address).text
    sent = {"day": "19-Nov-2025", "clock": "10:00", "reason": "typed the wrong day"}
    assert nurses_browser.post(f"{address}/use-before", data=sent).status_code == 422
    sent |= {"own_password": PASSWORD, "witness_id": str(checker.id), "password": PASSWORD}
    page = nurses_browser.post(f"{address}/use-before", data=sent, follow_redirects=True).text
    assert 'class="strike">Use before 18-Nov-2025' in page
    assert page.count("typed the wrong day") >= 2
    register = nurses_browser.get(f"/drugs/{opened.register_id}").text
    assert "beyond-use time corrected" in register


def test_a_label_shows_the_corrected_time(nurses_browser, bag, checker):
    sent = {"day": "19-Nov-2025", "clock": "10:00", "reason": "typed the wrong day"}
    sent |= {"own_password": PASSWORD, "witness_id": str(checker.id), "password": PASSWORD}
    sent |= {"patient_id": str(bag.account.patient_id)}
    page = nurses_browser.post(f"/drugs/preparations/{bag.id}/use-before", data=sent, follow_redirects=True).text
    assert "<b>Use before 19-Nov-2025 10:00</b>" in page
    assert 'class="strike">Use before' in page


def test_strangers_correct_no_time(refuses_strangers, opened, bag):
    refuses_strangers(f"/drugs/containers/{opened.id}/use-before")
    refuses_strangers(f"/drugs/preparations/{bag.id}/use-before")


def test_the_database_takes_no_corrected_time_without_a_witness(opened, correct):
    entry = correct(opened, START + 3 * HOUR)
    values = {column.key: getattr(entry, column.key) for column in sa.inspect(RegisterEntry).column_attrs}
    values |= {"line": entry.line + 1, "id": uuid.uuid4()}
    for wrong in ({"witness_id": None}, {"reason": None}, {"beyond_use_at": None}, {"kind": RegisterKind.COUNT}):
        with pytest.raises(IntegrityError), db.session.begin_nested():
            db.session.execute(sa.insert(RegisterEntry).values(**(values | wrong)))
    assert len(stock_queries.lines_of(opened.register_id)) == 2
