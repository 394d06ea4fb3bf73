"""A bag or syringe: made from what was taken out, checked by another person, labelled, named by the start."""

from datetime import timedelta
from decimal import Decimal

import pytest

from clinic.core.errors import RuleBroken
from clinic.druglog import operations, preparation_queries, queries
from clinic.druglog.code39_rules import _PATTERNS, bars
from clinic.druglog.settling_rules import CODE_LETTERS, PreparationKind
from clinic.sessions import operations as sessions
from clinic.signatures.queries import signatures_of
from tests.factories.accounts import PASSWORD
from tests.factories.sessions import START

HOUR = timedelta(hours=1)


@pytest.fixture
def make_bag(nurse, second_nurse):
    def make(account, mg="100", checker=second_nurse, ml=None, **values):
        told = {"kind": PreparationKind.BAG, "beyond_use_at": START + 24 * HOUR, "made_at": START, "by": nurse}
        return operations.make_preparation(
            account, "ketamine", Decimal(mg), Decimal(ml or mg), checker, at=START, **(told | values)
        )

    return make


def test_a_bag_is_signed_by_who_made_and_who_checked_it(make_drawn, make_bag, nurse, second_nurse):
    account, _ = make_drawn()
    made = make_bag(account)
    assert {one.signer_id for one in signatures_of(made.id)} == {nurse.id, second_nurse.id}
    (line,) = operations.account_lines(account)
    assert line.prepared_mg == 100
    with pytest.raises(RuleBroken, match="another person"):
        make_bag(account, checker=nurse)


def test_no_more_is_made_up_than_was_taken_out(make_drawn, make_bag):
    account, _ = make_drawn()
    make_bag(account, "150")
    with pytest.raises(RuleBroken, match="Only 50\u00a0mg"):
        make_bag(account, "51")


def test_what_was_wasted_is_not_made_up(make_drawn, make_bag, nurse, second_nurse):
    account, _ = make_drawn()
    operations.waste(account, "ketamine", Decimal(150), second_nurse, happened_at=START, by=nurse, at=START)
    with pytest.raises(RuleBroken, match="Only 50\u00a0mg"):
        make_bag(account, "51")


def test_of_several_bags_the_label_says_which_one_hangs(make_drawn, make_bag):
    account, _ = make_drawn()
    first, second = make_bag(account, "50"), make_bag(account, "50", beyond_use_at=START + HOUR)
    with pytest.raises(RuleBroken, match="scan the label"):
        operations.hung(account, "ketamine", START)
    assert operations.hung(account, "ketamine", START, code=f"*{second.code.lower()}*") is second
    assert operations.hung(account, "ketamine", START, used={first.id}) is second
    assert operations.hung(account, "ketamine", START + 2 * HOUR) is first


def test_a_label_past_its_time_or_of_another_session_is_refused(make_drawn, make_vials, make_bag):
    (account, _), (other, _) = make_drawn(), make_drawn(make_vials()[0])
    bag, foreign = make_bag(account, beyond_use_at=START + HOUR), make_bag(other)
    for code in (None, bag.code):
        with pytest.raises(RuleBroken, match="past its beyond-use time"):
            operations.hung(account, "ketamine", START + 2 * HOUR, code=code)
    with pytest.raises(RuleBroken, match="not of this session"):
        operations.hung(account, "ketamine", START, code=foreign.code)


def test_a_bag_that_was_struck_out_never_hangs(make_drawn, make_bag, nurse, second_nurse):
    account, _ = make_drawn()
    bag = make_bag(account)
    line = next(one for one in queries.entries_of(account) if one.preparation_id == bag.id)
    operations.strike(line, "wrong volume", second_nurse, by=nurse, at=START)
    assert operations.hung(account, "ketamine", START) is None
    with pytest.raises(RuleBroken, match="struck out"):
        operations.hung(account, "ketamine", START, code=bag.code)


def test_a_page_makes_a_bag_and_its_label_is_found_by_its_code(nurses_browser, make_drawn, checker):
    account, _ = make_drawn()
    sent = {"kind": "bag", "drug_name": "ketamine", "amount_mg": "100", "volume_ml": "100", "diluent": "saline"}
    sent |= {
        "day": "19-Nov-2025",
        "clock": "09:00",
        "own_password": PASSWORD,
        "witness_id": str(checker.id),
        "patient_id": str(account.patient_id),
    }
    address = f"/drugs/accounts/{account.id}/prepare"
    assert nurses_browser.post(address, data=sent | {"password": "not hers"}).status_code == 422
    label = nurses_browser.post(address, data=sent | {"password": PASSWORD}, follow_redirects=True)
    (made,) = preparation_queries.preparations_of(account.id)
    assert "1\u00a0mg per mL" in label.text
    found = nurses_browser.get(f"/drugs/preparations?code=*{made.code.lower()}*", follow_redirects=True)
    assert made.code in found.text


def test_strangers_find_no_bag(refuses_strangers, make_drawn, make_bag):
    account, _ = make_drawn()
    refuses_strangers(f"/drugs/accounts/{account.id}/prepare")
    refuses_strangers(f"/drugs/preparations/{make_bag(account).id}/label")


