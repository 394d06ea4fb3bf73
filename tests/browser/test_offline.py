"""Entries made while the network is away: they wait in sight, sealed on the device, and arrive once each."""

import re
from collections import Counter

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.test_bedside import PASSWORD, TABLET, sign_in

VITALS = re.compile(r"/vitals$")


@pytest.fixture
def session(page):
    """The flowsheet of an infusing patient, with what it needs for a time without network in its memory."""
    page.set_viewport_size(TABLET)
    sign_in(page, "jonah.prior")
    with page.expect_response(re.compile("/stop$")):  # the last page that is held
        open_flowsheet(page)
    return page


def open_flowsheet(page):
    page.goto("/today")
    link = page.locator(".nx a", has_text="KIM, Jae-won").get_attribute("href")
    page.goto("/".join(link.split("/")[:3]))


def quick(page: Page, line: str) -> None:
    page.locator("#quick").fill(line)
    page.locator("#quick").press("Enter")


def waiting(page: Page):
    return page.locator("[data-ribbon=waiting], .waits")


def notes(page: Page) -> Counter[str]:
    """How often each marked entry stands in the flowsheet."""
    page.reload()
    return Counter(re.findall(r"mark\d+", page.locator("table").all_inner_texts()[0]))


def test_entries_wait_in_sight_and_arrive_once_in_their_order(session: Page, context: BrowserContext) -> None:
    context.set_offline(True)
    for number in (1, 2, 3):
        quick(session, f"12{number}/76 84 14 97 n mark{number}")
        expect(session.locator(".waits")).to_contain_text(f"mark{number}")
    expect(session.locator("[data-ribbon=waiting]")).to_contain_text("3 entries of yours are waiting")
    context.set_offline(False)
    expect(session.locator("[data-ribbon=sent]")).to_contain_text("3 entries that waited are in the record")
    assert notes(session) == {"mark1": 1, "mark2": 1, "mark3": 1}


def test_a_line_typed_while_the_one_before_is_kept_waits_as_well(session: Page) -> None:
    unanswered: list[Route] = []
    session.route(VITALS, lambda route: unanswered.append(route))  # noqa: PLW0108 - a bound method cannot be wrapped
    quick(session, "128/76 n mark17")
    expect(session.locator("form.qe")).to_have_attribute("data-busy", "")
    quick(session, "129/76 n mark18")
    unanswered[0].abort()
    expect(session.locator(".waits")).to_contain_text("mark18")
    expect(session.locator("#quick")).to_have_value("")
    session.unroute(VITALS)
    expect(waiting(session)).to_have_count(0, timeout=25_000)
    assert [notes(session)[mark] for mark in ("mark17", "mark18")] == [1, 1]


def test_an_empty_line_is_no_entry_without_network(session: Page, context: BrowserContext) -> None:
    context.set_offline(True)
    session.locator("#quick").press("Enter")
    expect(session.locator("[data-ribbon=told]")).to_contain_text("Enter at least one value")
    expect(waiting(session)).to_have_count(0)


def test_a_lost_answer_leaves_one_row(session: Page) -> None:
    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    session.route(VITALS, lose_the_answer, times=2)
    quick(session, "131/77 n mark4")
    expect(session.locator(".waits")).to_contain_text("mark4")
    session.reload()  # sends at once: the second answer is lost too
    session.reload()
    # Where the reload was faster than that, the second loss is now, and the next try comes by itself.
    expect(waiting(session)).to_have_count(0, timeout=25_000)
    assert notes(session)["mark4"] == 1


def test_the_ladder_opens_and_saves_without_network(session: Page, context: BrowserContext) -> None:
    context.set_offline(True)
    session.get_by_role("link", name=re.compile("Log vitals")).click()
    held = session.frame_locator("iframe.held")
    held.locator("[data-ladder=hr] label.pick").first.click()
    held.locator("#line").fill("128/79 n mark5")
    held.get_by_role("button", name="Save vitals").click()
    expect(session.locator("iframe.held")).to_have_count(0)
    expect(session.locator(".waits")).to_contain_text("mark5")
    context.set_offline(False)
    expect(waiting(session)).to_have_count(0)
    assert notes(session)["mark5"] == 1


