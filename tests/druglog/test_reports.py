"""The reports of the register: sums by person and patient, lots, one schedule alone, and text no spreadsheet runs."""

import csv
import io
import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from html import escape

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from clinic.accounts.models import Site
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.druglog import operations, stock_queries
from clinic.druglog.report_rules import Report, as_csv
from clinic.druglog.settling_rules import Cause, CountPurpose, StepKind, TakenAt
from tests.factories.druglog import VIAL
from tests.factories.sessions import START

PERIOD = "from_on=01-Nov-2025&until_on=30-Nov-2025"


@pytest.fixture
def rows(nurses_browser):
    """The rows of a report as its CSV has them, by the words of the head."""

    def read(kind, more=""):
        text = nurses_browser.get(f"/drugs/reports/export.csv?kind={kind}&{PERIOD}{more}").text
        return list(csv.DictReader(io.StringIO(text)))

    return read


@pytest.fixture
def make_site_cabinet(clinic, nurse):
    """A cabinet at another site of the clinic."""

    def make(name):
        site = Site(clinic_id=clinic.id, name=name)
        db.session.add(site)
        db.session.flush()
        return operations.add_cabinet(site, f"cupboard {name}", by=nurse, at=START)

    return make


@pytest.fixture
def wasted(make_drawn, nurse, second_nurse):
    account, vial = make_drawn(given=50)
    operations.waste(account, "ketamine", Decimal(140), second_nurse, happened_at=START, by=nurse, at=START)
    return account, vial


def test_a_person_is_shown_with_taken_out_against_wasted(wasted, rows, nurse):
    (row,) = rows("people")
    assert row["Person"] == nurse.name
    assert (row["Taken out, mg"], row["Wasted, mg"], row["Wasted of taken out, %"]) == ("200", "140", "70.0")


def test_a_patient_is_shown_with_what_is_open(wasted, rows):
    (row,) = rows("patients")
    assert (row["MRN"], row["Given"], row["Open now"]) == (wasted[0].patient.mrn, "50", "10")


def test_what_was_wasted_after_the_period_is_open_no_more(wasted, rows, nurse, second_nurse):
    later = {"happened_at": START, "by": nurse, "at": START + timedelta(days=20)}
    operations.waste(wasted[0], "ketamine", Decimal(10), second_nurse, **later)
    (row,) = rows("patients")
    assert (row["Wasted"], row["Open now"]) == ("140", "0")


def test_a_report_of_one_site_has_only_its_cabinets(make_vials, make_site_cabinet, rows):
    make_vials(1)
    other = make_site_cabinet("North")
    make_vials(1, cabinet=other)
    assert [row["Site"] for row in rows("log", f"&site={other.site_id}")] == ["North"]
    assert len(rows("lots", f"&site={other.site_id}")) < len(rows("log"))


def test_a_failed_double_check_is_listed_with_what_each_person_typed(make_ready, make_double_check, rows, nurse):
    infusion = make_ready()
    make_double_check(infusion, "13.6", computed="16.3", at=START)
    (row,) = rows("near-misses")
    assert (row["First person"], row["Typed, mL/h"], row["Second typed, mL/h"]) == (nurse.name, "13.6", "16.3")
    assert row["MRN"] == infusion.patient.mrn


@pytest.mark.parametrize("kind", ["log", "people", "near-misses", "lots", "receipts", "counts"])
def test_the_code_of_a_printed_report_is_known_again(nurses_browser, wasted, kind):
    paper = nurses_browser.get(f"/drugs/reports/print?kind={kind}&{PERIOD}").text
    code = re.search(r"record ((?:[0-9a-f]{4} ?){3})", paper).group(1)
    assert "Unchanged since that print." in nurses_browser.get("/prints", query_string={"code": code}).text


def test_a_line_that_was_struck_out_counts_in_no_sum(make_drawn, rows, nurse, second_nurse):
    _, vial = make_drawn()
    wrong = stock_queries.lines_of(vial.register_id)[0]
    operations.strike(wrong, "wrong patient", second_nurse, by=nurse, at=START)
    assert not rows("people")
    assert [row["Struck out"] for row in rows("log")] == ["", "yes", ""]


def test_the_log_names_supplier_lot_and_balances(make_vials, rows):
    make_vials(2)
    first, second = rows("log")
    assert (first["Supplier"], first["Lot"], first["Before, mg"], first["After, mg"]) == (
        "Northgate Pharma",
        "F1001",
        "0",
        "200",
    )
    assert second["Before, mg"] == "200"


def test_the_log_on_paper_says_everything_that_a_line_says(make_vials, rows, nurses_browser):
    make_vials(1)
    paper = nurses_browser.get(f"/drugs/reports/print?kind=log&{PERIOD}").text
    (line,) = rows("log")
    assert not [value for value in line.values() if value and escape(value) not in paper]
    assert "<b>Supplier</b> Northgate Pharma" in paper


