"""Every link that a page offers, followed as each role."""

import re
import uuid

import pytest
import sqlalchemy as sa

from clinic.core import db
from clinic.courses.models import Course
from clinic.notes.models import Note
from clinic.orders.models import OrderVersion
from clinic.patients.models import Allergy, Patient
from clinic.protocols.models import Drug, Protocol
from clinic.sessions.models import AdverseEvent
from tests.client import words
from tests.sweep.conftest import PEOPLE

pytestmark = pytest.mark.sqlite_answers

ROLES = (*PEOPLE, "nobody")
# What a dose, a score or a finding looks like, whoever wrote it.
CLINICAL = re.compile(
    r"\b\d[\d.,]*[\s\u00a0](?:mg|mcg|mL|mL/h|mg/kg|mg/h|mmHg)\b|"
    r"\b(?:diagnosis|indication|adverse event|sedation|RASS|POSS|SpO2|Aldrete|PADSS|BPI|PEG score|nausea|vomiting)\b",
    re.IGNORECASE,
)


@pytest.fixture
def clinical_words(database):
    """Words of the record that the desk must never receive."""
    columns = (Drug.name, Course.indication, Course.goal, Protocol.name, Patient.problem, AdverseEvent.term, Note.text)
    columns += (Allergy.substance, OrderVersion.change_reason)
    found = {text for column in columns for text in db.session.scalars(sa.select(column).distinct()) if text}
    assert len(found) > 20
    return {line for text in found for line in text.splitlines() if len(line) > 4}


@pytest.fixture
def patients_words(database):
    """Names and numbers of patients."""
    found = db.session.execute(sa.select(Patient.family_name, Patient.mrn)).all()
    return {text for row in found for text in row if len(text) > 3}


def shown(crawl, forbidden):
    """Which of the words stand on which page."""
    found = []
    for path, markup in crawl.text().items():
        text = words(markup).casefold()
        found += [(path, word) for word in forbidden if re.search(rf"\b{re.escape(word.casefold())}\b", text)]
    return found


@pytest.mark.parametrize("role", ROLES)
def test_every_link_and_form_that_a_page_offers_can_be_used(crawl, role):
    walked = crawl(role)
    assert not walked.faults
    assert len(walked.pages) >= {"nurse": 40, "physician": 40, "desk": 10, "admin": 3, "auditor": 3, "nobody": 1}[role]


# Met by being signed out, locked, in a patient's hands or without a network, asked by a script,
# there only with a sign-in elsewhere, and the address that only leads on.
WITHOUT_A_LINK = {
    "accounts.ask_new_passkey",
    "accounts.ask_passkey",
    "accounts.ask_provider",
    "accounts.ask_to_connect",
    "accounts.come_back_from_provider",
    "accounts.list_saved",
    "accounts.show_connecting",
    "accounts.show_factor",
    "accounts.show_login",
    "accounts.show_new_factor",
    "accounts.show_recovery_codes",
    "accounts.show_take_back",
    "accounts.show_unlock",
    "accounts.stay",
    "druglog.show_log",  # the rail leads there, and it leads on to a register
    "home",
    "offline.send_worker",
    "offline.show_offline",
    "static",
}


def test_every_page_that_needs_no_key_is_linked_from_another(app, crawl):
    linked = {crawl(role).endpoint(path) for role in ROLES for path in crawl(role).pages}
    pages = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in rule.methods and not rule.arguments}
    unlinked = sorted(pages - linked - WITHOUT_A_LINK)
    assert unlinked == []


def test_the_desk_receives_no_clinical_word(crawl, clinical_words):
    walked = crawl("desk")
    assert not shown(walked, clinical_words)
    assert not [
        (path, CLINICAL.findall(words(text))) for path, text in walked.text().items() if CLINICAL.search(words(text))
    ]


def test_the_administrator_receives_no_patient(crawl, clinical_words, patients_words):
    walked = crawl("admin")
    assert not shown(walked, clinical_words | patients_words)


def test_a_page_of_the_record_is_where_these_words_do_stand(crawl, clinical_words, patients_words):
    """The sieve holds something, or the two tests above would prove nothing."""
    walked = crawl("nurse")
    assert shown(walked, clinical_words)
    assert shown(walked, patients_words)
    assert any(CLINICAL.search(words(text)) for text in walked.text().values())


def reached(crawl):
    """Every address that any role reached."""
    return sorted({path for role in PEOPLE for path in crawl(role).pages})


def test_nobody_receives_a_byte_of_a_patient(crawl, nobody, patients_words, database):
    for path in reached(crawl):
        response = nobody.get(path)
        assert response.status_code in {303, 401, 403, 404}, path
        text = response.get_data(as_text=True)
        assert not [word for word in patients_words if word in text], path


@pytest.fixture
def sign_in(app, demo, database):
    """A browser of somebody of the demonstration: `sign_in("desk")`."""

    def as_(role):
        browser = app.test_client()
        browser.sign_in(demo.people[role])
        return browser

    return as_


@pytest.mark.parametrize("role", ["desk", "admin"])
def test_an_address_of_the_record_answers_these_roles_without_its_words(sign_in, crawl, clinical_words, role):
    """What the nurse and the physician reached, asked for by the desk and the administrator."""
    browser, said = sign_in(role), []
    for path in reached(crawl):
        response = browser.get(path)
        assert response.status_code in {200, 303, 403, 404, 409}, path
        text = words(response.get_data(as_text=True))
        said += [(path, found) for found in CLINICAL.findall(text)]
        said += [(path, word) for word in clinical_words if word.casefold() in text.casefold()]
    assert not said


@pytest.mark.parametrize(
    "bad", ["0", "-1", "2147483648", "9223372036854775808", "text", "%00", "%F0%9F%92%80", "..%2f"]
)
def test_a_bad_key_is_not_found(app, sign_in, bad):
    browser = sign_in("physician")
    for rule in app.url_map.iter_rules():
        if "GET" not in rule.methods or not rule.arguments or rule.endpoint == "static":
            continue
        address = re.sub(r"<[^>]*>", bad, rule.rule)
        assert browser.get(address).status_code in {400, 403, 404}, address
        unknown = re.sub(r"<uuid:[^>]*>", str(uuid.uuid4()), rule.rule)
        unknown = re.sub(r"<int:[^>]*>", bad if bad.isdigit() else "1", unknown)
        assert browser.get(re.sub(r"<[^>]*>", bad, unknown)).status_code in {400, 403, 404}, unknown
