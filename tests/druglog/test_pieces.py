"""Tablets, patches and other solid forms: mg in each piece and pieces, no volume."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.druglog import operations, queries, stock_queries
from clinic.druglog.operations_receive import Product
from clinic.druglog.rules import in_pieces, plural
from tests.factories.accounts import PASSWORD
from tests.factories.sessions import START

TABLETS = Product(
    "lorazepam", "tablet", lot="L7", expires_on=date(2026, 11, 30), piece_mg=Decimal("0.5"), piece_count=30
)


@pytest.fixture
def packs(make_vials):
    return make_vials(2, product=TABLETS)


def test_packs_of_tablets_stand_on_one_page_and_are_counted_in_tablets(nurses_browser, packs, make_account, nurse):
    operations.withdraw(make_account(), packs[0], Decimal(1), happened_at=START, by=nurse, at=START)
    page = nurses_browser.get(f"/drugs/{packs[0].register_id}").text
    assert "lorazepam 0.5 mg tablet" in page
    assert "balance <b>58</b> tablets" in page
    assert "2 tablets" in page
    assert packs[0].opened_at == START
    assert stock_queries.lines_of(packs[0].register_id)[0].quantity_ml is None


def test_a_delivery_of_patches_asks_for_no_volume(nurses_browser, make_cabinet, make_drug):
    make_drug("fentanyl")
    sent = {"cabinet_id": str(make_cabinet().id), "drug_name": "fentanyl", "form": "patch", "pieces": "3", "lot": "P1"}
    sent |= {"expires_on": "30-Nov-2026", "supplier": "Northgate Pharma", "invoice": "INV-78", "piece_mg": "4.2"}
    refused = nurses_browser.post("/drugs/receive", data=sent)
    assert refused.status_code == 422
    assert "Enter it as the label says" in refused.text
    page = nurses_browser.post("/drugs/receive", data=sent | {"piece_count": "5"}, follow_redirects=True)
    assert "balance <b>15</b> patches" in page.text


def test_a_vial_still_says_its_strength_and_size(nurses_browser, make_cabinet, make_drug):
    make_drug("ketamine")
    sent = {"cabinet_id": str(make_cabinet().id), "drug_name": "ketamine", "form": "vial", "piece_mg": "4"}
    refused = nurses_browser.post("/drugs/receive", data=sent)
    assert refused.text.count("Enter it as the label says") >= 2


def test_tablets_are_counted_whole_and_broken_ones_in_mg(nurses_browser, packs, checker):
    sent = {"own_password": PASSWORD, "witness_id": str(checker.id), "password": PASSWORD}
    address = f"/drugs/{packs[0].register_id}/count"
    page = nurses_browser.post(address, data=sent | {"pieces": "59", "rest_mg": "0.5"}, follow_redirects=True)
    assert "The count agrees." in page.text


def test_a_pack_goes_to_the_same_page_of_another_cabinet(packs, make_cabinet, nurse, second_nurse):
    other = make_cabinet("cupboard B")
    sent = operations.send(packs[0], to=other, happened_at=START, by=nurse, at=START)
    operations.accept_transfer(sent, other, happened_at=START, by=second_nurse, at=START)
    assert packs[0].register.piece_mg == Decimal("0.5")
    assert queries.balance_mg(packs[0]) == 15


def test_pieces_are_taken_out_and_put_back_at_the_chair(nurses_browser, make_running, make_vials):
    infusion = make_running()
    pack = make_vials(1, product=replace(TABLETS, drug_name="ketamine", form="lozenge"))[0]
    address, sent = f"/sessions/{infusion.id}/drug", {"act": "withdraw", "container_id": str(pack.id)}
    assert "holds 30 lozenges" in nurses_browser.get(address).text
    refused = nurses_browser.post(address, data=sent | {"pieces": "3", "quantity_mg": "3"})
    assert "So many pieces hold 1.5" in refused.text
    assert "Enter the amount." in nurses_browser.post(address, data=sent).text
    assert nurses_browser.post(address, data=sent | {"pieces": "3"}).status_code == 303
    assert nurses_browser.post(address, data=sent | {"pieces": "1", "act": "return"}).status_code == 303
    assert queries.balance_mg(pack) == 14


def test_the_database_keeps_pieces_and_volumes_apart(packs):
    for change in ("strength_mg_ml = 1", "piece_mg = 7", "piece_count = 31"):
        with pytest.raises(IntegrityError), db.session.begin_nested():
            db.session.execute(sa.text(f"UPDATE container SET {change}"))


def test_no_pack_is_received_without_what_each_piece_holds(make_vials):
    with pytest.raises(RuleBroken, match="each piece"):
        make_vials(1, product=Product("lorazepam", "tablet", lot="L7"))


def test_amounts_read_in_pieces_only_where_they_are_whole():
    said = [in_pieces(Decimal(mg), Decimal("0.5"), "tablet").replace("\u00a0", " ") for mg in ("15", "0.5", "0.3")]
    assert said == ["30 tablets, 15 mg", "1 tablet, 0.5 mg", "0.3 mg"]
    assert [plural(form) for form in ("patch", "suppository", "vial")] == ["patches", "suppositories", "vials"]
