"""The clinic's own sign-in: connected once by its person, then it opens that account and no other."""

import pytest
import sqlalchemy as sa

from clinic.accounts import factors, identities
from clinic.accounts.models import LoginSession, ProviderIdentity
from clinic.accounts.rules import StaffStatus
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.permissions import Role
from tests import provider as elsewhere
from tests.factories.accounts import PASSWORD


@pytest.fixture
def provider(app, monkeypatch):
    """A provider that this installation is told of."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    with elsewhere.running("http://localhost/login/provider/back") as made:
        settings = {"OIDC_ISSUER": made.address, "OIDC_NAME": "harbour account", "PUBLIC_URL": "http://localhost"}
        secrets = {"OIDC_CLIENT_ID": elsewhere.CLIENT_ID, "OIDC_CLIENT_SECRET": elsewhere.CLIENT_SECRET}
        for name, value in (settings | secrets).items():
            monkeypatch.setitem(app.config, name, value)
        yield made


@pytest.fixture
def connect(client, provider):
    """Connects whoever is signed in with a person of the provider, through the pages."""

    def connecting(person="nora"):
        page = client.post("/account/provider", data={"password": PASSWORD})
        assert "harbour account" in client.get(page.location).text
        return client.get(provider.sign_in(client.get("/account/provider/go").location, person))

    return connecting


@pytest.fixture
def connected(client, connect, nurse):
    """The nurse, who has connected her account and signed out."""
    client.sign_in(nurse)
    assert connect().location == "/account"
    client.post("/logout")
    return nurse


@pytest.fixture
def enter(client, provider):
    """Signs in at the provider and comes back; gives the answer here."""

    def entering(person="nora", **values):
        asked = client.get("/login/provider", query_string=values).location
        return client.get(provider.sign_in(asked, person))

    return entering


def trail(action):
    return db.session.scalar(sa.select(sa.func.count()).where(AuditEntry.action == action))


def test_a_connected_person_signs_in_there_and_comes_to_the_page_she_wanted(client, enter, connected):
    assert enter(next="/account").location == "/account"
    assert "harbour account" in client.get("/account").text
    assert db.session.scalar(sa.select(ProviderIdentity.used_at)) is not None


def test_the_sign_in_page_names_it_only_where_there_is_one(client, app, provider, monkeypatch):
    assert "Sign in with harbour account" in client.get("/login").text
    monkeypatch.setitem(app.config, "OIDC_ISSUER", "")
    assert "harbour account" not in client.get("/login").text
    assert client.get("/login/provider").status_code == 404


def test_whoever_is_known_only_there_gets_in_nowhere(client, enter, connected):
    refused = enter("bela")
    assert refused.status_code == 422
    assert "opens no account here" in refused.text
    assert client.get("/account").status_code == 303
    assert trail(AuditAction.IDENTITY_REFUSED) == 1


def test_a_disabled_account_stays_closed(enter, connected):
    connected.status = StaffStatus.DISABLED
    db.session.flush()
    assert enter().status_code == 422


def test_an_answer_counts_once(client, enter, provider, connected):
    back = provider.sign_in(client.get("/login/provider").location)
    assert client.get(back).location == "/"
    client.post("/logout")
    assert client.get(back).status_code == 422


def test_an_answer_for_another_browser_opens_nothing(app, client, provider, connected):
    back = provider.sign_in(app.test_client().get("/login/provider").location)
    assert client.get(back).status_code == 422
    client.get("/login/provider")
    assert client.get(back).status_code == 422


LIES = {
    "for another client": {"aud": ["another"]},
    "for another client, through us": {"aud": ["another"], "azp": elsewhere.CLIENT_ID},
    "of another provider": {"iss": "https://elsewhere.example"},
    "with another nonce": {"nonce": "not the one"},
    "that has expired": {"exp": 1_700_000_000},
    "without a name": {"sub": ""},
    "of somebody who signed in there an hour ago": {"auth_time": 1_700_000_000},
    "that does not say when": {"auth_time": None},
}


@pytest.mark.parametrize("lie", LIES)
def test_believes_no_answer(lie, enter, provider, connected):
    provider.lies = LIES[lie]
    refused = enter()
    assert refused.status_code == 422
    assert "You were not signed in there" in refused.text


def test_believes_no_answer_with_another_key(enter, provider, connected):
    provider.shown, provider.key = provider.key, elsewhere.key("forged", of="first")
    assert enter().status_code == 422
    assert trail(AuditAction.IDENTITY_REFUSED) == 1


def test_follows_a_change_of_keys(enter, provider, connected):
    assert enter().status_code == 303
    provider.key = elsewhere.key("second")
    assert enter().status_code == 303


def test_a_refusal_there_is_told_here(client, provider, connected):
    client.get("/login/provider")
    answer = client.get("/login/provider/back?error=access_denied&state=x")
    assert answer.status_code == 422
    assert "You were not signed in there" in answer.text


def test_says_that_the_provider_does_not_answer(client, app, provider, monkeypatch):
    monkeypatch.setitem(app.config, "OIDC_ISSUER", "http://127.0.0.1:9")
    answer = client.get("/login/provider")
    assert answer.status_code == 503
    assert "does not answer. Use your password" in answer.text


@pytest.mark.parametrize(("ways", "is_due"), [(["pwd"], True), (["pwd", "mfa"], False)])
def test_asks_for_the_own_second_factor_where_the_provider_asked_for_one_only(
    enter, provider, connected, clinic, admin, *, ways, is_due
):
    factors.require(frozenset({Role.NURSE}), clinic=clinic, by=admin, at=connected.created_at)
    provider.ways = ways
    enter()
    newest = sa.select(LoginSession.is_factor_due).order_by(LoginSession.started_at.desc(), LoginSession.id.desc())
    assert db.session.scalars(newest).first() is is_due


def test_connecting_asks_for_the_password_again(client, provider, nurse):
    client.sign_in(nurse)
    assert client.post("/account/provider", data={"password": "wrong"}).status_code == 422
    assert client.get("/account/provider").location == "/account"
    assert client.get("/account/provider/go").location == "/account"
    assert identities.of_person(nurse.id) is None


def test_one_identity_opens_one_account(client, connect, connected, make_staff):
    another = make_staff(Role.PHYSICIAN, password=PASSWORD)
    client.sign_in(another)
    connect()
    assert "connected with another account here" in client.get("/account").text
    assert identities.of_person(another.id) is None


def test_who_came_in_meanwhile_is_not_connected(client, provider, nurse, physician):
    client.sign_in(nurse)
    client.post("/account/provider", data={"password": PASSWORD})
    back = provider.sign_in(client.get("/account/provider/go").location)
    client.sign_in(physician)
    client.get(back)
    assert identities.of_person(physician.id) is identities.of_person(nurse.id) is None


def test_a_removed_connection_opens_nothing_and_another_can_be_made(client, enter, connect, connected):
    client.sign_in(connected)
    assert client.post("/account/provider/remove", data={"password": PASSWORD}).location == "/account"
    assert client.post("/account/provider/remove", data={"password": PASSWORD}).status_code == 404
    client.post("/logout")
    assert enter().status_code == 422
    client.sign_in(connected)
    connect()
    assert identities.of_person(connected.id) is not None


def test_the_database_gives_no_identity_to_another_person(connected, physician):
    kept = sa.update(ProviderIdentity).where(ProviderIdentity.staff_id == connected.id)
    with pytest.raises(sa.exc.DBAPIError, match="identity_stays_its_persons"), db.session.begin_nested():
        db.session.execute(kept.values(staff_id=physician.id))
    with pytest.raises(sa.exc.DBAPIError), db.session.begin_nested():
        db.session.execute(sa.delete(ProviderIdentity))


def test_asks_there_for_a_new_sign_in_and_nothing_about_the_person(client, provider):
    asked = client.get("/login/provider").location
    assert "prompt=login" in asked
    assert "max_age=0" in asked
    assert "scope=openid&" in asked
    assert "code_challenge_method=S256" in asked
