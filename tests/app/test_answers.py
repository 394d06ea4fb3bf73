"""Headers, error pages and the reading trail: what every answer has, whatever went wrong."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import clock, db

ANSWERS = {
    "/trial/page": 200,
    "/trial/open": 200,
    "/login": 303,
    "/nowhere": 404,
    "/staff/not-an-id": 404,
    "/staff": 403,
    "/trial/undeclared": 403,
    "/trial/save": 405,
    "/trial/crash": 500,
    "/trial/page?q=%00": 400,
    "/static/css/clinic.css": 200,
}
ANSWER = pytest.mark.parametrize(("address", "status"), ANSWERS.items())


@ANSWER
def test_every_answer_carries_the_headers(nurse_browser, address, status):
    response = nurse_browser.get(address)
    headers = response.headers
    assert response.status_code == status
    policy = headers["Content-Security-Policy"]
    for part in ("default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"):
        assert part in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert (headers.get("Cache-Control") == "no-store") is not address.startswith("/static")
    response.close()


def test_https_is_remembered_by_the_browser(nurse_browser):
    assert (
        "max-age" in nurse_browser.get("/trial/open", base_url="https://localhost").headers["Strict-Transport-Security"]
    )
    assert "Strict-Transport-Security" not in nurse_browser.get("/trial/open").headers


@ANSWER
def test_no_answer_shows_what_is_inside(nurse_browser, address, status):
    response = nurse_browser.get(address)
    for inner in ("Traceback", "ZeroDivisionError", "the secret reason", "sqlalchemy", "/clinic/"):
        assert inner not in response.text or address.startswith("/static")
    response.close()


def test_a_view_without_declared_access_is_refused(nurse_browser):
    assert nurse_browser.get("/trial/undeclared").status_code == 403


@pytest.mark.parametrize("path", ["/static/missing.css", "/static/../config.py", "/static/%2e%2e/config.py"])
def test_a_missing_file_is_not_found(committed_db, nurse_browser, path):
    """Files are answered without the database, and so without knowing who is there."""
    assert nurse_browser.get(path).status_code == 404


def test_a_fault_has_a_number_for_support(nurse_browser):
    assert "Tell support" in nurse_browser.get("/trial/crash").text


def test_no_address_forges_a_line_of_the_log(nurse_browser, caplog):
    assert nurse_browser.get("/trial/crash/a%0d%0a2026-01-01 all is well").status_code == 500
    assert caplog.records
    assert not any("\n" in record.getMessage() or "\r" in record.getMessage() for record in caplog.records)


@pytest.fixture
def without_a_database():
    chosen = db._current_engine[:]
    db.init("postgresql+psycopg://nobody@/nothing?host=/nonexistent")
    yield
    db._current_engine[:] = chosen


@pytest.mark.parametrize("address", ["/trial/page", "/account", "/login", "/"])
def test_a_lost_database_is_said_kindly(trial, clinic, nurse, without_a_database, address):
    visitor = trial.test_client()
    with visitor.session_transaction() as cookie:
        cookie["_user_id"] = "a token that cannot be looked up"
    with db.using_session(None):
        response = visitor.get(address)
    assert response.status_code == 503
    assert "Not reachable" in response.text


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1:81", "a b"])
def test_an_unknown_host_is_refused_and_not_repeated(make_trial_app, database, host):
    app = make_trial_app(TRUSTED_HOSTS=["clinic.example"])
    response = app.test_client().get("/login", headers={"Host": host})
    assert response.status_code == 400
    assert host not in response.text
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_host_that_a_stranger_claims_to_stand_for_is_not_believed(nurse_browser):
    response = nurse_browser.get("/account", headers={"X-Forwarded-Host": "evil.example"})
    assert "evil.example" not in response.text + str(response.headers)


# --- reading leaves a line -------------------------------------------------------------------------------------------


def reads(action=AuditAction.BOARD_READ):
    return db.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry).where(AuditEntry.action == action))


def test_what_was_said_waits_for_the_page_that_is_seen(nurse_browser):
    with nurse_browser.session_transaction() as kept:
        kept["_flashes"] = [("done", "Vitals saved.")]
    held = nurse_browser.get("/account", headers={"X-Background": "waiting"}).text
    assert [("Vitals saved." in page) for page in (held, nurse_browser.get("/account").text)] == [False, True]


def test_reading_leaves_one_line_in_a_quarter_of_an_hour(nurse_browser, frozen_clock):
    with clock.standing_at(clock.now()):
        for _ in range(3):
            nurse_browser.get("/trial/page", headers={"X-Background": "1"})
    assert reads() == 1


def test_reading_again_later_leaves_another_line(frozen_clock, nurse_browser):
    nurse_browser.get("/trial/page")
    with clock.standing_at(frozen_clock + timedelta(minutes=16)):
        nurse_browser.get("/trial/page")
    assert reads() == 2


def test_a_print_always_leaves_a_line(nurse_browser):
    nurse_browser.get("/trial/print")
    nurse_browser.get("/trial/print")
    assert reads(AuditAction.SESSION_PRINTED) == 2


def test_a_line_says_from_where(nurse_browser):
    nurse_browser.get("/trial/page", environ_base={"REMOTE_ADDR": "10.0.0.7"})
    entry = db.session.scalar(sa.select(AuditEntry).where(AuditEntry.action == AuditAction.BOARD_READ))
    assert entry.address == "10.0.0.7"
    assert len(entry.request_id) == 32
