import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.accounts.passwords import hash_password, matches
from clinic.accounts.rules import SHORTEST_PASSWORD, password_problem, words_of

NEAR = words_of("Nora", "Quill", "nora.quill@harbour.example", "Harbour Pain Clinic")


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "fourteen chars",
        "passwordpassword",
        "Passw0rd Passw0rd!",
        "P@$$w0rdP@$$w0rd",
        "qwertyuiop123456",
        "1234567890123456",
        "aaaaaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabc",
        "x7kx7kx7kx7kx7kx7k",
        "correct horse battery staple",
        "chairtime chairtime",
        "Harbour Pain Clinic",
        "harbour-nurse-2025",
        "Nora Quill Nora Quill",
        "noraquill@harbour12",
        "Ketamine infusion 2025",
        "Summer Winter Autumn",
    ],
)
def test_refuses_what_is_short_or_easy_to_guess(password):
    assert password_problem(password, NEAR)


@pytest.mark.parametrize(
    "password",
    [
        "lantern willow seven",
        "kettle under the slow bridge",
        "Zp4#vTq!8mWx2&Ld",
        "🦊🌲🚲🎻🧊🪁🥕🕰🧵🪜🌋🦉🎈🧲🪟",
        "ключ лежит под камнем",
        "kettle under the slow bridge, seventeen grey geese went north before the first snow of that " + "year " * 2,
    ],
)
def test_accepts_length_in_any_script(password):
    assert password_problem(password, NEAR) is None


@given(st.text(max_size=SHORTEST_PASSWORD - 1))
def test_nothing_short_is_accepted(password):
    assert password_problem(password, NEAR)


@given(st.text(max_size=300))
def test_every_text_gets_an_answer(password):
    assert password_problem(password, NEAR) is None or len(password) < 1001


def test_a_thousand_characters_match_and_more_do_not():
    kept = hash_password("x" * 1000)
    assert matches("x" * 1000, kept)
    assert not matches("x" * 1001, kept)


def test_nobody_has_the_empty_password():
    assert not matches("", None)
