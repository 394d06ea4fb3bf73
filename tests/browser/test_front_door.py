"""Before anybody is signed in."""

import http.client
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

NAME = "input[autocomplete=username]"
PASSWORD = "input[autocomplete=current-password]"


def test_a_stranger_is_asked_to_sign_in(page, barriers):
    page.goto("/patients")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(NAME)).to_be_editable()
    expect(page.locator(PASSWORD)).to_be_editable()
    assert barriers(page) == []


def test_a_wrong_password_does_not_say_which_part_was_wrong(page, barriers):
    page.goto("/")
    page.locator(NAME).fill("nobody@clinic.example")
    page.locator(PASSWORD).fill("not the password")
    page.locator(PASSWORD).press("Enter")
    expect(page.get_by_text("The e-mail or the password is not right.").first).to_be_visible()
    assert barriers(page) == []


@pytest.mark.parametrize(("host", "status"), [("localhost", 200), ("evil.example", 400)])
def test_the_server_on_this_machine_answers_to_no_foreign_name(live_server, host, status):
    address = urlsplit(live_server)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    connection.request("GET", "/login", headers={"Host": host})
    assert connection.getresponse().status == status
    connection.close()
