import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa

from clinic.accounts.models import Site
from clinic.core import db
from clinic.core.idempotency import digest

KEY = "a-key-of-one-drawing"


def sites():
    with db.unit_of_work():
        return db.session.scalar(sa.select(sa.func.count()).select_from(Site).where(Site.name.startswith("ward")))


def save(browser, **values):
    return browser.post("/trial/save", data={"name": "ward 1", "idempotency_key": KEY, **values})


def test_a_double_click_leaves_one_row(nurse_browser):
    first, second = save(nurse_browser), save(nurse_browser)
    assert first.location == second.location == "/trial/page"
    assert sites() == 1


def test_an_answer_without_an_address_is_repeated_as_done(nurse_browser):
    assert save(nurse_browser, answer="200").status_code == 200
    assert save(nurse_browser, answer="200").status_code == 204
    assert sites() == 1


def test_the_same_key_with_other_values_is_refused(nurse_browser):
    save(nurse_browser)
    assert save(nurse_browser, name="ward 2").status_code == 409
    assert sites() == 1


def test_the_same_key_at_another_address_is_refused(nurse_browser):
    save(nurse_browser)
    again = {"name": "ward 1", "idempotency_key": KEY}
    assert nurse_browser.post("/trial/save?course=2", data=again).status_code == 409


def test_a_new_form_with_equal_values_is_a_new_save(nurse_browser):
    save(nurse_browser)
    save(nurse_browser, idempotency_key=uuid.uuid4().hex, name="ward 1b")
    assert sites() == 2


def test_a_refused_save_may_be_sent_again(nurse_browser):
    assert save(nurse_browser, answer="422").status_code == 422
    assert save(nurse_browser).status_code == 303
    assert sites() == 1


def test_a_key_belongs_to_its_person(trial, nurse_browser, second_nurse):
    save(nurse_browser)
    other = trial.test_client()
    other.sign_in(second_nurse)
    assert save(other, name="ward 2").status_code == 303


@pytest.mark.parametrize("key", ["", "short", "x" * 65])
def test_a_save_without_a_proper_key_is_refused(nurse_browser, key):
    response = save(nurse_browser, idempotency_key=key)
    assert response.status_code == 400
    assert "has no key of its own" in response.text
    assert sites() == 0


def test_eight_posts_at_once_leave_one_row(committed_db, trial, clinic, nurse):
    browsers = [trial.test_client() for _ in range(8)]
    for browser in browsers:
        browser.sign_in(nurse, clinic.id)
    barrier = Barrier(8)

    def press(browser):
        barrier.wait()
        return save(browser)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(press, browsers))
    assert {answer.status_code for answer in answers} == {303}
    assert {answer.location for answer in answers} == {"/trial/page"}
    assert sites() == 1


def test_no_secret_goes_into_what_is_kept_of_a_save():
    plain = [("name", "ward 1"), ("dose", "5")]
    with_secrets = [*plain, ("password", "x"), ("witness_pin", "1234"), ("password_to_go_on", "y"), ("csrf_token", "z")]
    assert digest("/trial/save", plain) == digest("/trial/save", with_secrets)
    assert digest("/trial/save", plain) != digest("/trial/save", plain[:1])
