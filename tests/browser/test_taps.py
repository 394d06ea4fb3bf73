"""The nurse's jobs take no more taps than the design allows: each is done on the glass, and every tap is counted."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_bedside import PASSWORD, TABLET, follow, save, sign_in

PHONE = {"width": 390, "height": 844}


class Hand:
    """A finger over the glass that counts: every tap, and every character typed."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.taps = 0
        self.keys = 0

    def tap(self, target: Locator) -> None:
        self.taps += 1
        target.tap()

    def opens(self, target: Locator) -> None:
        with self.page.expect_navigation():
            self.tap(target)

    def word(self, text: str) -> None:
        """Tap a choice by its words."""
        self.tap(self.page.get_by_text(text, exact=True))

    def choose(self, target: Locator, words: str) -> None:
        """Choose from a list that folds out, which counts as one tap."""
        self.taps += 1
        target.select_option(label=words)

    def act(self, name: str) -> None:
        """Tap a button or a link by the start of its words, and wait for the page that it leads to."""
        pattern = re.compile(f"^{name}")
        self.opens(self.page.get_by_role("button", name=pattern).or_(self.page.get_by_role("link", name=pattern)).first)

    def type(self, text: str) -> None:
        self.keys += len(text)
        self.page.keyboard.type(text)

    def next(self, fields: int = 1) -> None:
        """Press the key on the glass that leads to the next field."""
        for _ in range(fields):
            self.page.keyboard.press("Tab")

    def fill(self, first: Locator, *texts: str) -> None:
        """Tap the first field, type into it and those behind it, and send them with Enter."""
        self.tap(first)
        for place, text in enumerate(texts):
            if place:
                self.next()
            self.type(text)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "viewport": TABLET, "has_touch": True}


@pytest.fixture(scope="module")
def cookies(browser, base_url):
    """One sign-in for all jobs."""
    context = browser.new_context(base_url=base_url)
    sign_in(context.new_page(), "amara.quill")
    yield context.cookies()
    context.close()


@pytest.fixture
def hand(page, cookies):
    page.context.add_cookies(cookies)
    return Hand(page)


def at_home(hand: Hand) -> None:
    hand.page.goto("/")
    hand.taps = hand.keys = 0


def row(hand: Hand, name: str) -> Locator:
    return hand.page.locator("main a", has_text=name).first


def at_session(hand: Hand, name: str, part: str = "", address: str = "") -> None:
    hand.page.goto(f"{address}/today")
    href = hand.page.locator(".board a.ap", has_text=name).first.get_attribute("href")
    hand.page.goto(f"{address}{href}{part}")
    hand.taps = hand.keys = 0


def make_ready(page: Page, name: str) -> None:
    """Settle what is open in the checks: escort, clinician on site, the rate read and computed by a second person."""
    page.goto("/today")
    follow(page, page.locator(".board a.ap", has_text=name))
    page.get_by_label("name: Escort").fill("Ade Cole")
    page.get_by_label("phone: Escort").fill("555 0190")
    follow(page, page.locator("form", has=page.locator(".cki", has_text="Escort")).get_by_role("button", name="Yes"))
    page.get_by_label("Clinician on site").select_option(index=1)
    save(page, "On site")
    page.get_by_label("Rate on the pump").fill("20")
    save(page, "Record the rate on the pump")
    follow(page, page.get_by_role("link", name="Sign as second nurse"))
    page.get_by_label("The rate you computed").fill("20")
    page.get_by_label("Your name").select_option(label="J. Prior RN")
    page.get_by_label("Your password").fill(PASSWORD)
    save(page, "Sign as second person")


def test_whom_to_go_to_next_is_seen_at_once_and_opened_by_one_tap(hand):
    at_home(hand)
    first = hand.page.locator(".nx a").first
    expect(first).to_be_in_viewport()
    hand.opens(first)
    assert hand.taps == 1


def test_a_patient_is_checked_in_by_two_taps(hand):
    at_home(hand)
    hand.opens(row(hand, "GRAY"))
    hand.act("Arrived")
    expect(hand.page).to_have_url(re.compile("/checklist"))
    assert hand.taps == 2


def test_eleven_checks_take_twelve_taps(hand):
    at_session(hand, "DUBOIS")
    page = hand.page

    def check(words):
        return page.locator("form", has=page.locator(".cki", has_text=words))

    hand.fill(check("year of birth").get_by_label("year"), "1983")
    assert (hand.taps, hand.keys) == (1, 4)
    hand.fill(check("Escort").get_by_label("name"), "Ada Dubois", "555 0190")
    hand.fill(check("Weighed today").get_by_label("weight"), "64")
    hand.fill(check("Line in").get_by_label("where"), "left hand", "22")
    hand.fill(check("Fasted").get_by_label("food"), "9", "4")
    hand.choose(page.get_by_label("Clinician on site"), "Dr I. Okafor")
    hand.act("On site")
    vitals_are_taken(hand)
    for words in ("Allergies", "Consent", "Nothing new", "Emergency drugs", "First vitals"):
        hand.opens(check(words).get_by_role("button", name="Yes"))
    expect(page.locator(".cki:not(.done)")).to_have_count(0)
    assert hand.taps == 12


def vitals_are_taken(hand: Hand) -> None:
    """The first vitals are a job of their own."""
    before, checklist = hand.taps, hand.page.url
    hand.act("Log vitals")
    hand.page.get_by_label("Vitals in one line").fill("124/76 70 14 98 s0 p6")
    hand.act("Save vitals")
    hand.page.goto(checklist)
    hand.taps = before


