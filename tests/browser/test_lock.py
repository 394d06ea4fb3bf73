"""The screen locks while somebody writes: the record goes, the words stay sealed for their author."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from clinic.accounts.rules import DEMO_PASSWORD
from tests.browser.test_bedside import TABLET, sign_in

AFTER = 5 * 60_000
WORDS = "a line that nobody has saved"
PIN = "804735"


@pytest.fixture
def writing(page):
    """A nurse at the tablet who has typed a line into a patient's flowsheet and not saved it."""
    page.set_viewport_size(TABLET)
    page.clock.install()
    sign_in(page, "jonah.prior")
    page.goto("/today")
    link = page.locator(".nx a", has_text="KIM, Jae-won").get_attribute("href")
    page.goto("/".join(link.split("/")[:3]))
    write(page)
    return page


def write(page):
    page.locator("#quick").press_sequentially(WORDS)
    page.clock.run_for(500)
    page.wait_for_function("indexedDB.databases().then((all) => all.length > 0)")


def leave_alone(page: Page) -> None:
    page.clock.run_for(AFTER + 2000)
    page.wait_for_url(re.compile("/unlock"))


def unlock(page: Page, secret: str = DEMO_PASSWORD) -> None:
    page.get_by_label("Password", exact=True).fill(secret)
    page.get_by_role("button", name="Unlock").click()
    page.wait_for_url(re.compile("/sessions/"))


def enter(page: Page, name: str) -> None:
    page.get_by_role("link", name="Someone else").click()
    page.locator("input[autocomplete=username]").fill(f"{name}@clinic.example")
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).not_to_have_url(re.compile("/login"))


def test_the_lock_falls_and_the_author_finds_the_line_again(writing: Page, barriers):
    flowsheet = writing.url
    leave_alone(writing)
    shown = writing.content()
    assert "KIM" not in shown
    assert WORDS not in shown
    expect(writing.locator("[data-kept]")).to_contain_text("kept for you, sealed")
    assert barriers(writing) == []
    writing.go_back()
    expect(writing).to_have_url(re.compile("/unlock"))
    assert "KIM" not in writing.content()
    writing.goto(f"/unlock?next={flowsheet[flowsheet.index('/sessions') :]}")
    unlock(writing)
    expect(writing.locator("#quick")).to_have_value(WORDS)
    expect(writing.get_by_text("not saved: it stands in its form again")).to_be_visible()
    assert writing.locator("#quick").evaluate("line => line.clientWidth") > 200


def test_somebody_else_finds_nothing_of_it_and_the_author_does_afterwards(writing: Page):
    flowsheet = writing.url
    leave_alone(writing)
    enter(writing, "amara.quill")
    with writing.expect_response(re.compile("/here|/static/")):
        writing.goto(flowsheet)
    writing.clock.run_for(3000)
    expect(writing.locator("#quick")).to_have_value("")
    assert WORDS not in writing.content()
    writing.get_by_role("button", name="Lock").first.click()
    writing.get_by_role("link", name="J. Prior RN").click()
    writing.get_by_label("Password", exact=True).fill(DEMO_PASSWORD)
    writing.get_by_role("button", name="Go on").click()
    expect(writing).to_have_url(re.compile("/today"))
    writing.goto(flowsheet)
    expect(writing.locator("#quick")).to_have_value(WORDS)


def test_a_closed_tab_loses_nothing_and_the_disk_holds_nothing_that_can_be_read(
    page: Page, live_server, browser_type, browser_type_launch_args, tmp_path: Path
):
    folder = tmp_path / "profile"
    for turn in (1, 2):
        context = browser_type.launch_persistent_context(folder, base_url=live_server, **browser_type_launch_args)
        tab = context.pages[0]
        if turn == 1:
            sign_in(tab, "jonah.prior")
        tab.goto("/today")
        link = tab.locator(".nx a", has_text="KIM, Jae-won").get_attribute("href")
        tab.goto("/".join(link.split("/")[:3]))
        if turn == 1:
            tab.locator("#quick").press_sequentially(WORDS)
            tab.wait_for_timeout(1500)
        else:
            expect(tab.locator("#quick")).to_have_value(WORDS)
            tab.get_by_role("button", name="Throw it away").click()
            expect(tab.locator("#quick")).to_have_value("")
        context.close()
        held = [file.read_bytes() for file in folder.rglob("*") if file.is_file()]
        assert not any(words in one for one in held for words in (WORDS.encode(), WORDS.encode("utf-16-le")))


def test_what_was_saved_is_not_offered_again(writing: Page):
    writing.locator("#quick").fill("121/76 84 14 97 n locked1")
    writing.locator("#quick").press("Enter")
    expect(writing.locator("table").first).to_contain_text("locked1")
    writing.reload()
    writing.clock.run_for(3000)
    expect(writing.locator("#quick")).to_have_value("")


def test_all_tabs_of_a_browser_lock_together(writing: Page):
    other = writing.context.new_page()
    other.goto("/today")
    other.get_by_role("button", name="Lock").first.click()
    other.wait_for_url(re.compile("/unlock"))
    writing.wait_for_url(re.compile("/unlock"))
    assert "KIM" not in writing.content()
