"""Sends the forms that a crawl found: as a person would, and as nobody should."""

import uuid
from dataclasses import dataclass
from functools import cache

import sqlalchemy as sa

from clinic.core import db
from tests.sweep.pages import Reader, path_of

TAG = "<img src=x onerror=alert(1)>"
NUMBERS = (
    "nan",
    "inf",
    "-inf",
    "1e309",
    "1e2",
    "1_000",
    "0_5",
    "１２",
    "٣",
    "sNaN",
    "9" * 400,
    "9223372036854775808",
    "-1",
    "0x10",
    "1.2.3",
    "1,2,3",
)
# None of these is a number to anybody, whatever the bounds of the field.
NO_NUMBERS = tuple(text for text in NUMBERS if text != "-1")
DATES = ("0000-00-00", "2026-13-45", "31-Feb-2026", "99-Nov-2025", "99:99", "24:00", "٠٩:٠٠", "2025-11-18T25:00", "1")
TEXTS = (
    TAG,
    '"><script>alert(1)</script>',
    "'\"--",
    "' OR '1'='1",
    "../../etc/passwd",
    "{{ 7*7 }}",
    "%s%n%x",
    "\U0001f480 \U0001f469‍⚕️",
    "\u202egnp.exe",
    "\r\nX-Injected: yes",
    "a\0b",
    "x" * 5000,
    "   ",
)
IDS = ("", "0", "-1", "not-an-id", "00000000-0000-0000-0000-000000000000", "{" + "f" * 32 + "}", "2147483648", "\udcff")
ALL = (*NUMBERS, *DATES, *TEXTS, *IDS[:-1])

# Rows that a refusal leaves on purpose: what was read, refused or seen.
TRACES = {"audit_entry", "login_session", "login_failure", "idempotency_key"}


def plausible(field, form):
    """Something that a person could have typed into a field."""
    if field.value:
        return field.value
    choices = [choice for choice in form.choices_of(field.name) if choice]
    if choices:
        return choices[0]
    if field.kind == "number":
        return "14:05" if any(word in field.name for word in ("time", "clock", "_at")) else "5"
    if field.kind == "date" or "date" in field.name or field.name.endswith(("_on", "day")):
        return "2025-11-18"
    return {"time": "14:05", "datetime-local": "2025-11-18T14:05", "email": "new.person@clinic.example"}.get(
        field.kind, "Plain words."
    )


def filled(form):
    """Every field of a form filled with something."""
    values = {}
    for field in form.fields:
        if field.name not in {"csrf_token", "idempotency_key"} and not values.get(field.name):
            values[field.name] = plausible(field, form)
    return values


@cache
def _counting():
    tables = [table for table in db.Base.metadata.sorted_tables if table.name not in TRACES]
    return sa.select(
        *(sa.select(sa.func.count()).select_from(table).scalar_subquery().label(table.name) for table in tables)
    )


def counts():
    """How many rows each table of the record holds."""
    return dict(db.session.execute(_counting()).one()._mapping)


@dataclass
class Sent:
    """One post and what came of it."""

    form: object
    values: dict[str, str]
    what: str
    status: int
    response: object = None
    error: str | None = None
    before: dict[str, int] | None = None
    after: dict[str, int] | None = None

    @property
    def changed(self):
        return {name: (self.before[name], count) for name, count in self.after.items() if count != self.before[name]}

    def __str__(self):
        return f"{self.form.page} → {self.form.action} {self.what}: {self.status} {self.error or ''}"


def send(browser, form, values, what="", **kwargs):
    """Post a form and note the answer and the rows that it left."""
    before = counts()
    try:
        response, error = browser.post(path_of(form.action), data=values, **kwargs), None
    except Exception as problem:  # noqa: BLE001 whatever it is, the person would see a failure
        response, error = None, f"{type(problem).__name__}: {str(problem)[:400]}"
    db.session.expire_all()
    return Sent(form, values, what, response.status_code if response else 599, response, error, before, counts())


def faults(browser, sent):
    """What is wrong with an answer, whatever was sent."""
    if sent.status >= 500:
        return [f"{sent}"]
    found = []
    if sent.status >= 400 and sent.changed:
        found.append(f"{sent} was refused and left {sent.changed}")
    if "X-Injected" in sent.response.headers:
        found.append(f"{sent} wrote a header")
    shown = sent.response
    if sent.status == 303:
        shown, trouble = follow(browser, sent)
        found += trouble
    for tag, attributes in Reader("/", shown.get_data(as_text=True) if shown else "").tags:
        if "onerror" in attributes or (tag == "script" and "src" not in attributes):
            found.append(f"{sent} shows a tag: {tag} {attributes}")
    return found


def follow(browser, sent):
    """The page that a save leads to, and what is wrong with it."""
    to = path_of(sent.response.headers["Location"])
    if to is None:
        return None, [f"{sent} leads away to {sent.response.headers['Location']}"]
    try:
        shown = browser.get(to)
    except Exception as problem:  # noqa: BLE001 see above
        return None, [f"{sent}, then {to}: {type(problem).__name__}: {str(problem)[:400]}"]
    return shown, [f"{sent}, then {to}: {shown.status_code}"] if shown.status_code >= 400 else []


def key():
    return uuid.uuid4().hex
