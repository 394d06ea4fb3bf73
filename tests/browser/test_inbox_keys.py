"""The physician works through the inbox without a mouse."""

import re

import pytest
from playwright.sync_api import Page, expect

PASSWORD = "demo-chair-lantern-seven"


@pytest.fixture
def inbox(page: Page) -> Page:
    """The inbox of the physician, at a desk's screen."""
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto("/login")
    page.locator("input[autocomplete=username]").fill("ines.okafor@clinic.example")
    page.locator("input[autocomplete=current-password]").fill(PASSWORD)
    page.locator("input[autocomplete=current-password]").press("Enter")
    page.wait_for_url(lambda address: "/login" not in address)
    page.goto("/inbox")
    return page


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.getAttribute('href') || ''"))


def test_the_keys_walk_through_the_whole_list(inbox):
    lines = inbox.locator(".q li a")
    addresses = [lines.nth(place).get_attribute("href") for place in range(lines.count())]
    walked = []
    for _ in addresses[1:]:
        inbox.keyboard.press("j")
        walked.append(focused(inbox))
    assert walked == addresses[1:]
    inbox.keyboard.press("k")
    assert focused(inbox) == addresses[-2]


def test_a_note_is_cosigned_by_keys_and_the_next_item_opens(inbox):
    note = inbox.locator(".q li a", has_text="Session note").first
    note.focus()
    inbox.keyboard.press("Enter")
    expect(inbox.get_by_role("button", name=re.compile("Co-sign"))).to_be_visible()
    inbox.wait_for_load_state()  # the keys are heard when the page's script has run
    signed = inbox.url
    inbox.keyboard.press("s")
    inbox.keyboard.type(PASSWORD)
    inbox.keyboard.press("Enter")
    inbox.wait_for_url(lambda address: address != signed)
    expect(inbox).to_have_url(re.compile("/inbox/"))
    expect(inbox.locator(".toasts")).to_contain_text("co-signed")
