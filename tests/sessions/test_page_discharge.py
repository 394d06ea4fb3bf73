"""The way out: nothing answered before, nobody home too early, and a drug account that balances."""

from decimal import Decimal

import pytest

from clinic.core import db
from clinic.core.permissions import Role
from clinic.druglog import operations as druglog
from clinic.druglog.rules import RegisterKind
from clinic.protocols.rules import DischargeScale
from clinic.sessions.rules import SessionStatus
from tests.factories.accounts import PASSWORD
from tests.factories.pages import fresh
from tests.factories.sessions import ARRIVED, minute

SCORE = {f"item_{number}": "2" for number in range(1, 6)}
CHECKS = {"line_removed": "yes", "sheet_given": "yes", "no_driving": "yes", "escort_here": "yes", "escort_name": "Ivan"}


@pytest.fixture
def stopped(make_stopped, at_minute):
    infusion = make_stopped(discharge_scale=DischargeScale.MPADSS, discharge_cutoff=9, recovery_min=30)
    at_minute(100)
    return infusion


@pytest.fixture
def post(client, nurse, stopped):
    """Posts the discharge page."""
    client.sign_in(nurse)

    def send(part="discharge", **fields):
        return client.post(f"/sessions/{stopped.id}/{part}", data=fields)

    return send


@pytest.fixture
def balanced(post, stopped, checker):
    """The drug account comes to nothing: taken out, and the rest wasted before a witness."""
    with db.unit_of_work():
        container = druglog.add_container(
            "ketamine", quantity_mg=Decimal(200), description="vial", received_at=ARRIVED, by=checker, at=ARRIVED
        )
    post("drug", act="withdraw", container_id=str(container.id), quantity_mg="50")
    rest = druglog.account_lines(fresh(stopped).drug_account)[0].unaccounted_mg
    witness = {"own_password": PASSWORD, "witness_id": str(checker.id), "password": PASSWORD, "reason": "bag remainder"}
    assert post("drug", act="waste", drug_name="ketamine", quantity_mg=str(rest), **witness).status_code == 303


def test_a_fresh_page_answers_nothing(client, nurse, stopped):
    client.sign_in(nurse)
    shown = client.get(f"/sessions/{stopped.id}/discharge").get_data(as_text=True)
    assert " checked" not in shown
    assert "threshold 9 of 10" in shown


def test_a_vital_that_the_last_set_left_out_stands_with_its_time(client, nurse, stopped, observe):
    observe(stopped, minute(70), sbp=122, dbp=76, hr=66)
    observe(stopped, minute(95), hr=71)
    client.sign_in(nurse)
    shown = client.get(f"/sessions/{stopped.id}/discharge").get_data(as_text=True)
    assert "<dt>BP</dt><dd>122/76 at " in shown
    assert "<dt>HR</dt><dd>71</dd>" in shown


def test_five_scores_and_four_checks_discharge(post, stopped, balanced):
    assert post(**SCORE, **CHECKS).status_code == 303
    closed = fresh(stopped)
    assert closed.status is SessionStatus.CLOSED_HOME
    assert closed.discharge.escort_name == "Ivan"
    assert closed.discharge_assessments[0].items == [2, 2, 2, 2, 2]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"item_3": ""}, "not complete"),
        ({"item_1": "0", "item_2": "1"}, "asks for at least 9"),
        ({"line_removed": "no"}, "cannula"),
        ({"sheet_given": ""}, "instructions"),
        ({"escort_here": ""}, "Choose how the patient leaves"),
        ({"escort_here": "no", "exit": "home-with-escort"}, "escort"),
    ],
)
def test_nobody_goes_home_before_it_is_all_there(post, stopped, balanced, change, reason):
    answer = post(**(SCORE | CHECKS | change))
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert reason in shown
    assert 'name="item_5" value="2"' in shown
    assert fresh(stopped).status is SessionStatus.RECOVERING
    assert not fresh(stopped).discharge_assessments


