"""Every kind of entry besides vitals and pump is corrected or withdrawn on its page, and stays readable."""

import uuid
from decimal import Decimal

import pytest
import sqlalchemy as sa

from clinic.core import clock, db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Role
from clinic.core.rows import columns
from clinic.druglog.models import Discrepancy
from clinic.sessions import operations
from clinic.sessions.due_rules import DueState
from clinic.sessions.event_rules import IvAction, NotDoneReason, SessionEventKind
from clinic.sessions.progress import current, progress
from tests.factories.pages import fresh
from tests.factories.sessions import minute
from tests.sessions.test_bedside import MIDAZOLAM
from tests.sessions.test_page_acts import newest


@pytest.fixture
def correct(nurses_browser):
    def send(kind, row, **fields):
        return nurses_browser.post(f"/{kind}/{row.id}/correct", data=fields)

    return send


def amounts():
    """What discrepancies were opened about, in mg."""
    return list(db.session.scalars(sa.select(Discrepancy.amount_mg).order_by(Discrepancy.opened_at)))


@pytest.fixture
def dose(make_running, nurse):
    """A controlled medicine that was recorded as given."""
    infusion = make_running(prn_items=(MIDAZOLAM,))
    item = infusion.order_version.terms.prn_items[0]
    return operations.give_prn(infusion, item, given_at=minute(5), reason="Anxiety", by=nurse, at=minute(5))


def test_a_dose_is_corrected_from_its_line_and_the_first_stays_struck_through(nurses_browser, dose, correct):
    page = nurses_browser.get(f"/doses/{dose.id}/correct").get_data(as_text=True)
    assert "Midazolam 1\u00a0mg IV" in page
    assert correct("doses", dose, at="09:02", dose="0.5", said="Anxiety", reason="half of it").status_code == 303
    row = newest(fresh(dose.infusion).prn_doses)
    assert (row.dose, row.given_at, row.reason, row.supersedes_id) == (Decimal("0.5"), minute(2), "Anxiety", dose.id)
    shown = nurses_browser.get(f"/sessions/{dose.infusion_id}").get_data(as_text=True)
    assert '<tr class="strike">' in shown
    assert "Corrected: half of it." in shown
    assert f"/doses/{row.id}/correct" in shown
    assert f"/doses/{dose.id}/correct" not in shown


def test_a_withdrawn_dose_leaves_count_gap_and_register(dose, correct, nurse):
    infusion = dose.infusion
    assert correct("doses", dose, act="withdraw", reason="other patient").status_code == 303
    assert current(fresh(infusion).prn_doses) == []
    assert operations.give_prn(infusion, dose.prn_item, given_at=minute(6), by=nurse, at=minute(6))


def test_what_the_register_says_too_much_is_a_discrepancy_once(dose, correct, nurse):
    operations.correct_prn(dose, {"dose": Decimal("0.4")}, "Less", by=nurse, at=minute(6))
    again = newest(dose.infusion.prn_doses)
    operations.correct_prn(again, {"reason": "Restless"}, "Why", by=nurse, at=minute(7))
    assert amounts() == [Decimal("-0.6")]
    correct("doses", newest(dose.infusion.prn_doses), act="withdraw", reason="none at all")
    assert amounts() == [Decimal("-0.6"), Decimal("-0.4")]


def test_a_correction_says_what_was_wrong_and_keeps_what_was_typed(dose, correct):
    for fields in ({"dose": "2"}, {"dose": "", "reason": "none"}, {"dose": "1", "said": "Anxiety", "reason": "same"}):
        answer = correct("doses", dose, **fields)
        assert answer.status_code == 422
        assert f'value="{fields["dose"]}"' in answer.get_data(as_text=True)
    assert len(fresh(dose.infusion).prn_doses) == 1


def test_a_colleague_does_not_correct_and_sees_no_link(client, dose, correct, make_staff):
    client.sign_in(make_staff(Role.NURSE))
    assert correct("doses", dose, dose="2", reason="misread").status_code == 422
    assert f"/doses/{dose.id}/correct" not in client.get(f"/sessions/{dose.infusion_id}").get_data(as_text=True)