def test_every_letter_of_a_code_has_bars_of_its_own():
    assert all(sorted(pattern) == sorted("nnnnnnwww") for pattern in _PATTERNS.values())
    assert len(set(_PATTERNS.values())) == len(_PATTERNS)
    marks, width = bars(CODE_LETTERS)
    assert (len(marks), width) == (5 * (len(CODE_LETTERS) + 2), 16 * (len(CODE_LETTERS) + 2) - 1)


@pytest.fixture
def make_bagged(make_ready, make_vials, make_bag, nurse):
    """A session that may start, with bags made for it."""

    def make(*amounts, ml=None):
        infusion, early = make_ready(), {"by": nurse, "at": START - HOUR / 6}
        account = sessions.open_drug_account(infusion, **early)
        operations.withdraw(account, make_vials()[0], Decimal(200), happened_at=early["at"], **early)
        return infusion, [make_bag(account, mg, ml=ml, made_at=START - HOUR / 12) for mg in amounts]

    return make


def test_the_start_names_the_bag(make_bagged, make_double_check, nurse):
    infusion, (made,) = make_bagged("100")
    check = make_double_check(infusion, at=START)
    started = sessions.start(infusion, happened_at=START, double_check=check, by=nurse, at=START)
    assert started.preparation_id == made.id


def test_a_bag_that_hangs_is_not_struck_out(make_bagged, make_double_check, nurse, second_nurse):
    infusion, (hung, spare) = make_bagged("100", "50")
    check = make_double_check(infusion, at=START)
    sessions.start(infusion, happened_at=START, double_check=check, label=hung.code, by=nurse, at=START)
    told = {"by": nurse, "at": START + HOUR / 60}
    with pytest.raises(RuleBroken, match="The pump ran from it"):
        operations.strike(hung.line, "never made", second_nurse, **told)
    changed = sessions.change_bag(infusion, happened_at=told["at"], label=spare.code, **told)
    assert changed.preparation_id == spare.id
    with pytest.raises(RuleBroken, match="The pump ran from it"):
        operations.strike(spare.line, "never made", second_nurse, **told)
    sessions.void_administration(changed, "other chair", **told)
    assert operations.strike(spare.line, "never made", second_nurse, **told)


def test_a_bag_of_another_concentration_than_the_orders_never_hangs(make_bagged, make_double_check, nurse):
    infusion, (made,) = make_bagged("100", ml="50")
    check = make_double_check(infusion, at=START)
    for label in (None, made.code):
        with pytest.raises(RuleBroken, match="Do not hang it"):
            sessions.start(infusion, happened_at=START, double_check=check, label=label, by=nurse, at=START)
    assert not infusion.administrations


def test_a_scanned_label_leads_to_the_start_and_starts_nothing(nurses_browser, make_bagged):
    infusion, (one, other) = make_bagged("100", "50")
    page = nurses_browser.get(f"/sessions/labels/{other.id}", follow_redirects=True)
    assert "This label is of this session" in page.text
    address = f"/sessions/{infusion.id}/start"
    looked = nurses_browser.post(address, data={"label": one.code, "act": "look"})
    assert (looked.status_code, f"bag {one.code}, checked by" in looked.text) == (200, True)
    wrong = nurses_browser.post(address, data={"label": "ABCD2345", "act": "look"})
    assert (wrong.status_code, "not of this session" in wrong.text) == (422, True)
    assert not infusion.administrations


def test_the_session_starts_from_the_bag_whose_label_was_typed(nurses_browser, make_bagged, make_double_check):
    infusion, (_, other) = make_bagged("100", "50")
    make_double_check(infusion, at=START)
    address = f"/sessions/{infusion.id}/start"
    assert "scan the label of the one you hang" in nurses_browser.post(address, data={}).text
    assert nurses_browser.post(address, data={"label": other.code}).status_code == 303
    assert infusion.administrations[0].preparation_id == other.id


def test_the_rest_of_a_bag_is_measured_in_ml(nurses_browser, make_drawn, make_bag, checker):
    account, vial = make_drawn(given=50)
    make_bag(account, "150", ml="100")
    address = f"/drugs/{vial.register_id}/waste/{account.id}"
    assert "Enter what you measured" in nurses_browser.get(f"{address}?how=other&volume=&measured=").text
    asked = nurses_browser.get(f"{address}?volume=80&measured=30&how=other").text
    assert "<b>150\u00a0mg</b> in all" in asked
    sent = {"volume": "80", "measured": "30", "how": "other", "own_password": PASSWORD}
    sent |= {"witness_id": str(checker.id), "password": PASSWORD}
    assert nurses_browser.post(address, data=sent).status_code == 303
    assert operations.account_lines(account)[0].wasted_mg == 150


def test_vials_that_are_alike_are_one_choice(nurses_browser, make_ready, make_vials, make_account, nurse):
    infusion, vials = make_ready(), make_vials(30)
    operations.withdraw(make_account(), vials[0], Decimal(50), happened_at=START, by=nurse, at=START)
    page = nurses_browser.get(f"/sessions/{infusion.id}/drug").text
    assert "holds 200\u00a0mg each, 29 there" in page
    assert page.count("lot F1001") == 2 * 2  # the opened one and the others, to take out and to put back
    sent = {"act": "withdraw", "container_id": str(vials[7].id), "quantity_mg": "100"}
    assert nurses_browser.post(f"/sessions/{infusion.id}/drug", data=sent).status_code == 303
