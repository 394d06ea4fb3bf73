"""The rail of each role."""

import pytest

from clinic import navigation
from clinic.core.permissions import Role


@pytest.mark.parametrize(
    ("roles", "labels"),
    [
        ([Role.NURSE], ["Today", "Calendar", "Notes", "Patients", "Drug log"]),
        ([Role.PHYSICIAN], ["Inbox", "Today", "Calendar", "Patients", "Drug log"]),
        ([Role.SCHEDULER], ["Calendar", "Today", "Patients"]),
        ([Role.ADMIN], ["Staff", "Clinic", "Audit"]),
    ],
)
def test_the_rail_begins_with_the_own_first_page(app, database, make_staff, roles, labels):
    person = make_staff(*roles)
    with app.test_request_context():
        assert [entry.label for entry in navigation.nav_entries(person, None)] == labels


def test_a_page_with_an_entry_of_its_own_is_the_only_current_one(app, database, make_staff):
    person = make_staff(Role.ADMIN)
    with app.test_request_context():
        for endpoint, label in [("accounts.show_trail", "Audit"), ("accounts.show_staff", "Staff")]:
            entries = navigation.nav_entries(person, endpoint)
            assert [entry.label for entry in entries if entry.current] == [label]
