import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from clinic.accounts import operations
from clinic.accounts.models import Staff
from clinic.accounts.rules import INVITATION_LASTS, StaffStatus
from clinic.audit.queries import account_events
from clinic.core import clock, db
from clinic.core.permissions import Role
from tests.factories.accounts import PASSWORD

NEW = "kettle under the slow bridge"
PERSON = {
    "given_name": "Helena",
    "family_name": "Fonseca",
    "title": "",
    "credentials": "RN",
    "email": "Helena.Fonseca@clinic.example",
    "roles": ["nurse", "scheduler"],
}


@pytest.fixture
def signed_in(client, admin):
    client.sign_in(admin)
    return admin


@pytest.fixture
def add(client, signed_in):
    def post(**answers):
        return client.post("/staff/new", data={**PERSON, **answers})

    return post


def helena():
    return db.session.scalar(sa.select(Staff).where(Staff.email == "helena.fonseca@clinic.example"))


def link_in(page):
    found = re.search(r"http://localhost(/invitation/[\w-]+)", page)
    return found and found[1]


def test_a_new_person_gets_a_link_that_is_shown_once(client, add):
    response = add()
    assert response.status_code == 303
    assert (helena().status, helena().roles) == (StaffStatus.INVITED, {Role.NURSE, Role.SCHEDULER})
    assert link_in(client.get(response.location).text)
    assert not link_in(client.get(response.location).text)


def test_the_link_leads_to_a_password_and_works_once(client, app, add):
    link = link_in(client.get(add().location).text)
    browser = app.test_client()
    assert "H. Fonseca RN" in browser.get(link).text
    assert browser.post(link, data={"new": NEW, "again": NEW}).location == "/login"
    assert helena().status is StaffStatus.ACTIVE
    assert browser.post(link, data={"new": NEW, "again": NEW}).status_code == 404
    assert browser.post("/login", data={"email": PERSON["email"], "password": NEW}).status_code == 303


def test_an_easy_password_is_refused_by_the_link(client, app, add):
    link = link_in(client.get(add().location).text)
    easy = "Helena Fonseca 1"
    assert app.test_client().post(link, data={"new": easy, "again": easy}).status_code == 422


def test_an_old_link_is_dead(client, app, add, frozen_clock):
    link = link_in(client.get(add().location).text)
    with clock.standing_at(frozen_clock + INVITATION_LASTS + timedelta(seconds=1)):
        assert app.test_client().get(link).status_code == 404


@pytest.mark.parametrize("token", ["x", "x" * 3000, "%F0%9F%A6%8A", "..%2F"])
def test_a_made_up_link_is_dead(client, token):
    assert client.get(f"/invitation/{token}").status_code == 404


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"given_name": ""}, "Enter the given name"),
        ({"family_name": "x" * 81}, "Use at most 80 characters"),
        ({"given_name": "Hel\u202eena"}, "Leave out the invisible characters"),
        ({"email": "helena"}, "Enter an e-mail address"),
        ({"email": "İstanbul@clinic.example"}, "Enter an e-mail address"),
        ({"roles": []}, "Choose at least one role"),
        ({"roles": ["owner"]}, "You cannot give this role"),
        ({"roles": ["nurse", "superuser"]}, "You cannot give this role"),
    ],
)
def test_a_refused_person_is_not_added_and_nothing_typed_is_lost(add, answers, words):
    response = add(**answers)
    assert response.status_code == 422
    assert words in response.text
    assert 'value="RN"' in response.text
    assert helena() is None


def test_an_address_has_one_account(add):
    add()
    response = add()
    assert response.status_code == 422
    assert "already an account" in response.text


def test_fields_that_the_form_does_not_have_change_nothing(add):
    add(status="active", password_hash="x", clinic_id="x", version="99", id="x")
    assert (helena().status, helena().password_hash) == (StaffStatus.INVITED, None)


# --- what an admin does ----------------------------------------------------------------------------------------------


@pytest.fixture
def act(client, signed_in):
    def post(person, verb, **answers):
        return client.post(f"/staff/{person.id}/{verb}", data={"version": str(person.version), **answers})

    return post


def test_roles_change_at_the_next_click(app, act, nurse):
    browser = app.test_client()
    browser.sign_in(nurse)
    assert browser.get("/staff").status_code == 403
    assert act(nurse, "roles", roles=["admin"]).status_code == 303
    assert browser.get("/staff").status_code == 200


