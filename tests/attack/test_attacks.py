"""What an attacker with a browser tries against a running server (SECURITY.md, section 7, tier 1)."""

import csv
import io
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from clinic.accounts.rules import DEMO_PASSWORD
from tests.attack.attacker import KEY, SECONDS, Attacker, path_in
from tests.sweep.conftest import PEOPLE
from tests.sweep.pages import Reader

ROLES = list(PEOPLE)
# Patients of the demonstration, who stand on many of its pages.
CANARIES = ("ALMEIDA", "BERGSTROM", "BERGSTRÖM", "KOVAC")
REFUSED = {303, 400, 401, 403, 404, 405, 409, 413, 415, 422}
# Ends the sign-in of whoever sends it, or closes a chart to others, which is its purpose.
LEAVING = re.compile(
    r"/(logout|lock|sign-ins/.*/end|end-logins|password|disable|reset|tablet|sheets|switch|export|restriction)"
)


@pytest.fixture(scope="module")
def everything(walked):
    """Every address that any role reaches."""
    return sorted({path for one in walked.values() for path in one.pages})


@pytest.fixture(scope="module")
def forms(walked):
    """(role, form) of every shape of form, each once."""
    found = {}
    for role, one in walked.items():
        for form in one.forms:
            if not LEAVING.search(form.action):
                found.setdefault((KEY.sub("*", path_in(form.action)), tuple(form.names)), (role, form))
    return list(found.values())


def names_in(text):
    return [name for name in CANARIES if name in text]


# --- doors -----------------------------------------------------------------------------------------------------------


def test_the_walk_saw_patients(walked):
    assert any(names_in(answer.text) for answer in walked["nurse"].pages.values())


def test_nobody_is_shown_anything(server, everything):
    nobody = Attacker(server)
    for path in everything:
        answer = nobody.get(path)
        assert answer.status_code in {200, 303, 401, 403, 404}, path
        assert not names_in(answer.text), path
        if answer.status_code == 303:
            assert answer.headers["Location"].startswith("/login"), path


def test_an_admin_reads_no_chart(walked, everything):
    for path in everything:
        assert not names_in(walked["admin"].get(path).text), path


def test_no_address_breaks_for_another_role(walked, everything):
    for role in ROLES:
        for path in everything:
            assert walked[role].get(path).status_code in {200, 303, 304, 403, 404, 409}, (role, path)


def test_another_clinic_finds_nothing(stranger, everything):
    for path in everything:
        if KEY.search(path.partition("?")[0]):
            assert stranger.get(path).status_code == 404, path
        else:
            assert not names_in(stranger.get(path).text), path


def test_no_form_is_taken_from_another_clinic(stranger, forms):
    _, page = stranger.read("/account")
    token = next(field.value for form in page.forms for field in form.fields if field.name == "csrf_token")
    for _, form in forms:
        if KEY.search(form.action):
            values = {"csrf_token": token, "idempotency_key": form.action[-30:]}
            assert stranger.submit(form, values).status_code == 404, form.action


@pytest.mark.parametrize("end", ["0", "-1", "2147483648", "9223372036854775808", "x", "%00", "\U0001f480"])
def test_a_made_up_key_is_not_found(walked, everything, end):
    paths = {path.partition("?")[0] for path in everything}
    shapes = {KEY.sub(end, path) for path in paths if KEY.search(path)}
    for path in sorted(shapes):
        assert walked["nurse"].get(path).status_code in {400, 403, 404}, path


# --- forms -----------------------------------------------------------------------------------------------------------


def without_token(one, form):
    return one.submit(form, {"csrf_token": ""})


def with_anothers_token(one, form):
    another = Attacker(one.server)
    another.sign_in(PEOPLE["nurse"], DEMO_PASSWORD)
    _, page = another.read("/account")
    token = next(field.value for form in page.forms for field in form.fields if field.name == "csrf_token")
    return one.submit(form, {"csrf_token": token})


def from_another_site(one, form):
    return one.submit(form, headers={"Origin": "https://evil.example"})


def as_plain_text(one, form):
    return one.send(path_in(form.action), b"a=b", headers={"Content-Type": "text/plain"})


def as_json(one, form):
    return one.send(path_in(form.action), b"{}", headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("way", [without_token, with_anothers_token, from_another_site, as_plain_text, as_json])
def test_no_form_is_forged(walked, forms, way):
    for role, form in forms:
        assert way(walked[role], form).status_code == 400, form.action


def test_no_form_works_as_a_link(walked, forms):
    shown = {path.partition("?")[0] for one in walked.values() for path in one.pages}
    for role, form in forms:
        path = path_in(form.action).partition("?")[0]
        if path not in shown:
            assert walked[role].get(path, params={"a": "b"}).status_code in {200, 303, 404, 405}, path


def test_eight_posts_at_once_are_one(enter, forms):
    people, saved = {role: enter(role) for role in ROLES}, 0
    for role, form in forms[:30]:
        if drawn := people[role].fresh(form):
            with ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(lambda _, one=people[role], form=drawn: one.submit(form), range(8)))
            # The same answer to each, or a refusal while the first is still at it.
            assert len({answer.headers.get("Location") for answer in answers if answer.status_code == 303}) <= 1
            assert max(answer.status_code for answer in answers) < 500
            saved += answers[0].status_code == 303
    assert saved >= 3