def test_what_was_answered_is_kept_when_it_is_refused(post, stopped):
    shown = post(**(SCORE | CHECKS | {"item_1": "1", "item_2": "0"})).get_data(as_text=True)
    assert shown.count(" checked") == 9


def test_a_drug_account_that_does_not_balance_holds_the_patient(post, stopped):
    answer = post(**SCORE, **CHECKS)
    assert answer.status_code == 422
    assert "does not balance" in answer.get_data(as_text=True)


def test_the_score_can_be_saved_alone(post, stopped):
    assert post(act="score", **SCORE).status_code == 303
    assert fresh(stopped).status is SessionStatus.RECOVERING
    assert len(fresh(stopped).discharge_assessments) == 1


def test_a_transfer_names_where_and_asks_for_no_score(post, stopped):
    assert post(exit="transfer").status_code == 422
    assert post(exit="transfer", destination="General Hospital").status_code == 303
    assert fresh(stopped).status is SessionStatus.CLOSED_TRANSFER


def test_a_physician_overrides_the_score_with_the_own_password(post, stopped, balanced, make_staff):
    physician = make_staff(Role.PHYSICIAN, given_name="Ines", family_name="Ward", title="Dr", password=PASSWORD)
    low = SCORE | CHECKS | {"item_1": "0", "item_2": "1", "override_by_id": str(physician.id)}
    assert post(**low, password="wrong", override_reason="usual for her").status_code == 422
    assert post(**low, password=PASSWORD).status_code == 422
    assert post(**low, password=PASSWORD, override_reason="usual for her").status_code == 303
    assert fresh(stopped).discharge.override_by_id == physician.id


def test_a_session_that_runs_is_not_discharged(nurses_browser, make_running):
    infusion = make_running()
    assert nurses_browser.get(f"/sessions/{infusion.id}/discharge").status_code == 303
    assert nurses_browser.post(f"/sessions/{infusion.id}/discharge", data=SCORE).status_code == 303
    assert fresh(infusion).status is SessionStatus.INFUSING


def test_the_closed_session_leads_to_its_note(client, post, stopped, balanced):
    there = post(**SCORE, **CHECKS).location
    assert f"/sessions/{stopped.id}/note" in client.get(there).get_data(as_text=True)


# --- the drug account ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [{"password": "wrong"}, {"own_password": "wrong"}, {"witness_id": ""}, {"quantity_mg": ""}, {"drug_name": ""}],
)
def test_a_waste_without_its_witness_is_refused_and_kept(post, stopped, checker, change):
    fields = {"drug_name": "ketamine", "quantity_mg": "5", "witness_id": str(checker.id)}
    fields |= {"own_password": PASSWORD, "password": PASSWORD}
    answer = post("drug", act="waste", reason="spilled", **(fields | change))
    assert answer.status_code == 422
    assert 'value="spilled"' in answer.get_data(as_text=True)
    assert PASSWORD not in answer.get_data(as_text=True)


def test_nobody_witnesses_the_own_waste(client, stopped, make_staff):
    wasting = make_staff(Role.NURSE, password=PASSWORD)
    client.sign_in(wasting)
    fields = {"drug_name": "ketamine", "quantity_mg": "5", "witness_id": str(wasting.id)}
    fields |= {"own_password": PASSWORD, "password": PASSWORD}
    assert client.post(f"/sessions/{stopped.id}/drug", data={"act": "waste", **fields}).status_code == 422


def test_prepared_and_returned_drug_stands_in_the_account(post, stopped, balanced):
    assert (
        post("drug", act="prepare", drug_name="ketamine", quantity_mg="40", reason="40 mg in 40 mL").status_code == 303
    )
    kinds = {entry.kind for entry in fresh(stopped).drug_account.entries}
    assert {RegisterKind.WITHDRAW, RegisterKind.PREPARE, RegisterKind.GIVE, RegisterKind.WASTE} <= kinds


def test_an_unknown_act_is_refused(post):
    assert post("drug", act="steal", quantity_mg="5").status_code == 422