def test_what_cannot_be_read_is_not_taken_without_network(session: Page, context: BrowserContext) -> None:
    context.set_offline(True)
    session.locator("#quick").fill("128/7x")
    session.locator("form.qe button[type=submit]").click()
    expect(session.locator("[data-ribbon=told]")).to_contain_text("Not understood: 128/7x")
    expect(session.locator("#quick")).to_have_value("128/7x")
    expect(waiting(session)).to_have_count(0)


def test_what_needs_the_network_says_so_and_keeps_what_was_typed(session: Page, context: BrowserContext) -> None:
    session.get_by_role("link", name=re.compile("Rate")).click()
    session.wait_for_url("**/rate")
    session.locator("details", has=session.locator("[name=rate_ml_h]")).locator("summary").click()
    session.locator("input[name=rate_ml_h]").fill("9.5")
    context.set_offline(True)
    session.locator("form.sheetp button[type=submit]").last.click()
    expect(session.locator("[data-ribbon=told]")).to_contain_text("This needs the network")
    expect(session.locator("input[name=rate_ml_h]")).to_have_value("9.5")


def test_a_refused_entry_stands_in_the_flowsheet_as_it_was_typed(session: Page, context: BrowserContext) -> None:
    context.set_offline(True)
    quick(session, "128/76 n mark6")
    expect(session.locator(".waits")).to_contain_text("mark6")
    session.route(VITALS, lambda route: route.fulfill(status=422, body="no"))
    context.set_offline(False)
    expect(session.locator("[data-ribbon=told]")).to_contain_text("not accepted")
    session.reload()
    expect(session.locator("main")).to_contain_text("Entered without the network and not accepted")


def test_entries_outlive_the_page_and_wait_for_their_author(session: Page, context: BrowserContext, base_url) -> None:
    address = session.url
    context.set_offline(True)
    quick(session, "128/76 n mark7")
    expect(session.locator(".waits")).to_contain_text("mark7")
    session.close()
    context.set_offline(False)
    context.clear_cookies()
    other = context.new_page()
    sign_in(other, "della.strand")
    expect(other.locator("[data-ribbon=waiting]")).to_contain_text("1 entry of somebody else is waiting here, sealed")
    assert "mark7" not in other.content()
    context.clear_cookies()
    sign_in(other, "jonah.prior")
    expect(other.locator("[data-ribbon=sent]")).to_contain_text("1 entry")
    other.goto(address)
    assert notes(other)["mark7"] == 1


def test_a_later_entry_does_not_overtake_one_that_waits(session: Page, context: BrowserContext) -> None:
    sent = []
    session.on("request", lambda request: sent.append(request.post_data) if VITALS.search(request.url) else None)
    session.route(VITALS, lambda route: route.abort(), times=1)
    quick(session, "128/76 n mark8")
    expect(session.locator(".waits")).to_contain_text("mark8")
    session.evaluate("delete document.documentElement.dataset.away")
    quick(session, "129/76 n mark9")
    session.wait_for_url(lambda _: len(sent) == 3)
    assert ["mark8" in sent[0], "mark8" in sent[1], "mark9" in sent[2]] == [True] * 3


FILL_THE_DISK = """() => {
  IDBObjectStore.prototype.add = () => { throw new DOMException("full", "QuotaExceededError"); };
}"""


def test_what_storage_does_not_take_waits_in_the_page(session: Page, context: BrowserContext) -> None:
    session.evaluate(FILL_THE_DISK)
    context.set_offline(True)
    quick(session, "128/76 n mark10")
    expect(session.locator(".waits")).to_contain_text("mark10")
    expect(session.locator("[data-ribbon=waiting]")).to_contain_text("Keep this page open")
    context.set_offline(False)
    expect(waiting(session)).to_have_count(0)
    assert notes(session)["mark10"] == 1


def test_a_device_whose_data_was_cleared_keeps_the_next_entry(session: Page, context: BrowserContext) -> None:
    cleared = context.new_cdp_session(session)
    origin = session.evaluate("location.origin")
    cleared.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "indexeddb"})
    context.set_offline(True)
    quick(session, "128/76 n mark11")
    expect(session.locator(".waits")).to_contain_text("mark11")
    expect(session.locator("[data-ribbon=waiting]")).not_to_contain_text("Keep this page open")
    context.set_offline(False)
    expect(waiting(session)).to_have_count(0)
    assert notes(session)["mark11"] == 1


