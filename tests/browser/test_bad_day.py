"""A chair fails, and the desk plans the day anew; a session is moved by the keys of a keyboard alone."""

import re
from datetime import date

import pytest
from playwright.sync_api import expect

from tests.browser.hands import Keys
from tests.browser.test_bedside import TABLET, sign_in


@pytest.fixture
def desk(page):
    """The desk's tablet, at the calendar of the next week."""
    page.set_viewport_size(TABLET)
    sign_in(page, "tessa.lowe")
    page.goto("/calendar")
    page.locator("a[aria-label='Week after']").click()
    return page


def test_the_patients_of_a_broken_chair_move_and_come_back(desk):
    cell = desk.locator(".cell2:has(a.ev.plan[data-version])").first
    chair, day = cell.evaluate("e => [e.dataset.chair, e.dataset.day]")
    booked = cell.locator("a.ev.plan[data-version]").count()
    desk.goto("/calendar/replan")
    desk.get_by_text("A chair is out of use").click()
    desk.select_option("[name=chair]", chair)
    typed = {"from_day": f"{date.fromisoformat(day):%d-%b-%Y}", "from_time": "00:05", "until_time": "23:55"}
    for name, text in {**typed, "until_day": typed["from_day"], "reason": "Leak"}.items():
        desk.fill(f"[name={name}]", text)
    desk.locator("form:has([name=chair])").get_by_role("button", name="Plan anew").click()
    moves = desk.locator(".mv", has_text="is closed: Leak")
    expect(moves).to_have_count(booked)
    expect(desk.locator(".ev.ghost")).to_have_count(booked)
    assert desk.evaluate("document.documentElement.scrollWidth") == TABLET["width"]
    desk.get_by_role("button", name="Do what is ticked").click()
    expect(desk.locator(".toasts")).to_contain_text(re.compile(f"Changed {booked} appointment"))
    desk.get_by_role("button", name="Undo").click()
    expect(desk.locator(".toasts")).to_contain_text("again")
    there = desk.locator(f".cell2[data-chair='{chair}'][data-day='{day}'] a.ev.plan[data-version]")
    expect(there).to_have_count(booked)


def test_a_session_is_moved_by_the_keys_alone(desk):
    keys = Keys(desk)
    keys.act(desk.locator("a.ev.plan[data-version]").first)
    keys.pick(desk.locator(".opt.pick input").first)
    keys.act(desk.get_by_role("button", name="Move: patient asked"))
    expect(desk.locator(".toasts")).to_contain_text(re.compile("Moved session"))
    keys.act(desk.get_by_role("button", name="Undo"))
    expect(desk.locator(".toasts")).to_contain_text("again")
    assert keys.unseen == []
