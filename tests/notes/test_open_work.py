"""What waits for a person who leaves: counted without a patient, and handed over where it may be."""

from datetime import timedelta

import pytest

from clinic.accounts import cover
from clinic.audit.queries import account_events
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Role
from clinic.notes.open_work import hand_over_to, open_work
from tests.factories.sessions import ARRIVED, START


@pytest.fixture
def admins_browser(client, admin, at_minute):
    at_minute(0)
    client.sign_in(admin)
    return client


def numbers(person):
    return {one.words: one.number for one in open_work(person, at=START) if one.number}


def test_everything_is_counted_and_no_patient_named(admins_browser, make_running, make_appointment, nurse):
    infusion = make_running()
    make_appointment(starts_at=ARRIVED + timedelta(days=7))
    assert numbers(nurse) == {"sessions that run": 1, "appointments to come": 1}
    page = admins_browser.get(f"/staff/{nurse.id}/open-work").text
    assert "sessions that run" in page
    assert infusion.patient.family_name not in page


def test_what_has_not_started_goes_to_the_named_nurse(make_ready, make_appointment, nurse, second_nurse, admin):
    infusion, later = make_ready(), make_appointment(starts_at=ARRIVED + timedelta(days=7))
    done = hand_over_to(nurse, second_nurse, by=admin, at=START)
    assert (done.moved, done.kept) == (2, 0)
    assert {infusion.nurse_id, infusion.appointment.nurse_id, later.nurse_id} == {second_nurse.id}
    assert "2 moved" in account_events(nurse.id)[0].details["act"]


def test_what_the_clinics_rules_refuse_stays_and_is_counted(limit_nurses, make_appointment, nurse, second_nurse, admin):
    limit_nurses(1)
    db.session.flush()
    make_appointment(with_nurse=second_nurse)
    mine = make_appointment()
    done = hand_over_to(nurse, second_nurse, by=admin, at=ARRIVED)
    assert (done.moved, done.kept, mine.nurse_id) == (0, 1, nurse.id)


def test_a_running_session_is_handed_over_at_the_chair_alone(make_running, nurse, second_nurse, admin):
    infusion = make_running()
    assert hand_over_to(nurse, second_nurse, by=admin, at=START).moved == 0
    assert infusion.nurse_id == nurse.id


def test_nobody_but_a_nurse_takes_them(nurse, admin):
    for nobody in (nurse, admin):
        with pytest.raises(RuleBroken, match="another nurse"):
            hand_over_to(nurse, nobody, by=admin, at=START)


def test_another_physician_signs_for_one_who_leaves(admins_browser, physician, make_staff):
    other, address = make_staff(Role.PHYSICIAN), f"/staff/{physician.id}/open-work"
    sent = {"act": "cover", "physician_id": str(other.id)}
    assert "Choose the physician and the last day" in admins_browser.post(address, data=sent).text
    page = admins_browser.post(address, data=sent | {"until_on": "31-Jan-2026"}, follow_redirects=True).text
    assert f"{other.name} signs for {physician.name}" in page
    assert [one.covering_id for one in cover.covers_of(physician.id, START.date())] == [other.id]


def test_a_nurse_arranges_no_cover_for_others(physician, make_staff, nurse):
    other = make_staff(Role.PHYSICIAN)
    with pytest.raises(RuleBroken, match="One of the two"):
        cover.arrange(physician, other, START.date(), START.date(), by=nurse, at=START)


def test_the_account_page_shows_the_way_to_the_open_work(admins_browser, nurse):
    page = admins_browser.get(f"/staff/{nurse.id}").text
    assert f'href="/staff/{nurse.id}/open-work"' in page
    assert "Disable N. Quill" not in page
    assert f'action="/staff/{nurse.id}/disable"' in admins_browser.get(f"/staff/{nurse.id}/open-work").text
