"""The desk's jobs take no more taps than the design allows, counted on the glass."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_bedside import TABLET, sign_in
from tests.browser.test_taps import Hand


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "viewport": TABLET, "has_touch": True}


@pytest.fixture
def hand(page):
    """The desk's tablet, signed in, at its home page."""
    sign_in(page, "tessa.lowe")
    page.goto("/")
    return Hand(page)


def test_a_whole_course_is_booked_by_three_taps_at_most(hand):
    hand.opens(hand.page.locator(".plc a", has_text=re.compile("[3-9] of")).first)
    expect(hand.page.locator(".opt.on")).to_have_count(1)
    assert hand.page.evaluate("document.documentElement.scrollWidth") == TABLET["width"]
    assert hand.page.evaluate(
        "[...document.querySelectorAll('.bk *')].every(e => e.getBoundingClientRect().right <= 1180)"
    )
    hand.act("Book")
    expect(hand.page.locator(".toasts")).to_contain_text(re.compile("Booked [3-9] sessions"))
    assert hand.taps <= 3


def booked_link(hand):
    hand.page.goto("/calendar")
    hand.page.locator("a[aria-label='Week after']").click()
    return hand.page.locator("a.ev.plan[data-version]").first


def test_a_session_is_moved_by_three_taps(hand):
    link = booked_link(hand)
    hand.opens(link)
    hand.tap(hand.page.locator(".opt.pick").first)
    hand.act("Move: patient asked")
    expect(hand.page.locator(".toasts")).to_contain_text(re.compile("Moved session"))
    assert hand.taps == 3
    hand.act("Undo")
    expect(hand.page.locator(".toasts")).to_contain_text("again")


def test_a_session_is_moved_by_one_drag(hand):
    link = booked_link(hand)
    chair, day = link.evaluate("e => [e.closest('.cell2').dataset.chair, e.closest('.cell2').dataset.day]")
    link.hover()
    hand.page.mouse.down()
    free = hand.page.locator(f".cell2[data-drop][data-day='{day}']:not([data-chair='{chair}'])").first
    hand.page.mouse.move(400, 300, steps=4)
    free.wait_for()
    free.hover()
    free.hover()
    with hand.page.expect_navigation():
        hand.page.mouse.up()
    expect(hand.page.locator(".toasts")).to_contain_text(re.compile("Moved session"))
