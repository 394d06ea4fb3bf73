"""The clinic's own sign-in in a real browser, which also judges where a form may lead."""

import shutil

import pytest
from playwright.sync_api import Page, expect

from clinic.accounts.rules import DEMO_PASSWORD
from tests import provider as elsewhere
from tests.server import Server


@pytest.fixture
def address(live_server, clinic_file, tmp_path, monkeypatch):
    """A server of its own that is told of a provider; known by a name, as the provider leads people back to one."""
    for name in ("secret", "filled.sqlite"):
        shutil.copy(clinic_file.with_name(name), tmp_path)
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("OIDC_CLIENT_ID", elsewhere.CLIENT_ID)
    monkeypatch.setenv("OIDC_CLIENT_SECRET", elsewhere.CLIENT_SECRET)
    with elsewhere.running("") as provider:
        monkeypatch.setenv("OIDC_ISSUER", provider.address)
        server = Server(f"sqlite:///{tmp_path}/filled.sqlite", tmp_path)
        here = server.address.replace("127.0.0.1", "localhost")
        provider.back = f"{here}/login/provider/back"
        server.start()
        try:
            server.wait()
            yield here
        finally:
            server.stop()


def sign_in_there(page: Page) -> None:
    expect(page).to_have_title("Elsewhere")
    page.locator("[name=person]").fill("nora")
    page.locator("[name=password]").fill(elsewhere.PASSWORD)
    page.get_by_role("button", name="Go").click()


def test_a_nurse_connects_her_account_and_then_signs_in_without_a_password(page: Page, address, barriers):
    page.goto(f"{address}/login")
    page.locator("[name=email]").fill("amara.quill@clinic.example")
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).not_to_have_url(f"{address}/login")
    page.goto(f"{address}/account")
    page.locator("#provider_password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Connect").click()
    go_on = page.get_by_role("link", name="Go on to clinic account")
    expect(go_on).to_be_visible()
    assert barriers(page) == []
    go_on.click()
    sign_in_there(page)
    expect(page.get_by_text("Connected. From now on it signs you in here.")).to_be_visible()
    assert barriers(page) == []
    page.get_by_role("button", name="Sign out").last.click()
    again = page.get_by_role("link", name="Sign in with clinic account")
    expect(again).to_be_visible()
    assert barriers(page) == []
    again.click()
    sign_in_there(page)
    expect(page).to_have_url(f"{address}/today")
    page.goto(f"{address}/account")
    expect(page.get_by_text("amara.quill@clinic.example")).to_be_visible()