def test_an_entry_that_cannot_be_opened_holds_up_no_other(session: Page, context: BrowserContext) -> None:
    context.set_offline(True)
    quick(session, "128/76 n mark12")
    quick(session, "129/76 n mark13")
    expect(session.locator("[data-ribbon=waiting]")).to_contain_text("2 entries")
    session.evaluate(DAMAGE_THE_FIRST)
    context.set_offline(False)
    expect(session.locator("[data-ribbon=waiting]")).to_contain_text("does not take every entry (422)")
    assert [notes(session)[mark] for mark in ("mark12", "mark13")] == [0, 1]


DAMAGE_THE_FIRST = """() => new Promise((done) => {
  indexedDB.open("chairtime").onsuccess = ({ target }) => {
    const store = target.result.transaction("waiting", "readwrite").objectStore("waiting");
    store.openCursor().onsuccess = ({ target: { result } }) => {
      result.update({ ...result.value, author: result.value.author, sealed: "AAAA" }).onsuccess = done;
    };
  };
})"""


def test_a_redirect_of_somebody_else_is_not_taken_for_a_save(session: Page) -> None:
    away = {"status": 302, "headers": {"Location": "/login"}}
    session.route(VITALS, lambda route: route.fulfill(**away), times=1)
    quick(session, "128/76 n mark14")
    session.wait_for_load_state()  # the browser has sent it itself
    expect(session.locator("table").first).to_contain_text("mark14")
    assert notes(session)["mark14"] == 1


def test_a_held_page_whose_entry_is_refused_is_drawn_in_the_whole_window(
    session: Page, context: BrowserContext
) -> None:
    context.set_offline(True)
    session.get_by_role("link", name=re.compile("Log vitals")).click()
    held = session.frame_locator("iframe.held")
    held.locator("#line").fill("128/76 n mark15")
    held.locator("#at, [name=at]").first.fill("99:99")
    context.set_offline(False)
    held.get_by_role("button", name="Save vitals").click()
    session.wait_for_url("**/vitals")
    expect(session.locator("#line")).to_have_value(re.compile("mark15"))


def test_a_clock_set_back_meanwhile_moves_no_entry(session: Page) -> None:
    session.evaluate("{ const now = Date.now; Date.now = () => now() - 600000; }")
    quick(session, "128/76 n mark16")
    expect(session.locator("table").first).to_contain_text("mark16")
    row = session.locator("table tr", has_text="mark16").first
    assert "late" not in row.inner_text()


def test_a_page_asked_for_without_network_is_answered_by_the_device(session: Page, context: BrowserContext) -> None:
    session.wait_for_timeout(500)  # the worker takes its place beside the page
    session.reload()
    context.set_offline(True)
    session.goto("/patients")
    expect(session.get_by_role("heading", level=1)).to_have_text("No network")


def test_nothing_readable_stays_on_the_device(playwright, base_url, browser_type_launch_args, tmp_path) -> None:
    """The profile folder, after the browser was closed with an entry waiting, holds no word of it."""
    profile = tmp_path / "profile"
    context = playwright.chromium.launch_persistent_context(
        profile, base_url=base_url, viewport=TABLET, **browser_type_launch_args
    )
    page = context.pages[0]
    sign_in(page, "jonah.prior")
    open_flowsheet(page)
    patient = page.locator("[data-patient]").first.get_attribute("data-patient-name").split(", ")
    context.set_offline(True)
    quick(page, "128/76 n zebrafish quartz")
    expect(page.locator(".waits")).to_contain_text("zebrafish")
    context.close()
    files = [path for path in profile.rglob("*") if path.is_file()]
    stored = b"".join(path.read_bytes() for path in files)
    assert any(b"chairtime" in path.read_bytes() for path in files if "IndexedDB" in str(path))
    assert not [
        word
        # Three letters stand in any large file by chance.
        for word in ("zebrafish", "quartz", PASSWORD, *(name for name in patient if len(name) > 3))
        if word.encode() in stored or word.encode("utf-16-le") in stored
    ]
