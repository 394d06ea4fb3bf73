"""Protocols on their pages: written line by line, signed into use, read."""

import re
from decimal import Decimal

import pytest

from clinic.protocols import operations, operations_review, queries
from clinic.protocols.rules import ProtocolStatus
from clinic.protocols.terms import draft_of
from clinic.protocols.terms_form import form_values
from clinic.signatures.rules import seen_code
from tests.factories.accounts import PASSWORD
from tests.factories.protocols import WRITTEN
from tests.protocols.filled import filled


@pytest.fixture
def at_screen(client, signing_physician):
    client.sign_in(signing_physician)
    return client


def test_a_physician_writes_a_protocol_and_puts_it_in_use(at_screen, make_draft):
    draft = make_draft()
    written = at_screen.post("/protocols/new", data={"name": "KET-STEP", "act": "save", **filled(draft)})
    assert written.status_code == 303
    page = at_screen.get(written.location)
    assert "start 0.2\u00a0mg per kg per hour" in page.text
    version = queries.version(queries.protocol_named("KET-STEP").versions[0].id)
    assert draft_of(version.terms) == draft
    assert at_screen.post(f"{written.location}/submit", data={"version": version.version}).status_code == 303
    seen = seen_code(operations_review.version_content(version))
    signed = at_screen.post(f"{written.location}/approve", data={"password": PASSWORD, "seen": seen})
    assert signed.status_code == 303
    assert version.status is ProtocolStatus.ACTIVE
    assert "Content unchanged" in at_screen.get(written.location).text


def test_a_wrong_password_puts_nothing_in_use(at_screen, make_protocol_version, signing_physician):
    version = make_protocol_version(approve=False)
    operations_review.submit(version, by=signing_physician, at=WRITTEN)
    seen = seen_code(operations_review.version_content(version))
    refused = at_screen.post(
        f"/protocols/{version.protocol_id}/versions/1/approve", data={"password": "guess", "seen": seen}
    )
    assert refused.status_code == 422
    assert "This is not your password" in refused.text
    assert version.status is ProtocolStatus.REVIEW


def test_a_new_protocol_has_nothing_filled_in(at_screen, make_drug):
    make_drug()
    page = at_screen.get("/protocols/new").text
    assert 'selected value=""' in page
    assert page.count("checked") == 0


def test_every_check_can_say_who_answers_it_and_the_page_names_the_drug(at_screen, make_draft):
    data = {"name": "KET", "act": "save", **filled(make_draft()), "checks-0-role": "physician"}
    page = at_screen.get(at_screen.post("/protocols/new", data=data).location).text
    assert "Name and birth date agree · identity, a physician answers, stops the start" in page
    assert "<dt>Drug</dt><dd>ketamine</dd>" in page


def test_another_line_keeps_what_was_typed(at_screen, make_draft):
    page = at_screen.post("/protocols/new", data={"name": "Draft", "act": "more-prn_items", **filled(make_draft())})
    assert page.status_code == 200
    assert 'name="prn_items-1-drug_name"' in page.text
    assert "ondansetron" in page.text
    assert queries.protocols() == []


def checks_on(page):
    return re.findall(r'name="checks-\d+-text"[^>]* value="([^"]*)"', page.text)


@pytest.mark.parametrize(
    ("act", "left"),
    [
        ("less-checks-0", ["Weighed today"]),
        ("less-checks-1", ["Name and birth date agree"]),
        ("up-checks-1", ["Weighed today", "Name and birth date agree"]),
        ("up-checks-0", ["Name and birth date agree", "Weighed today"]),
        ("less-checks-9", ["Name and birth date agree", "Weighed today"]),
    ],
)
def test_a_line_is_taken_away_or_moved_up_and_nothing_is_saved(at_screen, make_draft, act, left):
    page = at_screen.post("/protocols/new", data={"name": "Draft", "act": act, **filled(make_draft())})
    assert (page.status_code, checks_on(page)) == (200, left)
    assert queries.protocols() == []


@pytest.mark.parametrize("typed", ["nan", "inf", "1e309", "1_000", "１２", "9" * 400, "-1", "1,250"])
@pytest.mark.parametrize("name", ["start_amount", "duration_min", "limit_hold_sbp", "prn_items-0-dose"])
def test_a_number_that_is_none_is_refused_at_its_field(at_screen, make_draft, name, typed):
    data = filled(make_draft()) | {"name": "Odd", "act": "save", name: typed}
    refused = at_screen.post("/protocols/new", data=data)
    assert refused.status_code == 422
    assert f'href="#{name}"' in refused.text
    assert typed in refused.text


def test_contradicting_values_are_refused_at_their_field(at_screen, make_draft):
    data = filled(make_draft()) | {"name": "Odd", "act": "save", "highest_amount": "0.1"}
    refused = at_screen.post("/protocols/new", data=data)
    assert refused.status_code == 422
    assert "The highest rate is under the start rate" in refused.text