def test_who_was_told_about_vitals_is_corrected_from_their_row(nurses_browser, make_running, observe, correct, nurse):
    infusion = make_running()
    seen = observe(infusion, minute(5), sbp=190, dbp=80)
    row = operations.notify(
        infusion, "SBP 190", reply="Wait", observation=seen, happened_at=minute(6), by=nurse, at=minute(6)
    )
    address = f"/events/{row.id}/correct"
    assert address in nurses_browser.get(f"/sessions/{infusion.id}").get_data(as_text=True)
    assert correct("events", row, text="SBP 190", reply="Lower", reason="misheard").status_code == 303
    row = newest(fresh(infusion).events)
    assert (row.text, row.reply, row.observation_set_id) == ("SBP 190", "Lower", seen.id)


def test_a_time_out_is_not_corrected(make_running, correct, nurse):
    infusion, kind = make_running(), SessionEventKind.TIME_OUT
    row = operations.record_event(infusion, kind, "All agree", happened_at=minute(1), by=nurse, at=minute(1))
    answer = correct("events", row, text="Nobody agreed", reason="wrong")
    assert answer.status_code == 422
    assert "Write a note instead" in answer.get_data(as_text=True)


def test_an_adverse_event_is_graded_anew_and_withdrawn(make_running, correct, nurse):
    infusion = make_running()
    row = operations.record_adverse_event(infusion, "Nausea", grade=1, onset_at=minute(3), by=nurse, at=minute(3))
    assert correct("adverse-events", row, term="Nausea", grade="3", reason="graver").status_code == 303
    row = newest(fresh(infusion).adverse_events)
    assert (row.grade, row.onset_at) == (3, minute(3))
    assert correct("adverse-events", row, act="withdraw", reason="other chair").status_code == 303
    assert current(fresh(infusion).adverse_events) == []


def test_an_adverse_event_keeps_a_name(make_running, correct, nurse):
    infusion = make_running()
    row = operations.record_adverse_event(infusion, "Nausea", grade=1, onset_at=minute(3), by=nurse, at=minute(3))
    answer = correct("adverse-events", row, term="", grade="3", reason="graver")
    assert answer.status_code == 422
    assert "Name the event." in answer.get_data(as_text=True)


def test_an_entry_of_last_night_is_moved_within_last_night(client, make_running, observe, nurse):
    infusion = make_running()
    seen = observe(infusion, minute(600), sbp=120, dbp=70)
    client.sign_in(nurse)
    with clock.standing_at(minute(60 * 23)):
        fields = {"at": "18:55", "sbp": "120", "dbp": "70", "reason": "mistyped"}
        assert client.post(f"/entries/{seen.id}/correct", data=fields).status_code == 303
    assert newest(fresh(infusion).observation_sets).observed_at == minute(595)


@pytest.mark.parametrize(("kind", "is_correctable"), [("intervention", True), ("hand_over", False)])
def test_only_what_was_said_or_done_leads_to_a_correction(nurses_browser, make_running, nurse, kind, is_correctable):
    infusion, kind = make_running(), SessionEventKind(kind)
    row = operations.record_event(infusion, kind, "Blanket", happened_at=minute(2), by=nurse, at=minute(2))
    page = nurses_browser.get(f"/sessions/{infusion.id}").get_data(as_text=True)
    assert (f"/events/{row.id}/correct" in page) is is_correctable


def test_rarer_values_end_in_a_full_stop_before_what_was_said(nurses_browser, make_running, nurse):
    infusion, seen = make_running(), {"sbp": 120, "dbp": 70, "nausea": 1}
    operations.record_observation(infusion, seen, observed_at=minute(5), note="Asked for water", by=nurse, at=minute(5))
    page = nurses_browser.get(f"/sessions/{infusion.id}").get_data(as_text=True)
    assert "nausea 1. Asked for water" in page


