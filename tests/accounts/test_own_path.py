import pytest

from clinic.accounts.rules import own_path

# Each of these has led some application to another host.
ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "////evil.example/%2f..",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/ /evil.example",
    "https://evil.example",
    "http:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "HTTPS://EVIL.EXAMPLE",
    "ftp://evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "evil.example",
    "@evil.example",
    "x@evil.example",
    "?next=//evil.example",
    "/\u2028/evil.example",
    "/\uff0f/evil.example",
    "/\x00/evil.example",
    "/today\r\nSet-Cookie: a=b",
    "/" + "x" * 600,
    "",
]


@pytest.mark.parametrize("path", ELSEWHERE)
def test_refuses_what_might_lead_elsewhere(path):
    assert own_path(path) is None


@pytest.mark.parametrize(
    "path", ["/", "/today?view=all&day=2025-11-18", "/sessions/0192-ab/vitals", "/.//evil.example"]
)
def test_keeps_the_own_addresses(path):
    assert own_path(path) == path


@pytest.mark.parametrize("path", [path for path in ELSEWHERE if "\x00" not in path])
def test_the_sign_in_page_stays_on_this_host(client, nurse, path):
    client.sign_in(nurse)
    response = client.get("/login", query_string={"next": path})
    assert response.location == "/"


def test_a_page_asked_for_before_the_sign_in_is_shown_after_it(client, nurse):
    response = client.get("/account?tab=one")
    assert response.location == "/login?next=/account?tab%3Done"
    assert 'name="next" value="/account?tab=one"' in client.get(response.location).text
