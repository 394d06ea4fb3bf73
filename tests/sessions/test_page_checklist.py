"""Before infusion: each answer saved as it is given, and a rate that two people compute apart."""

from decimal import Decimal

import pytest
import sqlalchemy as sa

from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.patients import operations as patients
from clinic.patients.rules import Answer
from clinic.protocols.rules import CheckKind, GateEffect
from clinic.protocols.terms import CheckDraft
from clinic.sessions.event_rules import Actuality
from clinic.sessions.rules import GateResult, SessionStatus
from tests.factories.accounts import PASSWORD
from tests.factories.pages import fresh
from tests.factories.patients import ENROLLED
from tests.factories.sessions import check_of

KINDS = (
    CheckKind.IDENTITY,
    CheckKind.ALLERGIES,
    CheckKind.FASTING,
    CheckKind.ESCORT,
    CheckKind.IV_ACCESS,
    CheckKind.WEIGHT,
)
CHECKS = tuple(
    CheckDraft(section="Who", kind=kind, text=f"About {kind.value}", effect=GateEffect.HARD) for kind in KINDS
)


@pytest.fixture
def arrived(make_infusion):
    return make_infusion(checks=CHECKS)


@pytest.fixture
def post(nurses_browser, arrived):
    """Posts to a part of the checklist."""

    def send(part, **fields):
        return nurses_browser.post(f"/sessions/{arrived.id}/{part}", data=fields)

    return send


@pytest.fixture
def answer(post, arrived):
    """Answers the check of a kind."""

    def send(kind, **fields):
        return post(f"checks/{check_of(arrived, kind).id}", **fields)

    return send


def result_of(arrived, kind):
    item = check_of(arrived, kind)
    rows = [row for row in fresh(arrived).gate_answers if row.check_item_id == item.id]
    return max(rows, key=lambda row: row.id, default=None)


def test_nothing_is_answered_before(nurses_browser, arrived):
    shown = nurses_browser.get(f"/sessions/{arrived.id}/checklist").get_data(as_text=True)
    assert 'class="on' not in shown
    assert "0 of 7" in shown
    assert "8 open" in shown


def test_an_expired_screening_answer_is_named_at_the_order(
    nurses_browser, make_infusion, make_question, make_answer, physician
):
    check = CheckDraft(section="Who", kind=CheckKind.ORDER, text="Order read", effect=GateEffect.HARD)
    infusion, question = make_infusion(checks=(check,)), make_question(text="Pregnant?")
    with db.unit_of_work():
        patients.change_screening_question(question, valid_days=1, is_retired=False, by=physician, at=ENROLLED)
    make_answer(infusion.patient, Answer.NO, question=question)
    page = nurses_browser.get(f"/sessions/{infusion.id}/checklist").get_data(as_text=True)
    assert "Screening to ask again: Pregnant?" in page


@pytest.mark.parametrize("year", ["", "abc", "1899"])
def test_a_year_is_asked_for_without_a_comma(post, arrived, year):
    answer = post(f"checks/{check_of(arrived, CheckKind.IDENTITY).id}/identity", year_of_birth=year)
    assert "Enter the year with four digits" in answer.get_data(as_text=True)


def test_the_year_of_birth_settles_who_the_patient_is(post, arrived):
    address = f"checks/{check_of(arrived, CheckKind.IDENTITY).id}/identity"
    assert post(address, year_of_birth="1968").status_code == 303
    assert result_of(arrived, CheckKind.IDENTITY).result is GateResult.PASS


def test_another_year_is_kept_as_failed_and_said_out_loud(post, arrived, nurses_browser):
    address = f"checks/{check_of(arrived, CheckKind.IDENTITY).id}/identity"
    there = post(address, year_of_birth="1986").location
    assert result_of(arrived, CheckKind.IDENTITY).result is GateResult.FAIL
    assert "Check who the patient is" in nurses_browser.get(there).get_data(as_text=True)


def test_an_impossible_year_is_refused(post, arrived):
    assert post(f"checks/{check_of(arrived, CheckKind.IDENTITY).id}/identity", year_of_birth="68").status_code == 422


def test_an_answer_leads_back_to_its_own_line(answer, arrived):
    there = answer(CheckKind.ALLERGIES, answer="yes").location
    assert there.endswith(f"#check-{check_of(arrived, CheckKind.ALLERGIES).id}")
    assert result_of(arrived, CheckKind.ALLERGIES).result is GateResult.PASS


def test_an_escort_has_a_name(answer, arrived):
    refused = answer(CheckKind.ESCORT, answer="yes", contact_phone="555 0100")
    assert refused.status_code == 422
    assert 'value="555 0100"' in refused.get_data(as_text=True)
    assert answer(CheckKind.ESCORT, answer="yes", contact_name="Ivan", contact_phone="555 0100").status_code == 303
    assert result_of(arrived, CheckKind.ESCORT).contact_name == "Ivan"


def test_fasting_keeps_the_hours(answer, arrived):
    assert answer(CheckKind.FASTING, answer="yes").status_code == 422
    assert answer(CheckKind.FASTING, answer="yes", solid_h="7.5", clear_h="3").status_code == 303
    assert "food 7.5" in result_of(arrived, CheckKind.FASTING).detail