# --- texts -----------------------------------------------------------------------------------------------------------

TAG = "\"><img src=x onerror=alert(1)><script>alert(1)</script>' onfocus=alert(1) x="
FORMULA = "=cmd|' /C calc'!A0"


@pytest.fixture(scope="module")
def poisoned(enter, forms):
    """Every field that takes text holds a tag or a formula; gives what each role is shown afterwards."""
    people = {role: enter(role) for role in ROLES}
    for role, form in forms:
        for text in (TAG, FORMULA):
            drawn = people[role].fresh(form)
            fields = [field for field in drawn.fields if field.kind in {"text", "textarea", "search"}] if drawn else []
            if fields:
                answer = people[role].submit(drawn, {field.name: text for field in fields})
                assert answer.status_code < 500, (form.action, text)
    return {role: person.walk() for role, person in people.items()}


def test_no_text_becomes_a_tag(poisoned):
    assert any(TAG in "".join(Reader(path, answer.text).text) for path, answer in poisoned["nurse"].pages.items())
    for role, one in poisoned.items():
        for path, answer in one.pages.items():
            is_page = "html" in answer.headers["Content-Type"]
            for tag, attributes in Reader(path, answer.text).tags if is_page else ():
                assert "onerror" not in attributes, (role, path)
                assert "onfocus" not in attributes, (role, path)
                assert tag != "script" or "src" in attributes, (role, path)


def test_no_cell_is_a_formula(poisoned):
    read = 0
    for role, one in poisoned.items():
        for path in list(one.pages):
            answer = one.pages[path]
            if "csv" in answer.headers["Content-Type"]:
                read += 1
                for row in csv.reader(io.StringIO(answer.text)):
                    for cell in row:
                        assert not re.match(r"[=+@\t\r]|-(?![\d.])", cell.lstrip(" ")), (role, path, cell)
    assert read


# --- the door itself -------------------------------------------------------------------------------------------------

AWAY = (
    *("//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "///evil.example"),
    *("https:evil.example", "/%09/evil.example", "/\t/evil.example", "javascript:alert(1)", "/%5cevil.example"),
    *(
        "http://localhost@evil.example",
        "//evil%E3%80%82example",
        "/\r\nLocation:https://evil.example",
        " //evil.example",
    ),
    *("https://127.0.0.1.evil.example", ".evil.example", "@evil.example", "data:text/html,x", "/..//evil.example"),
)


@pytest.mark.parametrize("away", AWAY)
def test_next_leads_nowhere_else(server, away):
    nurse = Attacker(server)
    answer = nurse.sign_in(PEOPLE["nurse"], DEMO_PASSWORD, next=away)
    assert re.fullmatch(r"/([^/\\].*)?", answer.headers["Location"]), answer.headers["Location"]
    after = nurse.get("/login", params={"next": away})
    assert re.fullmatch(r"/([^/\\].*)?", after.headers["Location"]), after.headers["Location"]


def test_a_planted_cookie_is_not_adopted_and_a_copied_one_dies(server):
    nurse = Attacker(server)
    answer = nurse.get("/login", headers={"Cookie": "chairtime=planted"})
    assert "planted" not in answer.headers["Set-Cookie"]
    before = nurse.session.cookies["chairtime"]
    nurse.sign_in(PEOPLE["nurse"], DEMO_PASSWORD)
    assert nurse.session.cookies["chairtime"] != before
    copied = Attacker(server)
    copied.session.cookies.update(nurse.session.cookies.get_dict())
    assert copied.get("/account").status_code == 200
    _, page = nurse.read("/account")
    nurse.submit(next(form for form in page.forms if form.action == "/logout"))
    assert copied.get("/account").headers["Location"].startswith("/login")


@pytest.mark.parametrize("cookie", ["x", "", "." * 50, "e30.aaaa.bbbb", "A" * 3000, "%00", "é"])
def test_a_forged_cookie_is_nobody(server, cookie):
    nobody = Attacker(server)
    answer = nobody.get("/account", headers={"Cookie": f"chairtime={cookie}".encode()})
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/login")


def test_guessing_is_stopped_and_keeps_nobody_else_out(server, enter):
    guesser = Attacker(server)
    answers = [guesser.sign_in("della.strand@clinic.example", f"wrong guess number {number}") for number in range(20)]
    assert answers[0].status_code == 422
    assert answers[-1].status_code == 429
    assert guesser.sign_in("della.strand@clinic.example", DEMO_PASSWORD).status_code == 429
    assert enter("physician").get("/account").status_code == 200


def test_a_name_that_is_known_looks_like_one_that_is_not(server):
    def refused(email):
        answer = Attacker(server).sign_in(email, "a wrong password here")
        return answer.status_code, re.sub(r'value="[^"]*"|content="[^"]*"|nonce-\S+', "", answer.text)

    assert refused("yusuf.marsh@clinic.example") == refused("nobody.marsh@clinic.example")


# --- the wire --------------------------------------------------------------------------------------------------------

HEADERS = {
    "Content-Security-Policy": ("default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action"),
    "X-Content-Type-Options": ("nosniff",),
    "Referrer-Policy": ("same-origin",),
    "Cross-Origin-Opener-Policy": ("same-origin",),
    "Cross-Origin-Resource-Policy": ("same-origin",),
}


def test_every_answer_has_its_headers(walked, server):
    nobody = Attacker(server)
    answers = [answer for one in walked.values() for answer in one.pages.values()]
    for answer in [*answers, nobody.get("/login"), nobody.get("/nowhere"), nobody.get("/account")]:
        for name, parts in HEADERS.items():
            assert all(part in answer.headers.get(name, "") for part in parts), (answer.url, name)
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store", answer.url
        assert "Werkzeug" not in answer.headers.get("Server", "")


def test_the_cookie_is_out_of_reach(server):
    answer = Attacker(server).sign_in(PEOPLE["nurse"], DEMO_PASSWORD)
    said = answer.headers["Set-Cookie"]
    assert "HttpOnly" in said
    assert "SameSite=Lax" in said


@pytest.mark.parametrize("name", ["evil.example", "localhost.evil.example", "127.0.0.1:1@evil.example", ""])
def test_another_name_for_the_server_is_refused(server, name):
    answer = Attacker(server).get("/login", headers={"Host": name, "X-Forwarded-Host": "evil.example"})
    assert answer.status_code == 400
    assert "evil.example" not in answer.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "PROPFIND"])