def test_a_disabled_person_is_out_at_once(app, act, nurse):
    browser = app.test_client()
    browser.sign_in(nurse)
    assert browser.get("/account").status_code == 200
    assert act(nurse, "disable", reason="left the clinic").status_code == 303
    assert browser.get("/account").status_code == 303


def test_a_disabled_person_comes_back_with_the_old_password(client, act, make_staff):
    person = make_staff(Role.NURSE, password=PASSWORD)
    act(person, "disable", reason="on leave")
    assert "on leave" in client.get("/staff?show=disabled").text
    assert act(person, "enable").status_code == 303
    assert person.status is StaffStatus.ACTIVE


def test_disabling_asks_why(act, nurse):
    assert act(nurse, "disable", reason=" ").status_code == 422
    assert nurse.status is StaffStatus.ACTIVE


def test_a_reset_gives_a_new_link_and_kills_the_old_one(client, app, act, add):
    first = link_in(client.get(add().location).text)
    second = link_in(client.get(act(helena(), "reset").location).text)
    assert app.test_client().get(first).status_code == 404
    assert app.test_client().get(second).status_code == 200


def test_the_old_password_holds_until_the_link_is_used(app, client, act, make_staff):
    person = make_staff(Role.NURSE, password=PASSWORD)
    link = link_in(client.get(act(person, "reset").location).text)
    assert operations.check_password(person, PASSWORD, at=clock.now()) is None
    app.test_client().post(link, data={"new": NEW, "again": NEW})
    assert operations.check_password(person, NEW, at=clock.now()) is None


def test_a_person_can_be_signed_out_everywhere(app, act, nurse):
    browser = app.test_client()
    browser.sign_in(nurse)
    act(nurse, "sign-out")
    assert browser.get("/account").status_code == 303


@pytest.mark.parametrize(
    ("verb", "answers"),
    [("roles", {"roles": ["admin", "nurse"]}), ("disable", {"reason": "x"}), ("reset", {}), ("enable", {})],
)
def test_nobody_changes_the_own_account_here(act, admin, make_staff, verb, answers):
    make_staff(Role.ADMIN)
    response = act(admin, verb, **answers)
    assert response.status_code == 422
    assert "Nobody changes the own" in response.text
    assert (admin.roles, admin.status) == ({Role.ADMIN}, StaffStatus.ACTIVE)


def test_the_second_admin_sees_both_versions(act, client, nurse):
    drawn = str(nurse.version)
    act(nurse, "roles", roles=["nurse", "scheduler"])
    response = act(nurse, "roles", roles=["physician"], version=drawn)
    assert response.status_code == 409
    assert "Physician" in response.text
    assert "Nurse, Scheduler" in response.text
    assert nurse.roles == {Role.NURSE, Role.SCHEDULER}


def test_the_list_shows_who_is_signed_in_and_who_is_never_there(client, signed_in, nurse, frozen_clock):
    with db.unit_of_work():
        operations.open_login(
            nurse, db.current_clinic_id(), address=None, browser=None, at=frozen_clock - timedelta(days=98)
        )
    page = client.get("/staff").text
    assert "98 days unused" in page
    assert "Signed in" in page


@pytest.mark.parametrize(
    ("query", "shown"), [("q=quill", True), ("q=holm", False), ("role=nurse", True), ("role=admin", False)]
)
def test_the_list_is_filtered(client, signed_in, nurse, query, shown):
    assert (f"/staff/{nurse.id}" in client.get(f"/staff?{query}").text) is shown


def test_an_admin_finds_no_search_for_patients(client, signed_in):
    assert "Search patients" not in client.get("/staff").text


def test_people_of_another_clinic_are_not_found(refuses_strangers, nurse, stranger, client):
    refuses_strangers(f"/staff/{nurse.id}", as_roles=[Role.ADMIN])
    for verb in ("roles", "disable", "enable", "reset", "sign-out"):
        refuses_strangers(f"/staff/{nurse.id}/{verb}", method="POST", as_roles=[Role.ADMIN])


def test_the_list_costs_the_same_for_few_and_many(client, signed_in, make_staff, count_queries):
    with count_queries() as few:
        client.get("/staff")
    for _ in range(12):
        make_staff(Role.NURSE)
    with count_queries() as many:
        client.get("/staff")
    assert len(many) <= len(few)


def test_the_trail_names_who_changed_whom(act, admin, nurse):
    act(nurse, "roles", roles=["nurse", "scheduler"])
    events = account_events(nurse.id)
    assert events[0].actor_id == admin.id
    assert events[0].details == {"before": ["nurse"], "after": ["nurse", "scheduler"]}
