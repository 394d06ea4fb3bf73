"""Every address, every role: the table in access_table.py against the code and against real requests."""

import re
import uuid

import pytest
import sqlalchemy as sa

from clinic.accounts.models import Staff, StaffRole
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.permissions import Open, Permission, Role
from tests.app.access_table import ACCESS, EVERYBODY, PUBLIC

FILLED = {
    "UUIDConverter": lambda: str(uuid.uuid4()),
    "IntegerConverter": lambda: "1",
    "DateConverter": lambda: "2025-11-18",
}


@pytest.fixture(scope="module")
def rules(app):
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]


def compared(app):
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules() if rule.endpoint != "static"}
    return {"missing": sorted(endpoints - set(ACCESS)), "gone": sorted(set(ACCESS) - endpoints)}


def test_the_table_names_every_view_and_nothing_else(app):
    assert compared(app) == {"missing": [], "gone": []}


def test_a_view_without_a_row_would_be_found(trial):
    assert "trial.board" in compared(trial)["missing"]


def allowed_roles(access):
    """Who the code lets in, for comparison with the table."""
    if access is Open.PUBLIC:
        return PUBLIC
    if access is Open.SIGNED_IN:
        return EVERYBODY
    return frozenset(role for role in Role if Staff(grants=[StaffRole(role=role)]).may(access))


@pytest.mark.parametrize("endpoint", ACCESS)
def test_the_code_lets_in_whom_the_table_names(app, endpoint):
    view = app.view_functions.get(endpoint)
    assert view is not None, f"{endpoint} stands in the table and not in the application"
    assert allowed_roles(view.access) == ACCESS[endpoint]


@pytest.mark.parametrize("permission", Permission)
def test_two_roles_may_what_either_may(permission):
    for first in Role:
        for second in Role:
            both = Staff(grants=[StaffRole(role=first), StaffRole(role=second)])
            alone = [Staff(grants=[StaffRole(role=role)]).may(permission) for role in (first, second)]
            assert both.may(permission) is any(alone)


@pytest.mark.parametrize("permission", Permission)
def test_somebody_without_a_role_may_nothing(permission):
    assert not Staff(grants=[]).may(permission)


def test_the_admin_holds_no_clinical_permission():
    admin = Staff(grants=[StaffRole(role=Role.ADMIN)])
    assert {permission for permission in Permission if admin.may(permission)} == {
        Permission.READ_STAFF,
        Permission.MANAGE_STAFF,
        Permission.MANAGE_SHARING,
        Permission.READ_ACCOUNT_EVENTS,
        Permission.READ_RESOURCES,
        Permission.SET_RESOURCES,
        Permission.SET_RETENTION,
    }


# --- real requests ---------------------------------------------------------------------------------------------------


def address_of(rule):
    values = {name: FILLED.get(type(part).__name__, lambda: "x")() for name, part in rule._converters.items()}
    found = rule.build(values, append_unknown=False)
    assert found is not None
    return found[1]


def cells(rules):
    return [
        (rule, method, address_of(rule))
        for rule in rules
        for method in sorted(rule.methods & {"GET", "POST", "PUT", "PATCH", "DELETE"})
    ]


PEOPLE = {
    "nurse": [Role.NURSE],
    "physician": [Role.PHYSICIAN],
    "scheduler": [Role.SCHEDULER],
    "admin": [Role.ADMIN],
    "nurse and scheduler": [Role.NURSE, Role.SCHEDULER],
    "physician and admin": [Role.PHYSICIAN, Role.ADMIN],
}
ANSWERS = {200, 204, 302, 303, 304, 400, 404, 409, 422}


@pytest.fixture
def as_served(app, monkeypatch):
    """The application as a browser meets it: a fault is an answer of 500, so that the test can name its address."""
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    return app


# Whoever holds two roles reaches between them every page; one role alone is about who is refused.
@pytest.mark.parametrize(
    "who",
    [pytest.param(who, marks=() if len(roles) > 1 else pytest.mark.sqlite_answers) for who, roles in PEOPLE.items()],
)
def test_requests_of_a_signed_in_person(as_served, database, make_staff, rules, who):
    person = make_staff(*PEOPLE[who])
    wrong, executed = [], 0
    for rule, method, address in cells(rules):
        browser = as_served.test_client()
        browser.sign_in(person)  # anew each time: some of these sign out, lock or end the sign-in
        status = browser.open(address, method=method).status_code
        executed += 1
        is_allowed = bool(ACCESS.get(rule.endpoint, frozenset()) & {*PEOPLE[who], "public"})
        if (status not in ANSWERS) if is_allowed else (status != 403):
            wrong.append(f"{method} {rule.rule} → {status}, {'allowed' if is_allowed else 'forbidden'}")
    assert not wrong
    assert executed == len(cells(rules)) > 20


def test_requests_of_nobody(as_served, clinic, rules):
    wrong = []
    for rule, method, address in cells(rules):
        response = as_served.test_client().open(address, method=method)
        if ACCESS.get(rule.endpoint) == PUBLIC:
            is_right = response.status_code in ANSWERS
        elif method == "GET" or rule.endpoint in {"accounts.lock", "accounts.unlock", "accounts.end_login"}:
            is_right = response.status_code == 303 and response.location.startswith("/login")
        else:
            is_right = response.status_code == 401
        if not is_right:
            wrong.append(f"{method} {rule.rule} → {response.status_code}")
    assert not wrong


def test_a_denial_leaves_a_line_in_the_trail(client, nurse):
    client.sign_in(nurse)
    client.get("/staff")
    (entry,) = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == AuditAction.ACCESS_DENIED))
    assert entry.actor_id == nurse.id
    assert Permission.READ_STAFF in entry.body


@pytest.mark.parametrize("part", ["0", "-1", "2147483648", "9223372036854775808", "x", "%00", "%F0%9F%A6%8A", "a%2Fb"])
def test_an_id_that_is_none_is_not_found(as_served, client, physician, rules, part):
    client.sign_in(physician)
    addresses = [
        re.sub(r"<uuid:[^>]*>", part, rule.rule) for rule in rules if "<uuid:" in rule.rule and "GET" in rule.methods
    ]
    statuses = {address: client.get(address).status_code for address in addresses}
    assert addresses
    assert {address: status for address, status in statuses.items() if status != 404} == {}
