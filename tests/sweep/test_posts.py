"""Every form that a page offers, sent as nobody should send it."""

import random
import uuid
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from clinic.core import clock, db
from clinic.core.types import UTCDateTime
from tests.sweep import posting
from tests.sweep.conftest import PEOPLE
from tests.sweep.crawling import undone

SEED = 2025
# Posts that each role makes in the suite.
SAMPLE = {"nurse": 25, "physician": 25, "desk": 12, "admin": 8, "auditor": 4}
# These end the sender's own sign-in, which is their purpose.
LEAVING = {"accounts.end_own_login", "accounts.end_logins"}


@pytest.fixture
def forms(crawl, effort):
    """The forms that a role was shown, in an order of their own but always the same."""

    def of(role):
        walked = crawl(role)
        found = [form for form in walked.forms if form.method == "post"]
        found = [form for form in found if walked.endpoint(form.action, "POST") not in LEAVING]
        random.Random(SEED).shuffle(found)
        return found[: 20 * effort**3]

    return of


@pytest.fixture
def attempt(demo, crawl):
    """Sends a form in a session of its own and forgets what it did; gives the answer with the faults found in it."""

    def send(role, form, values, what, **kwargs):
        browser = crawl(role).browser
        cookies = dict(browser._cookies)
        with undone(demo.connection), db.in_clinic(demo.clinic.id):
            sent = posting.send(browser, form, values, what, **kwargs)
            found = posting.faults(browser, sent)
        browser._cookies.clear()
        browser._cookies.update(cookies)
        return sent, found

    return send


def hostile(forms, draw):
    """Endless (form, values, what, payload, field): one field of a form holds something that no person means."""
    while True:
        form = draw.choice(forms)
        names = [name for name in form.names if name not in {"csrf_token", "idempotency_key"}]
        if not names:
            continue
        name = draw.choice(names)
        payload = draw.choice(posting.NUMBERS if form.kind_of(name) == "number" else posting.ALL)
        yield form, {**posting.filled(form), name: payload}, f"with {name}={payload[:40]!r}"


@pytest.mark.parametrize("role", PEOPLE)
def test_no_value_breaks_a_form(forms, attempt, effort, role):
    tries = hostile(forms(role), random.Random(SEED))
    faults = []
    for _ in range(SAMPLE[role] * effort**3):
        faults += attempt(role, *next(tries))[1]
    assert not faults


@pytest.mark.parametrize("role", PEOPLE)
def test_a_form_without_its_token_or_from_elsewhere_is_refused(forms, attempt, role):
    for form in forms(role):
        values = posting.filled(form)
        without, _ = attempt(role, form, {**values, "csrf_token": ""}, "without its token")
        foreign, _ = attempt(role, form, values, "from elsewhere", headers={"Origin": "http://evil.example"})
        assert (without.status, foreign.status) == (400, 400), str(form.action)
        assert not without.changed
        assert not foreign.changed


@pytest.mark.parametrize("role", ["nurse", "physician", "desk"])
def test_a_form_that_was_drawn_for_another_patient_is_refused(forms, attempt, role):
    asked = [form for form in forms(role) if "patient_id" in form.names]
    assert asked
    for form in asked:
        values = {**posting.filled(form), "patient_id": "00000000-0000-7000-8000-000000000000"}
        sent, faults = attempt(role, form, values, "for another patient")
        assert sent.status in {404, 409, 422}, str(sent)
        assert not faults


@pytest.mark.parametrize("role", PEOPLE)
def test_a_form_of_an_older_version_never_gets_through(forms, attempt, role):
    for form in forms(role):
        if "version" not in form.names:
            continue
        sent, faults = attempt(role, form, {**posting.filled(form), "version": "999999"}, "from another version")
        assert sent.status in {409, 422}, str(sent)
        assert not faults


ADDED = {
    "id": "00000000-0000-7000-8000-000000000000",
    "clinic_id": "00000000-0000-7000-8000-000000000000",
    "recorded_by_id": "00000000-0000-7000-8000-000000000000",
    "author_id": "00000000-0000-7000-8000-000000000000",
    "signer_id": "00000000-0000-7000-8000-000000000000",
    "signed_at": "2020-01-01T00:00:00",
    "recorded_at": "2020-01-01T00:00:00",
    "saved_at": "2020-01-01T00:00:00",
    "password_hash": "x",
    "is_demo": "1",
    "is_void": "1",
}


@cache
def standing_anywhere():
    """Asks each table whether a row holds the added key or instant, as it was typed or as the clinic's time."""
    key, typed = uuid.UUID(ADDED["id"]), datetime.fromisoformat(ADDED["signed_at"])
    instants = [typed.replace(tzinfo=zone) for zone in (UTC, ZoneInfo("America/New_York"))]
    asked = []
    for table in db.Base.metadata.sorted_tables:
        wanted = [column == key for column in table.c if isinstance(column.type, sa.Uuid)]
        wanted += [column.in_(instants) for column in table.c if isinstance(column.type, UTCDateTime)]
        wanted += [
            column.in_([ADDED["id"], ADDED["signed_at"]]) for column in table.c if isinstance(column.type, sa.Text)
        ]
        asked.append(sa.select(sa.literal(table.name)).where(sa.or_(*wanted)))
    return sa.union_all(*asked)


@pytest.mark.parametrize("role", PEOPLE)
def test_added_fields_have_no_effect(demo, forms, crawl, role):
    browser = crawl(role).browser
    before = posting.counts()
    with undone(demo.connection), db.in_clinic(demo.clinic.id):
        for form in forms(role)[:12]:
            with db.session.begin_nested() as savepoint:
                posting.send(browser, form, {**ADDED, **posting.filled(form)}, "with added fields")
                kept = db.session.scalars(standing_anywhere()).all()
                savepoint.rollback()
            assert not kept, form.action
    assert posting.counts() == before


@pytest.mark.parametrize("role", [role for role in PEOPLE if role != "auditor"])  # who reads, and changes nothing
def test_the_same_form_twice_has_one_effect(demo, forms, crawl, role):
    browser, repeated = crawl(role).browser, 0
    cookies = dict(browser._cookies)
    for form in forms(role):
        with undone(demo.connection), db.in_clinic(demo.clinic.id):
            values = {**posting.filled(form), "idempotency_key": posting.key()}
            first = posting.send(browser, form, values)
            if first.status == 303 and first.changed:
                again = posting.send(browser, form, values)
                assert again.status == 303, str(again)
                assert not again.changed, str(again)
                assert again.response.headers["Location"] == first.response.headers["Location"]
                repeated += 1
        browser._cookies.clear()
        browser._cookies.update(cookies)
    assert repeated >= 1
    assert clock.now()


@pytest.mark.parametrize("role", ["nurse", "physician"])
def test_what_is_no_number_is_refused_where_a_number_is_asked(forms, attempt, effort, role):
    draw, taken, tried = random.Random(SEED), [], 0
    asked = [(form, name) for form in forms(role) for name in form.names if form.kind_of(name) == "number"]
    for form, name in draw.sample(asked, min(len(asked), 20 * effort**3)):
        payload = draw.choice(posting.NO_NUMBERS)
        tried += 1
        sent, _ = attempt(role, form, {**posting.filled(form), name: payload}, f"with {name}={payload[:40]!r}")
        if sent.status < 400:
            taken.append(str(sent))
    assert tried > 5
    assert not taken
