"""The server locks what nobody touched, and opens what was typed for its author alone."""

import base64
import json
import os
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from clinic.core import clock, seal
from clinic.core.permissions import Role
from tests.factories.accounts import PASSWORD

MINUTE = timedelta(minutes=1)


@pytest.fixture
def person(make_staff, client, app, monkeypatch, frozen_clock):
    monkeypatch.setitem(app.config, "LOCK_AFTER_SECONDS", 300)
    staff = make_staff(Role.NURSE, password=PASSWORD)
    client.post("/login", data={"email": staff.email, "password": PASSWORD})
    return staff


def sealed(app, author, content):
    """What the script of a page keeps (static/js/seal.js)."""
    theirs = base64.b64decode(seal.public_key(app.config["SECRET_KEY"]))
    mine, nonce = ec.generate_private_key(ec.SECP256R1()), os.urandom(12)
    shared = mine.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs))
    key = HKDF(SHA256(), 32, salt=None, info=b"chairtime seal: entry 1").derive(shared)
    text = AESGCM(key).encrypt(nonce, json.dumps(content).encode(), f"draft|{author.id}|here".encode())
    point = mine.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    parts = {"key": point, "nonce": nonce, "sealed": text}
    named = {name: base64.b64encode(part).decode() for name, part in parts.items()}
    return json.dumps({"entry": "draft", "author": str(author.id), "record": "here", **named})


def test_a_screen_that_nobody_touched_is_locked_without_any_script(client, person, frozen_clock):
    with clock.standing_at(frozen_clock + 5 * MINUTE):
        assert client.get("/account").status_code == 200
    with clock.standing_at(frozen_clock + 12 * MINUTE):
        assert client.get("/account", headers={"X-Background": "1"}).status_code == 401
        assert client.get("/account").location == "/unlock?next=/account"
        assert client.post("/account/password", data={"new": "x"}).status_code == 401
        assert client.post("/unlock", data={"password": PASSWORD}).status_code == 303
        assert client.get("/account").status_code == 200


def test_a_touch_keeps_it_open(client, person, frozen_clock):
    for minutes in range(4, 30, 4):
        with clock.standing_at(frozen_clock + minutes * MINUTE):
            assert client.get("/here").status_code == 204


def test_a_page_says_after_how_long_it_is_locked_and_the_lock_itself_does_not(client, person):
    assert '<meta name="lock-after" content="300">' in client.get("/account").text
    client.post("/lock")
    assert "lock-after" not in client.get("/unlock").text


def test_what_was_typed_is_opened_for_its_author_and_for_nobody_else(client, app, person, nurse):
    mine = sealed(app, person, {"typed": "a line"})
    assert client.post("/drafts/open", data={"envelope": mine}).json == {"typed": "a line"}
    client.sign_in(nurse)
    assert client.post("/drafts/open", data={"envelope": mine}).status_code == 404
    stolen = mine.replace(str(person.id), str(nurse.id))
    assert client.post("/drafts/open", data={"envelope": stolen}).status_code == 422


def test_a_locked_screen_opens_nothing(client, app, person):
    client.post("/lock")
    assert client.post("/drafts/open", data={"envelope": sealed(app, person, "a line")}).status_code == 401


def test_only_the_own_saves_are_told(client, person, nurse):
    client.post("/account/pin/remove", data={"idempotency_key": "a-key-of-a-form"})
    asked = "/drafts/saved?key=a-key-of-a-form&key=another-key"
    assert client.get(asked).json == {"saved": ["a-key-of-a-form"]}
    client.sign_in(nurse)
    assert client.get(asked).json == {"saved": []}
