"""A passkey in a real browser, with a device that Chromium plays (its virtual authenticator)."""

import contextlib

import pytest
from playwright.sync_api import Error, Page, expect

from clinic.accounts.rules import DEMO_PASSWORD


@pytest.fixture
def phone(page: Page):
    """Plugs a device in that verifies its person; gives a way to set whether it does."""
    chromium = page.context.new_cdp_session(page)
    chromium.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    made = chromium.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": {**options, "isUserVerified": True, "automaticPresenceSimulation": True}},
    )

    def verifies(is_verified: bool) -> None:
        values = {"authenticatorId": made["authenticatorId"], "isUserVerified": is_verified}
        chromium.send("WebAuthn.setUserVerified", values)

    return verifies


@pytest.fixture
def address(live_server: str) -> str:
    """Passkeys belong to a name: the same server, by the name of this machine."""
    return live_server.replace("127.0.0.1", "localhost")


def test_a_nurse_adds_a_passkey_and_signs_in_and_proves_herself_with_it_alone(page, address, phone, barriers):
    page.goto(f"{address}/login")
    page.locator("input[name=email]").fill("amara.quill@clinic.example")
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).not_to_have_url(f"{address}/login")
    page.goto(f"{address}/account")
    page.get_by_label("What you call it").fill("ward phone")
    page.locator("#passkey_password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("Passkey “ward phone” added")).to_be_visible()
    assert barriers(page) == []
    phone(False)
    page.get_by_role("button", name="Sign out").last.click()
    expect(page).to_have_url(f"{address}/login")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("No passkey was given. Try again.")).to_be_visible()
    phone(True)
    with contextlib.suppress(Error):  # this device answers by itself, and the autofill may be the first to ask it
        page.get_by_role("button", name="Use a passkey").click(timeout=3000)
    expect(page).not_to_have_url(f"{address}/login")
    page.goto(f"{address}/account")
    # The page proposes passkeys where the e-mail is typed; Chromium plays whoever picks one.
    page.get_by_role("button", name="Sign out").last.click()
    expect(page).to_have_url(f"{address}/today")
    page.goto(f"{address}/account")
    expect(page.get_by_role("cell", name="Passkey, “ward phone”")).to_be_visible()
    page.locator(".in", has=page.locator("#passkey_removal_password")).get_by_role("button", name="passkey").click()
    expect(page.get_by_role("button", name="given")).to_be_visible()
    assert barriers(page) == []
    page.get_by_role("button", name="Remove “ward phone”").click()
    expect(page.get_by_text("Passkey “ward phone” removed")).to_be_visible()


def test_where_there_are_no_passkeys_the_page_offers_none(page, live_server):
    page.goto(f"{live_server}/login")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.get_by_role("button", name="Use a passkey")).to_have_count(0)
