"""An OpenID provider that the tests start: real HTTP, real signatures, its own sign-in page, and it can lie.

The side that it plays is the library's own server: codes once, PKCE, the client's secret.
"""

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import requests
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc6749.errors import OAuth2Error
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from authlib.oidc.core.models import AuthorizationCodeMixin
from flask import Flask, request
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

CLIENT_ID, CLIENT_SECRET = "chairtime", "a secret between the two of them"
PASSWORD = "elsewhere lantern"
FORM = '<form method="post"><input name="person"><input name="password"><button>Go</button></form>'


@cache
def key(name, *, of=None):
    """A key of the provider, or a forged one that bears the name of another; making one takes a while."""
    return RSAKey.generate_key(2048, {"kid": of or name})


@dataclass
class Client(ClientMixin):  # type: ignore[misc] # the library has no types
    """The one client: Chairtime."""

    back: str
    client_id: str = CLIENT_ID

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return self.back

    def get_allowed_scope(self, scope):
        return scope

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri == self.back

    def check_client_secret(self, client_secret):
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method, _endpoint):
        return method == "client_secret_basic"

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type == "authorization_code"


@dataclass
class Code(AuthorizationCodeMixin):  # type: ignore[misc] # the library has no types
    """A code that was handed out and not yet taken back."""

    code: str
    person: str
    redirect_uri: str
    scope: str
    nonce: str
    code_challenge: str
    code_challenge_method: str
    auth_time: int
    amr: list[str]

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope

    def get_nonce(self):
        return self.nonce

    def get_auth_time(self):
        return self.auth_time

    def get_amr(self):
        return self.amr


@dataclass
class Provider:
    """Its people, what it handed out, and the lies that it is told to tell."""

    back: str
    people: dict[str, str] = field(default_factory=lambda: {"nora": "subject-of-nora", "bela": "subject-of-bela"})
    ways: list[str] = field(default_factory=lambda: ["pwd"])
    lies: dict[str, Any] = field(default_factory=dict)
    key: Any = field(default_factory=lambda: key("first"))
    codes: dict[str, Code] = field(default_factory=dict)
    # The key that it shows; another one than `key` when it is robbed.
    shown: Any = None
    address: str = ""

    def sign_in(self, asked, person="nora", password=PASSWORD):
        """What a browser does there: type and be led back. Gives the address it is led to, without the host."""
        there = requests.post(asked, data={"person": person, "password": password}, allow_redirects=False, timeout=5)
        return there.headers.get("Location", "").removeprefix("http://localhost")


def make_server_side(app, provider):
    """The library's side of the provider: what it hands out, and how it signs."""

    class Grant(AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]

        def save_authorization_code(self, code, request):
            asked = request.payload.data
            provider.codes[code] = Code(
                code, request.user, asked["redirect_uri"], asked["scope"], asked["nonce"], asked["code_challenge"],
                asked["code_challenge_method"], int(time.time()), provider.ways,
            )  # fmt: skip

        def query_authorization_code(self, code, client):
            return provider.codes.get(code)

        def delete_authorization_code(self, authorization_code):
            del provider.codes[authorization_code.code]

        def authenticate_user(self, authorization_code):
            return authorization_code.person

    class Tokens(OpenIDCode):
        def exists_nonce(self, nonce, request):
            return False

        def resolve_client_private_key(self, client):
            return provider.key

        def get_client_claims(self, client):
            return {"iss": provider.address}

        def get_encode_header(self, client):
            return {"alg": "RS256", "kid": provider.key.kid}

        def generate_user_info(self, user, scope):
            # Added last, so a lie stands in the place of the truth.
            return UserInfo({"sub": provider.people[user]} | provider.lies)

    server = AuthorizationServer(
        app, query_client=lambda _id: Client(provider.back), save_token=lambda _token, _request: None
    )
    server.register_grant(Grant, [Tokens(require_nonce=True), CodeChallenge(required=True)])
    return server


def make_app(provider):
    """The provider's pages."""
    app = Flask("provider")
    server = make_server_side(app, provider)

    @app.get("/.well-known/openid-configuration")
    def show_addresses():
        return {
            "issuer": provider.address,
            "authorization_endpoint": f"{provider.address}/authorize",
            "token_endpoint": f"{provider.address}/token",
            "jwks_uri": f"{provider.address}/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    @app.get("/keys")
    def show_keys():
        return {"keys": [(provider.shown or provider.key).as_dict(private=False)]}

    @app.get("/authorize")
    def show_sign_in():
        return f"<title>Elsewhere</title>{FORM}"

    @app.post("/authorize")
    def sign_in():
        person = request.form["person"]
        if request.form["password"] != PASSWORD or person not in provider.people:
            return "wrong", 403
        try:
            grant = server.get_consent_grant(end_user=None)
        except OAuth2Error as error:
            return server.handle_error_response(request, error)
        return server.create_authorization_response(grant_user=person, grant=grant)

    @app.post("/token")
    def give_token():
        return server.create_token_response()

    return app


@contextmanager
def running(back, port=0):
    """A provider at work, whose one client is led back to `back`."""
    provider = Provider(back)
    server = make_server("127.0.0.1", port, make_app(provider), threaded=True)
    provider.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
