"""Another clinic beside the demonstration: what one has, the other never finds."""

import re
import uuid

import pytest
import sqlalchemy as sa

from clinic.accounts.models import StaffRole
from clinic.core import db
from clinic.core.permissions import Role
from tests.sweep import posting
from tests.sweep.conftest import PEOPLE
from tests.sweep.crawling import undone

pytestmark = pytest.mark.sqlite_answers

KEY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
def other_clinic(make_closed, make_running, make_note, make_clinic, clinic):
    """A second clinic with a session that runs, one that is over, and a note."""
    make_running()
    make_note(make_closed())
    return clinic


@pytest.fixture
def stranger_browser(app, other_clinic, make_staff):
    """Somebody of the other clinic who holds every role."""
    browser = app.test_client()
    browser.sign_in(make_staff(*Role, family_name="Stranger"))
    return browser


def addresses(crawl):
    """Every address with a key in its path, of all roles."""
    found = {path for role in PEOPLE for path in crawl(role).pages if KEY.search(path.partition("?")[0])}
    assert len(found) > 30
    return sorted(found)


def test_no_page_of_one_clinic_is_found_from_another(crawl, stranger_browser):
    for path in addresses(crawl):
        assert stranger_browser.get(path).status_code == 404, path


def test_no_page_takes_a_key_of_another_clinic_from_its_query(crawl, stranger_browser):
    paths = {path for role in PEOPLE for path in crawl(role).pages if KEY.search(path.partition("?")[2])}
    for path in sorted(paths):
        response = stranger_browser.get(path)
        assert response.status_code in {200, 303, 404, 422}, path
        assert not [key for key in KEY.findall(path) if f'value="{key}" selected' in response.get_data(as_text=True)]


def test_no_form_of_one_clinic_is_taken_from_another(crawl, stranger_browser):
    for role in PEOPLE:
        for form in crawl(role).forms:
            if form.method != "post" or not KEY.search(form.action):
                continue
            sent = posting.send(stranger_browser, form, posting.filled(form), "from another clinic")
            assert sent.status == 404, str(sent)
            assert not sent.changed


def rows_of(clinic_id):
    """A key of each table that the clinic has rows in: table name → key."""
    found = {}
    for table in db.Base.metadata.sorted_tables:
        if "clinic_id" in table.c:
            where = table.c.clinic_id == clinic_id
            found[table.name] = db.session.scalar(sa.select(table.c.id).where(where).limit(1))
    roles = StaffRole.__table__.c
    found["staff"] = db.session.scalar(sa.select(roles.staff_id).where(roles.clinic_id == clinic_id).limit(1))
    return {name: key for name, key in found.items() if key is not None}


def table_of(key):
    """The table that holds a key, or None."""
    tables = db.Base.metadata.sorted_tables
    found = (sa.select(sa.literal(table.name)).where(table.c.id == key) for table in tables)
    return db.session.scalar(sa.union_all(*found))


def mentions(key):
    """How often a key stands in the record as the key of another row's relation."""
    columns = [column for table in db.Base.metadata.sorted_tables for column in table.c if column.foreign_keys]
    counts = (sa.select(sa.func.count()).where(column == key) for column in columns)
    return sum(db.session.scalars(sa.union_all(*counts)))


@pytest.mark.parametrize("role", ["nurse", "physician", "desk"])
def test_no_form_takes_a_key_of_another_clinic_in_its_fields(demo, crawl, other_clinic, role):
    theirs, walked, swapped = rows_of(other_clinic.id), crawl(role), 0
    for form in walked.forms:
        values = posting.filled(form)
        for name, value in values.items():
            if form.method != "post" or not KEY.fullmatch(value):
                continue
            other = theirs.get(table_of(uuid.UUID(value)) or "")
            if other is None:
                continue
            swapped += 1
            before = mentions(other)
            with undone(demo.connection), db.in_clinic(demo.clinic.id):
                sent = posting.send(walked.browser, form, {**values, name: str(other)}, f"with their {name}")
                # Where there is no choice at all, what was sent is passed over and our own row is used.
                assert sent.status in {303, 404, 409, 422}, str(sent)
                assert mentions(other) == before, str(sent)
            assert sent.status == 303 or not sent.changed
    assert swapped > 3


@pytest.mark.parametrize("role", ["nurse", "physician"])
def test_no_page_takes_a_child_of_another_parent(demo, database, app, crawl, role):
    """Addresses with two keys, or with a key and a number: the first belongs to another record of the same clinic."""
    walked, tried = crawl(role), 0
    for path in list(walked.pages):
        keys = KEY.findall(path.partition("?")[0])
        if len(keys) < 2:
            continue
        others = {str(key) for key in walked.states if str(key) != keys[0]}
        if keys[0] not in walked.states:
            others = {
                key for other in walked.pages for key in KEY.findall(other)[:1] if key not in {*keys, *walked.states}
            }
        for other in sorted(others)[:3]:
            tried += 1
            assert walked.browser.get(path.replace(keys[0], other)).status_code == 404, path
    assert tried
