"""A whole shift at one chair, from the sign-in to the signed record: with the keyboard alone, and without script."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.hands import Keys, Plain
from tests.browser.test_bedside import PASSWORD, TABLET

Way = Keys | Plain


def test_a_whole_shift_needs_nothing_but_the_keyboard(page, later_server):
    page.set_viewport_size(TABLET)
    keys = Keys(page)
    work_a_shift(keys, later_server, "GRAY", born="1966", kg="70.9", rate="21.3")
    expect(page).to_have_url(re.compile("/note$"))
    assert not keys.unseen


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_a_whole_shift_needs_no_script(page, later_server):
    page.set_viewport_size(TABLET)
    work_a_shift(Plain(page), later_server, "DUBOIS", born="1983", kg="64", rate="19.2")
    expect(page).to_have_url(re.compile("/note$"))


def work_a_shift(hand: Way, server, name: str, *, born: str, kg: str, rate: str) -> None:
    page = hand.page
    page.goto(f"{server.address}/login")
    sign_in(hand)
    hand.act(page.locator("main a", has_text=name).first)
    if (arrived := hand.named("Arrived")).count():
        hand.act(arrived)
    settle_checks(hand, born, kg)
    take_out(hand)
    agree_on_the_rate(hand, rate)
    hand.act(hand.named("Start infusion"))
    expect(page.locator(".strip")).to_contain_text("Infusing since")
    chart_vitals(hand)
    work_at_the_pump(hand)
    server.put_forward(35)
    recover(hand)
    waste_what_is_left(hand)
    discharge(hand)
    undo_the_discharge(hand)
    discharge(hand)
    sign_the_record(hand)


def sign_in(hand: Way) -> None:
    hand.type(hand.page.locator("input[autocomplete=username]"), "amara.quill@clinic.example")
    hand.type(hand.page.locator("input[autocomplete=current-password]"), PASSWORD)
    hand.act(hand.named("Sign in$"))


def check(hand: Way, words: str) -> Locator:
    return hand.page.locator("form", has=hand.page.locator(".cki", has_text=words))


def settle_checks(hand: Way, born: str, kg: str) -> None:
    page, identity = hand.page, check(hand, "year of birth")
    hand.type(identity.get_by_label("year"), born)
    hand.act(hand.named("Check", identity))
    yes(hand, "Allergies")
    yes(hand, "Consent")
    yes(hand, "Fasted", ("food", "8"), ("clear", "3"))
    yes(hand, "Escort", ("name", "Bruno Rossi"), ("phone", "555 0144"))
    yes(hand, "Nothing new")
    weight = check(hand, "Weighed today")
    hand.type(weight.get_by_label("weight"), kg)
    hand.act(hand.named("Save", weight))
    yes(hand, "Line in", ("where", "left forearm"), ("gauge", "22"))
    yes(hand, "Emergency drugs")
    hand.act(hand.named("Log vitals", check(hand, "First vitals")))
    hand.type(page.get_by_label("Vitals in one line"), "124/76 70 14 98 s0 p6")
    hand.act(hand.named("Save vitals"))
    yes(hand, "First vitals")
    on_site = check(hand, "on site")
    hand.choose(on_site.get_by_label("Clinician on site"), "Dr I. Okafor")
    hand.act(hand.named("On site", on_site))


def yes(hand: Way, words: str, *fields: tuple[str, str]) -> None:
    line = check(hand, words)
    for label, text in fields:
        hand.type(line.get_by_label(label), text)
    hand.act(hand.named("Yes", line))
    expect(check(hand, words).locator(".cki")).to_have_class(re.compile("done"))


def take_out(hand: Way) -> None:
    """A controlled drug comes out of its vial and goes into the bag."""
    page = hand.page
    hand.act(hand.named("Take out and prepare"))
    taking = form_of(page, "Record taken out")
    vial = taking.locator("option", has_text="ketamine").first.inner_text()
    hand.choose(taking.get_by_label("Vial"), vial)
    hand.type(taking.get_by_label("Amount"), "100")
    hand.act(hand.named("Record taken out"))
    preparing = form_of(page, "Record prepared")
    hand.choose(preparing.get_by_label("Drug"), "ketamine")
    hand.type(preparing.get_by_label("Amount"), "100")
    hand.act(hand.named("Record prepared"))
    hand.key("Escape")


def waste_what_is_left(hand: Way) -> None:
    """What the pump did not give is wasted before a witness, who proves who that is; then nothing is left."""
    page, left = hand.page, hand.page.locator("tbody tr", has_text="ketamine").first.locator("td").last
    hand.key("w")
    wasting = form_of(page, "Record waste")
    hand.choose(wasting.get_by_label("Drug"), "ketamine")
    hand.type(wasting.get_by_label("Amount"), left.inner_text().split()[0])
    hand.type(wasting.get_by_label("Your own password"), PASSWORD)
    hand.choose(wasting.get_by_label("Witness", exact=True), "J. Prior RN")
    hand.type(wasting.get_by_label("Witness's own password"), PASSWORD)
    hand.act(hand.named("Record waste"))
    expect(left).to_have_text("0\N{NO-BREAK SPACE}mg")
    hand.key("Escape")


def form_of(page: Page, words: str) -> Locator:
    return page.locator("form", has=page.get_by_role("button", name=words))


def agree_on_the_rate(hand: Way, rate: str) -> None:
    page = hand.page
    hand.type(page.get_by_label("Time-out"), "Quill and Prior: patient, drug, bag, pump and line.")
    hand.act(hand.named("Record time-out"))
    hand.type(page.get_by_label("Rate on the pump"), rate)
    hand.act(hand.named("Record the rate"))
    hand.act(hand.named("Sign as second nurse"))
    hand.type(page.get_by_label("The rate you computed"), rate)
    hand.choose(page.get_by_label("Your name"), "J. Prior RN")
    hand.type(page.get_by_label("Your password"), PASSWORD)
    hand.act(hand.named("Sign as second person"))
    expect(page.locator(".actbar")).to_contain_text("Ready to start")


def chart_vitals(hand: Way) -> None:
    page = hand.page
    hand.type(page.get_by_label("Vitals in one line"), "122/74 68 14 97 s0 p5")
    hand.act(hand.named("Save"))
    expect(page.locator(".log")).to_contain_text("122/74")
    hand.key("v")
    for vital, value in (("sbp", 118), ("dbp", 72), ("hr", 66), ("rr", 13), ("spo2", 97), ("sedation", 0), ("pain", 4)):
        hand.pick(page.locator(f"#{vital} input[value='{value}']"))
    hand.act(hand.named("Save vitals"))
    expect(page.locator(".log")).to_contain_text("118/72")


def work_at_the_pump(hand: Way) -> None:
    page, sheet = hand.page, hand.page.locator(".sheetp")
    hand.key("r")
    hand.unfold(page.locator("summary", has_text="Other rate"))
    hand.type(page.get_by_label("Other rate"), "12")
    hand.pick(page.get_by_label("Dissociation"))
    hand.act(hand.named("Record", sheet))
    expect(page.locator(".strip")).to_contain_text("12\N{NO-BREAK SPACE}mL/h")
    hand.key("e")
    for words in ("Tingling", "Mild", "Watched"):
        hand.pick(page.get_by_label(words, exact=True))
    hand.act(hand.named("Save event"))
    hand.act(hand.named("Give ondansetron"))
    hand.type(page.get_by_label("Why"), "nausea")
    hand.act(hand.named("Record as given"))
    expect(page.locator(".log")).to_contain_text("Ondansetron")
    hand.key("p")
    hand.pick(page.get_by_label("Toilet"))
    hand.act(hand.named("Pause", sheet))
    expect(page.locator(".strip")).to_contain_text("Paused since")
    hand.key("r")
    hand.act(hand.named("Resume", sheet))
    hand.key("s")
    hand.pick(page.get_by_label("Planned end"))
    hand.act(hand.named("Stop infusion"))
    expect(page.locator(".strip")).to_contain_text("Recovering since")


def recover(hand: Way) -> None:
    """Half an hour later nobody is signed in any more; the way in leads back to the session."""
    page = hand.page
    page.reload()
    sign_in(hand)
    hand.type(page.get_by_label("Vitals in one line"), "120/74 66 14 98 s0 p3")
    hand.act(hand.named("Save"))


def discharge(hand: Way) -> None:
    page = hand.page
    hand.key("d")
    for number in range(1, 6):
        hand.pick(page.locator(f"input[name=item_{number}][value='2']"))
    for answer in ("line_removed", "sheet_given", "no_driving", "escort_here"):
        hand.pick(page.locator(f"input[name={answer}][value=yes]"))
    hand.act(hand.named("Discharge at"))
    expect(page.locator(".strip")).to_contain_text("Discharged")


def undo_the_discharge(hand: Way) -> None:
    hand.act(hand.named("Undo the discharge"))
    expect(hand.page.locator(".strip")).to_contain_text("Recovering since")
    expect(hand.page.locator(".log")).to_contain_text("Discharge undone")


def sign_the_record(hand: Way) -> None:
    page = hand.page
    hand.key("n")
    hand.pick(page.get_by_label("Dr I. Okafor"))
    hand.type(page.get_by_label("Your password"), PASSWORD)
    hand.act(hand.named("Sign note"))
    expect(page.get_by_role("button", name="Sign and add")).to_be_visible()