def test_other_methods_change_nothing(enter, server, method):
    nurse = enter("nurse")
    answer = nurse.session.request(method, f"{server}/account/password", timeout=SECONDS)
    assert answer.status_code in {200, 400, 405, 501}
    assert answer.status_code != 200 or method == "OPTIONS"


BODIES = {
    "too large": ("application/x-www-form-urlencoded", b"a=" + b"x" * 3_000_000),
    "too many fields": ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(20_000))),
    "no boundary": ("multipart/form-data", b"--x\r\n\r\n"),
    "cut off": ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb'),
    "not UTF-8": ("application/x-www-form-urlencoded", b"a=\xff\xfe"),
    "a NUL": ("application/x-www-form-urlencoded", b"csrf_token=%00"),
    "an XML entity": ("application/xml", b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'),
}


@pytest.mark.parametrize("body", BODIES)
def test_a_malformed_body_is_refused(enter, body):
    kind, content = BODIES[body]
    answer = enter("nurse").send("/account/password", content, headers={"Content-Type": kind})
    assert answer.status_code in {400, 413, 415, 422}


HIDDEN = (
    *("/static/../config.py", "/static/%2e%2e/config.py", "/static/..%2fconfig.py"),
    *("/.git/HEAD", "/wsgi.py", "/instance/secret"),
)


@pytest.mark.parametrize("path", HIDDEN)
def test_no_file_is_read(server, path):
    asked = requests.Request("GET", server).prepare()
    asked.url = server + path
    answer = requests.Session().send(asked, timeout=SECONDS, allow_redirects=False)
    assert answer.status_code in {303, 400, 403, 404}
    assert "import" not in answer.text


FILES = {
    "a page": ("x.pdf", b"<html><script>alert(1)</script></html>", "application/pdf"),
    "a drawing with a script": (
        "x.svg",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        "image/svg+xml",
    ),
    "a program": ("../../x.pdf.exe", b"MZ\x90\x00" + b"\0" * 200, "application/pdf"),
    "a zip": ("x.png", b"PK\x03\x04" + b"\0" * 100, "image/png"),
    "nothing": ("x.pdf", b"", "application/pdf"),
}


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_not_what_it_says_is_refused(enter, walked, file):
    nurse = enter("nurse")
    path = next(path for path in walked["nurse"].pages if re.fullmatch(r"/patients/[0-9a-f-]{36}/documents", path))
    _, page = nurse.read(path)
    (form,) = [form for form in page.forms if "file" in form.names]
    data = {field.name: field.value or "Plain words." for field in form.fields if field.name != "file"}
    refused = nurse.send(path_in(form.action), data, files={"file": FILES[file]})
    assert refused.status_code in {400, 415, 422}
    assert "Plain words." in refused.text


# --- afterwards ------------------------------------------------------------------------------------------------------


def test_the_log_holds_no_patient_no_secret_and_no_made_up_line(poisoned, server, server_log):
    Attacker(server).get("/x%0d%0aforged%1b[31m", headers={"User-Agent": "evil\x1b[31m"})
    text = server_log.read_text(errors="replace").partition("(Ctrl+C stops it)")[2]  # after the start
    assert not names_in(text)
    assert DEMO_PASSWORD not in text
    assert "\x1b" not in text
    assert "\nforged" not in text
    assert "Traceback" not in text
