"""The physician's jobs take no more taps than the design allows. What is typed counts apart."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_bedside import PASSWORD, TABLET, sign_in
from tests.browser.test_taps import Hand, at_home


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "viewport": TABLET, "has_touch": True}


@pytest.fixture(scope="module")
def cookies(browser, base_url):
    """One sign-in for all jobs."""
    context = browser.new_context(base_url=base_url)
    sign_in(context.new_page(), "ines.okafor")
    yield context.cookies()
    context.close()


@pytest.fixture
def hand(page, cookies):
    page.context.add_cookies(cookies)
    return Hand(page)


def address_of(target: Locator) -> str:
    return str(target.first.get_attribute("href"))


def at_patient(hand: Hand, name: str) -> None:
    hand.page.goto(f"/patients?q={name}")
    hand.page.goto(address_of(hand.page.locator("main a", has_text=name.upper())))
    hand.taps = hand.keys = 0


def at_course(hand: Hand, name: str) -> None:
    at_patient(hand, name)
    hand.page.goto(address_of(hand.page.locator("main a[href^='/courses/']:not([href*='/courses/new'])")))
    hand.taps = hand.keys = 0


def enter(hand: Hand, text: str) -> None:
    """Type into the field that has the focus, and send it with the keyboard's own Enter."""
    hand.type(text)
    hand.keys += 1
    with hand.page.expect_navigation():
        hand.page.keyboard.press("Enter")


def toast(page: Page) -> str:
    return page.locator(".toasts").inner_text()


def test_a_course_is_read_by_one_tap_and_a_note_is_signed_by_one(hand):
    at_home(hand)
    hand.page.goto(address_of(hand.page.locator(".q li a", has_text="Session note")))
    read = hand.page.url
    hand.act("Open course")
    expect(hand.page.locator(".mx")).to_be_visible()
    assert hand.taps == 1
    hand.page.goto(read)
    hand.taps = 0
    hand.tap(hand.page.get_by_label("Your password"))
    enter(hand, PASSWORD)
    assert "co-signed" in toast(hand.page)
    expect(hand.page).to_have_url(re.compile(r"/inbox/[0-9a-f-]{36}$"))
    assert hand.taps == 1


def test_a_spoken_order_is_signed_by_one_tap(hand):
    at_home(hand)
    hand.page.goto(address_of(hand.page.locator(".q li a", has_text=re.compile("(Verbal|Telephone) order"))))
    hand.taps = 0
    hand.tap(hand.page.get_by_label("Your password"))
    enter(hand, PASSWORD)
    assert "Spoken order signed" in toast(hand.page)
    assert hand.taps == 1


def test_the_next_order_is_adjusted_by_two_taps(hand):
    at_course(hand, "Novak")
    hand.tap(hand.page.get_by_label("Session maximum"))
    hand.page.keyboard.press("Control+a")
    hand.type("240")
    hand.tap(hand.page.get_by_label("Why the order changes"))
    hand.type("Drowsy at home.")
    hand.page.keyboard.press("Tab")
    enter(hand, PASSWORD)
    assert "Signed" in toast(hand.page)
    assert hand.taps == 2


def test_a_course_is_put_on_hold_by_three_taps(hand):
    at_course(hand, "Dubois")
    hand.act("Hold course")
    hand.type("Surgery next week.")
    hand.tap(hand.page.locator("label", has_text="Keep their places"))
    hand.act("Put on hold")
    assert "Decided" in toast(hand.page)
    assert hand.taps == 3


def test_a_course_is_discontinued_by_two_taps(hand):
    at_course(hand, "Lindgren")
    hand.act("Discontinue")
    hand.type("Moved away.")
    hand.opens(hand.page.get_by_role("button", name=re.compile("^Discontinue")))
    assert "Decided" in toast(hand.page)
    assert hand.taps == 2


def test_a_course_goes_on_unchanged_by_two_taps(hand):
    at_course(hand, "Novak")
    hand.act("Continue unchanged")
    hand.type("As planned.")
    hand.act("Continue unchanged")
    assert "Decided" in toast(hand.page)
    assert hand.taps == 2


def test_a_course_begins_from_a_protocol_by_four_taps_and_edits(hand):
    at_patient(hand, "Rossi")
    hand.act("New course")
    hand.opens(hand.page.get_by_role("link", name=re.compile("Lidocaine by weight")))
    hand.page.fill("[name=indication]", "neuropathic pain")
    hand.page.select_option("[name=intent]", "series")
    hand.tap(hand.page.get_by_label("Sign with your password"))
    hand.type(PASSWORD)
    hand.act("Sign")
    expect(hand.page.locator(".chead")).to_contain_text("ordered")
    assert hand.taps == 4


CUT = """() => [...document.querySelectorAll("main input, main select")]
  .filter((field) => field.value && field.offsetParent && field.clientWidth && field.type !== "hidden")
  .filter((field) => /\\d/.test(field.value) && field.value.length < 24 && field.scrollWidth > field.clientWidth + 1)
  .map((field) => `${field.name}: ${field.value}`)"""


def test_no_number_of_an_order_is_cut_on_any_glass(hand):
    """A start of 0.35 whose unit left room for the 0 alone read as 0."""
    at_course(hand, "GRAY")
    course, page = hand.page.url, hand.page
    new = address_of(page.locator("main a[href*='/orders/new']"))
    for width, height in ((1180, 820), (1440, 900), (820, 1180), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        for address in (course, new):
            page.goto(address)
            assert page.locator("main input[name=start_amount]").input_value() == "0.3"
            assert page.evaluate(CUT) == [], (width, address)
