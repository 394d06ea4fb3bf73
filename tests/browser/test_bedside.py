"""The nurse's path in a real browser, from the door to the way out, with a look by axe at each page."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

PASSWORD = "demo-chair-lantern-seven"
TABLET = {"width": 1180, "height": 820}


def sign_in(page: Page, name: str, address: str = "") -> None:
    page.goto(f"{address}/login")
    page.locator("input[autocomplete=username]").fill(f"{name}@clinic.example")
    page.locator("input[autocomplete=current-password]").fill(PASSWORD)
    page.locator("input[autocomplete=current-password]").press("Enter")
    page.wait_for_url(lambda address: "/login" not in address)


@pytest.fixture
def tablet(page):
    """The bedside tablet, with a nurse signed in."""
    page.set_viewport_size(TABLET)
    sign_in(page, "amara.quill")
    return page


@pytest.fixture
def assert_fits(barriers):
    """Call it with a page: axe finds nothing, and nothing runs off the glass."""

    def look(page: Page) -> None:
        assert barriers(page) == [], page.url
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url

    return look


def follow(page: Page, target: Locator) -> None:
    with page.expect_navigation():
        target.click()


def save(page: Page, name: str | re.Pattern[str]) -> None:
    follow(page, page.get_by_role("button", name=name))


def press(page: Page, key: str) -> None:
    with page.expect_navigation():
        page.keyboard.press(key)


def test_a_nurse_takes_a_patient_from_the_door_to_the_way_out(tablet, assert_fits):
    page = tablet
    page.goto("/today")
    assert_fits(page)
    follow(page, page.locator(".nx a", has_text="ROSSI, Carla"))
    assert_fits(page)
    save(page, "Arrived")
    expect(page).to_have_url(re.compile("/checklist"))
    settle_checks(page, assert_fits)
    agree_on_the_rate(page, assert_fits)
    save(page, "Start infusion")
    expect(page.locator(".strip")).to_contain_text("Infusing since")
    assert_fits(page)
    chart_vitals(page, assert_fits)
    act_at_the_pump(page, assert_fits)
    leave(page, assert_fits)


def settle_checks(page, assert_fits):
    assert_fits(page)

    def line(words):
        return page.locator("form", has=page.locator(".cki", has_text=words))

    line("year of birth").get_by_label("year").fill("1972")
    save(page, "Check")
    line("Weighed today").get_by_label("weight").fill("61.5")
    follow(page, line("Weighed today").get_by_role("button", name="Save"))
    line("Fasted").get_by_label("food").fill("8")
    line("Fasted").get_by_label("clear").fill("3")
    line("Escort").get_by_label("name").fill("Bruno Rossi")
    line("Escort").get_by_label("phone").fill("555 0144")
    follow(page, line("Escort").get_by_role("button", name="Yes"))
    line("Fasted").get_by_label("food").fill("8")
    follow(page, line("Fasted").get_by_role("button", name="Yes"))
    line("Line in").get_by_label("where").fill("left forearm")
    line("Line in").get_by_label("gauge").fill("22")
    follow(page, line("Line in").get_by_role("button", name="Yes"))
    follow(page, line("First vitals").get_by_role("link", name="Log vitals"))
    page.get_by_label("Vitals in one line").fill("124/76 70 14 98 s0 p6")
    press(page, "Enter")
    line("on site").get_by_label("Clinician on site").select_option(index=1)
    save(page, "On site")
    while open_checks := page.locator("form:has(.cki.open) button", has_text=re.compile("^Yes$")).all():
        follow(page, open_checks[0])
    assert_fits(page)


def agree_on_the_rate(page, assert_fits):
    page.get_by_label("Rate on the pump").fill("15.4")
    save(page, "Record the rate on the pump")
    follow(page, page.get_by_role("link", name="Sign as second nurse"))
    assert_fits(page)
    expect(page.locator("main")).not_to_contain_text("15.4")
    page.get_by_label("The rate you computed").fill("15.4")
    page.get_by_label("Your name").select_option(label="J. Prior RN")
    page.get_by_label("Your password").fill(PASSWORD)
    save(page, "Sign as second person")
    expect(page.locator(".actbar")).to_contain_text("Ready to start")


def chart_vitals(page, assert_fits):
    page.get_by_label("Vitals in one line").fill("122/74 68 14 97 s0 p5")
    save(page, re.compile("^Save"))
    expect(page.locator(".log")).to_contain_text("122/74")
    press(page, "v")
    assert_fits(page)
    for vital, value in (("sbp", 118), ("dbp", 72), ("hr", 66), ("rr", 13), ("spo2", 97), ("sedation", 0), ("pain", 4)):
        page.locator(f"#{vital} label", has=page.locator(f"input[value='{value}']")).click()
    expect(page.locator("[data-readback]")).to_contain_text("118/72")
    save(page, re.compile("^Save vitals"))
    expect(page.locator(".log")).to_contain_text("118/72")


def act_at_the_pump(page, assert_fits):
    press(page, "r")
    assert_fits(page)
    page.locator("summary", has_text="Other rate").click()
    page.get_by_label("Other rate").fill("12")
    page.get_by_text("Dissociation", exact=True).click()
    save(page, re.compile("^Record"))
    expect(page.locator(".strip")).to_contain_text("12\N{NO-BREAK SPACE}mL/h")
    press(page, "e")
    page.get_by_text("Tingling", exact=True).click()
    page.get_by_text("Mild", exact=True).click()
    page.get_by_text("Watched", exact=True).click()
    assert_fits(page)
    save(page, "Save event: tingling, mild")
    expect(page.locator(".log")).to_contain_text("Tingling, mild")
    press(page, "p")
    assert_fits(page)
    save(page, re.compile("^Pause"))
    expect(page.locator(".strip")).to_contain_text("Paused since")
    assert_fits(page)
    press(page, "r")
    save(page, re.compile("^Resume"))
    expect(page.locator(".strip")).to_contain_text("Infusing since")
    press(page, "s")
    assert_fits(page)
    save(page, "Stop infusion")
    expect(page.locator(".strip")).to_contain_text("Recovering since")
    assert_fits(page)


def leave(page, assert_fits):
    press(page, "d")
    assert_fits(page)
    for number in range(1, 6):
        page.locator(f"label:has(input[name=item_{number}][value='2'])").click()
    expect(page.locator("[data-score-total]")).to_have_text("10")
    for check in ("line_removed", "sheet_given", "no_driving", "escort_here"):
        page.locator(f"label:has(input[name={check}][value=yes])").click()
    save(page, re.compile("^Discharge at"))
    expect(page.get_by_role("alert")).to_contain_text("0 min of recovery so far")
    expect(page.locator("input[name=item_3][value='2']")).to_be_checked()
    assert_fits(page)
    page.get_by_text("Transfer to hospital").click()
    page.get_by_label("Where to").fill("General Hospital")
    save(page, re.compile("^Discharge at"))
    expect(page.locator(".strip")).to_contain_text("Transferred")
    assert_fits(page)


# --- the other kinds of glass ----------------------------------------------------------------------------------------

SHEETS = (
    "",
    "/vitals",
    "/rate",
    "/event",
    "/stop",
    "/iv",
    "/notify",
    "/hand-over",
    "/note-row",
    "/care",
    "/drug",
    "/bolus",
    "/bag",
)


def patients(page: Page) -> dict[str, str]:
    """The address of a patient at each stage, found from the board; shortly after midnight some have left it."""
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto("/today")
    links = page.locator(".board a.ap").evaluate_all("links => links.map(link => [link.textContent, link.pathname])")
    stages = ("Infusing", "Paused", "Recovering", "Checklist", "Discharged")
    return {stage: next((path for text, path in links if stage in text), links[0][1]) for stage in stages}


TWICE_AS_LARGE = {"width": TABLET["width"] // 2, "height": TABLET["height"] // 2}


@pytest.mark.parametrize(
    "viewport", [TABLET, TWICE_AS_LARGE, {"width": 1440, "height": 900}, {"width": 390, "height": 844}]
)
def test_no_bedside_page_runs_off_the_glass(page, viewport):
    sign_in(page, "amara.quill")
    at = patients(page)
    page.set_viewport_size(viewport)
    faults = []
    for address in (
        "/today",
        at["Checklist"],
        at["Recovering"] + "/discharge",
        *(at["Infusing"] + part for part in SHEETS),
    ):
        page.goto(address)
        if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            faults.append(address)
    assert not faults


_LONG = """() => {
  const write = (part, text) => { document.querySelector(part).textContent = text; };
  write(".pb .id b", "WOLFESCHLEGELSTEINHAUSENBERGERDORFF-FEATHERSTONEHAUGH, Maximiliana Theodora");
  write(".pb .al span", Array(12).fill("trimethoprim-sulfamethoxazole (rash)").join(", "));
  return [".pb .id", ".pb .al", ".pb .al span"].filter((part) => {
    const box = document.querySelector(part).getBoundingClientRect();
    return box.left < 0 || box.right > innerWidth || box.top < 0;
  });
}"""


def test_a_long_name_and_many_allergies_stay_on_the_glass(page):
    sign_in(page, "amara.quill")
    address = page.locator("a", has_text="ALMEIDA").first.get_attribute("href")
    for width in (1180, 1440, 820, 390):
        page.set_viewport_size({"width": width, "height": 844})
        page.goto(address)
        assert page.evaluate(_LONG) == [], width
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


PHONE = {"width": 390, "height": 844}

_HALF_READ = """() => {
  const chart = [...document.querySelectorAll(".chscroll")].find((one) => one.offsetParent);
  const edge = chart.querySelector(".chleft").getBoundingClientRect().right;
  return [...chart.querySelectorAll(".chrow > svg:not(.chleft, .chright) text")].filter((text) => {
    const box = text.getBoundingClientRect();
    return box.left < edge - 1 && box.right > edge && getComputedStyle(text).visibility === "visible";
  }).map((text) => text.textContent);
}"""


def test_a_chart_that_scrolls_shows_each_number_whole_or_not_at_all(page):
    sign_in(page, "amara.quill")
    page.set_viewport_size(PHONE)
    page.goto(page.locator(".board a.ap", has_text="ALMEIDA").first.get_attribute("href"))
    scroller = page.locator(".chscroll:visible")
    for step in range(0, 60, 7):
        scroller.evaluate("(chart, step) => chart.scrollBy(-step, 0)", step)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert page.evaluate(_HALF_READ) == []


def bedside(page: Page) -> list[str]:
    """Every page and sheet that a nurse works with, for a patient at a stage that has it."""
    at = patients(page)
    page.goto(at["Infusing"])
    found = [page.locator(f"a[href^='/{kind}/']").first.get_attribute("href") for kind in ("entries", "acts")]
    corrections = [address for address in found if address]
    parts = {
        "Checklist": ("/checklist", "/not-done", "/drug"),
        "Infusing": (*SHEETS, "/pause", "/prn", "/print"),
        "Paused": ("", "/resume"),
        "Recovering": ("", "/discharge"),
        "Discharged": ("", "/vitals", "/note"),
    }
    pages = [at[stage].removesuffix("/checklist") + part for stage in parts for part in parts[stage]]
    return ["/today", "/prints", "/clinic/limits", *pages, *corrections]


def test_axe_finds_nothing_at_the_bedside_by_day_and_in_a_dark_room(page, barriers):
    sign_in(page, "amara.quill")
    faults = []
    for address in bedside(page):
        for viewport in (TABLET, PHONE):
            page.set_viewport_size(viewport)
            page.emulate_media(color_scheme="light")
            answer = page.goto(address)  # the ladder is laid out for the glass that it was opened on
            faults += [] if answer and answer.ok else [f"{address} is not there"]
            faults += [f"{address} {viewport}: {fault}" for fault in barriers(page)]
            # What is not about colour does not change with the light.
            page.emulate_media(color_scheme="dark")
            faults += [f"{address} {viewport} dark: {fault}" for fault in barriers(page, "color-contrast")]
    assert not faults


def test_axe_finds_nothing_while_a_pause_has_no_reason(page, barriers):
    sign_in(page, "amara.quill")
    page.goto("/today")
    page.goto(page.locator(".board a.ap", has_text="BRANDT").first.get_attribute("href"))
    press(page, "p")
    save(page, re.compile("^Pause"))
    faults = barriers(page)
    follow(page, page.get_by_role("link", name="Say why"))
    faults += barriers(page)
    page.get_by_text("Toilet", exact=True).click()
    save(page, "Save the reason")
    press(page, "r")
    faults += barriers(page)
    save(page, re.compile("^Resume"))
    assert not faults


def test_the_bedside_works_without_script(browser, base_url):
    context = browser.new_context(java_script_enabled=False, base_url=base_url, viewport=TABLET)
    page = context.new_page()
    sign_in(page, "amara.quill")
    page.goto("/today")
    follow(page, page.locator(".nx a", has_text="IBRAHIM"))
    page.locator("#hr .cell.last").click()
    follow(page, page.locator("#sbp button", has_text="up"))
    expect(page.locator("#hr .cell.last input")).to_be_checked()
    follow(page, page.get_by_role("button", name=re.compile("^Save vitals")))
    expect(page.locator(".strip")).to_be_visible()
    expect(page.locator(".toasts")).to_contain_text("Vitals saved.")
    context.close()


def test_a_usual_session_prints_on_one_page(page):
    page.set_viewport_size({"width": 1440, "height": 900})
    sign_in(page, "amara.quill")
    page.goto("/patients")
    follow(page, page.get_by_role("link", name="HADDAD").first)  # a finished session, whatever the time of day
    finished = page.locator("main a[href*='/sessions/']").last.get_attribute("href")
    page.goto(f"{finished}/print")
    pdf = page.pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
