"""Two nurses chart one session while the network, the answers, the server and the tabs go and come back.

What the screen acknowledged, saved or waiting, is remembered here, outside the browser; in the end it is in the record
exactly once, at its own time. `UNPLUG_ROUNDS=200` goes on for minutes (`make unplug`).
"""

import contextlib
import os
import random
import re
import sqlite3
import time
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import Error, Page, Route

from clinic.core import clock, db
from clinic.sessions.models import AdverseEvent, ObservationSet, SessionEvent
from tests.browser.test_bedside import TABLET, sign_in
from tests.server import Server

ROUNDS = int(os.environ.get("UNPLUG_ROUNDS", "6"))
NURSES = ("jonah.prior", "amara.quill")
PATIENCE = 90
SAVES = re.compile(r"/(vitals|event)$")
# An event is about the minute in which its sheet was opened.
NEAR = timedelta(seconds=90)
IS_ACKNOWLEDGED = (
    """mark => [...document.querySelectorAll(".waits, table")].some(part => part.innerText.includes(mark))"""
)


@pytest.fixture
def server(live_server, clinic_file, databases, tmp_path):
    """A server of its own with the demo clinic; on SQLite a copy of the one that the other tests use."""
    if os.environ.get("TEST_DATABASE", "sqlite") == "sqlite":
        url = f"sqlite:///{tmp_path / 'chairtime.sqlite'}"
        with sqlite3.connect(clinic_file) as source, sqlite3.connect(tmp_path / "chairtime.sqlite") as copy:
            source.backup(copy)
    else:
        url = databases.fresh()
    made = Server(url, tmp_path)
    made.start("--demo")  # fills only what is empty
    made.wait()
    db.init(url)
    yield made
    made.kill()


class Nurse:
    """A device with its own cookies and storage, and what its screen said."""

    def __init__(self, context, name):
        self.context, self.name = context, name
        self.acknowledged: dict[str, datetime] = {}
        self.typed: set[str] = set()
        self.is_offline = False
        self.page: Page = self._tab()

    def _tab(self):
        page = self.context.new_page()
        page.set_viewport_size(TABLET)
        page.on("dialog", lambda dialog: dialog.accept())
        return page

    def begin(self, address):
        sign_in(self.page, self.name)
        self.address = address
        self.open()

    def open(self):
        """The flowsheet, in the tab that is there; without server or network it is tried again at the next turn."""
        with contextlib.suppress(Error):
            self.page.goto(self.address, timeout=15_000)

    def is_at_flowsheet(self):
        try:
            return self.page.locator("#quick").count() == 1
        except Error:
            return False

    def log(self, number):
        """Type an entry and watch what the screen says about it."""
        mark = f"mark{number:05d}"
        try:
            if number % 6:
                self.page.locator("#quick").fill(f"1{number % 40 + 10}/76 {60 + number % 30} n {mark}", timeout=5000)
                self.typed.add(mark)
                self.page.locator("#quick").press("Enter")
            else:
                self._log_event(mark)
        except Error:
            return
        until = time.monotonic() + 25
        while time.monotonic() < until:
            with contextlib.suppress(Error):
                if self.page.evaluate(IS_ACKNOWLEDGED, mark):
                    self.acknowledged[mark] = clock.now()
                    return
            time.sleep(0.05)

    def _log_event(self, mark):
        self.page.locator("a[href$='/event']").first.click(timeout=5000)
        self.page.wait_for_timeout(200)
        is_held = self.page.locator("iframe.held").count()
        where = self.page.frame_locator("iframe.held") if is_held else self.page
        where.locator("label:has(input[name=term])").first.click(timeout=5000)
        where.locator("label:has(input[name=grade])").first.click(timeout=5000)
        where.locator("summary", has_text="Other words").click(timeout=5000)
        where.locator("[name=detail]").first.fill(mark, timeout=5000)
        self.typed.add(mark)
        where.get_by_role("button", name="Save event").click(timeout=5000)

    # --- what goes wrong ---

    def unplug(self):
        self.is_offline = not self.is_offline
        self.context.set_offline(self.is_offline)

    def plug_in(self):
        self.is_offline = False
        self.context.set_offline(False)

    def lose_answers(self):
        def lose(route: Route) -> None:
            with contextlib.suppress(Error):
                route.fetch(timeout=10_000)
            with contextlib.suppress(Error):
                route.abort()

        self.page.route(SAVES, lose, times=random.randint(1, 2))

    def reload(self):
        with contextlib.suppress(Error):
            self.page.reload(timeout=15_000)

    def close(self):
        self.page.close()
        self.page = self._tab()


def go_wrong(nurse, server):
    """One thing that happens at a bedside, or nothing."""
    acts = (nurse.unplug, nurse.unplug, nurse.lose_answers, nurse.reload, nurse.close, server.kill, server.start)
    random.choice((*acts, lambda: None, lambda: None))()


@pytest.fixture
def nurses(browser, server):
    contexts = [browser.new_context(base_url=server.address, locale="en-GB") for _ in NURSES]
    made = [Nurse(context, name) for context, name in zip(contexts, NURSES, strict=True)]
    page = made[0].page
    sign_in(page, made[0].name)
    page.goto("/today")
    link = page.locator(".nx a", has_text="KIM, Jae-won").get_attribute("href")
    page.context.clear_cookies()
    for nurse in made:
        nurse.begin("/".join(link.split("/")[:3]))
    yield made
    for context in contexts:
        context.close()


def bring_everything_back(nurse):
    nurse.plug_in()
    nurse.page.unroute_all()
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        nurse.open()
        with contextlib.suppress(Error):
            nurse.page.wait_for_timeout(1500)
            if nurse.is_at_flowsheet() and not nurse.page.locator("[data-ribbon=waiting]").count():
                return
    raise AssertionError(f"Something still waits: {nurse.page.locator('body').inner_text()[:600]}")


def recorded():
    """Every mark in the database with the times it is about."""
    rows = []
    with db.unit_of_work(write=False):
        for text, at in (
            (ObservationSet.note, ObservationSet.observed_at),
            (AdverseEvent.action, AdverseEvent.onset_at),
            (SessionEvent.text, SessionEvent.happened_at),
        ):
            rows += db.session.execute(sa.select(text, at).execution_options(unscoped=True)).all()
    found: dict[str, list[datetime]] = {}
    for text, at in rows:
        for mark in re.findall(r"mark\d{5}", str(text or "")):
            found.setdefault(mark, []).append(at)
    return found


def test_what_the_screen_acknowledged_is_in_the_record_once_at_its_own_time(server, nurses):
    for number in range(ROUNDS):
        nurse = nurses[number % len(nurses)]
        go_wrong(nurse, server)
        if not nurse.is_at_flowsheet():
            server.start()
            server.wait()
            nurse.plug_in()
            nurse.open()
        nurse.log(number)
    server.start()
    server.wait()
    for nurse in nurses:
        bring_everything_back(nurse)
    found = recorded()
    acknowledged = {mark: at for nurse in nurses for mark, at in nurse.acknowledged.items()}
    assert len(acknowledged) >= ROUNDS // 2
    assert {mark: len(found.get(mark, ())) for mark in acknowledged} == dict.fromkeys(acknowledged, 1)
    assert {mark: times for mark, times in found.items() if len(times) > 1} == {}
    moved = {mark: (found[mark][0], at) for mark, at in acknowledged.items() if abs(found[mark][0] - at) > NEAR}
    assert moved == {}
