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
        ([Role.ADMIN], ["Staff", "Clinic"]),
    ],
)
def test_the_rail_begins_with_the_own_first_page(app, database, make_staff, roles, labels):
    person = make_staff(*roles)
    with app.test_request_context():
        assert [entry.label for entry in navigation.nav_entries(person, None)] == labels
