"""The Today page: who is where, who is next, and what the desk does not see."""

from datetime import timedelta

import pytest

from clinic.accounts.queries import first_clinic_id
from clinic.core import db
from clinic.scheduling import operations as scheduling
from tests.client import words
from tests.factories.sessions import ARRIVED, minute


def page_of(client, address="/today"):
    return client.get(address).get_data(as_text=True)


def test_names_drug_state_and_last_vitals_of_a_running_session(nurses_browser, make_running, observe):
    observe(make_running(), minute(5), sbp=152, dbp=88, hr=88, spo2=96)
    shown = page_of(nurses_browser)
    assert "ALMEIDA, Rosa" in shown
    assert "ketamine 1 of 6" in shown
    assert "Infusing" in shown
    assert "152/88 · HR 88 · 96%" in shown


def test_counts_the_sessions_that_the_order_plans(nurses_browser, make_course, make_draft, make_appointment):
    make_appointment(make_course(draft=make_draft(sessions_planned=3)))
    assert "ketamine 1 of 3" in page_of(nurses_browser)


def test_puts_the_overdue_patient_on_top(nurses_browser, make_running, at_minute):
    make_running()
    at_minute(25)
    shown = page_of(nurses_browser)
    assert "Vitals 10 min late" in shown
    assert "<title>! Today" in shown


def test_names_the_other_chair_that_falls_due_at_the_same_time(nurses_browser, make_running, at_minute):
    make_running()
    other = make_running()
    at_minute(10)
    assert f"also {other.chair.name} " in page_of(nurses_browser)


def test_says_what_is_outside_a_limit(nurses_browser, make_running, observe):
    observe(make_running(), minute(5), sbp=171, dbp=88)
    assert "Above limit 160" in page_of(nurses_browser)


def test_a_patient_who_is_late_is_named_with_the_minutes(nurses_browser, make_appointment, at_minute):
    make_appointment()
    at_minute(-18)
    assert "Patient 12 min late" in page_of(nurses_browser)


def test_marks_two_patients_of_one_family_name_with_their_birth_years(nurses_browser, make_patient, make_infusion):
    make_infusion(patient=make_patient(given_name="Rosa"))
    make_infusion(patient=make_patient(given_name="Rita", allergies=()))
    assert page_of(nurses_browser).count("1968") >= 2


def test_the_desk_sees_people_and_times_but_no_drug_vitals_or_dose(client, scheduler, make_running, observe, at_minute):
    observe(make_running(), minute(5), sbp=171, dbp=88, hr=77)
    at_minute(25)
    client.sign_in(scheduler)
    shown = page_of(client)
    assert "ALMEIDA, Rosa" in shown
    for secret in ("ketamine", "171", "HR 77", "mg", "itals", "late"):
        assert secret not in words(shown.split('id="board"', 1)[1])


def test_the_desk_learns_no_reason_that_names_a_diagnosis(client, scheduler, make_appointment, at_minute, make_answer):
    appointment = make_appointment()
    make_answer(appointment.patient)
    at_minute(-25)
    client.sign_in(scheduler)
    refused = client.post(f"/appointments/{appointment.id}/arrive")
    shown = page_of(client, refused.location)
    assert "Ask the nurse or physician" in shown
    assert "Question" not in shown


def test_an_empty_day_says_so_and_names_the_next_patient(nurses_browser, make_appointment):
    make_appointment(starts_at=ARRIVED + timedelta(days=2))
    shown = page_of(nurses_browser)
    assert "No sessions booked today" in shown
    assert "Thu 20-Nov-2025" in shown


def test_mine_leaves_out_the_patients_of_others(nurses_browser, make_appointment, second_nurse):
    make_appointment(with_nurse=second_nurse)
    assert "ALMEIDA" in page_of(nurses_browser)
    assert "ALMEIDA" not in page_of(nurses_browser, "/today?view=mine").split('id="board"')[1].split("The next is")[0]


def test_two_taps_check_a_patient_in(nurses_browser, make_appointment, at_minute):
    appointment = make_appointment()
    at_minute(-30)
    assert "Arrived" in page_of(nurses_browser, f"/calendar/appointments/{appointment.id}")
    answer = nurses_browser.post(f"/appointments/{appointment.id}/arrive")
    assert answer.status_code == 303
    assert answer.location.endswith("/checklist")


def test_a_second_arrival_leads_to_the_session_that_exists(nurses_browser, make_infusion):
    infusion = make_infusion()
    answer = nurses_browser.post(f"/appointments/{infusion.appointment_id}/arrive")
    assert answer.location.endswith(f"/sessions/{infusion.id}/checklist")


def test_an_appointment_leads_to_its_session_once_the_patient_is_here(nurses_browser, make_appointment, make_infusion):
    booked, arrived = make_appointment(), make_infusion()
    waiting = nurses_browser.get(f"/appointments/{booked.id}")
    here = nurses_browser.get(f"/appointments/{arrived.appointment_id}")
    assert waiting.location.endswith(f"/calendar/appointments/{booked.id}")
    assert f"/sessions/{arrived.id}" in here.location


def test_an_appointment_changed_meanwhile_is_a_conflict(nurses_browser, make_appointment, nurse):
    appointment = make_appointment()
    drawn = appointment.version
    with db.unit_of_work():
        scheduling.assign_nurse(appointment, None, by=nurse, at=minute(0))
    answer = nurses_browser.post(f"/appointments/{appointment.id}/arrive", data={"version": str(drawn)})
    assert answer.status_code == 409


def test_another_clinics_appointment_is_not_found(client, stranger, make_appointment, at_minute):
    appointment = make_appointment()
    at_minute(0)
    client.sign_in(stranger, first_clinic_id(stranger.id))
    assert client.get(f"/appointments/{appointment.id}").status_code == 404


def test_the_fragment_is_not_sent_again_while_nothing_changes(nurses_browser, make_running, observe):
    infusion = make_running()
    first = nurses_browser.get("/today/fragment")
    tag = {"If-None-Match": first.headers["ETag"]}
    assert nurses_browser.get("/today/fragment", headers=tag).status_code == 304
    observe(infusion, minute(6), hr=70)
    assert nurses_browser.get("/today/fragment", headers=tag).status_code == 200


@pytest.mark.parametrize("address", ["/today", "/today/fragment"])
def test_the_board_costs_the_same_with_two_patients_and_with_ten(
    nurses_browser, make_running, make_appointment, *, make_patient, observe, count_queries, address
):
    def add(number):
        for _ in range(number):
            observe(make_running(patient=make_patient(allergies=())), minute(5), hr=70)
            make_appointment()

    add(1)
    nurses_browser.get(address)
    with count_queries() as few:
        nurses_browser.get(address)
    add(4)
    with count_queries() as many:
        nurses_browser.get(address)
    assert len(many) == len(few)