def test_a_ready_infusion_starts_by_two_taps(hand):
    make_ready(hand.page, "ADEYEMI")
    at_home(hand)
    hand.opens(row(hand, "ADEYEMI"))
    hand.act("Start infusion")
    expect(hand.page.locator(".strip")).to_contain_text("Infusing since")
    assert hand.taps == 2


def test_full_vitals_take_eight_taps_on_the_entry_screen(hand):
    at_session(hand, "KIM", "/vitals")
    for vital in ("sbp", "dbp", "hr", "rr", "spo2", "sedation", "pain"):
        hand.tap(hand.page.locator(f"#{vital} .cell").nth(4))
    hand.act("Save vitals")
    expect(hand.page.locator(".toasts")).to_contain_text("Vitals saved.")
    assert hand.taps == 8


def test_on_a_phone_full_vitals_take_eight_taps_within_the_thumbs_reach(hand):
    hand.page.set_viewport_size(PHONE)
    at_session(hand, "KIM", "/vitals")
    for number in range(7):
        shown = hand.page.locator(".lad:visible")
        expect(shown).to_have_count(1)
        cell = shown.locator(".cell:visible").nth(4)
        within_reach(cell)
        hand.tap(cell)
        expect(hand.page.locator(".lad").nth(number)).to_be_hidden()
    saving = hand.page.get_by_role("button", name="Save vitals")
    within_reach(saving)
    hand.opens(saving)
    assert hand.taps == 8


def within_reach(target: Locator) -> None:
    """A thumb of the hand that holds the phone reaches the lower two thirds of the glass, and needs 44 px."""
    box = target.bounding_box()
    assert box is not None
    assert box["y"] >= PHONE["height"] / 3
    assert box["y"] + box["height"] <= PHONE["height"]
    assert min(box["width"], box["height"]) >= 44


def test_full_vitals_are_one_line_of_the_keyboard(hand):
    at_session(hand, "KIM")
    hand.page.keyboard.press("t")
    hand.type("128/76 84 14 98 s1 p4")
    hand.keys += 1
    with hand.page.expect_navigation():
        hand.page.keyboard.press("Enter")
    expect(hand.page.locator(".log")).to_contain_text("128/76")
    assert (hand.taps, hand.keys) == (0, 22)


def test_a_rate_is_raised_by_three_taps_and_lowered_by_four(hand):
    at_session(hand, "KIM")
    hand.act("Rate")
    hand.tap(hand.page.locator(".steps .cell:not(.dis, .last)", has_text="higher"))
    hand.act("Record")
    expect(hand.page).to_have_url(re.compile("/double-check/"))
    assert hand.taps == 3
    at_session(hand, "ALMEIDA")
    hand.act("Rate")
    hand.tap(hand.page.locator(".steps .cell", has_text="lower").last)
    hand.word("Nausea")
    hand.act("Record")
    expect(hand.page.locator(".toasts")).to_contain_text("Rate recorded:")
    assert hand.taps == 4


def test_an_adverse_event_takes_five_taps(hand):
    at_session(hand, "ALMEIDA")
    hand.act("Event")
    for word in ("Headache", "Mild", "Watched"):
        hand.word(word)
    hand.act("Save event")
    expect(hand.page.locator(".log")).to_contain_text("Headache, mild")
    assert hand.taps == 5


def test_a_session_is_handed_over_by_three_taps(hand):
    at_session(hand, "ALMEIDA")
    hand.act("Hand over")
    hand.tap(hand.page.locator(".opts .opt").first)
    hand.act("Hand over")
    expect(hand.page.locator(".toasts")).to_contain_text("Hand-over recorded")
    assert hand.taps == 3


def test_an_infusion_is_stopped_by_three_taps_and_in_need_by_two(hand):
    at_session(hand, "ALMEIDA")
    hand.act("Stop")
    hand.word("Planned end")
    hand.act("Stop infusion")
    expect(hand.page.locator(".strip")).to_contain_text("Recovering since")
    assert hand.taps == 3
    at_session(hand, "KIM")
    hand.act("Stop")
    hand.act("Stop infusion")
    expect(hand.page.locator(".strip")).to_contain_text("Recovering since")
    assert hand.taps == 2


def test_what_is_left_over_is_wasted_before_a_witness_by_five_taps(hand, later_server):
    sign_in(hand.page, "amara.quill", later_server.address)
    at_session(hand, "KIM", "/stop", later_server.address)
    hand.act("Stop infusion")
    at_session(hand, "KIM", "/drug", later_server.address)
    form = hand.page.locator("form", has=hand.page.get_by_role("button", name="Record waste"))
    hand.choose(form.get_by_label("Drug"), "ketamine")
    hand.tap(form.get_by_label("Amount"))
    hand.type("20")
    hand.next(2)
    hand.type(PASSWORD)
    hand.choose(form.get_by_label("Witness", exact=True), "J. Prior RN")
    hand.tap(form.get_by_label("Witness's own password"))
    hand.type(PASSWORD)
    hand.act("Record waste")
    expect(hand.page.locator(".toasts")).to_contain_text("Recorded in the drug account.")
    assert hand.taps == 5


def test_a_scored_discharge_takes_ten_taps(hand, later_server):
    later_server.put_forward(30)
    sign_in(hand.page, "amara.quill", later_server.address)
    at_session(hand, "PETROVA", "/discharge", later_server.address)
    for number in range(1, 6):
        hand.tap(hand.page.locator(f"label:has(input[name=item_{number}][value='2'])"))
    for check in ("line_removed", "sheet_given", "no_driving", "escort_here"):
        hand.tap(hand.page.locator(f"label:has(input[name={check}][value=yes])"))
    hand.act("Discharge at")
    expect(hand.page.locator(".strip")).to_contain_text("Discharged")
    assert hand.taps == 10
