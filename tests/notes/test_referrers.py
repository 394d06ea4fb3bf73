"""The clinic keeps a list of its referrers, and a letter chooses its address from it."""

import re

import pytest

from clinic.core import clock
from clinic.notes import queries
from tests.factories.accounts import PASSWORD
from tests.factories.notes import DAY, LATER

HALL = {"name": "Dr Ann Hall", "practice": "Mill Practice", "address": "Mill Lane 3"}


@pytest.fixture
def browser(client, signing_physician):
    client.sign_in(signing_physician)
    with clock.standing_at(LATER + 2 * DAY):
        yield client


@pytest.fixture
def letter(browser, make_course_of):
    """Posts the letter about a course with these values, the facts as read."""
    address = f"/courses/{make_course_of(1).id}/letters"

    def post(**values):
        seen = re.search(r'name="seen" value="(\w+)"', browser.get(address).text)[1]
        return browser.post(address, data={"seen": seen, "password": PASSWORD} | values)

    return post


def test_a_letter_goes_to_a_referrer_that_is_chosen(browser, letter):
    assert browser.post("/clinic/referrers", data=HALL).status_code == 303
    (hall,) = queries.referrers()
    answer = letter(referrer_id=hall.id)
    assert answer.status_code == 303
    sent = browser.get(answer.location).text
    assert "<br>Dr Ann Hall</p>" in sent


def test_the_choice_shows_the_whole_address(browser, make_course_of):
    browser.post("/clinic/referrers", data=HALL | {"address": "Mill Lane 3\nHarwell"})
    page = browser.get(f"/courses/{make_course_of(1).id}/letters").text
    assert "Dr Ann Hall, Mill Practice, Mill Lane 3, Harwell" in page


def test_both_a_choice_and_an_address_are_refused(browser, letter):
    browser.post("/clinic/referrers", data=HALL)
    (hall,) = queries.referrers()
    answer = letter(referrer_id=hall.id, addressee="Dr Who")
    assert answer.status_code == 422
    assert "not both" in answer.text


def test_a_referrer_is_taken_off_the_list_with_a_reason(browser):
    browser.post("/clinic/referrers", data=HALL)
    (hall,) = queries.referrers()
    assert browser.post(f"/clinic/referrers/{hall.id}/withdraw", data={"reason": ""}).status_code == 422
    assert browser.post(f"/clinic/referrers/{hall.id}/withdraw", data={"reason": "Retired."}).status_code == 303
    assert queries.referrers() == []
    assert browser.post(f"/clinic/referrers/{hall.id}/withdraw", data={"reason": "Again."}).status_code == 404


def test_a_referrer_without_a_name_is_refused(browser):
    assert browser.post("/clinic/referrers", data=HALL | {"name": " "}).status_code == 422
    assert queries.referrers() == []