def test_a_delivery_is_one_row_of_the_receipts(make_vials, rows, nurse, second_nurse):
    vials = make_vials(3)
    wrong = stock_queries.lines_of(vials[0].register_id)[0]
    operations.strike(wrong, "never came", second_nurse, by=nurse, at=START)
    assert [(row["Containers"], row["mg in all"], row["Struck out"]) for row in rows("receipts")] == [
        ("2", "400", ""),
        ("1", "200", "yes"),
    ]
    assert rows("receipts")[0]["Supplier's number"] == "RN0001"


def test_counts_stand_in_one_report_whatever_they_were_for(make_vials, rows, nurse, second_nurse):
    page, told = make_vials(2)[0].register, {"by": nurse, "at": START}
    operations.count_page(page, Decimal(400), second_nurse, happened_at=START, **told)
    found = [operations.Counted(page, Decimal(200))]
    purpose = {"purpose": CountPurpose.INITIAL, "taken": TakenAt.CLOSE, "counted_at": START}
    operations.count_cabinet(page.cabinet, found, second_nurse, **purpose, **told)
    told = [(row["Count"], row["Taken at"], row["Difference, mg"]) for row in rows("counts")]
    assert told == [("one page", "", "0"), ("initial inventory", "close of business", "-200")]


def test_a_loss_report_leaves_as_csv_without_a_patient(nurses_browser, wasted, nurse, second_nurse):
    account, _ = wasted
    told = {"by": nurse, "at": START}
    lost = operations.open_discrepancy(account, "ketamine", Decimal(10), "10 mg are missing", **told)
    closing = {"cause": Cause.SUSPECTED_DIVERSION, "second": second_nurse}
    operations.take_step(lost, StepKind.REPORTED, "police called", **closing, **told)
    text = nurses_browser.get(f"/drugs/discrepancies/{lost.id}/export.csv").text
    found, reported = list(csv.DictReader(io.StringIO(text)))
    assert (found["Missing, mg"], found["Words"]) == ("10", "10 mg are missing")
    assert (reported["Cause"], reported["Second person"]) == ("suspected diversion", second_nurse.name)
    assert account.patient.family_name not in text


def test_a_schedule_is_asked_for_alone(make_vials, make_drug, rows):
    db.session.merge(make_drug("ketamine")).schedule = "III"
    make_vials(1)
    make_vials(1, product=replace(VIAL, drug_name="midazolam"))
    assert {row["Schedule"] for row in rows("log")} == {"", "III"}
    assert [row["Schedule"] for row in rows("log", "&schedule=III")] == ["III"]


def test_lots_that_expire_or_were_recalled_are_listed(make_vials, rows, nurse):
    make_vials(1, product=replace(VIAL, lot="LATER"))
    make_vials(1, product=replace(VIAL, lot="SOON", expires_on=date(2025, 12, 24)))
    make_vials(1, product=replace(VIAL, lot="BAD"))
    operations.recall_lot("ketamine", "BAD", "particles", by=nurse, at=START)
    assert [row["Lot"] for row in rows("lots")] == ["SOON", "BAD"]


def test_a_report_stands_on_a_page_and_on_paper(nurses_browser, wasted):
    query = f"kind=people&{PERIOD}"
    assert "70.0" in nurses_browser.get(f"/drugs/reports?{query}").text
    paper = nurses_browser.get(f"/drugs/reports/print?{query}")
    assert "70.0" in paper.text


def test_a_day_that_is_none_is_refused_and_kept(nurses_browser):
    page = nurses_browser.get("/drugs/reports?from_on=31-Feb-2025")
    assert page.status_code == 422
    assert "31-Feb-2025" in page.text


@pytest.mark.parametrize("page", ["export.csv", "print"])
@pytest.mark.parametrize("period", ["from_on=31-Feb-2025", "from_on=30-Nov-2025&until_on=01-Nov-2025"])
def test_nothing_leaves_the_clinic_for_a_period_that_is_none(nurses_browser, page, period):
    refused = nurses_browser.get(f"/drugs/reports/{page}?kind=people&{period}")
    assert refused.status_code == 422
    assert "<h1" in refused.text
    assert not db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == AuditAction.DRUG_LOG_PRINTED)).all()


@given(st.text(alphabet=st.sampled_from(list("=+-@\t\r\n\"', 1a.")), max_size=8))
def test_no_cell_begins_as_a_formula(text):
    out = list(csv.reader(io.StringIO(as_csv(Report("", ("a",), ((text,),))), newline="")))
    cell = out[1][0] if len(out) > 1 and out[1] else ""
    stripped = cell.lstrip(" ")
    is_number = stripped[1:].replace(".", "", 1).isdigit() and cell == stripped
    assert not stripped.startswith(("=", "+", "-", "@", "\t", "\r")) or (stripped.startswith("-") and is_number)


def test_strangers_see_nothing_of_it(wasted, client, stranger, at_minute):
    at_minute(10)
    client.sign_in(stranger)
    assert "140" not in client.get(f"/drugs/reports/export.csv?kind=log&{PERIOD}").text
