import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.core.seal import BadSeal, read_envelope, unseal
from tests.factories.sealing import sealed

SECRET = "one installation's secret"


def open_again(text, secrets=(SECRET,)):
    return unseal(read_envelope(text), secrets)


@given(st.recursive(st.text() | st.integers() | st.none(), st.lists, max_leaves=5))
def test_what_was_sealed_comes_back(content):
    assert open_again(sealed(SECRET, content)) == content


def test_an_older_secret_still_opens():
    assert open_again(sealed("old", "x"), ["new", "old"]) == "x"


def test_another_installation_opens_nothing():
    with pytest.raises(BadSeal, match="another installation"):
        open_again(sealed("theirs", "x"))


@pytest.mark.parametrize("part", ["entry", "author", "record"])
def test_what_stands_on_the_envelope_cannot_be_changed(part):
    envelope = dataclasses.replace(read_envelope(sealed(SECRET, "x")), **{part: "other"})
    with pytest.raises(BadSeal):
        unseal(envelope, [SECRET])


def test_nothing_of_the_content_can_be_read():
    assert "Almeida" not in json.dumps(sealed(SECRET, "Almeida 128/76"))


@pytest.mark.parametrize("text", ["", "{}", "[]", "7", '{"entry": 1}', "[" * 100_000])
def test_what_is_no_envelope_is_refused(text):
    with pytest.raises(BadSeal):
        read_envelope(text)


def test_a_key_off_the_curve_is_refused():
    envelope = dataclasses.replace(read_envelope(sealed(SECRET, "x")), key=b"\x04" + b"\x01" * 64)
    with pytest.raises(BadSeal, match="damaged"):
        unseal(envelope, [SECRET])
