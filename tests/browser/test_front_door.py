"""Before anybody is signed in."""

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