def test_the_next_version_begins_as_a_copy_with_its_changes_marked(at_screen, make_protocol_version):
    version = make_protocol_version()
    address = f"/protocols/{version.protocol_id}/versions"
    assert (
        'value="0.2000"' in at_screen.get(f"{address}/new").text
        or 'value="0.2"' in at_screen.get(f"{address}/new").text
    )
    data = filled(draft_of(version.terms)) | {"act": "save", "start_amount": "0.1"}
    assert at_screen.post(f"{address}/new", data=data).status_code == 303
    page = at_screen.get(f"{address}/2").text
    assert "Changed from version 1" in page
    assert "<del>0.2\u00a0mg per kg per hour</del>" in page


def test_a_new_version_begins_from_the_one_that_was_chosen(at_screen, three_versions, signing_physician):
    address = f"/protocols/{three_versions.id}/versions"
    assert at_screen.get(f"{address}/new?from=1").location == f"{address}/3"  # it is being written
    operations_review.retire(three_versions.versions[-1], reason="Not wanted", by=signing_physician, at=WRITTEN)
    page = at_screen.get(f"{address}/new?from=1").text
    assert 'value="0.2"' in page
    assert f'action="{address}/new?from=1"' in page


def test_a_form_shows_a_draft_as_it_was_typed(make_draft):
    values = form_values(make_draft())
    assert values["limit_notify_sbp"][0].bound == 160


def test_a_nurse_reads_a_protocol_and_cannot_write_one(client, nurse, make_protocol_version):
    version = make_protocol_version()
    client.sign_in(nurse)
    assert client.get(f"/protocols/{version.protocol_id}/versions/1").status_code == 200
    assert client.get("/protocols/new").status_code == 403


@pytest.mark.parametrize("part", ["1", "1/draft", "new"])
def test_a_stranger_finds_no_protocol(refuses_strangers, make_protocol_version, part):
    refuses_strangers(f"/protocols/{make_protocol_version(approve=False).protocol_id}/versions/{part}")


@pytest.mark.parametrize("part", ["1/approve", "1/draft", "1/retire", "1/send-back", "1/submit", "new"])
def test_a_stranger_changes_no_protocol(refuses_strangers, make_protocol_version, part):
    address = f"/protocols/{make_protocol_version(approve=False).protocol_id}/versions/{part}"
    refuses_strangers(address, method="POST", data={"password": PASSWORD})


@pytest.fixture
def three_versions(make_draft, make_protocol_version, signing_physician):
    """A protocol that starts at 0.2, 0.1 and 0.3, in this order; the last is a draft."""
    first = make_protocol_version(draft=make_draft())
    for amount in ("0.1", "0.3"):
        draft = make_draft(start_amount=Decimal(amount))
        version = operations.new_version(first.protocol, draft, by=signing_physician, at=WRITTEN)
        if amount == "0.1":
            operations_review.submit(version, by=signing_physician, at=WRITTEN)
            operations_review.approve(version, by=signing_physician, password=PASSWORD, at=WRITTEN)
    return first.protocol


@pytest.mark.parametrize(
    ("asked", "was", "became"),
    [("", "0.1", "0.3"), ("?before=1&after=2", "0.2", "0.1"), ("?before=3&after=1", "0.3", "0.2")],
)
def test_any_two_versions_stand_beside_each_other(at_screen, three_versions, asked, was, became):
    page = at_screen.get(f"/protocols/{three_versions.id}/compare{asked}").text
    assert f"<del>{was}\u00a0mg per kg per hour</del></td><td><ins>{became}\u00a0mg per kg per hour</ins>" in page
    assert "Concentration" not in page


def test_what_stayed_the_same_is_shown_on_demand(at_screen, three_versions):
    assert "Concentration" in at_screen.get(f"/protocols/{three_versions.id}/compare?all=1").text


def test_a_version_beside_itself_differs_in_nothing(at_screen, three_versions):
    page = at_screen.get(f"/protocols/{three_versions.id}/compare?before=2&after=2").text
    assert "Nothing differs" in page
    assert "<ins>" not in page


@pytest.mark.parametrize("asked", ["?before=9", "?after=x", "?before="])
def test_a_version_that_is_none_is_not_found(at_screen, three_versions, asked):
    assert at_screen.get(f"/protocols/{three_versions.id}/compare{asked}").status_code == 404


def test_a_stranger_compares_no_protocol(refuses_strangers, make_protocol_version):
    refuses_strangers(f"/protocols/{make_protocol_version().protocol_id}/compare")


def test_a_phase_names_the_vitals_in_the_nurses_words_or_is_refused(at_screen, make_draft):
    data = {"name": "KET", "act": "save", **filled(make_draft()), "phases-0-items": "SPO2, blood pressure"}
    refused = at_screen.post("/protocols/new", data=data | {"phases-0-items": "BP, weather"})
    assert refused.status_code == 422
    assert "Say which vitals" in refused.text
    page = at_screen.get(at_screen.post("/protocols/new", data=data).location).text
    assert "only BP, SpO2" in page