def test_the_line_is_recorded_with_its_check(answer, arrived):
    assert answer(CheckKind.IV_ACCESS, answer="yes", site="left forearm", gauge="22").status_code == 303
    (line,) = fresh(arrived).iv_records
    assert (line.site, line.gauge) == ("left forearm", "22")


def test_a_weight_is_read_back_in_pounds(post, arrived, nurses_browser):
    there = post("weight", kg="68.2").location
    assert fresh(arrived).weight.kg == Decimal("68.2")
    assert "150.4\N{NO-BREAK SPACE}lb" in nurses_browser.get(there).get_data(as_text=True)


def test_pounds_in_the_field_of_kilograms_are_held_until_typed_again_with_a_reason(post, arrived):
    held = post("weight", kg="150")
    assert held.status_code == 422
    assert "looks like pounds" in held.get_data(as_text=True)
    assert 'value="150"' in held.get_data(as_text=True)
    assert fresh(arrived).weight is None
    lines = db.session.scalar(sa.select(sa.func.count()).where(AuditEntry.action == AuditAction.WEIGHT_REFUSED))
    assert lines == 1
    assert post("weight", kg="150", again="149", reason="scale checked").status_code == 422


def test_a_blocked_rate_says_why_and_is_not_offered_for_checking(post, nurses_browser, settle_checks, arrived):
    settle_checks(arrived)
    there = post("proposal", rate_ml_h="136").location
    shown = nurses_browser.get(there).get_data(as_text=True)
    assert "This rate is blocked" in shown
    assert "Sign as second nurse" not in shown


@pytest.fixture
def proposal(post, arrived, settle_checks):
    settle_checks(arrived)
    post("proposal", rate_ml_h="13.6")
    return fresh(arrived).rate_proposals[-1]


def test_neither_page_shows_the_first_number_while_the_second_is_asked(nurses_browser, arrived, proposal):
    for page in ("checklist", f"double-check/{proposal.id}"):
        assert "13.6" not in nurses_browser.get(f"/sessions/{arrived.id}/{page}").get_data(as_text=True)


def test_the_second_person_signs_and_the_session_may_start(post, nurses_browser, arrived, proposal, checker):
    fields = {"checker": str(checker.id), "password": PASSWORD, "computed_rate_ml_h": "13.6"}
    assert post(f"double-check/{proposal.id}", **fields).status_code == 303
    assert fresh(arrived).status is SessionStatus.READY
    assert "Ready to start" in nurses_browser.get(f"/sessions/{arrived.id}/checklist").get_data(as_text=True)
    assert post("start", volume_to_infuse_ml="60").status_code == 303
    assert fresh(arrived).status is SessionStatus.INFUSING


def test_two_different_rates_are_kept_as_a_near_miss_and_both_start_again(
    post, arrived, proposal, checker, nurses_browser
):
    fields = {"checker": str(checker.id), "password": PASSWORD, "computed_rate_ml_h": "1.36"}
    there = post(f"double-check/{proposal.id}", **fields).location
    assert fresh(arrived).adverse_events[0].actuality is Actuality.POTENTIAL
    assert "The two rates differed" in nurses_browser.get(there).get_data(as_text=True)


@pytest.mark.parametrize("change", [{"password": "wrong"}, {"checker": ""}, {"computed_rate_ml_h": "1e2"}])
def test_the_second_signature_is_refused(post, arrived, proposal, checker, change):
    fields = {"checker": str(checker.id), "password": PASSWORD, "computed_rate_ml_h": "13.6"} | change
    refused = post(f"double-check/{proposal.id}", **fields)
    assert refused.status_code == 422
    assert PASSWORD not in refused.get_data(as_text=True)
    assert not fresh(arrived).rate_proposals[-1].double_checks


def test_nobody_checks_the_own_rate(post, arrived, proposal, nurse):
    fields = {"checker": str(nurse.id), "password": PASSWORD, "computed_rate_ml_h": "13.6"}
    assert post(f"double-check/{proposal.id}", **fields).status_code == 422


def test_start_without_a_second_check_is_refused(post, arrived, proposal):
    assert post("start").status_code == 422
    assert not fresh(arrived).administrations


def test_the_clinician_on_site_and_the_time_out_are_recorded(post, arrived, physician):
    assert post("supervising", physician_id=str(physician.id)).status_code == 303
    assert post("supervising").status_code == 422
    assert post("time-out", text="N. Quill and B. Moss: patient, drug, pump").status_code == 303
    assert fresh(arrived).supervising_id == physician.id


def test_a_session_given_up_says_why(post, arrived):
    assert post("not-done").status_code == 422
    assert post("not-done", reason="no escort").status_code == 303
    assert fresh(arrived).status is SessionStatus.NOT_DONE


def test_a_check_of_another_order_is_not_found(post, make_infusion, make_patient):
    other = make_infusion(patient=make_patient(allergies=()), checks=CHECKS)
    assert post(f"checks/{check_of(other, CheckKind.ALLERGIES).id}", answer="yes").status_code == 404