def record_line(infusion, action, nurse, minutes, **said):
    when = minute(minutes)
    return operations.record_iv(infusion, IvAction(action), happened_at=when, **said, by=nurse, at=when)


def test_a_line_is_corrected_and_stays_readable(nurses_browser, make_running, correct, nurse):
    infusion = make_running()
    row = record_line(infusion, "placed", nurse, 3, site="left forearm", gauge="22", vip_score=0)
    page = nurses_browser.get(f"/lines/{row.id}/correct").get_data(as_text=True)
    assert 'value="left forearm"' in page
    refused = correct("lines", row, at="09:03", site="", gauge="22", vip_score="0", reason="none")
    assert "Say where the cannula is." in refused.get_data(as_text=True)
    fields = {"at": "09:02", "site": "right hand", "gauge": "22", "vip_score": "", "reason": "other arm"}
    assert correct("lines", row, **fields).status_code == 303
    newer = newest(fresh(infusion).iv_records)
    assert (newer.site, newer.vip_score, newer.happened_at, newer.supersedes_id) == (
        "right hand", None, minute(2), row.id,
    )  # fmt: skip
    shown = nurses_browser.get(f"/sessions/{infusion.id}").get_data(as_text=True)
    assert "Corrected: other arm." in shown
    assert f"/lines/{newer.id}/correct" in shown
    assert f"/lines/{row.id}/correct" not in shown


def test_a_withdrawn_line_is_taken_out_of_nobody(make_running, correct, nurse):
    infusion = make_running()
    row = record_line(infusion, "removed", nurse, 3)
    assert correct("lines", row, act="withdraw", reason="other chair").status_code == 303
    assert current(fresh(infusion).iv_records) == []
    assert correct("lines", row, act="withdraw", reason="again").status_code == 422


@pytest.fixture
def skipped(make_running, nurse, at_minute):
    """Vitals of 09:15 that were marked as not done."""
    at_minute(17)
    infusion, reason = make_running(), NotDoneReason.NOT_PERFORMED
    return operations.mark_not_done(infusion, minute(15), reason, detail="Asleep", by=nurse, at=minute(16))


def test_why_vitals_were_not_taken_is_corrected(nurses_browser, skipped, correct):
    assert 'value="Asleep"' in nurses_browser.get(f"/not-done/{skipped.id}/correct").get_data(as_text=True)
    fields = {"said": "asked-declined", "detail": "Asleep", "reason": "she was awake"}
    assert correct("not-done", skipped, **fields).status_code == 303
    row = newest(fresh(skipped.infusion).not_done)
    assert (row.reason, row.due_at, row.supersedes_id) == (NotDoneReason.DECLINED, minute(15), skipped.id)
    shown = nurses_browser.get(f"/sessions/{skipped.infusion_id}").get_data(as_text=True)
    assert "Asked declined. Asleep Corrected: she was awake." in shown
    assert '<tr class="strike">' in shown


def test_vitals_answer_a_time_whose_mark_was_withdrawn_and_it_can_be_marked_again(skipped, correct, nurse):
    infusion = skipped.infusion
    assert correct("not-done", skipped, act="withdraw", reason="taken after all").status_code == 303
    assert progress(fresh(infusion), minute(17)).dues[0].state is DueState.OVERDUE
    again = operations.mark_not_done(infusion, minute(15), NotDoneReason.DECLINED, by=nurse, at=minute(18))
    assert current(fresh(infusion).not_done) == [again]
    with pytest.raises(RuleBroken, match="settled already"):
        operations.mark_not_done(infusion, minute(15), NotDoneReason.DECLINED, by=nurse, at=minute(19))


def test_one_due_time_has_one_first_mark(skipped):
    with pytest.raises(sa.exc.IntegrityError), db.session.begin_nested():
        db.session.execute(sa.insert(type(skipped)).values(columns(skipped) | {"id": uuid.uuid4()}))
