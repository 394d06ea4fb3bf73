"""People from a table: every line is judged first, and nobody is added until the admin says so."""

import pytest
import sqlalchemy as sa

from clinic.accounts import queries
from clinic.accounts.models import Staff
from clinic.core import db
from clinic.core.permissions import Role

HEAD = "email,given_name,family_name,roles,credentials\n"
GOOD = HEAD + 'tia@clinic.example,Tia,Duarte,nurse scheduler,RN\n"li@clinic.example",Li,"Moss, Jr",physician,\n'


@pytest.fixture
def admins_browser(client, admin):
    client.sign_in(admin)
    return client


def sent(browser, table, act):
    return browser.post("/staff/import", data={"table": table, "act": act})


def number_of_people():
    return db.session.scalar(sa.select(sa.func.count(Staff.id)))


def test_a_check_shows_who_would_be_added_and_adds_nobody(admins_browser):
    before = number_of_people()
    page = sent(admins_browser, GOOD, "check")
    assert page.status_code == 200
    assert "Add these 2" in page.text
    assert "Moss, Jr" in page.text
    assert "/invitation/" not in page.text
    assert number_of_people() == before


def test_people_are_added_with_their_roles_and_a_link_each(admins_browser):
    page = sent(admins_browser, GOOD, "invite")
    assert page.text.count("/invitation/") == 2
    assert queries.by_email("tia@clinic.example").roles == {Role.NURSE, Role.SCHEDULER}
    assert admins_browser.get(page.text.split("http://localhost")[1].split("<")[0]).status_code == 200


WRONG = {
    "no head": ("tia@clinic.example,Tia,Duarte,nurse\n", "Line 1: The head has no email"),
    "no address": (GOOD + "x,Ann,Lee,nurse,\n", "Line 4"),
    "a role that there is not": (GOOD + "a@clinic.example,Ann,Lee,owner,\n", "Line 4"),
    "no role": (GOOD + "a@clinic.example,Ann,Lee,,\n", "Line 4: Choose at least one role"),
    "twice": (GOOD + "tia@clinic.example,Ann,Lee,nurse,\n", "Line 4: There is already an account"),
    "an open quotation": (GOOD + '"a@clinic.example,Ann,Lee,nurse,\n', "Line 4: This line is no CSV"),
    "nobody": (HEAD, "There is nobody in the table"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_one_wrong_line_adds_nobody(admins_browser, fault):
    table, words = WRONG[fault]
    before = number_of_people()
    page = sent(admins_browser, table, "invite")
    assert page.status_code == 422
    assert words in page.text
    assert number_of_people() == before


def test_what_was_typed_stays_and_is_no_markup(admins_browser):
    page = sent(admins_browser, HEAD + "<b>x</b>,Ann,Lee,nurse,\n", "check")
    assert "&lt;b&gt;x&lt;/b&gt;" in page.text
    assert "<b>x</b>" not in page.text
